use super::*;
use serde_json::{Value, json};

mod evidence;
mod lookalikes;
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
fn a_name_that_an_option_or_a_change_of_user_takes_starts_nothing() {
    let dump =
        "while true; do pg_dump -h db -U postgres shop > /backup/shop.sql; sleep 86400; done";
    let cases = [
        (json!(["sh", "-c", dump]), false),
        (json!(["sh", "-c", "pg_dumpall --username postgres"]), false),
        (json!(["sh", "-c", "su - postgres -c /backup.sh"]), false),
        (
            json!(["sh", "-c", "chown postgres /backup; sleep 1d"]),
            false,
        ),
        (json!(["gosu", "postgres", "/backup.sh"]), false),
        (
            json!(["docker-entrypoint.sh", "pg_dump", "-U", "postgres"]),
            false,
        ),
        (json!(["gosu", "postgres", "postgres", "-c", "x=y"]), true),
        (json!(["bash", "-ec", "postgres -c x=y"]), true),
        (json!(["sh", "-c", "set -e; postgres"]), true),
        (json!(["sh", "-c", "set -eu\npostgres"]), true),
        (
            json!([
                "sh",
                "-c",
                "chown -R postgres /data && exec gosu postgres postgres"
            ]),
            true,
        ),
        (json!(["tini", "--", "postgres"]), true),
        (json!(["numactl", "--interleave=all", "postgres"]), true),
        (json!(["sh", "-c", "su - postgres -c postgres"]), true),
    ];
    for (command, runs) in cases {
        let container = container(&json!({"image": "postgres:17", "command": command}));
        assert_eq!(running(&container).is_some(), runs, "{command}");
    }
}

#[test]
fn only_what_stands_where_a_command_stands_is_a_program() {
    let search = "elasticsearch:8";
    let cases = [
        (
            search,
            json!([
                "sh",
                "-c",
                "/usr/share/elasticsearch/bin/elasticsearch-keystore create; exec curator"
            ]),
            false,
        ),
        (
            search,
            json!([
                "sh",
                "-c",
                "chown -R 1000 /usr/share/elasticsearch && exec /scripts/start"
            ]),
            false,
        ),
        (
            search,
            json!([
                "sh",
                "-c",
                "cp /usr/share/elasticsearch/bin/elasticsearch /out/"
            ]),
            false,
        ),
        (search, json!(["sh", "-c", "echo elasticsearch"]), false),
        (
            search,
            json!([
                "bash",
                "-c",
                "ulimit -n 65536; exec /usr/share/elasticsearch/bin/elasticsearch"
            ]),
            true,
        ),
        (
            search,
            json!([
                "bash",
                "-c",
                "/usr/local/bin/docker-entrypoint.sh eswrapper"
            ]),
            true,
        ),
    ];
    for (image, command, runs) in cases {
        let container = container(&json!({"image": image, "command": command}));
        assert_eq!(running(&container).is_some(), runs, "{command}");
    }
}

#[test]
fn what_stands_before_a_program_is_looked_through() {
    let cases = [
        (
            "mongo",
            json!(["tini", "-g", "--", "mongod", "--bind_ip_all"]),
            true,
        ),
        ("mongo", json!(["tini", "-g", "mongod"]), true),
        (
            "mongo",
            json!(["/usr/bin/dumb-init", "--rewrite", "15:2", "--", "mongod"]),
            true,
        ),
        (
            "mongo",
            json!(["numactl", "--interleave", "all", "mongod"]),
            true,
        ),
        (
            "mongo",
            json!(["gosu", "mongodb", "numactl", "--interleave=all", "mongod"]),
            true,
        ),
        (
            "mongo",
            json!([
                "sh",
                "-c",
                "exec numactl --interleave=all -- mongod --replSet rs0"
            ]),
            true,
        ),
        ("mongo", json!(["docker-entrypoint.sh", "mongod"]), true),
        (
            "mongo",
            json!(["docker-entrypoint.sh", "--replSet", "rs0"]),
            true,
        ),
        ("mongo", json!(["docker-entrypoint.sh", "mongosh"]), false),
        ("mongo", json!(["docker-entrypoint.sh"]), false),
        ("mongo", json!(["sh", "-c", "mongodump --db mongod"]), false),
        (
            "mongo",
            json!(["sh", "-c", "until mongod_ready; do sleep 1; done; mongos"]),
            false,
        ),
        (
            "mongo",
            json!([
                "sh",
                "-c",
                "cat > /etc/mongod.conf <<EOF\nmongod\nEOF\nexec mongos"
            ]),
            false,
        ),
        ("mongo", json!(["env", "A=b", "mongod"]), true),
        (
            "mongo",
            json!(["bash", "-o", "pipefail", "-ec", "mongod --config /c"]),
            true,
        ),
        ("mongo", json!(["sh", "-c", "sh -c 'exec mongod'"]), true),
        ("minio", json!(["minio", "update"]), false),
        ("minio", json!(["minio", "-q", "server", "/data"]), true),
        ("consul", json!(["consul", "snapshot", "save"]), false),
        (
            "consul",
            json!(["docker-entrypoint.sh", "agent", "-server"]),
            true,
        ),
        (
            "pulsar",
            json!([
                "sh",
                "-c",
                "bin/pulsar zookeeper-shell get /x; OPTS=-x exec bin/pulsar broker;"
            ]),
            true,
        ),
        (
            "pulsar",
            json!([
                "sh",
                "-c",
                "bin/pulsar initialize-cluster-metadata; exec bin/bookkeeper autorecovery"
            ]),
            false,
        ),
        (
            "influxdb",
            json!(["sh", "/scripts/backup.sh", "-c", "influxd"]),
            false,
        ),
    ];
    for (image, command, runs) in cases {
        let container = container(&json!({"image": image, "command": command}));
        assert_eq!(running(&container).is_some(), runs, "{command}");
    }
}

#[test]
fn tls_and_logins_that_a_file_configures_leave_the_port_alone_to_ask() {
    let asked = |more: Value| {
        let mut value = json!({"image": "nats", "ports": [{"name": "nats", "containerPort": 4222},
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
fn influxdb_is_asked_nothing_that_its_third_version_wants_a_token_for() {
    let named_port = container(&json!({"image": "influxdb:3-core",
        "ports": [{"name": "http", "containerPort": 8181}]}));
    let (recipe, _) = named("influxdb").unwrap().recipe(&named_port).unwrap();
    assert_eq!(recipe.ask, Ask::Tcp);
    let silent = container(&json!({"image": "influxdb:3-core"}));
    assert!(named("influxdb").unwrap().recipe(&silent).is_none());
}

#[test]
fn an_entry_speaks_for_its_program_alone() {
    let cases = [
        (json!({"image": "redis"}), true),
        (
            json!({"image": "redis", "args": ["--appendonly", "yes"]}),
            true,
        ),
        (json!({"image": "redis", "args": ["/etc/redis.conf"]}), true),
        (
            json!({"image": "redis", "args": ["redis-server", "/etc/redis.conf"]}),
            true,
        ),
        (
            json!({"image": "redis", "args": ["redis-sentinel", "/etc/sentinel.conf"]}),
            false,
        ),
        (
            json!({"image": "redis", "args": ["sleep", "infinity"]}),
            false,
        ),
        (json!({"image": "redis", "command": ["redis-server"]}), true),
        (
            json!({"image": "redis", "command": ["/usr/local/bin/redis-server", "/c"]}),
            true,
        ),
        (
            json!({"image": "redis", "command": ["redis-sentinel"]}),
            false,
        ),
        (
            json!({"image": "redis", "command": ["sleep", "redis-server"]}),
            false,
        ),
        (
            json!({"image": "redis", "command": ["sh", "-c", "cp /a /b; exec redis-server /b"]}),
            true,
        ),
        (
            json!({"image": "redis", "command": ["/bin/sh", "-c"], "args": ["redis-server /b"]}),
            true,
        ),
        (
            json!({"image": "redis", "command": ["sh", "-c", "redis-sentinel /b"]}),
            false,
        ),
        (
            json!({"image": "redis", "command": ["sh", "/scripts/run.sh"]}),
            false,
        ),
        (
            json!({"image": "redis", "command": ["docker-entrypoint.sh"], "args": ["redis-server"]}),
            true,
        ),
        (
            json!({"image": "minio/minio", "args": ["server", "/data"]}),
            true,
        ),
        (
            json!({"image": "minio/minio", "command": ["sh", "-c", "exec minio server /data"]}),
            true,
        ),
        (
            json!({"image": "minio/minio", "args": ["mirror", "/data"]}),
            false,
        ),
    ];
    for (value, runs) in cases {
        assert_eq!(running(&container(&value)).is_some(), runs, "{value}");
    }
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
            json!({"image": "nats", "ports": [{"name": "client", "containerPort": 4222}, {"name": "monitor", "containerPort": 8222}]}),
            Some(8222),
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
fn an_image_without_a_shell_runs_no_script() {
    let container = container(&json!({"image": "cgr.dev/chainguard/redis:latest"}));
    assert_eq!(running(&container).unwrap().recipe(&container), None);
}

#[test]
fn vault_is_never_probed() {
    assert!(by_image("hashicorp/vault:1.19").unwrap().never_probed());
}
