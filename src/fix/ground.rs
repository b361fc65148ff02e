//! A patch of the set as it would be stored, made one of the file: what the server filled in is not there.

use json_patch::{AddOperation, PatchOperation, patch};
use jsonptr::{Pointer, PointerBuf};
use serde_json::{Map, Value};

/// The operations that can be carried out in the document, one after the other, and what they make of it. A value whose parents are
/// not in the file brings them along; what is to be taken out and is not there is forgotten.
pub(super) fn ground(
    mut document: Value,
    operations: &[PatchOperation],
) -> (Vec<PatchOperation>, Value) {
    let mut grounded = Vec::with_capacity(operations.len());
    for operation in operations {
        let own = with_parents(&document, operation).unwrap_or_else(|| operation.clone());
        if patch(&mut document, std::slice::from_ref(&own)).is_ok() {
            grounded.push(own);
        }
    }
    (grounded, document)
}

/// The addition that brings the parents along which the document lacks; `None` where it lacks none.
fn with_parents(document: &Value, operation: &PatchOperation) -> Option<PatchOperation> {
    let PatchOperation::Add(add) = operation else {
        return None;
    };
    let mut parent = add.path.parent()?;
    while is_missing(document, parent) {
        parent = parent.parent()?;
    }
    let missing = add.path.strip_prefix(parent)?;
    let (first, below) = missing.split_front()?;
    if below.is_root() {
        return None;
    }
    let mut value = add.value.clone();
    let tokens: Vec<_> = below.tokens().collect();
    for token in tokens.into_iter().rev() {
        value = match &*token.decoded() {
            "-" | "0" => Value::Array(vec![value]),
            key => Value::Object(Map::from_iter([(key.to_owned(), value)])),
        };
    }
    let mut path: PointerBuf = parent.to_buf();
    path.push_back(first);
    Some(PatchOperation::Add(AddOperation { path, value }))
}

fn is_missing(document: &Value, pointer: &Pointer) -> bool {
    pointer.resolve(document).is_ok_and(Value::is_null) || pointer.resolve(document).is_err()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grounded(document: Value, operations: Value) -> (Value, Value) {
        let operations: Vec<PatchOperation> = serde_json::from_value(operations).unwrap();
        let (operations, document) = ground(document, &operations);
        (serde_json::to_value(operations).unwrap(), document)
    }

    #[test]
    fn missing_parents_come_along() {
        let storage =
            json!({"op": "add", "path": "/spec/resources/requests/storage", "value": "1Gi"});
        for (document, path, value) in [
            (
                json!({"spec": {}}),
                "/spec/resources",
                json!({"requests": {"storage": "1Gi"}}),
            ),
            (
                json!({"spec": {"resources": null}}),
                "/spec/resources",
                json!({"requests": {"storage": "1Gi"}}),
            ),
            (
                json!({"spec": {"resources": {"requests": {}}}}),
                "/spec/resources/requests/storage",
                json!("1Gi"),
            ),
        ] {
            let (operations, after) = grounded(document, json!([storage]));
            assert_eq!(
                operations,
                json!([{"op": "add", "path": path, "value": value}])
            );
            assert_eq!(
                after,
                json!({"spec": {"resources": {"requests": {"storage": "1Gi"}}}})
            );
        }
    }

    #[test]
    fn a_list_that_the_file_lacks_comes_with_its_item() {
        let mount = json!([{"op": "add", "path": "/spec/mounts/0", "value": {"name": "a"}}]);
        let (_, after) = grounded(json!({"spec": {}}), mount);
        assert_eq!(after, json!({"spec": {"mounts": [{"name": "a"}]}}));
    }

    #[test]
    fn what_is_not_there_is_not_taken_out() {
        let removal = json!({"op": "remove", "path": "/spec/rollingUpdate"});
        let (operations, after) = grounded(json!({"spec": {"a": 1}}), json!([removal]));
        assert_eq!((operations, after), (json!([]), json!({"spec": {"a": 1}})));
        let (operations, _) = grounded(json!({"spec": {"rollingUpdate": {}}}), json!([removal]));
        assert_eq!(operations, json!([removal]));
    }
}
