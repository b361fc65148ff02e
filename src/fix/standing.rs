//! Of what a new set would get, what the stored one has already.
//!
//! A file has no record, and what a post-renderer adds is in no chart: the next render lacks it again, and without it a release that
//! was fixed once could not be upgraded. So what a new set would get is written where the stored set has it, as the stored set has
//! it: nothing of that set changes then.

use json_patch::{AddOperation, PatchOperation, patch};
use jsonptr::PointerBuf;
use serde_json::{Value, json};

use crate::review::merge::text_at;

const CLAIMS: &str = "/spec/volumeClaimTemplates";
const CONTAINERS: &str = "/spec/template/spec/containers";

/// What a claim has once it is stored, and no author writes.
const FILLED_IN: [&str; 3] = ["apiVersion", "kind", "status"];

/// The operations on a file that the stored set has carried out. `new` are those that the set would get if it were new.
pub(super) fn standing(
    new: &[PatchOperation],
    file: &Value,
    stored: &Value,
) -> Vec<PatchOperation> {
    let mut file = file.clone();
    let mut kept = Vec::new();
    for operation in new {
        let PatchOperation::Add(add) = operation else {
            continue;
        };
        for own in as_stored(add, &file, stored) {
            let own = PatchOperation::Add(own);
            if patch(&mut file, std::slice::from_ref(&own)).is_ok() {
                kept.push(own);
            }
        }
    }
    kept
}

fn as_stored(add: &AddOperation, file: &Value, stored: &Value) -> Vec<AddOperation> {
    let tokens: Vec<String> = add
        .path
        .tokens()
        .map(|token| token.decoded().into_owned())
        .collect();
    let path: Vec<&str> = tokens.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["spec", "serviceName"] => service_name(add, stored).into_iter().collect(),
        ["spec", "volumeClaimTemplates"] => claims(&add.value, file, stored),
        ["spec", "volumeClaimTemplates", _] => claims(&json!([add.value]), file, stored),
        ["spec", "volumeClaimTemplates", index, within @ ..] => {
            completion(add, (index, within), file, stored)
                .into_iter()
                .collect()
        }
        ["spec", "template", "spec", "containers", index, field @ ..] => {
            let named = item(file, CONTAINERS, index).map(|own| text_at(own, "/name"));
            let same = named.and_then(|name| by_name(stored, CONTAINERS, "/name", name));
            same.and_then(|same| of_container(add, field, same))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn service_name(add: &AddOperation, stored: &Value) -> Option<AddOperation> {
    let name = text_at(stored, "/spec/serviceName");
    (!name.is_empty()).then(|| with_value(add, json!(name)))
}

/// The claims that are stored, each at its place there: their order cannot change either.
fn claims(wanted: &Value, file: &Value, stored: &Value) -> Vec<AddOperation> {
    let list = |set: &Value| -> Vec<Value> {
        let claims = set.pointer(CLAIMS).and_then(Value::as_array);
        claims.cloned().unwrap_or_default()
    };
    let mut there = list(file).len();
    let wanted = wanted.as_array().into_iter().flatten();
    let wanted: Vec<&str> = wanted.map(claim_name).collect();
    let mut additions = Vec::new();
    for (index, claim) in list(stored).iter().enumerate() {
        if !wanted.contains(&claim_name(claim)) {
            continue;
        }
        let claim = as_written(claim);
        let (path, value) = if there == 0 {
            (CLAIMS.to_owned(), json!([claim]))
        } else {
            (format!("{CLAIMS}/{}", index.min(there)), claim)
        };
        if let Ok(path) = PointerBuf::parse(path) {
            additions.push(AddOperation { path, value });
            there += 1;
        }
    }
    additions
}

/// What a claim of the file lacks, as the stored one has it.
fn completion(
    add: &AddOperation,
    (index, within): (&str, &[&str]),
    file: &Value,
    stored: &Value,
) -> Option<AddOperation> {
    let name = item(file, CLAIMS, index).map(claim_name)?;
    let claim = by_name(stored, CLAIMS, "/metadata/name", name)?;
    let value = within
        .iter()
        .try_fold(claim, |value, key| value.get(key))?
        .clone();
    // a parent is added empty, and what belongs into it after it
    let value = if value.is_object() { json!({}) } else { value };
    Some(with_value(add, value))
}

fn of_container(add: &AddOperation, field: &[&str], stored: &Value) -> Option<AddOperation> {
    match field {
        ["volumeMounts"] => {
            let mounts = add.value.as_array()?.iter();
            let mounts: Vec<_> = mounts.filter(|mount| has_mount(stored, mount)).collect();
            (!mounts.is_empty()).then(|| with_value(add, json!(mounts)))
        }
        ["volumeMounts", _] => has_mount(stored, &add.value).then(|| add.clone()),
        [probe] => {
            let stored = stored.get(probe)?;
            if holds(stored, &add.value) {
                return Some(add.clone());
            }
            (handler(stored)? == handler(&add.value)?).then(|| with_value(add, stored.clone()))
        }
        _ => None,
    }
}

fn with_value(add: &AddOperation, value: Value) -> AddOperation {
    AddOperation {
        path: add.path.clone(),
        value,
    }
}

fn handler(probe: &Value) -> Option<&'static str> {
    let handlers = crate::review::merge::HANDLERS.into_iter();
    handlers
        .into_iter()
        .find(|handler| probe.get(handler).is_some())
}

fn has_mount(container: &Value, mount: &Value) -> bool {
    let mounts = container["volumeMounts"].as_array().into_iter().flatten();
    mounts.into_iter().any(|stored| holds(stored, mount))
}

/// Whether everything that was written is there; the API server adds defaults beside it.
pub(super) fn holds(stored: &Value, written: &Value) -> bool {
    match (stored, written) {
        (Value::Object(stored), Value::Object(written)) => written
            .iter()
            .all(|(key, written)| stored.get(key).is_some_and(|stored| holds(stored, written))),
        _ => stored == written,
    }
}

/// A stored claim without what the server filled in.
fn as_written(claim: &Value) -> Value {
    let mut claim = claim.clone();
    if let Some(fields) = claim.as_object_mut() {
        fields.retain(|key, _| !FILLED_IN.contains(&key.as_str()));
    }
    for (parent, key, default) in [
        ("/metadata", "creationTimestamp", Value::Null),
        ("/spec", "volumeMode", json!("Filesystem")),
    ] {
        if let Some(fields) = claim.pointer_mut(parent).and_then(Value::as_object_mut) {
            fields.retain(|name, value| name != key || *value != default);
        }
    }
    claim
}

fn claim_name(claim: &Value) -> &str {
    text_at(claim, "/metadata/name")
}

fn item<'v>(set: &'v Value, list: &str, index: &str) -> Option<&'v Value> {
    set.pointer(list)?.get(index.parse::<usize>().ok()?)
}

fn by_name<'v>(set: &'v Value, list: &str, key: &str, name: &str) -> Option<&'v Value> {
    let mut items = set.pointer(list)?.as_array()?.iter();
    items.find(|item| text_at(item, key) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(new: Value, file: &Value, stored: &Value) -> Value {
        let new: Vec<PatchOperation> = serde_json::from_value(new).unwrap();
        serde_json::to_value(standing(&new, file, stored)).unwrap()
    }

    #[allow(clippy::needless_pass_by_value, reason = "the values are made for it")]
    fn add(path: &str, value: Value) -> Value {
        json!({"op": "add", "path": path, "value": value})
    }

    #[test]
    fn a_name_is_that_of_the_stored_set() {
        let new = json!([add("/spec/serviceName", json!("web-pods"))]);
        let file = json!({"spec": {}});
        let peers = json!({"spec": {"serviceName": "peers"}});
        assert_eq!(
            kept(new.clone(), &file, &peers),
            json!([add("/spec/serviceName", json!("peers"))])
        );
        assert_eq!(
            kept(new, &file, &json!({"spec": {"serviceName": ""}})),
            json!([])
        );
    }

    #[test]
    fn a_probe_is_written_where_the_stored_set_has_such_a_one() {
        let set = |probe: Value| json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": probe}]}}}});
        let file = json!({"spec": {"template": {"spec": {"containers": [{"name": "web"}]}}}});
        let path = "/spec/template/spec/containers/0/readinessProbe";
        let probe = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10});
        let new = json!([add(path, probe.clone())]);
        let defaulted =
            json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10, "failureThreshold": 3});
        assert_eq!(kept(new.clone(), &file, &set(defaulted)), new);
        let earlier = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 5});
        assert_eq!(
            kept(new.clone(), &file, &set(earlier.clone())),
            json!([add(path, earlier)])
        );
        assert_eq!(
            kept(new.clone(), &file, &set(json!({"httpGet": {"path": "/"}}))),
            json!([])
        );
        assert_eq!(kept(new, &file, &file), json!([]));
    }

    #[test]
    fn claims_come_at_their_old_places() {
        let claim = |name: &str| json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"]}});
        let stored = |name: &str| {
            let mut stored = claim(name);
            stored["kind"] = json!("PersistentVolumeClaim");
            stored["spec"]["volumeMode"] = json!("Filesystem");
            stored
        };
        let set = |claims: Value| json!({"spec": {CLAIMS.trim_start_matches("/spec/"): claims}});
        let new = json!([add(CLAIMS, json!([claim("b"), claim("a"), claim("new")]))]);
        assert_eq!(
            kept(
                new,
                &json!({"spec": {}}),
                &set(json!([stored("a"), stored("b")]))
            ),
            json!([
                add(CLAIMS, json!([claim("a")])),
                add("/spec/volumeClaimTemplates/1", claim("b"))
            ])
        );
        let new = json!([add("/spec/volumeClaimTemplates/1", claim("a"))]);
        assert_eq!(
            kept(
                new,
                &set(json!([claim("own")])),
                &set(json!([stored("a"), stored("own")]))
            ),
            json!([add("/spec/volumeClaimTemplates/0", claim("a"))])
        );
    }

    #[test]
    fn what_a_claim_lacks_is_as_it_is_stored() {
        let base = "/spec/volumeClaimTemplates/0/spec/resources";
        let new = json!([
            add(base, json!({})),
            add(&format!("{base}/requests"), json!({})),
            add(&format!("{base}/requests/storage"), json!("1Gi")),
        ]);
        let set = |spec: Value| json!({"spec": {"volumeClaimTemplates": [{"metadata": {"name": "a"}, "spec": spec}]}});
        let stored = set(json!({"resources": {"requests": {"storage": "5Gi"}}}));
        let mut expected = new.clone();
        expected[2]["value"] = json!("5Gi");
        assert_eq!(kept(new.clone(), &set(json!({})), &stored), expected);
        assert_eq!(kept(new, &set(json!({})), &set(json!({}))), json!([]));
    }

    #[test]
    fn a_mount_is_written_where_it_is_mounted() {
        let set = |mounts: Value| json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "volumeMounts": mounts}]}}}});
        let mount = json!({"name": "data", "mountPath": "/data"});
        let path = "/spec/template/spec/containers/0/volumeMounts";
        let new = json!([add(path, json!([mount]))]);
        let file = set(Value::Null);
        assert_eq!(kept(new.clone(), &file, &set(json!([mount]))), new);
        assert_eq!(kept(new, &file, &set(json!([]))), json!([]));
    }
}
