//! What users do to a stored set, as the tools hand it on.

use proptest::prelude::*;
use serde_json::{Value, json};

/// A change of a manifest; all but the first change the pod template.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Another number of pods.
    Replicas(i64),
    /// Another image.
    Image(&'static str),
    /// Every port gets another name.
    PortNames(&'static str),
    /// A probe of the user's own, by its field.
    Probe(&'static str, Value),
    /// A label of the template.
    Label(&'static str),
}

/// The fields of a container's probes.
pub const PROBES: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

/// Any edit.
pub fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..9_i64).prop_map(Edit::Replicas),
        prop::sample::select(vec!["postgres:16", "redis:8", "corp/app:2", "minio/minio"])
            .prop_map(Edit::Image),
        prop::sample::select(vec!["main", "web", "service"]).prop_map(Edit::PortNames),
        (prop::sample::select(PROBES.to_vec()), probe())
            .prop_map(|(field, probe)| Edit::Probe(field, probe)),
        prop::sample::select(vec!["one", "two"]).prop_map(Edit::Label),
    ]
}

/// A probe as users write it.
pub fn probe() -> impl Strategy<Value = Value> {
    let handler = prop_oneof![
        Just(json!({"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"}})),
        Just(json!({"exec": {"command": ["true"]}})),
        Just(json!({"grpc": {"port": 9000}})),
    ];
    let numbers = prop_oneof![
        Just(json!({})),
        Just(json!({"periodSeconds": 7})),
        Just(json!({"failureThreshold": 9, "initialDelaySeconds": 1}))
    ];
    (handler, numbers).prop_map(|(mut probe, numbers)| {
        json_patch::merge(&mut probe, &numbers);
        probe
    })
}

/// The stored set after an apply of the changed manifest: what the manifest says is merged into what is there.
pub fn applied(set: &Value, edit: &Edit) -> Value {
    let mut set = set.clone();
    match edit {
        Edit::Replicas(replicas) => set["spec"]["replicas"] = json!(replicas),
        Edit::Label(value) => {
            set["spec"]["template"]["metadata"]["labels"]["edited"] = json!(value);
        }
        Edit::Image(image) => {
            each_container(&mut set, |container| container["image"] = json!(image));
        }
        Edit::PortNames(name) => each_container(&mut set, |container| {
            let ports = container.get_mut("ports").and_then(Value::as_array_mut);
            for (index, port) in ports.into_iter().flatten().enumerate() {
                port["name"] = json!(format!("{name}-{index}"));
            }
        }),
        Edit::Probe(field, probe) => each_container(&mut set, |container| {
            if let Some(fields) = container.as_object_mut() {
                json_patch::merge(fields.entry(*field).or_insert(Value::Null), probe);
            }
        }),
    }
    set
}

/// The stored set after an apply of the manifest as it was before the edit.
pub fn reverted(set: &Value, file: &Value, edit: &Edit) -> Value {
    let mut set = set.clone();
    let originals = super::containers(file);
    let mut originals = originals.iter();
    match edit {
        Edit::Replicas(_) => set["spec"]["replicas"] = file["spec"]["replicas"].clone(),
        Edit::Label(_) => {
            let original = &file["spec"]["template"]["metadata"]["labels"];
            back(
                &mut set["spec"]["template"]["metadata"]["labels"],
                Some(original),
                "edited",
            );
        }
        Edit::Image(_) => each_container(&mut set, |container| {
            back(container, originals.next(), "image");
        }),
        Edit::PortNames(_) => each_container(&mut set, |container| {
            back(container, originals.next(), "ports");
        }),
        Edit::Probe(field, edit) => each_container(&mut set, |container| {
            probe_back(container, originals.next(), field, edit);
        }),
    }
    set
}

fn back(container: &mut Value, original: Option<&Value>, field: &str) {
    let (Some(container), Some(original)) = (container.as_object_mut(), original) else {
        return;
    };
    match original.get(field) {
        Some(value) => container.insert(field.to_owned(), value.clone()),
        None => container.remove(field),
    };
}

/// A three-way merge: without a probe in the file all of it goes, else what the edit added.
fn probe_back(container: &mut Value, original: Option<&Value>, field: &str, edit: &Value) {
    let original = original.map_or(&Value::Null, |original| &original[field]);
    let (Some(own), Some(edit)) = (original.as_object(), edit.as_object()) else {
        if let Some(container) = container.as_object_mut() {
            container.remove(field);
        }
        return;
    };
    if let Some(probe) = container[field].as_object_mut() {
        probe.retain(|key, _| own.contains_key(key) || !edit.contains_key(key));
        probe.extend(own.clone());
    }
}

fn each_container(set: &mut Value, change: impl FnMut(&mut Value)) {
    let containers = set
        .pointer_mut("/spec/template/spec/containers")
        .and_then(Value::as_array_mut);
    containers.into_iter().flatten().for_each(change);
}
