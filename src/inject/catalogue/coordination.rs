//! Stores that others agree by, and secrets.

use super::{BLANK, Entry, Recipe, Unless, http, tcp};

/// The listener is bound before the election; `ruok` would need a whitelist.
const ZOOKEEPER: Recipe = tcp(
    &["client", "zookeeper", "zk", "tcp-client", "client-port"],
    2181,
);

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "zookeeper",
        images: &["zookeeper", "cp-zookeeper", "kubernetes-zookeeper", "k8szk"],
        programs: &[
            "zkServer.sh",
            "start-zookeeper",
            "zookeeper-server-start.sh",
            "zookeeper-server-start",
            "zookeeperStart.sh",
            "run",
        ],
        subcommands: &["start-foreground"],
        recipes: &[ZOOKEEPER],
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        source: "apache/zookeeper:QuorumPeerMain; bitnami/charts:bitnami/zookeeper",
        ..BLANK
    },
    Entry {
        name: "clickhouse-keeper",
        images: &["clickhouse-keeper"],
        programs: &["clickhouse-keeper", "clickhouse"],
        recipes: &[tcp(&["client", "zk", "keeper", "tcp"], 9181)],
        needs_peers: true,
        quorum: true,
        database: true,
        source: "Altinity/clickhouse-operator",
        ..BLANK
    },
    Entry {
        name: "etcd",
        images: &["etcd", "etcd-amd64", "etcd-arm64"],
        programs: &["etcd"],
        recipes: &[tcp(&["client", "etcd", "tcp-client", "etcd-client"], 2379)],
        needs_peers: true,
        quorum: true,
        database: true,
        source: "etcd-io/etcd:server/embed/etcd.go: clients are served once the member has a leader",
        ..BLANK
    },
    Entry {
        name: "consul",
        images: &["consul", "consul-enterprise"],
        programs: &["consul"],
        subcommands: &["agent"],
        recipes: &[tcp(&["http", "https", "http-api"], 8500)],
        needs_peers: true,
        quorum: true,
        node_local: true,
        source: "hashicorp/consul-k8s: /v1/status/leader needs the quorum, the agent's listener does not",
        ..BLANK
    },
    Entry {
        name: "vault",
        images: &[
            "vault",
            "vault-enterprise",
            "openbao",
            "openbao-ubi",
            "vault-ubi",
        ],
        programs: &["vault", "bao"],
        subcommands: &["server"],
        needs_peers: true,
        quorum: true,
        source: "hashicorp/vault-helm: a sealed pod must not block the others",
        ..BLANK
    },
    Entry {
        name: "keycloak",
        images: &["keycloak"],
        programs: &["kc.sh", "keycloak"],
        subcommands: &["start", "start-dev"],
        recipes: &[tcp(&["http", "https", "http-internal"], 8080)],
        node_local: true,
        source: "codecentric/helm-charts:charts/keycloakx",
        ..BLANK
    },
    Entry {
        name: "grafana",
        images: &["grafana", "grafana-enterprise", "grafana-oss"],
        programs: &["grafana-server", "grafana", "run.sh"],
        unless: &[
            Unless::Certificates,
            Unless::Variable("GF_SERVER_PROTOCOL"),
            Unless::Variable("GF_SERVER_SERVE_FROM_SUB_PATH"),
        ],
        recipes: &[http(&["http", "grafana", "web"], 3000, "/api/health")],
        node_local: true,
        source: "grafana/helm-charts:charts/grafana",
        ..BLANK
    },
];
