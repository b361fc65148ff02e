use super::*;
use serde_json::{Value, json};

mod evidence;
mod lookalikes;
mod programs;
mod scripts;

fn container(value: &Value) -> Container<'static> {
    let text = value.to_string();
    serde_json::from_str(Box::leak(text.into_boxed_str())).unwrap()
}

#[test]
fn finds_images_in_any_registry() {
    let cases = [
        ("postgres", Some("postgresql")),
        ("postgres:17-alpine", Some("postgresql")),
        ("docker.io/library/postgres@sha256:0", Some("postgresql")),
        (
            "registry.example.com:5000/mirror/bitnami/postgresql:16.4.0-debian-12-r0",
            Some("postgresql"),
        ),
        ("bitnamilegacy/postgresql-repmgr:16", Some("postgresql")),
        ("ghcr.io/zalando/spilo-17:4.0", Some("patroni")),
        ("goharbor/redis-photon:v2", Some("redis")),
        ("confluentinc/cp-kafka:7.9.0", Some("kafka")),
        (
            "k8s.gcr.io/kubernetes-zookeeper:1.0-3.4.10",
            Some("zookeeper"),
        ),
        ("k8s.gcr.io/etcd-amd64:3.1.11", Some("etcd")),
        ("quay.io/prometheus/prometheus:v3", Some("prometheus")),
        ("bitnami/postgres-exporter", None),
        ("bitnami/redis-sentinel", None),
        ("mypostgres", None),
        ("", None),
    ];
    for (image, name) in cases {
        assert_eq!(by_image(image).map(|entry| entry.name), name, "{image}");
    }
}

#[test]
fn tls_and_logins_that_a_file_configures_leave_the_port_alone_to_ask() {
    let asked = |more: Value| {
        let mut value = json!({"image": "nats:2.10-alpine", "ports": [{"name": "nats", "containerPort": 4222},
            {"name": "monitor", "containerPort": 8222}]});
        json_patch::merge(&mut value, &more);
        let container = container(&value);
        let (recipe, _) = by_image(&container.image).unwrap().recipe(&container)?;
        Some(recipe.ask)
    };
    let mounts =
        |name: &str, path: &str| json!({"volumeMounts": [{"name": name, "mountPath": path}]});
    assert_eq!(
        asked(json!({})),
        Some(Ask::HttpGet("/healthz?js-enabled-only=true"))
    );
    assert_eq!(
        asked(mounts("data", "/data")),
        Some(Ask::HttpGet("/healthz?js-enabled-only=true"))
    );
    for (name, path) in [
        ("nats-tls", "/etc/nats"),
        ("certs", "/c"),
        ("Server-Cert", "/c"),
        ("pki", "/c"),
        ("secret", "/etc/nats/ssl"),
        ("secret", "/etc/nats/tls.crt"),
        ("keystore", "/opt"),
    ] {
        assert_eq!(asked(mounts(name, path)), Some(Ask::Tcp), "{name} {path}");
    }
    let one_file =
        json!({"volumeMounts": [{"name": "config", "mountPath": "/c", "subPath": "server.crt"}]});
    assert_eq!(asked(one_file), Some(Ask::Tcp));
    let minio = json!({"image": "minio", "ports": [{"containerPort": 9000}]});
    assert!(asked(minio.clone()).is_some());
    let mut secured = minio;
    secured["volumeMounts"] = json!([{"name": "minio-certs", "mountPath": "/root/.minio/certs"}]);
    assert_eq!(
        asked(secured),
        None,
        "nothing but its listener, which its ports name"
    );
}

#[test]
fn variables_that_stand_for_flags_are_looked_through() {
    let asked = |env: Value| {
        let value = json!({"image": "victoriametrics/vmstorage", "args": ["--envflag.enable", "--envflag.prefix=VM_"],
            "ports": [{"name": "http", "containerPort": 8482}], "env": env});
        let container = container(&value);
        by_image(&container.image)
            .unwrap()
            .recipe(&container)
            .map(|(recipe, _)| recipe.ask)
    };
    assert_eq!(asked(json!([])), Some(Ask::HttpGet("/health")));
    assert_eq!(
        asked(json!([{"name": "VM_tlsCertFile", "value": "/c"}])),
        None
    );
    assert_eq!(
        asked(json!([{"name": "VM_http_pathPrefix", "value": "/vm"}])),
        None
    );
}

#[test]
fn influxdb_is_asked_nothing_that_its_third_version_wants_a_token_for() {
    let named_port = container(&json!({"image": "influxdb:3-core",
        "ports": [{"name": "http", "containerPort": 8181}]}));
    let (recipe, _) = named("influxdb").unwrap().recipe(&named_port).unwrap();
    assert_eq!(recipe.ask, Ask::Tcp);
    let silent = container(&json!({"image": "influxdb:3-core"}));
    assert!(named("influxdb").unwrap().recipe(&silent).is_none());
}

#[test]
fn flags_and_variables_make_a_probe_unsafe() {
    let cases = [
        (json!({"image": "redis"}), true),
        (
            json!({"image": "redis", "args": ["--tls-port", "6379"]}),
            false,
        ),
        (
            json!({"image": "redis", "command": ["sh", "-c", "redis-server --sentinel"]}),
            false,
        ),
        (
            json!({"image": "redis", "env": [{"name": "REDIS_TLS_ENABLED", "value": "no"}]}),
            true,
        ),
        (
            json!({"image": "redis", "env": [{"name": "REDIS_TLS_ENABLED", "value": "yes"}]}),
            false,
        ),
        (
            json!({"image": "redis", "volumeMounts": [{"name": "redis-tls", "mountPath": "/c"}]}),
            false,
        ),
        (
            json!({"image": "minio", "env": [{"name": "MINIO_KMS_SECRET_KEY"}]}),
            false,
        ),
        (
            json!({"image": "prom/prometheus", "args": ["--web.route-prefix=/prom"]}),
            false,
        ),
    ];
    for (value, safe) in cases {
        let container = container(&value);
        let entry = by_image(&container.image).unwrap();
        assert_eq!(entry.is_safe_for(&container), safe, "{value}");
    }
}

#[test]
fn the_declared_port_is_asked() {
    let cases = [
        (json!({"image": "postgres"}), Some(5432)),
        (
            json!({"image": "postgres", "ports": [{"containerPort": 5433}]}),
            Some(5433),
        ),
        (json!({"image": "postgres", "args": ["-p", "5433"]}), None),
        (
            json!({"image": "postgres", "env": [{"name": "PGPORT", "value": "1"}]}),
            None,
        ),
        (
            json!({"image": "postgres", "ports": [{"containerPort": 5432, "protocol": "UDP"}]}),
            Some(5432),
        ),
        (
            json!({"image": "postgres", "ports": [{"name": "metrics", "containerPort": 9187}, {"containerPort": 6432}]}),
            Some(6432),
        ),
        (
            json!({"image": "postgres", "ports": [{"name": "a", "containerPort": 1}, {"name": "b", "containerPort": 2}]}),
            None,
        ),
        (
            json!({"image": "postgres", "ports": [{"name": "a", "containerPort": 1}, {"name": "pg", "containerPort": 2}]}),
            Some(2),
        ),
        (
            json!({"image": "minio", "ports": [{"containerPort": 7777}]}),
            None,
        ),
        (
            json!({"image": "nats:2.7", "ports": [{"name": "client", "containerPort": 4222}, {"name": "monitor", "containerPort": 8222}]}),
            Some(8222),
        ),
        (
            json!({"image": "nats:2.6.6-alpine", "ports": [{"name": "client", "containerPort": 4222}, {"name": "monitor", "containerPort": 8222}]}),
            Some(4222),
        ),
        (
            json!({"image": "nats:alpine", "ports": [{"name": "client", "containerPort": 4222}, {"name": "monitor", "containerPort": 8222}]}),
            Some(4222),
        ),
        (
            json!({"image": "nats", "ports": [{"name": "client", "containerPort": 4222}]}),
            Some(4222),
        ),
        (json!({"image": "nats"}), Some(4222)),
    ];
    for (value, expected) in cases {
        let container = container(&value);
        let served = by_image(&container.image).unwrap().recipe(&container);
        let number = served.map(|(_, port)| match port {
            ServedPort::Declared(port) => port.container_port,
            ServedPort::Own(number) => number,
        });
        assert_eq!(number, expected, "{value}");
    }
}

#[test]
fn every_entry_is_complete_and_its_images_are_its_own() {
    let mut images = std::collections::HashSet::new();
    let mut names = std::collections::HashSet::new();
    for entry in all() {
        assert!(names.insert(entry.name), "{} twice", entry.name);
        assert!(!entry.programs.is_empty(), "{}", entry.name);
        for image in entry.images {
            assert!(images.insert(image), "{image} twice");
        }
        for recipe in entry.recipes {
            if let Ask::Shell(script) = recipe.ask {
                assert!(
                    script.contains("{port}") && !script.contains("{{"),
                    "{script}"
                );
            }
        }
    }
    assert!(names.len() >= 21);
}

#[test]
fn vault_is_never_probed() {
    assert!(by_image("hashicorp/vault:1.19").unwrap().never_probed());
}
