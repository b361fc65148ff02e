//! Nothing that is injected is what the rules of Services and starts would report.

use serde_json::{Value, json};

use super::deadlock::ORDERED_READY;
use crate::catalogue::testing::cases;
use crate::cluster_view::Service;
use crate::inject::probes::{Proposal, Site, propose};
use crate::inject::record::Record;
use crate::policy::Policy;
use crate::rules::testing::{Case, World, headless, mounting};
use crate::statefulset::set::Set;

/// The probe that a new set of so many replicas would get.
fn injected(set: &Value, world: &World) -> Option<Value> {
    let text = set.to_string();
    let set: Set<'_> = serde_json::from_str(&text).unwrap();
    let site = Site {
        policy: &Policy::default(),
        namespace: "default",
        set: &set,
        record: &Record::default(),
        cluster: world,
    };
    match propose(site, &set.spec.template.spec.containers[0]) {
        Proposal::Probe(proposed) => Some(serde_json::to_value(&proposed.probe).unwrap()),
        _ => None,
    }
}

#[test]
fn no_injected_probe_keeps_a_set_from_forming_now_or_once_it_is_scaled() {
    let mut count = 0;
    for case in cases() {
        for management in ["OrderedReady", "Parallel"] {
            for (replicas, publish) in [(1, false), (1, true), (3, false), (3, true)] {
                for peers in [
                    json!(null),
                    json!([{"name": "PEERS", "value": "web-0.web,web-1.web"}]),
                ] {
                    let spec = json!({"podManagementPolicy": management, "replicas": replicas});
                    let mut container = case.container.clone();
                    container["env"] = peers;
                    let world = || {
                        World::with_services(vec![Service {
                            publish_not_ready_addresses: publish,
                            ..headless("web", &[])
                        }])
                    };
                    let Some(probe) = injected(&mounting(&container, &spec), &world()) else {
                        continue;
                    };
                    count += 1;
                    container["readinessProbe"] = probe;
                    let scaled = json!({"podManagementPolicy": management, "replicas": 3});
                    let found = Case::create(mounting(&container, &scaled))
                        .among(world())
                        .says(&ORDERED_READY);
                    assert!(found.is_empty(), "{} {}: {found:?}", case.entry, case.way);
                }
            }
        }
    }
    assert!(count > 1_000, "{count}");
}
