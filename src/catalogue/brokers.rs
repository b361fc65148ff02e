//! Message brokers and logs.

use super::evidence::{chart, source, survey};
use super::recipe::{Recipe, http, tcp};
use super::{ANY, BLANK, DataFolder, Entry, OwnVariable, Timings, Unless, Versions};

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
        needs_majority: true,
        own_variables: &[
            OwnVariable {
                images: &["cp-kafka", "cp-server", "cp-enterprise-kafka"],
                name: "KAFKA_PORT",
            },
            OwnVariable {
                images: &["cp-kafka", "cp-server", "cp-enterprise-kafka"],
                name: "KAFKA_ADVERTISED_PORT",
            },
        ],
        data: &[DataFolder {
            images: &["cp-kafka"],
            versions: Versions::ALL,
            path: "/var/lib/kafka/data",
            volume: "/var/lib/kafka/data",
            variable: "KAFKA_LOG_DIRS",
        }],
        evidence: &[
            survey(
                "a survey of charts, operators and issues",
                "tcp on the client listener",
            ),
            chart("confluentinc/cp-helm-charts", "containerPort: 9092"),
            source(
                "confluentinc/kafka-images:kafka/include/etc/confluent/docker/configure",
                "port is deprecated. Please use KAFKA_ADVERTISED_LISTENERS instead.",
            ),
            source(
                "confluentinc/kafka-images:kafka/Dockerfile.ubi8",
                "VOLUME [\"/var/lib/kafka/data\", \"/etc/kafka/secrets\"]",
            ),
        ],
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
        needs_majority: true,
        data: &[DataFolder {
            images: &["redpanda"],
            versions: Versions::ALL,
            path: "/var/lib/redpanda/data",
            volume: "/var/lib/redpanda/data",
            variable: "",
        }],
        evidence: &[
            survey(
                "a survey of charts, operators and issues",
                "Redpanda and sentinel use other ports than the default",
            ),
            source("redpanda-data/redpanda:conf/redpanda.yaml", "port: 9092"),
            source(
                "docs.redpanda.com: reference/properties",
                "data_directory: /var/lib/redpanda/data",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "schema-registry",
        images: &["cp-schema-registry"],
        programs: &["run", "schema-registry-start"],
        recipes: &[tcp(&["schema-registry", "http", "rest"], 8081)],
        node_local: true,
        own_variables: &[OwnVariable {
            images: &["cp-schema-registry"],
            name: "SCHEMA_REGISTRY_PORT",
        }],
        evidence: &[
            source(
                "docs.confluent.io: schema-registry/installation/config",
                "listeners: http://0.0.0.0:8081",
            ),
            source(
                "confluentinc/schema-registry-images:schema-registry/include/etc/confluent/docker/configure",
                "PORT is deprecated. Please use SCHEMA_REGISTRY_LISTENERS instead.",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "rabbitmq",
        images: &["rabbitmq", "rabbitmq-server"],
        programs: &["rabbitmq-server"],
        subcommands: &["rabbitmq-server"],
        recipes: &[tcp(&["amqp", "amqps", "tcp-amqp", "rabbitmq"], 5672)],
        at_least: Timings {
            timeout_seconds: 5,
            ..ANY
        },
        needs_peers: true,
        quorum: true,
        database: true,
        own_variables: &[OwnVariable {
            images: &["rabbitmq"],
            name: "RABBITMQ_NODE_PORT",
        }],
        data: &[DataFolder {
            images: &["rabbitmq"],
            versions: Versions::ALL,
            path: "/var/lib/rabbitmq/mnesia",
            volume: "/var/lib/rabbitmq",
            variable: "RABBITMQ_MNESIA_BASE",
        }],
        evidence: &[
            source(
                "rabbitmq/rabbitmq-server:deps/rabbit/scripts/rabbitmq-env",
                "RABBITMQ_NODE_PORT",
            ),
            // a node that restarts waits for those that stopped after it
            survey("rabbitmq/cluster-operator", "tcp amqp 10/10/5/3"),
            survey(
                "a survey of charts, operators and issues",
                "tcp 5672, warn if OrderedReady",
            ),
            source(
                "docker-library/rabbitmq:4.0/ubuntu/Dockerfile",
                "VOLUME $RABBITMQ_DATA_DIR, which is /var/lib/rabbitmq",
            ),
        ],
        ..BLANK
    },
    Entry {
        // js-server-only asks for the meta leader, js-enabled-only does not
        name: "nats",
        images: &["nats", "nats-server", "nats-streaming"],
        programs: &["nats-server", "nats-streaming-server"],
        unless: &[
            Unless::Certificates,
            Unless::Word("--https_port"),
            Unless::Word("-ms"),
        ],
        recipes: &[
            http(
                &["monitor", "monitoring", "http-monitor", "tcp-monitor"],
                8222,
                "/healthz?js-enabled-only=true",
            )
            .alive("/healthz?js-enabled-only=true")
            .declared(),
            tcp(&["client", "nats", "tcp-client"], 4222),
        ],
        at_least: Timings {
            timeout_seconds: 5,
            ..ANY
        },
        needs_peers: true,
        quorum: true,
        node_local: true,
        evidence: &[
            survey(
                "nats-io/k8s",
                "GET /healthz?js-enabled-only=true :8222 10/30/5/3",
            ),
            survey(
                "a survey of charts, operators and issues",
                "if monitor port declared, else tcp 4222",
            ),
        ],
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
        evidence: &[source(
            "apache/activemq-artemis: broker.xml, acceptor artemis",
            "tcp://0.0.0.0:61616",
        )],
        ..BLANK
    },
    Entry {
        // one image, four programs: the declared port tells which
        name: "pulsar",
        images: &["pulsar", "pulsar-all"],
        programs: &["pulsar"],
        verbs: &["broker", "bookie", "zookeeper", "proxy", "standalone"],
        recipes: &[
            tcp(&["client", "zookeeper"], 2181).declared(),
            tcp(&["bookie"], 3181).declared(),
            tcp(&["pulsar", "sts-pulsar", "tcp-pulsar"], 6650).declared(),
        ],
        needs_peers: true,
        node_local: true,
        evidence: &[
            chart("apache/pulsar-helm-chart", "containerPort: 2181"),
            chart("apache/pulsar-helm-chart", "containerPort: 3181"),
            chart("apache/pulsar-helm-chart", "containerPort: 6650"),
        ],
        ..BLANK
    },
    Entry {
        name: "bookkeeper",
        images: &["bookkeeper"],
        programs: &["bookkeeper"],
        verbs: &["bookie"],
        recipes: &[tcp(&["bookie", "bookkeeper"], 3181)],
        node_local: true,
        database: true,
        evidence: &[source(
            "apache/bookkeeper:conf/bk_server.conf",
            "bookiePort=3181",
        )],
        ..BLANK
    },
];
