use serde_json::{Value, json};

use crate::yaml::edit::{apply, edits};
use crate::yaml::read::documents;

mod audited;
mod braces;
mod corpus;
mod generated;
mod layout;
mod properties;
mod refused;
mod relocation;

const HEAD: &str = "apiVersion: apps/v1\nkind: StatefulSet\n";

/// The text that a patch leads to, or why it does not. The last object of the stream is patched.
fn patched(text: &str, patch: &Value) -> Result<String, String> {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
    let document = documents(text).last().unwrap().unwrap();
    let edits = edits(&document.read().unwrap(), &patch).map_err(|error| error.to_string())?;
    assert!(
        edits.is_sorted_by(|one, other| one.range.end <= other.range.start),
        "{edits:?}"
    );
    Ok(apply(text, edits))
}

/// Rows of: what it is, the text, the patch, the text after it.
fn check(rows: &[(&str, &str, Value, &str)]) {
    let mut failed = String::new();
    for (what, text, patch, expected) in rows {
        let found = patched(text, patch);
        if found.as_deref() != Ok(*expected) {
            let found = found.unwrap_or_else(|error| error);
            failed = format!("{failed}== {what}\n{found}\n-- expected\n{expected}\n");
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// The same below the first lines of a set.
fn yaml(rows: &[(&str, &str, Value, &str)]) {
    let rows: Vec<_> = rows
        .iter()
        .map(|(what, text, patch, expected)| {
            (
                *what,
                format!("{HEAD}{text}"),
                patch.clone(),
                format!("{HEAD}{expected}"),
            )
        })
        .collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|(what, text, patch, expected)| {
            (*what, text.as_str(), patch.clone(), expected.as_str())
        })
        .collect();
    check(&rows);
}

fn add(path: &str, value: impl Into<Value>) -> Value {
    json!([{"op": "add", "path": path, "value": value.into()}])
}

fn remove(path: &str) -> Value {
    json!([{"op": "remove", "path": path}])
}

fn replace(path: &str, value: impl Into<Value>) -> Value {
    json!([{"op": "replace", "path": path, "value": value.into()}])
}

fn relocate(from: &str, path: &str) -> Value {
    json!([{"op": "move", "from": from, "path": path}])
}
