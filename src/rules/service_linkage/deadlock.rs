//! Pods that wait for names, and names that wait for pods.

use super::{POINTER, governing};
use crate::catalogue;
use crate::catalogue::Entry;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::probe::Probe;
use crate::statefulset::set::Container;

/// Members that find each other by DNS behind a Service that hides them until they have (nats-io/k8s#441,
/// qdrant/qdrant-helm#115, `cadence-charts#90`, apache/pinot#12888).
pub static ORDERED_READY: Rule = Rule {
    id: "ordered-ready-deadlock",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "Pods wait for DNS names of their peers, and the names wait until the pods are ready.",
        why: "Four things come together: the system's members find each other by DNS, its readiness probe passes only once they have, the \
              headless Service hides pods that are not ready, and `OrderedReady` creates the next pod only when the one before is Ready. So \
              `web-0` waits for `web-1`, which is not created before `web-0` is Ready. The set cannot start, or, if it did start once, cannot \
              start again after all pods were down.\n\n\
              With `Parallel` all pods are created at once, which is enough where the probe asks its own member only.",
        at: &["spec.serviceName"],
        cluster: "\
kind: Service
metadata: {name: web}
spec:
  clusterIP: None
  selector: {app: web}
",
        example: "\
spec:
  replicas: 3
  podManagementPolicy: OrderedReady
  template:
    spec:
      containers:
        - name: etcd
          image: quay.io/coreos/etcd:v3.6.1
          readinessProbe:
            tcpSocket: {port: 2379}
",
        fix: "Set `publishNotReadyAddresses: true` on the headless Service, which then names pods before they are ready; clients should use a \
              second Service, which does not. And write `podManagementPolicy: Parallel`, so that the peers are there to be found.\n\n\
              A set that exists keeps its policy unless it is made anew. There the first alone helps as long as the pods themselves stay, as after \
              a power cut.",
        fixed: "\
spec:
  replicas: 3
  podManagementPolicy: Parallel
  template:
    spec:
      containers:
        - name: etcd
          image: quay.io/coreos/etcd:v3.6.1
          readinessProbe:
            tcpSocket: {port: 2379}
",
        fixed_cluster: "\
kind: Service
metadata: {name: web}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {app: web}
",
        ..Docs::BLANK
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
    let containers = spec.template.spec.containers.iter();
    let mut waiting = containers.filter_map(|container| waits_for_peers(context, container));
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

/// The systems of which not even the first member gets ready alone: it needs a majority. Others begin with a member that
/// starts alone (Cassandra's seed, Galera's bootstrap, a Kafka broker that has its quorum elsewhere).
const NEED_A_MAJORITY: [&str; 6] = [
    "etcd",
    "consul",
    "clickhouse-keeper",
    "kafka",
    "redpanda",
    "neo4j",
];

/// The system, where its readiness probe passes only with the peers.
fn waits_for_peers(context: &Context<'_>, container: &Container<'_>) -> Option<&'static Entry> {
    let system = catalogue::running(container).filter(|system| system.needs_peers)?;
    let probe = container.readiness_probe.as_ref()?;
    let by_nature = NEED_A_MAJORITY.contains(&system.name)
        && !system.node_local
        && !speaks_of(container, "zookeeper");
    let by_question =
        asks_the_cluster(probe) && speaks_of(container, &context.set.spec.service_name);
    (by_nature || by_question).then_some(system)
}

/// Whether the probe asks how the whole is, of a system that a member could answer for by itself.
fn asks_the_cluster(probe: &Probe<'_>) -> bool {
    const QUESTIONS: [&str; 4] = ["_cluster/health", "ready=1", "cluster info", "rs.status"];
    let asks = |text: &str| QUESTIONS.iter().any(|question| text.contains(question));
    let path = probe.http_get.as_ref().map(|get| &*get.path);
    let command = probe.exec.iter().flat_map(|exec| &exec.command);
    path.is_some_and(asks) || command.into_iter().any(|word| asks(word))
}

/// Whether the container is told of a host, in its command, arguments or variables.
fn speaks_of(container: &Container<'_>, host: &str) -> bool {
    let words = container.command.iter().chain(&container.args);
    let variables = container.env.iter();
    words
        .chain(variables.flat_map(|variable| [&variable.name, &variable.value]))
        .any(|text| text.to_lowercase().contains(host))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster_view::Service;
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
        let peers = json!([{"name": "discovery.seed_hosts", "value": "es-0.web"}]);
        let ask = |path: &str| {
            json!({"image": "elasticsearch:8", "env": peers,
            "readinessProbe": {"httpGet": {"port": 9200, "path": path}}})
        };
        assert!(says(&ask("/"), &json!({}), false).is_empty());
        let mut whole = ask("/_cluster/health?local=false");
        assert_eq!(says(&whole, &json!({}), false).len(), 1);
        whole["env"] = json!(null);
        assert!(
            says(&whole, &json!({}), false).is_empty(),
            "its peers are elsewhere"
        );
    }

    #[test]
    fn a_first_member_that_starts_alone_is_fine() {
        let cassandra = probed("cassandra:5", &json!({"tcpSocket": {"port": 9042}}));
        assert!(says(&cassandra, &json!({}), false).is_empty());
        let mut kafka = probed("apache/kafka:3.9", &json!({"tcpSocket": {"port": 9092}}));
        assert_eq!(says(&kafka, &json!({}), false).len(), 1);
        kafka["env"] = json!([{"name": "KAFKA_ZOOKEEPER_CONNECT", "value": "zk:2181"}]);
        assert!(says(&kafka, &json!({}), false).is_empty());
    }
}
