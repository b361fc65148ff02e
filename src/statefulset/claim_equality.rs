//! What a claim means to the API server, whatever way it is written (`apiequality.Semantic.DeepEqual`).

use serde_json::{Map, Value};

use crate::model::quantity;

/// A claim as the API server means it: without what says nothing, without what the server fills in by itself.
#[must_use]
pub fn canonical(claim: &Value) -> Value {
    let Value::Object(fields) = claim else {
        return claim.clone();
    };
    let mut fields = fields.clone();
    for filled_in in ["apiVersion", "kind", "status"] {
        fields.remove(filled_in);
    }
    if let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut)
        && spec
            .get("volumeMode")
            .is_some_and(|mode| mode == "Filesystem")
    {
        spec.remove("volumeMode");
    }
    meaning(&Value::Object(fields), Place::Plain)
}

/// Whether two claims mean the same to the API server.
#[must_use]
pub fn is_same_claim(one: &Value, other: &Value) -> bool {
    canonical(one) == canonical(other)
}

/// Where in a claim a value stands, as far as it decides what the value means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    /// The maps of quantities: `resources.requests` and `resources.limits`.
    Resources,
    /// A map of quantities.
    Quantities,
    /// Labels and annotations: an empty text is a value.
    Texts,
}

impl Place {
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Resources, _) => Self::Quantities,
            (Self::Plain, "resources") => Self::Resources,
            (Self::Plain, "labels" | "annotations" | "matchLabels") => Self::Texts,
            (place, _) => place,
        }
    }
}

/// Fields for which an empty text is not the same as none (`PersistentVolumeClaimSpec`: an empty class is no class, none
/// is the default one).
const EMPTY_COUNTS: [&str; 2] = ["storageClassName", "volumeAttributesClassName"];

fn meaning(value: &Value, place: Place) -> Value {
    match value {
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (key, value) in fields {
                let value = meaning(value, place.below(key));
                let counts = place == Place::Texts || EMPTY_COUNTS.contains(&key.as_str());
                if !says_nothing(&value) || (counts && value.is_string()) {
                    kept.insert(key.clone(), value);
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) => items.iter().map(|item| meaning(item, place)).collect(),
        Value::String(_) | Value::Number(_) if place == Place::Quantities => {
            quantity::nanos(&shown(Some(value)))
                .map_or_else(|| value.clone(), |amount| Value::String(amount.to_string()))
        }
        other => other.clone(),
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value as it is shown.
#[must_use]
pub fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
