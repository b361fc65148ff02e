//! What a user is known to have written himself, where the merged object cannot tell: kubectl's copy of his file, and the
//! fields that a server-side apply owns.

use serde_json::{Value, json};

use super::probe::Slot;

/// kubectl's copy of the file that was applied last.
const LAST_APPLIED: &str =
    "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

/// The names of the fields of a container's probe that the object says a user wrote; none where nothing says so.
///
/// It reads the whole object, so it is for the rare write where it matters.
pub(super) fn probe_fields(object: &str, container: &str, slot: Slot) -> Vec<String> {
    let Ok(object) = serde_json::from_str::<Value>(object) else {
        return Vec::new();
    };
    let file = object.pointer(LAST_APPLIED).and_then(Value::as_str);
    let mut fields = file
        .and_then(|text| serde_json::from_str(text).ok())
        .map(|file| in_file(&file, container, slot))
        .unwrap_or_default();
    let entries = object.pointer("/metadata/managedFields");
    for entry in entries.and_then(Value::as_array).into_iter().flatten() {
        // a manager that updates owns what it changed, which says nothing of a value that was there before
        if entry
            .get("operation")
            .is_some_and(|operation| operation == "Apply")
        {
            fields.extend(in_apply(entry, container, slot));
        }
    }
    fields
}

fn in_file(file: &Value, container: &str, slot: Slot) -> Vec<String> {
    let containers = file.pointer("/spec/template/spec/containers");
    let mut containers = containers.and_then(Value::as_array).into_iter().flatten();
    let written = containers.find(|other| other.get("name").is_some_and(|name| name == container));
    let probe = written.and_then(|written| written.get(slot.field()));
    keys(probe).map(ToOwned::to_owned).collect()
}

/// `fieldsV1` of `meta/v1`: fields are called `f:<name>`, members of a list `k:<their keys>`.
fn in_apply(entry: &Value, container: &str, slot: Slot) -> Vec<String> {
    let containers = entry.pointer("/fieldsV1/f:spec/f:template/f:spec/f:containers");
    let key = format!("k:{}", json!({"name": container}));
    let owned = containers.and_then(|containers| containers.get(key));
    let probe = owned.and_then(|owned| owned.get(format!("f:{}", slot.field())));
    keys(probe)
        .filter_map(|key| key.strip_prefix("f:"))
        .map(ToOwned::to_owned)
        .collect()
}

fn keys(object: Option<&Value>) -> impl Iterator<Item = &str> {
    let object = object.and_then(Value::as_object);
    object.into_iter().flatten().map(|(key, _)| key.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(metadata: &Value) -> Vec<String> {
        let object = json!({"metadata": metadata}).to_string();
        probe_fields(&object, "web", Slot::Readiness)
    }

    fn file(containers: &Value) -> Value {
        let file = json!({"spec": {"template": {"spec": {"containers": containers}}}});
        json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": file.to_string()}})
    }

    fn managed(operation: &str) -> Value {
        let probe = json!({"f:httpGet": {"f:path": {}}, "f:timeoutSeconds": {}});
        let containers = json!({"k:{\"name\":\"web\"}": {".": {}, "f:readinessProbe": probe}});
        let fields = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}});
        json!({"managedFields": [{"operation": operation, "fieldsV1": fields}]})
    }

    #[test]
    fn kubectls_copy_of_the_file_tells() {
        let probe = json!({"httpGet": {}, "timeoutSeconds": 3});
        let told = file(&json!([{"name": "other"}, {"name": "web", "readinessProbe": probe}]));
        assert_eq!(fields(&told), ["httpGet", "timeoutSeconds"]);
    }

    #[test]
    fn what_an_apply_owns_tells_and_what_an_update_changed_does_not() {
        assert_eq!(fields(&managed("Apply")), ["httpGet", "timeoutSeconds"]);
        assert!(fields(&managed("Update")).is_empty());
    }

    #[test]
    fn each_probe_is_told_of_by_itself() {
        let probe = json!({"tcpSocket": {}, "timeoutSeconds": 3});
        let told = file(&json!([{"name": "web", "livenessProbe": probe}]));
        let object = json!({"metadata": told}).to_string();
        assert_eq!(
            probe_fields(&object, "web", Slot::Liveness),
            ["tcpSocket", "timeoutSeconds"]
        );
        assert!(probe_fields(&object, "web", Slot::Readiness).is_empty());
    }

    #[test]
    fn what_cannot_be_read_tells_nothing() {
        let silent = [
            json!(null),
            json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{"}}),
            json!({"managedFields": [{"operation": "Apply"}, 1]}),
            file(&json!([{"name": "other", "readinessProbe": {"timeoutSeconds": 3}}])),
            file(&json!([{"name": "web", "readinessProbe": null}])),
        ];
        for metadata in silent {
            assert!(fields(&metadata).is_empty(), "{metadata}");
        }
    }
}
