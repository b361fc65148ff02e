//! Stores that others agree by, and secrets.

use super::evidence::{chart, source, survey};
use super::recipe::{Recipe, http, tcp};
use super::{BLANK, DataFolder, Entry, Unless, Versions};

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
        listens_first: true,
        data: &[
            DataFolder {
                images: &["zookeeper"],
                versions: Versions::ALL,
                path: "/data",
                volume: "/data",
                variable: "ZOO_DATA_DIR",
            },
            DataFolder {
                images: &["cp-zookeeper"],
                versions: Versions::ALL,
                path: "/var/lib/zookeeper/data",
                volume: "/var/lib/zookeeper/data",
                variable: "",
            },
        ],
        evidence: &[
            survey(
                "a survey of charts, operators and issues",
                "tcp 2181 (`ruok` needs `4lw.commands.whitelist`)",
            ),
            source(
                "31z4/zookeeper-docker:3.9.3/Dockerfile",
                "VOLUME [\"$ZOO_DATA_DIR\", \"$ZOO_DATA_LOG_DIR\", \"$ZOO_LOG_DIR\"], the first of which is /data",
            ),
            source(
                "confluentinc/kafka-images:zookeeper/Dockerfile.ubi8",
                "VOLUME [\"/var/lib/zookeeper/data\", \"/var/lib/zookeeper/log\", \"/etc/zookeeper/secrets\"]",
            ),
        ],
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
        needs_majority: true,
        evidence: &[chart(
            "bitnami/charts:bitnami/clickhouse",
            "containerPort: 9181",
        )],
        ..BLANK
    },
    Entry {
        // clients are served once the member has a leader (etcd-io/etcd:server/embed/etcd.go)
        name: "etcd",
        images: &["etcd", "etcd-amd64", "etcd-arm64"],
        programs: &["etcd"],
        recipes: &[tcp(&["client", "etcd", "tcp-client", "etcd-client"], 2379)],
        needs_peers: true,
        quorum: true,
        database: true,
        needs_majority: true,
        listens_first: true,
        evidence: &[
            survey(
                "etcd-io/etcd#16984",
                "contains a linearizable read, so it needs quorum",
            ),
            survey(
                "a survey of charts, operators and issues",
                "Otherwise tcp 2379",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "consul",
        images: &["consul", "consul-enterprise"],
        programs: &["consul"],
        verbs: &["agent"],
        recipes: &[tcp(&["http", "https", "http-api"], 8500)],
        needs_peers: true,
        quorum: true,
        node_local: true,
        needs_majority: true,
        evidence: &[
            survey(
                "hashicorp/consul-k8s",
                "`/v1/status/leader` (cluster-wide) **only** with Parallel + publishNotReadyAddresses",
            ),
            source(
                "developer.hashicorp.com/consul/docs: ports",
                "HTTP: The HTTP API (TCP Only) | 8500",
            ),
        ],
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
        verbs: &["server"],
        needs_peers: true,
        quorum: true,
        evidence: &[survey("hashicorp/vault-helm", "sealed pods must not block")],
        ..BLANK
    },
    Entry {
        name: "keycloak",
        images: &["keycloak"],
        programs: &["kc.sh", "keycloak"],
        verbs: &["start", "start-dev"],
        recipes: &[tcp(&["http", "https", "http-internal"], 8080)],
        node_local: true,
        evidence: &[chart(
            "codecentric/helm-charts:charts/keycloak",
            "containerPort: 8080",
        )],
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
        recipes: &[http(&["http", "grafana", "web"], 3000, "/api/health").alive("/api/health")],
        node_local: true,
        data: &[DataFolder {
            images: &["grafana", "grafana-oss", "grafana-enterprise"],
            versions: Versions::ALL,
            path: "/var/lib/grafana",
            volume: "",
            variable: "GF_PATHS_DATA",
        }],
        evidence: &[
            source(
                "grafana/helm-charts:charts/grafana/values.yaml",
                "path: /api/health port: 3000",
            ),
            source(
                "grafana/grafana:Dockerfile",
                "GF_PATHS_DATA=/var/lib/grafana",
            ),
        ],
        ..BLANK
    },
];
