//! The governing Service of a set that is linked to one which nobody has yet.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::StatefulSet;
use serde::Deserialize;
use serde_json::Value;

use super::Key;
use crate::cluster_view::ClusterView;
use crate::inject::governing_service::document::document;
use crate::inject::record::Record;
use crate::inject::service::service_name;
use crate::review::report::Row;
use crate::statefulset::annotations::INJECTED;
use crate::yaml::read::{Part, parts};

/// Where a set names its Service.
pub(super) const POINTER: &str = "/spec/serviceName";

/// Why a set of JSON is not linked.
pub(super) const CANNOT_FOLLOW: &str =
    "its Service would have to follow it, and JSON has one document; write both";

/// A Service that is yet to be written.
pub(super) struct Governing {
    pub(super) key: Key,
    /// Its YAML.
    pub(super) document: String,
}

/// What of the Services is known.
pub(super) struct Services<'a> {
    /// Those of the input.
    pub(super) own: &'a BTreeSet<Key>,
    /// Those of the cluster, each with the release of Helm that it is of.
    pub(super) of_cluster: &'a BTreeMap<Key, Option<Release>>,
    pub(super) around: &'a dyn ClusterView,
}

/// A release of Helm: its namespace and its name.
pub type Release = (String, String);

/// The release that an object is of.
pub(crate) fn release(object: &Value) -> Option<Release> {
    let annotation = |key: &str| {
        let value = object.pointer("/metadata/annotations")?.get(key)?;
        Some(value.as_str()?.to_owned())
    };
    Some((
        annotation("meta.helm.sh/release-namespace")?,
        annotation("meta.helm.sh/release-name")?,
    ))
}

impl Services<'_> {
    /// The Service that is to follow a set whose file names none: `json` is the set as the file will have it.
    pub(super) fn governing(
        &self,
        row: &Row,
        json: &Value,
        stored: Option<&Value>,
    ) -> Option<Governing> {
        row.changes.iter().find(|change| change.is_link())?;
        let name = json.pointer(POINTER)?.as_str()?;
        let key = (row.namespace.clone(), name.to_owned());
        if self.own.contains(&key) || name != service_name(&row.name) || !self.is_ours(&key, stored)
        {
            return None;
        }
        let set = StatefulSet::deserialize(json).ok()?;
        Some(Governing {
            key,
            document: document(&set),
        })
    }

    /// Whether the Service belongs to the file: nobody else has it. Left out of the next render of a release, Helm would delete the one
    /// that the render before brought.
    fn is_ours(&self, key: &Key, stored: Option<&Value>) -> bool {
        if stored.is_some_and(is_kept) {
            return false;
        }
        match (self.of_cluster.get(key), stored) {
            (None, _) => true,
            (Some(_), _) if self.is_kept_in_cluster(key) => false,
            (Some(of), Some(stored)) => *of == release(stored),
            (Some(of), None) => of.is_some(),
        }
    }

    fn is_kept_in_cluster(&self, key: &Key) -> bool {
        let service = self.around.service(&key.0, &key.1).found();
        service.is_some_and(|service| service.kept_for.is_some())
    }
}

/// Whether the controller keeps the Service of a stored set.
fn is_kept(stored: &Value) -> bool {
    let record = stored
        .pointer("/metadata/annotations")
        .and_then(|annotations| annotations.get(INJECTED)?.as_str())
        .and_then(|text| serde_json::from_str::<Record>(text).ok());
    record.is_some_and(|record| record.kept_service().is_some())
}

/// Whether no document can follow in this text: a file of JSON is one document.
pub(super) fn cannot_follow(part: &Part<'_>) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(part.text).is_ok()
}

/// Adds documents to a text, each after the document with that number.
pub(super) fn added(text: &str, services: &BTreeMap<usize, Vec<String>>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (index, part) in parts(text).enumerate() {
        let Some(documents) = services.get(&index).filter(|found| !found.is_empty()) else {
            continue;
        };
        let end = part.start + part.text.len();
        out.push_str(text.get(done..end).unwrap_or_default());
        push(&mut out, &part, documents);
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

fn push(out: &mut String, part: &Part<'_>, documents: &[String]) {
    let newline = if part.text.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    if !part.text.ends_with('\n') {
        out.push_str(newline);
    }
    for document in documents {
        out.push_str("---");
        out.push_str(newline);
        out.push_str(&document.replace('\n', newline));
    }
    // A document that is closed leaves the next one without an opening line.
    let last = part.text.lines().next_back();
    if last.is_some_and(|line| line.trim_end() == "...") {
        out.push_str("...");
        out.push_str(newline);
    }
}
