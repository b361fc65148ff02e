//! What a stored set would be once a file is applied to it.
//!
//! A file says less than the server stores: defaults, and what others wrote, are not in it. Without them every set of a file
//! would seem to change its template. So what the file does not say counts as unchanged, but for what the record says was
//! injected: the file lacks that, and putting it in is what `fix` is for.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::inject::record::{
    Item, Record, SERVICE_NAME, State, claim_key, completion_key, mount_key, probe_key,
};
use crate::model::pointer::text_at;
use crate::model::quantity::is_same_quantity;
use crate::statefulset::annotations::INJECTED;
use crate::statefulset::probe::Slot;

/// A write as an admission webhook would see it.
#[derive(Debug)]
pub struct Write {
    /// The set as it would be.
    pub object: Box<RawValue>,
    /// The stored set.
    pub old_object: Box<RawValue>,
}

impl Write {
    /// The write of a file's set over a stored one.
    ///
    /// # Errors
    ///
    /// When one of them is nested too deep to be read.
    pub fn of(file: &RawValue, stored: &RawValue) -> serde_json::Result<Self> {
        let mut object: Value = serde_json::from_str(file.get())?;
        let mut stored: Value = serde_json::from_str(stored.get())?;
        forget_writers(&mut stored);
        let raw = |value: &Value| serde_json::value::to_raw_value(value);
        let old_object = raw(&stored)?;
        take_out_injected(&mut stored);
        fill(&mut object, &stored, Place::Plain);
        Ok(Self {
            object: raw(&object)?,
            old_object,
        })
    }
}

/// Who wrote what of the stored set says nothing of the file.
fn forget_writers(stored: &mut Value) {
    if let Some(metadata) = stored.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
}

/// Takes out what the record calls ours, and the record.
fn take_out_injected(stored: &mut Value) {
    let annotations = stored.pointer_mut("/metadata/annotations");
    let text = annotations
        .and_then(Value::as_object_mut)
        .and_then(|annotations| annotations.remove(INJECTED));
    let Some(record) = text
        .as_ref()
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str::<Record>(text).ok())
    else {
        return;
    };
    let Some(spec) = stored.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if record.is_injected(SERVICE_NAME) {
        spec.remove("serviceName");
    }
    if let Some(claims) = spec.get_mut("volumeClaimTemplates") {
        take_out_of_claims(claims, &record);
    }
    let containers = spec
        .get_mut("template")
        .and_then(|template| template.pointer_mut("/spec/containers"));
    let containers = containers.and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        take_out_of_container(container, &record);
    }
}

fn take_out_of_claims(claims: &mut Value, record: &Record) {
    let Some(claims) = claims.as_array_mut() else {
        return;
    };
    claims.retain(|claim| !record.is_injected(&claim_key(claim_name(claim))));
    for claim in claims {
        let Some(completed) = injected(record, &completion_key(claim_name(claim))) else {
            continue;
        };
        if completed.value.get("accessModes").is_some() {
            remove(claim.get_mut("spec"), "accessModes");
        }
        if completed.value.get("storage").is_some() {
            remove(claim.pointer_mut("/spec/resources/requests"), "storage");
        }
    }
}

fn injected<'r>(record: &'r Record, key: &str) -> Option<&'r Item> {
    record.get(key).filter(|item| item.state == State::Injected)
}

fn claim_name(claim: &Value) -> &str {
    text_at(claim, "/metadata/name")
}

fn take_out_of_container(container: &mut Value, record: &Record) {
    let name = text_at(container, "/name").to_owned();
    for slot in [Slot::Readiness, Slot::Liveness, Slot::Startup] {
        if record.is_injected(&probe_key(slot, &name)) {
            remove(Some(&mut *container), slot.field());
        }
    }
    let mounts = container
        .get_mut("volumeMounts")
        .and_then(Value::as_array_mut);
    if let Some(mounts) = mounts {
        mounts.retain(|mount| !record.is_injected(&mount_key(&name, text_at(mount, "/mountPath"))));
        if mounts.is_empty() {
            remove(Some(container), "volumeMounts");
        }
    }
}

fn remove(object: Option<&mut Value>, key: &str) {
    if let Some(object) = object.and_then(Value::as_object_mut) {
        object.remove(key);
    }
}

/// Where a value stands, as far as it decides what it means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    /// A map of quantities: `requests` or `limits`.
    Quantities,
    /// The volumes, each of which has one source beside its name.
    Volumes,
}

/// The handlers of a probe, of which it has one (`ProbeHandler`).
pub(crate) const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];

/// Fills in what is stored and the file does not say. What it says stands, but in the server's writing where it means the same.
fn fill(file: &mut Value, stored: &Value, place: Place) {
    match (file, stored) {
        (Value::Object(file), Value::Object(stored)) => fill_object(file, stored, place),
        (Value::Array(file), Value::Array(stored)) => {
            for (index, item) in file.iter_mut().enumerate() {
                if let Some(same) = counterpart(item, index, stored) {
                    fill(item, same, place);
                }
            }
        }
        (file, stored) => {
            if place == Place::Quantities && is_same_quantity(&written(file), &written(stored)) {
                *file = stored.clone();
            }
        }
    }
}

fn fill_object(file: &mut Map<String, Value>, stored: &Map<String, Value>, place: Place) {
    let has_source = place == Place::Volumes && file.len() > 1;
    let has_handler = HANDLERS.iter().any(|handler| file.contains_key(*handler));
    for (key, stored) in stored {
        let excluded = has_source || has_handler && HANDLERS.contains(&key.as_str());
        let below = match key.as_str() {
            "requests" | "limits" => Place::Quantities,
            "volumes" => Place::Volumes,
            _ if place == Place::Quantities => place,
            _ => Place::Plain,
        };
        match file.get_mut(key) {
            Some(own) if !own.is_null() => fill(own, stored, below),
            _ if excluded => {}
            _ => {
                file.insert(key.clone(), stored.clone());
            }
        }
    }
}

fn written(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The stored item that is meant by an item of the file: the one of the same key, as a strategic merge has it.
fn counterpart<'s>(item: &Value, index: usize, stored: &'s [Value]) -> Option<&'s Value> {
    /// Merge keys before names: a mount and a port may have a name too, that of something else.
    const KEYS: [&str; 6] = [
        "/mountPath",
        "/containerPort",
        "/metadata/name",
        "/name",
        "/topologyKey",
        "/key",
    ];
    let key = KEYS.iter().find(|key| item.pointer(key).is_some());
    let Some(key) = key else {
        return stored.get(index);
    };
    let protocol = |value: &Value| match text_at(value, "/protocol") {
        "" => "TCP".to_owned(),
        named => named.to_owned(),
    };
    let same = |other: &&Value| {
        other.pointer(key) == item.pointer(key) && protocol(other) == protocol(item)
    };
    stored.iter().find(same)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What becomes of the object, and whether its template is the stored one.
    fn merged(file: &Value, stored: &Value) -> Value {
        let raw = |value: &Value| serde_json::value::to_raw_value(value).unwrap();
        let write = Write::of(&raw(file), &raw(stored)).unwrap();
        serde_json::from_str(write.object.get()).unwrap()
    }

    #[test]
    fn what_the_file_does_not_say_is_unchanged() {
        let containers =
            |containers: Value| json!({"spec": {"template": {"spec": {"containers": containers}}}});
        let stored = containers(json!([
            {"name": "side", "image": "s"},
            {"name": "web", "image": "w:1", "terminationMessagePath": "/dev/termination-log",
                "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"},
                    {"name": "http", "containerPort": 80, "protocol": "TCP"}],
                "resources": {"requests": {"memory": "1Gi", "cpu": "1"}},
                "volumeMounts": [{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b", "readOnly": true}]},
        ]));
        let file = containers(json!([
            {"name": "web", "image": "w:2",
                "ports": [{"name": "web", "containerPort": 80}],
                "resources": {"requests": {"memory": "1024Mi", "cpu": 2}},
                "volumeMounts": [{"name": "data", "mountPath": "/b"}]},
        ]));
        let expected = containers(json!([
            {"name": "web", "image": "w:2", "terminationMessagePath": "/dev/termination-log",
                "ports": [{"name": "web", "containerPort": 80, "protocol": "TCP"}],
                "resources": {"requests": {"memory": "1Gi", "cpu": 2}},
                "volumeMounts": [{"name": "data", "mountPath": "/b", "readOnly": true}]},
        ]));
        assert_eq!(merged(&file, &stored), expected);
    }

    #[test]
    fn what_the_file_has_another_of_is_not_kept_beside_it() {
        let stored = json!({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "c", "defaultMode": 420}}],
            "livenessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": 10}});
        let file = json!({"volumes": [{"name": "a", "secret": {}}, {"name": "b", "configMap": {"name": "c"}}],
            "livenessProbe": {"httpGet": {"port": 1}}});
        let expected = json!({"volumes": [{"name": "a", "secret": {}}, {"name": "b", "configMap": {"name": "c", "defaultMode": 420}}],
            "livenessProbe": {"httpGet": {"port": 1}, "periodSeconds": 10}});
        assert_eq!(merged(&file, &stored), expected);
    }

    #[test]
    fn what_was_injected_is_not_in_the_file() {
        let item = |value: Value| json!({"state": "injected", "value": value, "source": "policy", "version": "1"});
        let record = json!({
            "service-name": item(json!("web-pods")),
            "claim/data": item(json!({})),
            "claim-completion/own": item(json!({"storage": "1Gi"})),
            "readiness-probe/web": item(json!({})),
            "mount/web/data": item(json!({})),
            "liveness-probe/web": {"state": "adopted", "value": {}, "source": "policy", "version": "1"},
        });
        let claim = |name: &str, modes: Value| {
            json!({"metadata": {"name": name}, "spec": {"accessModes": modes,
                "resources": {"requests": {"storage": "1Gi"}}}})
        };
        let stored = json!({
            "metadata": {"annotations": {INJECTED: record.to_string(), "team": "shop"}, "managedFields": [{}]},
            "spec": {
                "serviceName": "web-pods",
                "volumeClaimTemplates": [claim("own", json!(["ReadWriteOnce"])), claim("data", json!([]))],
                "template": {"spec": {"containers": [{"name": "web", "readinessProbe": {}, "livenessProbe": {},
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}},
            },
        });
        let file = json!({"spec": {
            "volumeClaimTemplates": [{"metadata": {"name": "own"}}],
            "template": {"spec": {"containers": [{"name": "web"}]}},
        }});
        let expected = json!({
            "metadata": {"annotations": {"team": "shop"}},
            "spec": {
                "volumeClaimTemplates": [{"metadata": {"name": "own"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {}}}}],
                "template": {"spec": {"containers": [{"name": "web", "livenessProbe": {}}]}},
            },
        });
        assert_eq!(merged(&file, &stored), expected);
    }
}
