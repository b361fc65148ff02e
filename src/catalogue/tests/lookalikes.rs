//! Images that are called after a system and are none of it.

use super::*;

/// Exporters, operators, user interfaces, init tools, backup tools, clients, sentinels, proxies.
const LOOKALIKES: &[&str] = &[
    "oliver006/redis_exporter",
    "bitnami/redis-exporter",
    "bitnami/redis-sentinel",
    "bitnami/valkey-sentinel",
    "quay.io/opstree/redis-operator",
    "redis/redisinsight",
    "redislabs/redisinsight",
    "rediscommander/redis-commander",
    "envoyproxy/envoy-redis-proxy",
    "mongo-express",
    "percona/mongodb_exporter",
    "bitnami/mongodb-exporter",
    "quay.io/mongodb/mongodb-kubernetes-operator",
    "quay.io/mongodb/mongodb-agent-ubi",
    "quay.io/mongodb/mongodb-kubernetes-readinessprobe",
    "percona/percona-server-mongodb-operator",
    "percona/percona-backup-mongodb",
    "bitnami/pgbouncer",
    "edoburu/pgbouncer",
    "bitnami/pgpool",
    "dpage/pgadmin4",
    "registry.opensource.zalan.do/acid/postgres-operator",
    "prometheuscommunity/postgres-exporter",
    "wrouesnel/postgres_exporter",
    "ghcr.io/cloudnative-pg/cloudnative-pg",
    "crunchydata/crunchy-pgbackrest",
    "crunchydata/crunchy-pgadmin4",
    "prom/mysqld-exporter",
    "bitnami/mysqld-exporter",
    "phpmyadmin",
    "phpmyadmin/phpmyadmin",
    "mysql/mysql-router",
    "container-registry.oracle.com/mysql/community-router",
    "container-registry.oracle.com/mysql/community-operator",
    "proxysql/proxysql",
    "gcr.io/google-samples/xtrabackup:1.0",
    "percona/percona-xtrabackup",
    "provectuslabs/kafka-ui",
    "confluentinc/cp-kafka-connect",
    "bitnami/kafka-exporter",
    "danielqsj/kafka-exporter",
    "bitnami/schema-registry",
    "confluentinc/cp-kafka-rest",
    "solsson/kafka-prometheus-jmx-exporter",
    "quay.io/strimzi/operator",
    "redpandadata/console",
    "pravega/zookeeper-operator",
    "quay.io/coreos/etcd-operator",
    "gardener/etcd-backup-restore",
    "gardener/etcd-druid",
    "hashicorp/vault-k8s",
    "hashicorp/vault-csi-provider",
    "hashicorp/vault-secrets-operator",
    "hashicorp/consul-k8s",
    "hashicorp/consul-k8s-control-plane",
    "hashicorp/consul-dataplane",
    "hashicorp/consul-template",
    "minio/mc",
    "minio/operator",
    "minio/console",
    "natsio/nats-box",
    "natsio/nats-server-config-reloader",
    "natsio/prometheus-nats-exporter",
    "natsio/nats-operator",
    "quay.io/prometheus-operator/prometheus-config-reloader",
    "quay.io/prometheus-operator/prometheus-operator",
    "prom/pushgateway",
    "prom/node-exporter",
    "thelastpickle/cassandra-reaper",
    "k8ssandra/cass-operator",
    "k8ssandra/medusa",
    "quay.io/prometheuscommunity/elasticsearch-exporter",
    "docker.elastic.co/eck/eck-operator",
    "docker.elastic.co/kibana/kibana",
    "lmenezes/cerebro",
    "opensearchproject/opensearch-dashboards",
    "opensearchproject/opensearch-operator",
    "altinity/clickhouse-backup",
    "altinity/clickhouse-operator",
    "altinity/metrics-exporter",
    "f1yegor/clickhouse-exporter",
    "cockroachdb/cockroach-operator",
    "cockroachdb/cockroach-self-signer-cert",
    "rabbitmqoperator/cluster-operator",
    "kbudde/rabbitmq-exporter",
    "grafana/promtail",
    "grafana/loki-canary",
    "grafana/tempo-query",
    "grafana/mimirtool",
    "grafana/agent",
    "grafana/grafana-image-renderer",
    "quay.io/thanos/thanos-operator",
    "apachepulsar/pulsar-manager",
    "chrislusf/seaweedfs-csi-driver",
    "quay.io/keycloak/keycloak-operator",
    "apache/solr-operator",
    "telegraf",
    "chronograf",
    "victoriametrics/operator",
    "victoriametrics/vmalert",
    "victoriametrics/vmbackup",
    "neo4j/neo4j-admin",
    "bitnami/memcached-exporter",
    "aerospike/aerospike-prometheus-exporter",
];

#[test]
fn no_entry_speaks_for_them() {
    for image in LOOKALIKES {
        for reference in [
            format!("{image}:1"),
            format!("mirror.example:5000/{image}@sha256:0"),
        ] {
            assert_eq!(
                by_image(&reference).map(|entry| entry.name),
                None,
                "{reference}"
            );
        }
    }
}

#[test]
fn no_image_is_of_two_entries() {
    for pattern in all().flat_map(|entry| entry.images) {
        for image in [pattern.replace('*', ""), pattern.replace('*', "17")] {
            let of = all().filter(|entry| entry.images.iter().any(|other| matches(other, &image)));
            let names: Vec<_> = of.map(|entry| entry.name).collect();
            let empty = image.is_empty() || image.ends_with('-');
            assert!(
                names.len() == 1 || empty && names.len() < 2,
                "{image}: {names:?}"
            );
        }
    }
}

#[test]
fn more_names_of_known_systems() {
    for (image, entry) in [
        ("registry.opensource.zalan.do/acid/spilo-15:3.0", "patroni"),
        ("timescale/timescaledb-ha:pg16", "patroni"),
        ("goharbor/harbor-db:v2", "postgresql"),
        ("goharbor/redis-photon:v2", "redis"),
        ("goharbor/valkey-photon:v2", "valkey"),
        ("registry.k8s.io/kubernetes-zookeeper:1.0", "zookeeper"),
        ("confluentinc/cp-kafka:7", "kafka"),
        ("confluentinc/cp-server:7", "kafka"),
        ("confluentinc/cp-zookeeper:7", "zookeeper"),
        ("k8s.gcr.io/etcd-amd64:3", "etcd"),
        ("bitnami/postgresql-repmgr:16", "postgresql"),
        ("docker.io/grafana/loki:3", "loki"),
        ("bitnami/grafana-mimir:2", "mimir"),
        ("apachepulsar/pulsar-all:3", "pulsar"),
        ("cr.weaviate.io/semitechnologies/weaviate:1.30", "weaviate"),
        ("chrislusf/seaweedfs", "seaweedfs"),
    ] {
        assert_eq!(
            by_image(image).map(|entry| entry.name),
            Some(entry),
            "{image}"
        );
    }
}
