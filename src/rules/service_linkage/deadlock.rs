//! Pods that wait for names, and names that wait for pods.

use super::{POINTER, governing};
use crate::catalogue;
use crate::catalogue::Entry;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::Operation;
use crate::statefulset::probe::Probe;
use crate::statefulset::set::Container;
use crate::statefulset::view::IntOrString;

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
        what: "The first pod is ready only with its peers, which are not created, or not found, before it is ready.",
        why: "`OrderedReady` creates the next pod only when the one before is Ready. A member of etcd, Consul, Kafka's controllers or ClickHouse \
              Keeper serves only once a majority of the members runs. With a readiness or startup probe that needs the majority `etcd-0` waits \
              for `etcd-1`, which is not created before `etcd-0` is Ready: the set never starts, whatever the Service does.\n\n\
              Other systems start with a first member, but their probe asks for the cluster as a whole and their members find each other by DNS. \
              Behind a headless Service that hides pods which are not ready such a set cannot start again after all pods were down.\n\n\
              With `Parallel` all pods are created at once.",
        at: &["spec.podManagementPolicy", "spec.serviceName"],
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
        fix: "Write `podManagementPolicy: Parallel`, and `publishNotReadyAddresses: true` on the headless Service, which then names pods before \
              they are ready; clients should use a second Service, which does not.\n\n\
              A set that exists keeps its policy unless it is made anew: `kubectl delete statefulset NAME --cascade=orphan`, then apply.",
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
        .filter(|service| service.headless && !service.publish_not_ready_addresses)
        .map(|service| quoted(&service.name));
    let containers = || spec.template.spec.containers.iter();
    let mut waiting = containers().filter_map(|container| waits_for_majority(context, container));
    let may_form = hides.is_none();
    // a set whose peers are told in a file may be one that forms member by member: then only names that are hidden are proof enough
    if let Some((system, _)) = waiting.find(|(_, names_peers)| *names_peers || !may_form) {
        violations.push(Violation::new(
            "/spec/podManagementPolicy",
            format!(
                "{} is ready only with a majority, and OrderedReady creates pod 1 once pod 0 is ready: it never starts",
                system.name
            ),
            parallel(context, hides.as_deref()),
        ));
        return;
    }
    let mut waiting = containers().filter_map(|container| waits_for_peers(context, container));
    if let (Some(service), Some(system)) = (hides, waiting.next()) {
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

/// What to do, of a set that is new or one whose policy cannot change any more. `hides` is the Service that hides pods until they are
/// ready.
fn parallel(context: &Context<'_>, hides: Option<&str>) -> String {
    let publish = hides.map_or_else(String::new, |service| {
        format!(", and publishNotReadyAddresses: true on {service}")
    });
    match context.operation {
        Operation::Create => format!("set podManagementPolicy: Parallel{publish}"),
        Operation::Update => {
            format!("make the set anew with podManagementPolicy: Parallel{publish}")
        }
    }
}

/// The system of which not even the first member gets ready alone, and whether the container says that its peers are this set's own pods.
fn waits_for_majority(
    context: &Context<'_>,
    container: &Container<'_>,
) -> Option<(&'static Entry, bool)> {
    let system = catalogue::running(container).filter(|system| system.needs_majority)?;
    let probes = [&container.readiness_probe, &container.startup_probe];
    let mut probes = probes.into_iter().flatten();
    let needs_peers = |probe: &Probe<'_>| {
        asks_the_cluster(probe)
            || !system.node_local
                && !asks_itself(probe)
                && asks_what_serves(system, container, probe)
    };
    let is_alone = speaks_of(container, "zookeeper") || is_only_broker(container);
    (!is_alone && probes.any(needs_peers)).then(|| {
        let names_peers = speaks_of(container, &context.set.spec.service_name);
        (system, names_peers)
    })
}

/// Whether the probe asks the port by which the system serves, which it opens with its peers, or runs a program.
fn asks_what_serves(system: &'static Entry, container: &Container<'_>, probe: &Probe<'_>) -> bool {
    let Some(port) = probe.port() else {
        return probe.exec.is_some();
    };
    let declared = |name: &str| container.ports.iter().find(|port| port.name == *name);
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => declared(name).map(|port| port.container_port),
    };
    let mut recipes = system.recipes.iter();
    recipes.any(|recipe| {
        let is_named =
            matches!(port, IntOrString::String(name) if recipe.port_names.contains(&&**name));
        is_named || number == Some(recipe.port)
    })
}

/// Whether the probe asks the member about itself alone (etcd: `/livez`, and `/health` with `serializable=true`).
fn asks_itself(probe: &Probe<'_>) -> bool {
    let path = probe.http_get.as_ref().map(|get| &*get.path);
    path.is_some_and(|path| path.contains("livez") || path.contains("serializable=true"))
}

/// Whether a Kafka broker has its controllers elsewhere: it is ready without the other brokers.
fn is_only_broker(container: &Container<'_>) -> bool {
    let mut variables = container.env.iter();
    variables.any(|variable| {
        variable.name.ends_with("PROCESS_ROLES") && !variable.value.contains("controller")
    })
}

/// The system, where its readiness probe passes only with the peers.
fn waits_for_peers(context: &Context<'_>, container: &Container<'_>) -> Option<&'static Entry> {
    let system = catalogue::running(container).filter(|system| system.needs_peers)?;
    let probe = container.readiness_probe.as_ref()?;
    (asks_the_cluster(probe) && speaks_of(container, &context.set.spec.service_name))
        .then_some(system)
}

/// Whether the probe asks how the whole is, of a system that a member could answer for by itself.
fn asks_the_cluster(probe: &Probe<'_>) -> bool {
    const QUESTIONS: [&str; 6] = [
        "_cluster/health",
        "ready=1",
        "cluster info",
        "rs.status",
        "/v1/status/leader",
        "raft list-peers",
    ];
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
                "spec.podManagementPolicy: etcd is ready only with a majority, and OrderedReady creates pod 1 once pod 0 is ready: \
                 it never starts; set podManagementPolicy: Parallel, and publishNotReadyAddresses: true on \"web\""
            ]
        );
        assert!(
            says(&etcd, &json!({}), true).is_empty(),
            "it may form member by member"
        );
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
    fn published_names_create_no_pods() {
        let told = json!([
            "etcd",
            "--initial-cluster=etcd-0=http://etcd-0.web:2380,etcd-1=http://etcd-1.web:2380"
        ]);
        let etcd = |slot: &str, probe: Value| {
            json!({"image": "quay.io/coreos/etcd:v3.6", "command": told, slot: probe,
                "ports": [{"name": "client", "containerPort": 2379}, {"name": "metrics", "containerPort": 2381}]})
        };
        let get = |path: &str, port: &str| json!({"httpGet": {"path": path, "port": port}});
        for (slot, probe) in [
            ("readinessProbe", get("/health", "client")),
            ("startupProbe", get("/readyz", "client")),
            ("readinessProbe", json!({"tcpSocket": {"port": 2379}})),
            (
                "readinessProbe",
                json!({"exec": {"command": ["etcdctl", "endpoint", "health"]}}),
            ),
        ] {
            assert_eq!(
                says(&etcd(slot, probe.clone()), &json!({}), true),
                [
                    "spec.podManagementPolicy: etcd is ready only with a majority, and OrderedReady creates pod 1 once pod 0 is ready: \
                 it never starts; set podManagementPolicy: Parallel"
                ],
                "{probe}"
            );
        }
        for probe in [
            get("/livez", "client"),
            get("/health?serializable=true", "client"),
            get("/health", "metrics"),
            json!({"tcpSocket": {"port": 2380}}),
        ] {
            let found = says(&etcd("readinessProbe", probe.clone()), &json!({}), true);
            assert!(found.is_empty(), "{probe}");
        }
        let consul = json!({"image": "hashicorp/consul:1.20", "args": ["agent", "-server", "-bootstrap-expect=3", "-retry-join=consul-0.web"],
            "readinessProbe": {"exec": {"command": ["sh", "-c", "curl -f http://127.0.0.1:8500/v1/status/leader"]}}});
        assert_eq!(says(&consul, &json!({}), true).len(), 1);
        let broker = json!({"image": "apache/kafka:3.9.0", "readinessProbe": {"tcpSocket": {"port": 9092}},
            "env": [{"name": "KAFKA_PROCESS_ROLES", "value": "broker"}, {"name": "KAFKA_ADVERTISED_LISTENERS", "value": "web"}]});
        assert!(
            says(&broker, &json!({}), true).is_empty(),
            "its controllers are elsewhere"
        );
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
