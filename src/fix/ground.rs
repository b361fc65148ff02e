//! A patch of the set as it would be stored, made one of the file: what the server filled in is not there.

use json_patch::{AddOperation, MoveOperation, PatchOperation, patch};
use jsonptr::Pointer;
use serde_json::{Map, Value};

/// The operations that can be carried out in the document, one after the other, and what they make of it. A value whose parents are
/// not in the file brings them along; what is to be taken out and is not there is forgotten.
pub(super) fn ground(
    mut document: Value,
    operations: &[PatchOperation],
) -> (Vec<PatchOperation>, Value) {
    let mut grounded = Vec::with_capacity(operations.len());
    for operation in operations.iter().filter(|operation| !is_home(operation)) {
        let own = match operation {
            PatchOperation::Add(add) => vec![with_parents(&document, add)],
            PatchOperation::Move(moved) => with_homes(&document, moved),
            _ => vec![operation.clone()],
        };
        if patch(&mut document, &own).is_ok() {
            grounded.extend(own);
        }
    }
    (grounded, document)
}

/// Whether it only makes room for what follows, which brings along what it needs.
fn is_home(operation: &PatchOperation) -> bool {
    let PatchOperation::Add(add) = operation else {
        return false;
    };
    add.value.as_object().is_some_and(Map::is_empty)
}

/// The addition, with the parents that the document lacks.
fn with_parents(document: &Value, add: &AddOperation) -> PatchOperation {
    let missing = first_missing(document, &add.path);
    let Some(below) = missing.and_then(|first| add.path.strip_prefix(first)) else {
        return PatchOperation::Add(add.clone());
    };
    let mut value = add.value.clone();
    let tokens: Vec<_> = below.tokens().collect();
    for token in tokens.into_iter().rev() {
        value = match &*token.decoded() {
            "-" | "0" => Value::Array(vec![value]),
            key => Value::Object(Map::from_iter([(key.to_owned(), value)])),
        };
    }
    let path = missing.map(Pointer::to_buf).unwrap_or_default();
    PatchOperation::Add(AddOperation { path, value })
}

/// The move, after the additions of the mappings that it needs and the document lacks.
fn with_homes(document: &Value, moved: &MoveOperation) -> Vec<PatchOperation> {
    let mut parent = moved.path.parent();
    let mut operations = vec![PatchOperation::Move(moved.clone())];
    while let Some(path) = parent.filter(|path| is_missing(document, path)) {
        operations.push(PatchOperation::Add(AddOperation {
            path: path.to_buf(),
            value: Value::Object(Map::new()),
        }));
        parent = path.parent();
    }
    operations.reverse();
    operations
}

/// The outermost of the parents that a document lacks.
fn first_missing<'p>(document: &Value, path: &'p Pointer) -> Option<&'p Pointer> {
    let parents = std::iter::successors(path.parent(), |parent| parent.parent());
    parents
        .take_while(|parent| is_missing(document, parent))
        .last()
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

    #[test]
    fn a_field_moves_into_mappings_that_come_along() {
        let path = "/spec/updateStrategy/rollingUpdate/partition";
        let home = |path: &str| json!({"op": "add", "path": path, "value": {}});
        let moved = json!({"op": "move", "from": "/spec/partition", "path": path});
        let homes = [
            home("/spec/updateStrategy"),
            home("/spec/updateStrategy/rollingUpdate"),
        ];
        let all = json!([homes[0], homes[1], moved]);
        let file = json!({"spec": {"partition": 5}});
        let after = json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 5}}}});
        for operations in [&all, &json!([moved, homes[0], homes[1]]), &json!([moved])] {
            let (operations, now) = grounded(file.clone(), operations.clone());
            assert_eq!((operations, now), (all.clone(), after.clone()));
        }
        // without the move nothing has to be there
        let (operations, now) = grounded(file.clone(), json!(homes));
        assert_eq!((operations, now), (json!([]), file.clone()));
        let elsewhere = json!([{"op": "move", "from": "/spec/gone", "path": path}]);
        assert_eq!(grounded(file.clone(), elsewhere), (json!([]), file));
    }
}
