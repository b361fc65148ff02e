//! Pods that `kubectl delete --cascade=orphan` has left behind, and what an injection into the set that adopts them would
//! do to them.
//!
//! A pod template that differs from theirs restarts them, and a claim that they lack blocks the set for ever. But where
//! they come from a set that had the same injected, it is the other way round: leaving it out restarts them. So what
//! matters is whether a pod already is what the injections would make of it.

use json_patch::{AddOperation, PatchOperation, RemoveOperation};
use jsonptr::PointerBuf;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::Value;

use crate::statefulset::set::Set;

/// Whether the set's controller would adopt the pod (`kubernetes/kubernetes:pkg/controller/controller_ref_manager.go`): it
/// is called `<set>-N`, nothing controls it, and it is not going away. Its labels are the API server's business.
pub(super) fn is_orphan(pod: &Pod, set: &str) -> bool {
    let name = pod.name_any();
    let ordinal = name
        .strip_prefix(set)
        .and_then(|rest| rest.strip_prefix('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let controlled = pod
        .owner_references()
        .iter()
        .any(|owner| owner.controller == Some(true));
    ordinal.is_some_and(is_number) && !controlled && pod.metadata.deletion_timestamp.is_none()
}

/// Whether the pod already is what these changes of the set would make of it.
pub(super) fn fits(pod: &Pod, set: &Set<'_>, changes: &[PatchOperation]) -> bool {
    let Ok(pod) = serde_json::to_value(pod) else {
        return false;
    };
    changes.iter().all(|change| match change {
        PatchOperation::Add(addition) => has(&pod, set, addition),
        PatchOperation::Remove(removal) => lacks(&pod, set, removal),
        _ => false,
    })
}

fn tokens(path: &PointerBuf) -> Vec<String> {
    path.tokens()
        .map(|token| token.decoded().into_owned())
        .collect()
}

/// Whether a change of this field of the set is one of its pods.
fn reaches_pods(path: &[String]) -> bool {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    matches!(
        path.as_slice(),
        [
            "spec",
            "template" | "serviceName" | "volumeClaimTemplates",
            ..
        ]
    )
}

fn has(pod: &Value, set: &Set<'_>, addition: &AddOperation) -> bool {
    let (tokens, value) = (tokens(&addition.path), &addition.value);
    let path: Vec<_> = tokens.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["spec", "serviceName"] => pod.pointer("/spec/subdomain") == Some(value),
        ["spec", "volumeClaimTemplates"] => each(value, |claim| has_claim(pod, claim)),
        ["spec", "volumeClaimTemplates", _] => has_claim(pod, value),
        // the claims of a pod that runs are there, whatever the template now says of their size
        ["spec", "volumeClaimTemplates", ..] => true,
        ["spec", "template", "spec", "containers", index, field @ ..] => {
            container(pod, set, index).is_some_and(|container| has_field(container, field, value))
        }
        _ => !reaches_pods(&tokens),
    }
}

/// Whether the pod has nothing where something is taken out; only of a field of a container is that known.
fn lacks(pod: &Value, set: &Set<'_>, removal: &RemoveOperation) -> bool {
    let tokens = tokens(&removal.path);
    let path: Vec<_> = tokens.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["spec", "template", "spec", "containers", index, field] => {
            container(pod, set, index).is_some_and(|container| container.get(*field).is_none())
        }
        _ => !reaches_pods(&tokens),
    }
}

/// The claim of a pod is called `<claim>-<pod>`.
fn has_claim(pod: &Value, claim: &Value) -> bool {
    let (Some(claim), Some(pod_name)) =
        (text(claim, "/metadata/name"), text(pod, "/metadata/name"))
    else {
        return false;
    };
    let name = format!("{claim}-{pod_name}");
    list(pod, "/spec/volumes").any(|volume| {
        text(volume, "/name") == Some(claim)
            && text(volume, "/persistentVolumeClaim/claimName") == Some(&name)
    })
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    let items = value.pointer(pointer).and_then(Value::as_array);
    items.into_iter().flatten()
}

/// The pod's container that comes from the set's container of this index: others may have been added around it.
fn container<'p>(pod: &'p Value, set: &Set<'_>, index: &str) -> Option<&'p Value> {
    let wanted = set
        .spec
        .template
        .spec
        .containers
        .get(index.parse::<usize>().ok()?)?;
    list(pod, "/spec/containers").find(|container| text(container, "/name") == Some(&wanted.name))
}

fn has_field(container: &Value, field: &[&str], value: &Value) -> bool {
    match field {
        ["volumeMounts"] => each(value, |mount| has_mount(container, mount)),
        ["volumeMounts", _] => has_mount(container, value),
        _ => {
            let found = field
                .iter()
                .try_fold(container, |value, key| value.get(key));
            found.is_some_and(|found| holds(found, value))
        }
    }
}

fn has_mount(container: &Value, mount: &Value) -> bool {
    list(container, "/volumeMounts").any(|found| holds(found, mount))
}

fn each(list: &Value, holds: impl Fn(&Value) -> bool) -> bool {
    list.as_array().is_some_and(|items| items.iter().all(holds))
}

/// Whether everything that was wanted is there; the API server may have added defaults beside it.
fn holds(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| found.get(key).is_some_and(|found| holds(found, wanted))),
        _ => found == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn only_what_the_set_would_adopt_is_an_orphan() {
        let owned = |controller: bool| json!([{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u", "controller": controller}]);
        for (name, owners, deletion, orphan) in [
            ("web-0", Value::Null, Value::Null, true),
            ("web-12", Value::Null, Value::Null, true),
            ("web-0", owned(false), Value::Null, true),
            ("web-0", owned(true), Value::Null, false),
            ("web-0", Value::Null, json!("2026-01-01T00:00:00Z"), false),
            ("web-", Value::Null, Value::Null, false),
            ("web", Value::Null, Value::Null, false),
            ("web-a", Value::Null, Value::Null, false),
            ("web-db-0", Value::Null, Value::Null, false),
        ] {
            let pod = json!({"metadata": {"name": name, "ownerReferences": owners, "deletionTimestamp": deletion}});
            let pod: Pod = from_value(pod).unwrap();
            assert_eq!(is_orphan(&pod, "web"), orphan, "{name} {owners} {deletion}");
        }
    }

    /// Whether a pod as an API server stores it fits one change of its set.
    fn pod_fits(change: &Value) -> bool {
        let pod = json!({
            "metadata": {"name": "web-0"},
            "spec": {
                "subdomain": "web-pods",
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}},
                    {"name": "shared", "persistentVolumeClaim": {"claimName": "shared"}}],
                "containers": [
                    {"name": "proxy", "image": "p"},
                    {"name": "app", "image": "a",
                        "readinessProbe": {"tcpSocket": {"port": "http"}, "timeoutSeconds": 3, "successThreshold": 1},
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "token", "mountPath": "/t", "readOnly": true}]},
                ],
            },
        });
        let set = r#"{"spec": {"template": {"spec": {"containers": [{"name": "app"}, {"name": "gone"}]}}}}"#;
        let set: Set<'_> = serde_json::from_str(set).unwrap();
        let changes: Vec<PatchOperation> = from_value(json!([change])).unwrap();
        fits(&from_value(pod).unwrap(), &set, &changes)
    }

    #[test]
    fn a_pod_fits_what_it_already_has() {
        const APP: &str = "/spec/template/spec/containers/0";
        let add = |path: String, value: Value| json!({"op": "add", "path": path, "value": value});
        let set = |path: &str, value: Value| add(path.to_owned(), value);
        let app = |field: &str, value: Value| add(format!("{APP}/{field}"), value);
        let claim = |name: &str| json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"]}});
        let probe = |port: &str| json!({"tcpSocket": {"port": port}, "timeoutSeconds": 3});
        let mount = |path: &str| json!({"name": "data", "mountPath": path});
        let gone = "/spec/template/spec/containers/1/readinessProbe";
        for (change, fits) in [
            (
                set("/metadata/annotations/steadyset.io~1injected", json!("{}")),
                true,
            ),
            (set("/spec/serviceName", json!("web-pods")), true),
            (set("/spec/serviceName", json!("web")), false),
            (app("readinessProbe", probe("http")), true),
            (app("readinessProbe", probe("tcp")), false),
            (app("livenessProbe", probe("http")), false),
            (set(gone, probe("http")), false),
            (app("volumeMounts", json!([mount("/data")])), true),
            (app("volumeMounts/-", mount("/data")), true),
            (app("volumeMounts/-", mount("/other")), false),
            (
                set("/spec/volumeClaimTemplates", json!([claim("data")])),
                true,
            ),
            (
                set(
                    "/spec/volumeClaimTemplates",
                    json!([claim("data"), claim("more")]),
                ),
                false,
            ),
            (set("/spec/volumeClaimTemplates/1", claim("data")), true),
            (set("/spec/volumeClaimTemplates/1", claim("shared")), false),
            (
                set("/spec/volumeClaimTemplates/0/spec/accessModes", json!([])),
                true,
            ),
            (set("/spec/template/metadata/labels/a", json!("b")), false),
            (
                json!({"op": "remove", "path": "/spec/updateStrategy/rollingUpdate"}),
                true,
            ),
            (
                json!({"op": "remove", "path": "/spec/template/spec/containers/0/readinessProbe"}),
                false,
            ),
            (
                json!({"op": "remove", "path": "/spec/template/spec/containers/0/livenessProbe"}),
                true,
            ),
            (
                json!({"op": "remove", "path": "/spec/template/spec/containers/0/volumeMounts/0"}),
                false,
            ),
        ] {
            assert_eq!(pod_fits(&change), fits, "{change}");
        }
    }
}
