//! Policies as the documents of a YAML file.

use serde_json::Value;

use super::Policy;
use super::compile::{Rejected, compile};
use super::schema::Fault;
use crate::model::spelling::nearest;
use crate::yaml::values;

const API_VERSION: &str = "steadyset.io/v1alpha1";
const KIND: &str = "StatefulSetPolicy";

/// A document that is meant to be a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// `metadata.name`.
    pub name: String,
    /// The policy, or why there is none.
    pub policy: Result<Policy, Rejected>,
}

/// Reads every policy of a text.
///
/// # Errors
///
/// What is wrong, where the text cannot be read or a document is no policy at all or has no name; a policy with faults is no
/// such error.
pub fn read(text: &str) -> Result<Vec<Document>, Vec<Fault>> {
    let documents = values::documents(text).map_err(|reason| vec![Fault::new("YAML", reason)])?;
    let mut policies: Vec<Document> = Vec::new();
    let mut faults = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let place = format!("document {}", index + 1);
        match one(document, &place) {
            Ok(policy) if policies.iter().any(|other| other.name == policy.name) => {
                faults.push(Fault::new(
                    place,
                    format!("a second policy {:?}", policy.name),
                ));
            }
            Ok(policy) => policies.push(policy),
            Err(wrong) => faults.extend(wrong),
        }
    }
    if faults.is_empty() {
        Ok(policies)
    } else {
        Err(faults)
    }
}

fn one(document: &Value, place: &str) -> Result<Document, Vec<Fault>> {
    let Some(members) = document.as_object() else {
        return Err(vec![Fault::new(
            place,
            "is no policy: write apiVersion, kind, metadata and spec",
        )]);
    };
    let mut faults: Vec<Fault> = [("apiVersion", API_VERSION), ("kind", KIND)]
        .into_iter()
        .filter(|(field, wanted)| document[field] != **wanted)
        .map(|(field, wanted)| {
            let found = &document[field];
            Fault::new(
                format!("{place}: {field}"),
                format!("is {found}; write {wanted}"),
            )
        })
        .collect();
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    for field in members
        .keys()
        .filter(|field| !known.contains(&field.as_str()))
    {
        let near = nearest(field, known)
            .map_or_else(String::new, |near| format!("; did you mean {near}?"));
        faults.push(Fault::new(
            format!("{place}: {field}"),
            format!("there is no such field{near}"),
        ));
    }
    let name = document
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if name.is_empty() {
        faults.push(Fault::new(format!("{place}: metadata.name"), "is missing"));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let nothing = Value::Object(serde_json::Map::new());
    let spec = members
        .get("spec")
        .filter(|spec| !spec.is_null())
        .unwrap_or(&nothing);
    Ok(Document {
        name: name.to_owned(),
        policy: compile(name, spec),
    })
}
