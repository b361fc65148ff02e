//! Which program a container runs.

use serde_json::json;

use super::*;

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
            "sh|-c|/usr/share/elasticsearch/bin/elasticsearch-keystore create; exec curator",
            false,
        ),
        (
            search,
            "sh|-c|chown -R 1000 /usr/share/elasticsearch && exec /scripts/start",
            false,
        ),
        (
            search,
            "sh|-c|cp /usr/share/elasticsearch/bin/elasticsearch /out/",
            false,
        ),
        (search, "sh|-c|echo elasticsearch", false),
        (
            search,
            "bash|-c|ulimit -n 65536; exec /usr/share/elasticsearch/bin/elasticsearch",
            true,
        ),
        (
            search,
            "bash|-c|/usr/local/bin/docker-entrypoint.sh eswrapper",
            true,
        ),
    ];
    for (image, command, runs) in cases {
        let command: Vec<&str> = command.split('|').collect();
        let container = container(&json!({"image": image, "command": command}));
        assert_eq!(running(&container).is_some(), runs, "{command:?}");
    }
}

#[test]
fn what_stands_before_a_program_is_looked_through() {
    let cases = [
        ("mongo", "tini|-g|--|mongod|--bind_ip_all", true),
        ("mongo", "tini|-g|mongod", true),
        ("mongo", "/usr/bin/dumb-init|--rewrite|15:2|--|mongod", true),
        ("mongo", "numactl|--interleave|all|mongod", true),
        (
            "mongo",
            "gosu|mongodb|numactl|--interleave=all|mongod",
            true,
        ),
        (
            "mongo",
            "sh|-c|exec numactl --interleave=all -- mongod --replSet rs0",
            true,
        ),
        ("mongo", "docker-entrypoint.sh|mongod", true),
        ("mongo", "docker-entrypoint.sh|--replSet|rs0", true),
        ("mongo", "docker-entrypoint.sh|mongosh", false),
        ("mongo", "docker-entrypoint.sh", true),
        (
            "clickhouse-server",
            "bash|-c|export SHARD=${HOSTNAME##*-} && exec /entrypoint.sh",
            true,
        ),
        ("mongo", "sh|-c|mongodump --db mongod", false),
        (
            "mongo",
            "sh|-c|until mongod_ready; do sleep 1; done; mongos",
            false,
        ),
        (
            "mongo",
            "sh|-c|cat > /etc/mongod.conf <<EOF\nmongod\nEOF\nexec mongos",
            false,
        ),
        ("mongo", "env|A=b|mongod", true),
        ("mongo", "bash|-o|pipefail|-ec|mongod --config /c", true),
        ("mongo", "sh|-c|sh -c 'exec mongod'", true),
        ("minio", "minio|update", false),
        ("minio", "minio|-q|server|/data", true),
        ("consul", "consul|snapshot|save", false),
        ("consul", "docker-entrypoint.sh|agent|-server", true),
        (
            "pulsar",
            "sh|-c|bin/pulsar zookeeper-shell get /x; OPTS=-x exec bin/pulsar broker;",
            true,
        ),
        (
            "pulsar",
            "sh|-c|bin/pulsar initialize-cluster-metadata; exec bin/bookkeeper autorecovery",
            false,
        ),
        ("influxdb", "sh|/scripts/backup.sh|-c|influxd", false),
    ];
    for (image, command, runs) in cases {
        let command: Vec<&str> = command.split('|').collect();
        let container = container(&json!({"image": image, "command": command}));
        assert_eq!(running(&container).is_some(), runs, "{command:?}");
    }
}

#[test]
fn a_shell_of_the_images_own_is_one() {
    let args = json!([
        "shell",
        "-ecx",
        "exec /cockroach/cockroach start --insecure"
    ]);
    let cockroach = container(&json!({"image": "cockroachdb/cockroach", "args": args}));
    assert!(running(&cockroach).is_some());
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
fn an_image_without_a_shell_runs_no_script() {
    let container = container(&json!({"image": "cgr.dev/chainguard/redis:latest"}));
    assert_eq!(running(&container).unwrap().recipe(&container), None);
}
