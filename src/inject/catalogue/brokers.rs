//! Message brokers and logs.

use super::{Ask, BLANK, Entry, Recipe, Unless, tcp};

/// In `KRaft` mode the listener opens once the broker is registered with the controllers' quorum.
const KAFKA: Recipe = tcp(
    &[
        "client",
        "kafka",
        "tcp-client",
        "broker",
        "plaintext",
        "tcp-kafka",
        "internal",
    ],
    9092,
);

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "kafka",
        images: &[
            "kafka",
            "kafka-native",
            "cp-kafka",
            "cp-server",
            "cp-enterprise-kafka",
            "confluent-local",
        ],
        programs: &[
            "kafka-server-start.sh",
            "kafka-server-start",
            "run",
            "kafka_run.sh",
        ],
        recipes: &[KAFKA],
        needs_peers: true,
        quorum: true,
        source: "bitnami/charts:bitnami/kafka; strimzi/strimzi-kafka-operator",
        ..BLANK
    },
    Entry {
        name: "redpanda",
        images: &["redpanda"],
        programs: &["redpanda", "rpk"],
        subcommands: &["redpanda"],
        recipes: &[tcp(&["kafka", "internal"], 9092)],
        needs_peers: true,
        quorum: true,
        source: "redpanda-data/helm-charts",
        ..BLANK
    },
    Entry {
        name: "rabbitmq",
        images: &["rabbitmq", "rabbitmq-server"],
        programs: &["rabbitmq-server"],
        subcommands: &["rabbitmq-server"],
        recipes: &[tcp(&["amqp", "amqps", "tcp-amqp", "rabbitmq"], 5672)],
        needs_peers: true,
        quorum: true,
        database: true,
        source: "rabbitmq/cluster-operator: a node that restarts waits for those that stopped after it",
        ..BLANK
    },
    Entry {
        name: "nats",
        images: &["nats", "nats-server", "nats-streaming"],
        programs: &["nats-server", "nats-streaming-server"],
        unless: &[Unless::Word("--https_port"), Unless::Word("-ms")],
        recipes: &[
            Recipe {
                port_names: &["monitor", "monitoring", "http-monitor", "tcp-monitor"],
                port: 8222,
                ask: Ask::HttpGet("/healthz?js-enabled-only=true"),
                declared_only: true,
            },
            tcp(&["client", "nats", "tcp-client"], 4222),
        ],
        needs_peers: true,
        quorum: true,
        node_local: true,
        source: "nats-io/k8s: js-server-only asks for the meta leader, js-enabled-only does not",
        ..BLANK
    },
    Entry {
        name: "activemq-artemis",
        images: &[
            "activemq-artemis",
            "artemis",
            "activemq-artemis-broker-kubernetes",
        ],
        programs: &["artemis", "launch.sh"],
        recipes: &[tcp(&["artemis", "all", "amqp", "core", "openwire"], 61616)],
        node_local: true,
        source: "apache/activemq-artemis: the acceptor of a live broker",
        ..BLANK
    },
];
