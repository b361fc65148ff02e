//! The safety net: a text that has been edited says what was asked for, and nothing else.

use json_patch::PatchOperation;
use serde_json::Value;

use super::read;
use super::scope::Scope;
use crate::yaml::read::tree::Tree;
use crate::yaml::read::{Fault, json};

/// Compares what a text says now with what operations make of what it said before.
pub(super) fn prove(
    before: &str,
    now: &str,
    (scope, operations): (&Scope, &[PatchOperation]),
) -> Result<(), Fault> {
    let mut expected = value(&read(before)?)?;
    let object = expected.pointer_mut(&scope.pointer);
    let object = object.ok_or_else(|| Fault::new(0, "the object is not found in its document"))?;
    json_patch::patch(object, operations).map_err(|error| Fault::new(0, error.to_string()))?;
    let tree = read(now).map_err(|fault| Fault {
        message: format!("the text would not be read any more: {}", fault.message),
        ..fault
    })?;
    if same(&value(&tree)?, &expected) {
        return Ok(());
    }
    let root = scope.root(&tree).unwrap_or_default();
    Err(tree.fault(root, "the text would not say what it should"))
}

fn value(tree: &Tree<'_>) -> Result<Value, Fault> {
    let json = json::json(tree, 0)?;
    serde_json::from_str(&json).map_err(|error| Fault::new(0, error.to_string()))
}

/// Whether two values are the same; `1.0` is 1.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || (one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let found =
                |key: &String, one: &Value| other.get(key).is_some_and(|other| same(one, other));
            one.len() == other.len() && one.iter().all(|(key, one)| found(key, one))
        }
        _ => one == other,
    }
}
