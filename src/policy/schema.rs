//! Holds what somebody wrote against the schema of the CRD, and names every fault at once.
//!
//! The schema is the one that the API server checks objects by, so a file and an object are accepted and refused alike.

use std::fmt;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::spec::definition;
use crate::model::spelling::nearest;
use crate::model::text::{clipped, quoted};

/// Something that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where, such as `spec.inject.readinessProbe.mode`.
    pub path: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.message)
    }
}

static SPEC: LazyLock<Value> = LazyLock::new(|| {
    definition()
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .cloned()
        .unwrap_or_default()
});

/// Every way in which a value is no `spec` of a policy.
pub(super) fn faults(spec: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    check(spec, &SPEC, "spec", &mut faults);
    faults
}

fn check(value: &Value, schema: &Value, path: &str, faults: &mut Vec<Fault>) {
    // The API server drops a null where the schema allows none.
    if value.is_null() || faults.len() >= MOST_FAULTS {
        return;
    }
    if schema["x-kubernetes-int-or-string"] == true {
        if !(value.is_i64() || value.is_string()) {
            faults.push(wrong_type(path, "a number or a name", value));
        }
        return;
    }
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(members)) => check_object(members, schema, path, faults),
        (Some("array"), Value::Array(items)) => check_array(items, schema, path, faults),
        (Some("string"), Value::String(text)) => check_text(text, schema, path, faults),
        (Some("integer"), Value::Number(number)) => match number.as_i64() {
            Some(number) => check_number(number, schema, path, faults),
            None => faults.push(wrong_type(path, "a whole number", value)),
        },
        (Some("boolean"), Value::Bool(_)) | (None, _) => {}
        (Some(expected), _) => faults.push(wrong_type(path, named(expected), value)),
    }
}

/// The most faults that are named: nobody reads more, and each unknown name is compared with all that are known.
const MOST_FAULTS: usize = 100;

/// Whether there are more than the schema allows, of which nothing but that is said.
fn is_too_long(length: usize, most: &Value, of: &str, path: &str, faults: &mut Vec<Fault>) -> bool {
    let most = most.as_u64().unwrap_or(u64::MAX);
    let is_too_long = length as u64 > most;
    if is_too_long {
        faults.push(Fault::new(
            path,
            format!("has {length} {of}, {most} at most"),
        ));
    }
    is_too_long
}

fn check_object(members: &Map<String, Value>, schema: &Value, path: &str, faults: &mut Vec<Fault>) {
    let empty = Map::new();
    let known = schema["properties"].as_object().unwrap_or(&empty);
    let others = &schema["additionalProperties"];
    let count = members.len();
    if is_too_long(count, &schema["maxProperties"], "entries", path, faults) {
        return;
    }
    for (name, value) in members {
        if faults.len() >= MOST_FAULTS {
            return;
        }
        let path = format!("{path}.{}", clipped(name, LONGEST_NAME));
        match known.get(name) {
            Some(schema) => check(value, schema, &path, faults),
            None if others.is_object() => check(value, others, &path, faults),
            None => faults.push(Fault::new(path, unknown_field(name, known))),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if members.get(name).is_none_or(Value::is_null) {
            faults.push(Fault::new(format!("{path}.{name}"), "is missing"));
        }
    }
}

fn check_array(items: &[Value], schema: &Value, path: &str, faults: &mut Vec<Fault>) {
    let least = schema["minItems"].as_u64().unwrap_or(0);
    if (items.len() as u64) < least {
        faults.push(Fault::new(path, format!("must have {least} or more items")));
    }
    let count = items.len();
    if is_too_long(count, &schema["maxItems"], "items", path, faults) {
        return;
    }
    for (index, item) in items.iter().enumerate() {
        check(item, &schema["items"], &format!("{path}[{index}]"), faults);
    }
}

/// The longest name of a field that is shown.
const LONGEST_NAME: usize = 64;

fn check_text(text: &str, schema: &Value, path: &str, faults: &mut Vec<Fault>) {
    // the API server counts characters, too
    let length = text.chars().count();
    if is_too_long(length, &schema["maxLength"], "characters", path, faults) {
        return;
    }
    let allowed: Vec<&str> = values(schema);
    if !allowed.is_empty() && !allowed.contains(&text) {
        faults.push(Fault::new(path, unknown_value(text, &allowed)));
    } else if text.is_empty() && schema["minLength"].as_u64().unwrap_or(0) > 0 {
        faults.push(Fault::new(path, "is empty"));
    }
}

fn check_number(number: i64, schema: &Value, path: &str, faults: &mut Vec<Fault>) {
    let is_int32 = schema["format"] == "int32";
    let of_type = |name: &str| match name {
        "minimum" => f64::from(i32::MIN),
        _ => f64::from(i32::MAX),
    };
    let bound = |name: &str| {
        let bound = schema[name].as_f64();
        bound.or_else(|| is_int32.then(|| of_type(name)))
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "bounds are far below 2^52, and what is above them stays above"
    )]
    let inside = bound("minimum").is_none_or(|least| number as f64 >= least)
        && bound("maximum").is_none_or(|most| number as f64 <= most);
    if inside {
        return;
    }
    let range = match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("from {least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        (None, Some(most)) => format!("{most} or less"),
        (None, None) => return,
    };
    faults.push(Fault::new(path, format!("is {number}, must be {range}")));
}

fn values(schema: &Value) -> Vec<&str> {
    let values = schema["enum"].as_array();
    values
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn unknown_field(name: &str, known: &Map<String, Value>) -> String {
    let names = || known.keys().map(String::as_str);
    nearest(name, names()).map_or_else(
        || {
            let names: Vec<&str> = names().collect();
            format!(
                "there is no such field; here may stand {}",
                names.join(", ")
            )
        },
        |near| format!("there is no such field; did you mean {near}?"),
    )
}

fn unknown_value(text: &str, allowed: &[&str]) -> String {
    let list = allowed.join(", ");
    nearest(text, allowed.iter().copied()).map_or_else(
        || format!("{} is none of {list}", quoted(text)),
        |near| format!("{} is none of {list}; did you mean {near}?", quoted(text)),
    )
}

fn wrong_type(path: &str, expected: &str, value: &Value) -> Fault {
    let hint = match value {
        Value::Bool(_) => "; in YAML, yes, no, on and off are booleans unless quoted",
        _ => "",
    };
    let mut shown = value.to_string();
    if shown.chars().count() > 60 {
        shown = shown.chars().take(60).collect::<String>() + "\u{2026}";
    }
    Fault::new(path, format!("must be {expected}, is {shown}{hint}"))
}

fn named(kind: &str) -> &'static str {
    match kind {
        "object" => "an object",
        "array" => "a list",
        "string" => "text",
        "integer" => "a whole number",
        _ => "true or false",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn says(spec: &Value) -> Vec<String> {
        faults(spec).iter().map(Fault::to_string).collect()
    }

    #[test]
    fn every_fault_is_named_with_its_path_and_the_nearest_spelling() {
        let spec = json!({
            "priority": 1.5,
            "enforcment": "Enforce",
            "profile": "strict",
            "colour": 1,
            "match": {"namespaces": {"include": "shop"}},
            "exemptions": {"allow": "yes"},
            "inject": {
                "readinessProbe": {"mode": false, "periodSeconds": 0},
                "imageProbes": [{"port": true}, {"image": ""}],
                "volumeClaims": {"accessModes": []},
            },
        });
        assert_eq!(
            says(&spec),
            [
                "spec.colour: there is no such field; here may stand enforcement, exemptions, inject, match, priority, profile, rules, trustedControllers",
                "spec.enforcment: there is no such field; did you mean enforcement?",
                "spec.exemptions.allow: must be true or false, is \"yes\"",
                "spec.inject.imageProbes[0].port: must be a number or a name, is true; in YAML, yes, no, on and off are booleans unless quoted",
                "spec.inject.imageProbes[0].image: is missing",
                "spec.inject.imageProbes[1].image: is empty",
                "spec.inject.readinessProbe.mode: must be text, is false; in YAML, yes, no, on and off are booleans unless quoted",
                "spec.inject.readinessProbe.periodSeconds: is 0, must be from 1 to 3600",
                "spec.inject.volumeClaims.accessModes: must have 1 or more items",
                "spec.match.namespaces.include: must be a list, is \"shop\"",
                "spec.priority: must be a whole number, is 1.5",
                "spec.profile: \"strict\" is none of Default, Strict, Permissive; did you mean Strict?",
            ]
        );
    }

    #[test]
    fn what_is_null_counts_as_absent() {
        assert_eq!(
            says(
                &json!({"match": null, "rules": null, "inject": {"volumeClaims": {"storageClassName": null}}})
            ),
            [""; 0]
        );
    }
}
