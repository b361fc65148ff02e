//! Clusters as they may be around a set, and the policy in force there.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use steadyset::cluster_view::{ClusterView, Lookup, Pod, Service, ServiceKeeping, ServicePort};
use steadyset::model::version::ServerVersion;
use steadyset::policy::Policy;
use steadyset::policy::compile::compile;

/// A cluster of which Services alone are known, or not even these.
#[derive(Clone, Debug)]
pub struct World {
    services: Option<Vec<Arc<Service>>>,
    keeping: ServiceKeeping,
    /// What is injected.
    pub policy: Policy,
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
        found.map_or(Lookup::Absent, |service| Lookup::Found(Arc::clone(service)))
    }

    fn services(&self, _namespace: &str) -> Lookup<Vec<Arc<Service>>> {
        self.services.clone().map_or(Lookup::Unknown, Lookup::Found)
    }

    fn storage_class(&self, _name: &str) -> Lookup<()> {
        Lookup::Unknown
    }

    fn default_storage_class(&self) -> Lookup<()> {
        Lookup::Unknown
    }

    fn orphaned_pods(&self) -> Lookup<Vec<Pod>> {
        Lookup::Absent
    }

    fn keeps_services(&self) -> ServiceKeeping {
        self.keeping
    }
}

/// Any such cluster.
pub fn world() -> impl Strategy<Value = World> {
    let services = proptest::option::weighted(0.9, proptest::collection::vec(service(), 0..3));
    let keeping = prop_oneof![
        4 => Just(ServiceKeeping::Kept),
        1 => Just(ServiceKeeping::Forbidden),
        1 => Just(ServiceKeeping::Nobody),
    ];
    (services, keeping, policy()).prop_map(|(services, keeping, policy)| World {
        services: services.map(|services| services.into_iter().map(Arc::new).collect()),
        keeping,
        policy,
    })
}

/// The policy as it comes, or one that has containers restarted, or one that knows images of its own.
fn policy() -> impl Strategy<Value = Policy> {
    let restarts = |mode: &str| json!({"inject": {"livenessProbe": {"mode": mode}}});
    let patient = json!({"inject": {"livenessProbe": {"mode": "Always", "failureThreshold": 30},
        "startupProbe": {"mode": "Never"}}});
    let images = json!({"inject": {"livenessProbe": {"mode": "Safe"}, "imageProbes": [
        {"image": "corp/app", "port": "http", "readiness": {"httpGet": {"path": "/ok"}, "initialDelaySeconds": 2}},
        {"image": "nginx", "readiness": {"grpc": {"port": 80}}},
        {"image": "*/redis", "port": 6379},
    ]}});
    let specs = [
        json!({}),
        restarts("Safe"),
        restarts("Always"),
        patient,
        images,
    ];
    prop::sample::select(specs.to_vec())
        .prop_map(|spec| compile("own", &spec).expect("a policy without faults"))
}

fn service() -> impl Strategy<Value = Service> {
    let name = prop::sample::select(vec!["web", "web-pods", "peers", "front"]);
    let selector = prop_oneof![
        Just(vec![]),
        Just(vec![("app", "web")]),
        Just(vec![("app", "other")])
    ];
    let target = prop::sample::select(vec!["http", "8080", "5432", "peer"]);
    let ours = proptest::option::weighted(0.2, Just("web".to_owned()));
    (name, selector, target, any::<(bool, bool)>(), ours).prop_map(
        |(name, selector, target, (headless, publishes), kept_for)| Service {
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            headless,
            selector: selector
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            publish_not_ready_addresses: publishes,
            ports: vec![ServicePort {
                target_port: target.to_owned(),
                ..ServicePort::default()
            }],
            kept_for,
            ..Service::default()
        },
    )
}
