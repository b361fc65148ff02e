//! What the injections' own tests share: a small set, a small cluster, and a write through both with its patch applied.

use std::sync::Arc;

use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::{Around, Notice, Outcome, Tag, inject};
use crate::change::{Draft, operations};
use crate::cluster_view::{ClusterView, Lookup, Pod, Service, ServiceKeeping};
use crate::model::version::ServerVersion;
use crate::policy::Policy;
use crate::strict::{Source, Subject};

/// A cluster of which only what is written here is known.
pub(super) struct World {
    pub(super) services: Option<Vec<Service>>,
    pub(super) orphans: Lookup<Vec<Pod>>,
    pub(super) keeping: ServiceKeeping,
}

impl Default for World {
    fn default() -> Self {
        Self {
            services: None,
            orphans: Lookup::Absent,
            keeping: ServiceKeeping::Kept,
        }
    }
}

impl World {
    /// One with these Services and no others.
    pub(super) fn with(services: Vec<Service>) -> Self {
        Self {
            services: Some(services),
            ..Self::default()
        }
    }
}

impl ClusterView for World {
    fn version(&self) -> Option<ServerVersion> {
        None
    }

    fn service(&self, _namespace: &str, name: &str) -> Lookup<Arc<Service>> {
        let Some(services) = &self.services else {
            return Lookup::Unknown;
        };
        let found = services.iter().find(|service| service.name == name);
        found.map_or(Lookup::Absent, |service| {
            Lookup::Found(Arc::new(service.clone()))
        })
    }

    fn services(&self, _namespace: &str) -> Lookup<Vec<Arc<Service>>> {
        match &self.services {
            Some(services) => Lookup::Found(services.iter().cloned().map(Arc::new).collect()),
            None => Lookup::Unknown,
        }
    }

    fn storage_class(&self, _name: &str) -> Lookup<()> {
        Lookup::Unknown
    }

    fn default_storage_class(&self) -> Lookup<()> {
        Lookup::Unknown
    }

    fn orphaned_pods(&self) -> Lookup<Vec<Pod>> {
        self.orphans.clone()
    }

    fn keeps_services(&self) -> ServiceKeeping {
        self.keeping
    }
}

/// A headless Service with a selector.
pub(super) fn headless(name: &str, selector: &[(&str, &str)]) -> Service {
    let selector = selector
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Service {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        headless: true,
        selector: selector.collect(),
        ..Service::default()
    }
}

/// A set of three web servers without Service, probe or claim; `changes` is merged into it (RFC 7396).
pub(super) fn web(changes: &Value) -> Value {
    let mut set = json!({
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": 3,
            "serviceName": "",
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{
                    "name": "web",
                    "image": "registry.example/web:1",
                    "ports": [{"name": "http", "containerPort": 8080}],
                }]},
            },
        },
    });
    json_patch::merge(&mut set, changes);
    set
}

/// A write and what comes of it.
pub(super) struct Written {
    /// The object with the patch applied.
    pub(super) set: Value,
    pub(super) outcome: Outcome,
    pub(super) operations: usize,
}

impl Written {
    /// What the record says of a key.
    pub(super) fn record(&self, key: &str) -> Value {
        let text = self
            .set
            .pointer("/metadata/annotations/steadyset.io~1injected");
        let record: Value =
            serde_json::from_str(text.and_then(Value::as_str).unwrap_or("{}")).unwrap();
        record[key].clone()
    }

    /// The state of a recorded thing.
    pub(super) fn state(&self, key: &str) -> String {
        self.record(key)["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The first container's readiness probe.
    pub(super) fn probe(&self) -> Value {
        self.set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"].clone()
    }

    /// The notices, each as `tag field: message`.
    pub(super) fn says(&self) -> Vec<String> {
        let line = |notice: &Notice| {
            let tag = match notice.tag {
                Tag::Injected => "injected",
                Tag::Yielded => "yielded",
                Tag::Exempted => "exempted",
                Tag::Rule(rule) => rule,
            };
            format!("{tag} {}: {}", notice.pointer, notice.message)
        };
        self.outcome.notices.iter().map(line).collect()
    }
}

/// Creates a set with the default policy; a second call with what comes of it must change nothing.
pub(super) fn create(set: &Value, world: &World) -> Written {
    create_with(&Policy::default(), set, world)
}

pub(super) fn create_with(policy: &Policy, set: &Value, world: &World) -> Written {
    let written = write(policy, None, set, world);
    assert_eq!(
        write(policy, None, &written.set, world).operations,
        0,
        "{}",
        written.set
    );
    written
}

/// Replaces a stored set; a second call with what comes of it must change nothing.
pub(super) fn update(old: &Value, new: &Value, world: &World) -> Written {
    update_with(&Policy::default(), old, new, world)
}

pub(super) fn update_with(policy: &Policy, old: &Value, new: &Value, world: &World) -> Written {
    let written = write(policy, Some(old), new, world);
    let again = write(policy, Some(old), &written.set, world);
    assert_eq!(again.operations, 0, "{}", written.set);
    written
}

fn write(policy: &Policy, old: Option<&Value>, new: &Value, world: &World) -> Written {
    let raw = |value: &Value| to_raw_value(value).unwrap();
    let (object, old_object) = (raw(new), old.map(raw));
    let source = Source {
        namespace: "shop",
        object: &object,
        old_object: old_object.as_deref(),
    };
    let mut set = new.clone();
    let Some(subject) = Subject::decode(source).unwrap() else {
        return Written {
            set,
            outcome: Outcome::default(),
            operations: 0,
        };
    };
    let mut draft = Draft::new(subject.set);
    let around = Around {
        namespace: "shop",
        cluster: world,
        slips: &subject.slips,
    };
    let outcome = inject(policy, around, &mut draft, subject.old.as_ref());
    let operations = operations(draft.changes());
    json_patch::patch(&mut set, &operations).unwrap();
    let text = set.to_string();
    assert_eq!(
        draft.set(),
        &serde_json::from_str(&text).unwrap(),
        "the view and the object differ"
    );
    Written {
        set,
        outcome,
        operations: operations.len(),
    }
}
