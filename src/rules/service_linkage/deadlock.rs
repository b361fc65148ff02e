//! Pods that wait for names, and names that wait for pods.

use super::{POINTER, governing};
use crate::inject::catalogue::{self, Entry};
use crate::rules::{Action, Builtin, Context, Docs, Rule, Violation, quoted};
use crate::subject::probe::Probe;
use crate::subject::set::Container;

/// Members that find each other by DNS behind a Service that hides them until they have (nats-io/k8s#441,
/// qdrant/qdrant-helm#115, `cadence-charts#90`, apache/pinot#12888).
pub static ORDERED_READY: Rule = Rule {
    id: "ordered-ready-deadlock",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    docs: Docs {
        what: "A system whose members find each other by DNS has `OrderedReady`, more than one replica, a readiness probe that passes only with its \
               peers, and a headless Service that hides pods until they are ready.",
        why: "A member is not ready without its peers, has no DNS name until it is ready, and the next member is not even created until then. The set \
              cannot start, or cannot start again after all pods were down.",
        example: "kind: Service\nspec:\n  clusterIP: None\n  # no publishNotReadyAddresses\n---\nkind: StatefulSet\nspec:\n  replicas: 3\n  \
                  podManagementPolicy: OrderedReady\n  # etcd with a readinessProbe on its client port\n",
        fix: "Set `publishNotReadyAddresses: true` on the headless Service (clients use another one), and for a new set `podManagementPolicy: \
              Parallel` too.",
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    if !spec.is_ordered_ready() || spec.replicas() <= 1 {
        return;
    }
    let hides = governing(context)
        .filter(|service| service.headless && !service.publish_not_ready_addresses);
    let mut waiting = spec.template.spec.containers.iter().filter_map(needs_peers);
    if let (Some(service), Some(system)) = (hides, waiting.next()) {
        let service = quoted(&service.name);
        violations.push(Violation::new(
            POINTER,
            format!(
                "{} finds its peers by DNS to get ready, and Service {service} hides pods until they are: the set may never start again",
                system.name
            ),
            format!("set publishNotReadyAddresses: true on {service}"),
        ));
    }
}

/// The system, where its readiness probe passes only with the peers.
fn needs_peers(container: &Container<'_>) -> Option<&'static Entry> {
    let system = catalogue::running(container).filter(|system| system.needs_peers)?;
    let probe = container.readiness_probe.as_ref()?;
    (!system.node_local || asks_the_cluster(probe)).then_some(system)
}

/// Whether the probe asks how the whole is, of a system that a member could answer for by itself.
fn asks_the_cluster(probe: &Probe<'_>) -> bool {
    const QUESTIONS: [&str; 4] = ["_cluster/health", "ready=1", "cluster info", "rs.status"];
    let asks = |text: &str| QUESTIONS.iter().any(|question| text.contains(question));
    let path = probe.http_get.as_ref().map(|get| &*get.path);
    let command = probe.exec.iter().flat_map(|exec| &exec.command);
    path.is_some_and(asks) || command.into_iter().any(|word| asks(word))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::Service;
    use crate::rules::testing::{Case, World, headless, mounting};

    fn says(container: &Value, spec: &Value, publish: bool) -> Vec<String> {
        let service = Service {
            publish_not_ready_addresses: publish,
            ..headless("web", &[])
        };
        Case::create(mounting(container, spec))
            .among(World::with_services(vec![service]))
            .says(&ORDERED_READY)
    }

    fn probed(image: &str, probe: &Value) -> Value {
        json!({"image": image, "readinessProbe": probe})
    }

    #[test]
    fn pods_and_names_wait_for_each_other() {
        let etcd = probed(
            "quay.io/coreos/etcd:v3.6",
            &json!({"tcpSocket": {"port": 2379}}),
        );
        assert_eq!(
            says(&etcd, &json!({}), false),
            [
                "spec.serviceName: etcd finds its peers by DNS to get ready, and Service \"web\" hides pods until they are: \
                 the set may never start again; set publishNotReadyAddresses: true on \"web\""
            ]
        );
        assert!(says(&etcd, &json!({}), true).is_empty());
        assert!(says(&etcd, &json!({"replicas": 1}), false).is_empty());
        assert!(says(&etcd, &json!({"podManagementPolicy": "Parallel"}), false).is_empty());
        assert!(
            says(&json!({"image": "etcd"}), &json!({}), false).is_empty(),
            "no probe"
        );
        let nginx = probed("nginx", &json!({"tcpSocket": {"port": 80}}));
        assert!(says(&nginx, &json!({}), false).is_empty());
    }

    #[test]
    fn a_probe_that_a_member_answers_alone_is_fine() {
        let ask = |path: &str| {
            probed(
                "elasticsearch:8",
                &json!({"httpGet": {"port": 9200, "path": path}}),
            )
        };
        assert!(says(&ask("/"), &json!({}), false).is_empty());
        assert_eq!(
            says(&ask("/_cluster/health?local=false"), &json!({}), false).len(),
            1
        );
    }
}
