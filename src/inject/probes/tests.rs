use super::*;
use crate::cluster_view::NoCluster;
use serde_json::{Value, json};

mod table;

fn proposal(set: &Value, policy: &Policy) -> Proposal {
    let text = set.to_string();
    let set: Set<'_> = serde_json::from_str(&text).unwrap();
    let site = Site {
        policy,
        namespace: "default",
        set: &set,
        record: &Record::default(),
        cluster: &NoCluster::default(),
    };
    propose(site, &set.spec.template.spec.containers[0])
}

fn of_container(container: &Value) -> Proposal {
    let set = json!({"metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [container]}}}});
    proposal(&set, &Policy::default())
}

fn handler(proposal: &Proposal) -> Value {
    let Proposal::Probe(proposed) = proposal else {
        return json!(format!("{proposal:?}"));
    };
    let mut value = serde_json::to_value(&proposed.probe).unwrap();
    for number in [
        "periodSeconds",
        "timeoutSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        value.as_object_mut().unwrap().remove(number).expect(number);
    }
    value
}

#[test]
fn the_only_port_or_the_one_with_a_clients_name() {
    let cases = [
        (
            json!([{"containerPort": 8080}]),
            json!({"tcpSocket": {"port": 8080}}),
        ),
        (
            json!([{"name": "main", "containerPort": 8080}]),
            json!({"tcpSocket": {"port": "main"}}),
        ),
        (
            json!([{"name": "peer", "containerPort": 1}, {"name": "client", "containerPort": 2}]),
            json!({"tcpSocket": {"port": "client"}}),
        ),
        (
            json!([{"name": "grpc", "containerPort": 1}, {"name": "http", "containerPort": 2}]),
            json!({"tcpSocket": {"port": "http"}}),
        ),
        (
            json!([{"name": "metrics", "containerPort": 9100}, {"containerPort": 2}]),
            json!({"tcpSocket": {"port": 2}}),
        ),
        (
            json!([{"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"name": "dns", "containerPort": 53}]),
            json!({"tcpSocket": {"port": 53}}),
        ),
    ];
    for (ports, expected) in cases {
        let proposal = of_container(&json!({"name": "app", "image": "corp/app", "ports": ports}));
        assert_eq!(handler(&proposal), expected, "{ports}");
    }
}

#[test]
fn without_one_port_that_stands_out_there_is_none() {
    let competing = of_container(
        &json!({"image": "app", "ports": [{"name": "a", "containerPort": 1}, {"containerPort": 2}]}),
    );
    assert_eq!(
        competing,
        Proposal::NoProbe(NoProbe::Competing(vec!["a (1)".to_owned(), "2".to_owned()]))
    );
    for ports in [
        json!([]),
        json!([{"name": "http-metrics", "containerPort": 9100}]),
        json!([{"name": "pprof", "containerPort": 6060}]),
        json!([{"containerPort": 53, "protocol": "UDP"}]),
    ] {
        let proposal = of_container(&json!({"image": "app", "ports": ports}));
        assert_eq!(proposal, Proposal::NoProbe(NoProbe::NoPort), "{ports}");
    }
    let loopback = json!({"image": "app", "args": ["--listen=127.0.0.1:80"], "ports": [{"containerPort": 80}]});
    assert_eq!(
        of_container(&loopback),
        Proposal::NoProbe(NoProbe::Loopback)
    );
}

#[test]
fn the_catalogue_comes_first() {
    let redis = of_container(
        &json!({"image": "redis:7", "ports": [{"name": "redis", "containerPort": 6380}]}),
    );
    let value = handler(&redis);
    let script = value["exec"]["command"][2].as_str().unwrap();
    assert!(script.contains("-p 6380 "), "{script}");
    let Proposal::Probe(proposed) = redis else {
        panic!()
    };
    assert_eq!(
        (proposed.source.as_str(), proposed.port),
        ("catalogue/redis", Some(6380))
    );

    let minio = of_container(
        &json!({"image": "minio/minio", "args": ["server", "/d"], "ports": [{"name": "api", "containerPort": 9000}, {"containerPort": 9001}]}),
    );
    assert_eq!(
        handler(&minio),
        json!({"httpGet": {"path": "/minio/health/ready", "port": "api", "scheme": "HTTP"}})
    );
}

#[test]
fn another_program_or_tls_leaves_the_ports_to_speak() {
    for more in [
        json!({"command": ["redis-sentinel"]}),
        json!({"args": ["--tls-port", "6379"]}),
    ] {
        let mut container = json!({"image": "redis", "ports": [{"containerPort": 6379}]});
        container
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(
            handler(&of_container(&container)),
            json!({"tcpSocket": {"port": 6379}}),
            "{container}"
        );
    }
}

#[test]
fn a_container_that_only_waits_is_asked_nothing() {
    for more in [
        json!({"command": ["sleep", "infinity"]}),
        json!({"args": ["sleep", "infinity"]}),
        json!({"command": ["tail", "-f", "/dev/null"]}),
        json!({"command": ["sh", "-c", "while true; do sleep 3600; done"]}),
        json!({"command": ["sh", "-c", "trap : TERM INT; sleep 9999999999d & wait"]}),
        json!({"command": ["tini", "--", "bash", "-c"], "args": ["echo maintenance && exec sleep infinity"]}),
    ] {
        for image in ["redis", "corp/app"] {
            let mut container = json!({"image": image, "ports": [{"containerPort": 6379}]});
            json_patch::merge(&mut container, &more);
            assert_eq!(of_container(&container), Proposal::Silent, "{container}");
        }
    }
    let works = json!({"image": "corp/app", "command": ["sh", "-c", "sleep 5; exec app"], "ports": [{"containerPort": 80}]});
    assert!(matches!(of_container(&works), Proposal::Probe(_)));
}

#[test]
fn side_containers_and_vault_stay_as_they_are() {
    for container in [
        json!({"name": "metrics", "image": "bitnami/redis-exporter", "ports": [{"containerPort": 9121}]}),
        json!({"name": "istio-proxy", "image": "istio/proxyv2", "ports": [{"containerPort": 15090}]}),
        json!({"name": "vault", "image": "hashicorp/vault", "ports": [{"containerPort": 8200}]}),
    ] {
        assert_eq!(of_container(&container), Proposal::Silent, "{container}");
    }
}

fn replicated(more: &Value, container: &Value) -> Value {
    let mut spec = json!({"replicas": 3, "serviceName": "web", "template": {"spec": {"containers": [container]}}});
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"metadata": {"name": "web"}, "spec": spec})
}

#[test]
fn safe_holds_back_what_could_stop_the_set_from_forming() {
    let app = json!({"image": "corp/app", "ports": [{"name": "raft", "containerPort": 7000}]});
    let nginx = json!({"image": "nginx", "ports": [{"name": "web", "containerPort": 80}]});
    let etcd = json!({"image": "etcd", "ports": [{"containerPort": 2379}]});
    let nginx_with = |more: Value| {
        let mut container = nginx.clone();
        container
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        container
    };
    let cases = [
        ("ordered", json!({}), app.clone(), false),
        ("one replica", json!({"replicas": 1}), app.clone(), true),
        (
            "parallel, behind names that are hidden",
            json!({"podManagementPolicy": "Parallel"}),
            app.clone(),
            false,
        ),
        ("plain web", json!({}), nginx.clone(), true),
        (
            "names a member",
            json!({}),
            nginx_with(json!({"args": ["--to=http://web-0.web:80"]})),
            false,
        ),
        (
            "names the service",
            json!({}),
            nginx_with(json!({"env": [{"name": "H", "value": "$(P).web.default"}]})),
            false,
        ),
        (
            "has a seed list",
            json!({}),
            nginx_with(json!({"env": [{"name": "SEEDS", "value": "a"}]})),
            false,
        ),
        ("node-local", json!({}), json!({"image": "postgres"}), true),
        ("needs a quorum", json!({}), etcd.clone(), false),
        (
            "etcd in parallel",
            json!({"podManagementPolicy": "Parallel"}),
            etcd.clone(),
            false,
        ),
        (
            "one etcd, which may be scaled",
            json!({"replicas": 1, "podManagementPolicy": "Parallel"}),
            etcd,
            false,
        ),
    ];
    for (name, more, container, injected) in cases {
        let set = replicated(&more, &container);
        let safe = proposal(&set, &Policy::default());
        assert_eq!(
            matches!(safe, Proposal::Probe(_)),
            injected,
            "{name}: {safe:?}"
        );
        assert_eq!(matches!(safe, Proposal::Probe(_)), injected, "{name}");
        let mut always = Policy::default();
        always.inject.readiness_probe.mode = ProbeMode::Always;
        assert!(
            matches!(proposal(&set, &always), Proposal::Probe(_)),
            "{name}"
        );
    }
}
