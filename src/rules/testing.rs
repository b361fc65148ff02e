//! What the rules' own tests share: a set that nothing is wrong with, a small cluster, and how findings read.

use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::change::immutable;
use crate::cluster_view::manifests::{Kind, Manifests};
use crate::cluster_view::{ClusterView, DisruptionBudget, Lookup, Pod, Service, ServiceKeeping};
use crate::model::field_path::dotted;
use crate::model::finding::Phase;
use crate::model::version::ServerVersion;
use crate::policy::Policy;
use crate::rules::{Context, Rule, Violation};
use crate::statefulset::Operation;
use crate::statefulset::set::Labels;
use crate::strict::{Source, Subject};

/// A set of three pods that no rule finds anything wrong with; `changes` is merged into it (RFC 7396).
pub(crate) fn web(changes: &Value) -> Value {
    let mut set = json!({
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": 3,
            "serviceName": "web",
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "registry.example/web:1"}]},
            },
        },
    });
    json_patch::merge(&mut set, changes);
    set
}

/// As [`web`], with changes of `spec` alone.
pub(crate) fn web_spec(changes: &Value) -> Value {
    web(&json!({"spec": changes}))
}

/// A write to be judged.
pub(crate) struct Case {
    pub(crate) object: Value,
    pub(crate) old: Option<Value>,
    pub(crate) phase: Phase,
    pub(crate) world: World,
}

impl Case {
    /// A CREATE at `/validate` of an unknown server.
    pub(crate) fn create(object: Value) -> Self {
        Self {
            object,
            old: None,
            phase: Phase::Validate,
            world: World::default(),
        }
    }

    /// An UPDATE of a stored set.
    pub(crate) fn update(old: Value, object: Value) -> Self {
        Self {
            old: Some(old),
            ..Self::create(object)
        }
    }

    pub(crate) fn on(self, version: &str) -> Self {
        let version = Some(version.parse().unwrap());
        Self {
            world: World {
                version,
                ..self.world
            },
            ..self
        }
    }

    pub(crate) fn at(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    pub(crate) fn among(self, world: World) -> Self {
        Self { world, ..self }
    }

    /// What the rule says, as `field: message; help`; an action that is not the rule's own stands in front.
    ///
    /// A warning of more than 256 characters would be cut where its help stands.
    pub(crate) fn says(&self, rule: &Rule) -> Vec<String> {
        let lines: Vec<String> = self.violations(rule).iter().map(line).collect();
        for line in &lines {
            let shown = format!("steadyset: {line} [{}]", rule.id);
            assert!(shown.chars().count() <= 256, "{shown}");
        }
        lines
    }

    pub(crate) fn violations(&self, rule: &Rule) -> Vec<Violation> {
        let object = raw(&self.object);
        let old = self.old.as_ref().map(raw);
        let source = Source {
            namespace: "shop",
            object: &object,
            old_object: old.as_deref(),
        };
        let Some(subject) = Subject::decode(source).unwrap() else {
            return Vec::new();
        };
        let changes = subject
            .old
            .as_ref()
            .map(|old| immutable::changes(&subject.set, &[], old))
            .unwrap_or_default();
        let context = Context {
            namespace: "shop",
            set: &subject.set,
            old: subject.old.as_ref().map(|old| &old.set),
            template_changed: subject.template_changed(),
            changes: &changes,
            operation: if old.is_some() {
                Operation::Update
            } else {
                Operation::Create
            },
            policy: &Policy::default(),
            cluster: &self.world,
            phase: self.phase,
            slips: &subject.slips,
        };
        let mut violations = Vec::new();
        if rule.runs(&context) {
            (rule.check)(&context, &mut violations);
        }
        violations
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

fn line(violation: &Violation) -> String {
    let action = violation.action.map(|action| format!("{action:?} "));
    format!(
        "{}{}: {}; {}",
        action.unwrap_or_default(),
        dotted(&violation.pointer),
        violation.message,
        violation.help
    )
}

/// Whether the rule finds anything in a set that is created.
pub(crate) fn fires(rule: &Rule, object: Value) -> bool {
    !Case::create(object).says(rule).is_empty()
}

/// A cluster of which only what is written here is known.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) version: Option<ServerVersion>,
    pub(crate) services: Option<Vec<Service>>,
    pub(crate) classes: Option<Vec<&'static str>>,
    pub(crate) default_class: Option<bool>,
    pub(crate) budgets: Option<Vec<DisruptionBudget>>,
    /// What else is known, by its documents.
    pub(crate) others: Option<Manifests>,
}

impl World {
    pub(crate) fn with_services(services: Vec<Service>) -> Self {
        Self {
            services: Some(services),
            ..Self::default()
        }
    }

    fn ask<T>(&self, question: impl Fn(&Manifests) -> Lookup<T>) -> Lookup<T> {
        self.others.as_ref().map_or(Lookup::Unknown, question)
    }
}

fn known(there: Option<bool>) -> Lookup<()> {
    match there {
        Some(true) => Lookup::Found(()),
        Some(false) => Lookup::Absent,
        None => Lookup::Unknown,
    }
}

/// The documents in the namespace of the cases, which make their kinds known.
pub(crate) fn manifests(documents: &[Value]) -> World {
    let mut others = Manifests::new(None, ServiceKeeping::Nobody);
    for document in documents {
        let kind = Kind::of(document).unwrap();
        others.add(kind, document, "shop").unwrap();
    }
    World {
        others: Some(others),
        ..World::default()
    }
}

impl ClusterView for World {
    fn version(&self) -> Option<ServerVersion> {
        self.version
    }

    fn service(&self, namespace: &str, name: &str) -> Lookup<Arc<Service>> {
        let Some(services) = &self.services else {
            return self.ask(|others| others.service(namespace, name));
        };
        let found = services
            .iter()
            .find(|service| service.namespace == namespace && service.name == name);
        found.map_or(Lookup::Absent, |service| {
            Lookup::Found(Arc::new(service.clone()))
        })
    }

    fn services(&self, namespace: &str) -> Lookup<Vec<Arc<Service>>> {
        let Some(services) = &self.services else {
            return self.ask(|others| others.services(namespace));
        };
        let own = services
            .iter()
            .filter(|service| service.namespace == namespace);
        Lookup::Found(own.cloned().map(Arc::new).collect())
    }

    fn storage_class(&self, name: &str) -> Lookup<()> {
        known(self.classes.as_ref().map(|classes| classes.contains(&name)))
    }

    fn default_storage_class(&self) -> Lookup<()> {
        known(self.default_class)
    }

    fn disruption_budgets(
        &self,
        namespace: &str,
        labels: &Labels<'_>,
    ) -> Lookup<Vec<Arc<DisruptionBudget>>> {
        let Some(budgets) = &self.budgets else {
            return self.ask(|others| others.disruption_budgets(namespace, labels));
        };
        let selecting = budgets.iter().filter(|budget| budget.selects(labels));
        Lookup::Found(selecting.cloned().map(Arc::new).collect())
    }

    fn claim_modes(&self, namespace: &str, name: &str) -> Lookup<Arc<Vec<String>>> {
        self.ask(|others| others.claim_modes(namespace, name))
    }

    fn min_replicas(&self, namespace: &str, set: &str) -> Lookup<i64> {
        self.ask(|others| others.min_replicas(namespace, set))
    }

    fn endpoints(&self, namespace: &str, service: &str) -> Lookup<()> {
        self.ask(|others| others.endpoints(namespace, service))
    }

    fn names(&self, kind: Kind, namespace: &str) -> Lookup<Vec<String>> {
        self.ask(|others| others.names(kind, namespace))
    }

    fn orphaned_pods(&self) -> Lookup<Vec<Pod>> {
        Lookup::Absent
    }

    fn keeps_services(&self) -> ServiceKeeping {
        ServiceKeeping::Kept
    }
}

/// A headless Service in the namespace of the cases.
pub(crate) fn headless(name: &str, selector: &[(&str, &str)]) -> Service {
    Service {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        headless: true,
        selector: selector
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..Service::default()
    }
}

/// A set with changes of its only container, and of `spec`.
pub(crate) fn mounting(container: &Value, spec: &Value) -> Value {
    let mut set = web_spec(spec);
    let web = set.pointer_mut("/spec/template/spec/containers/0").unwrap();
    json_patch::merge(web, container);
    set
}

/// A container's fields with one mount.
pub(crate) fn mount(volume: &str) -> Value {
    json!({"volumeMounts": [{"name": volume, "mountPath": "/data"}]})
}

/// A CREATE at `/mutate` of a set with this `maxUnavailable`, and changes of `spec`.
pub(crate) fn max_unavailable(value: &Value, spec: &Value) -> Case {
    let mut changes = json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": value}}});
    json_patch::merge(&mut changes, spec);
    Case::create(web_spec(&changes)).at(Phase::Mutate)
}
