//! Databases of documents, columns, graphs, series and vectors; search engines.

use super::evidence::{Evidence, chart, source, survey};
use super::recipe::{Recipe, http, tcp};
use super::{ANY, BLANK, Entry, Timings, Unless};

/// Before `rs.initiate` no member is primary or secondary, so anything more than the listener would block the start.
const MONGO: Recipe = tcp(&["mongodb", "mongo", "tcp-mongodb", "db"], 27017);

/// A node listens for HTTP half a minute after its start at the latest, elected master or not
/// (`discovery.initial_state_timeout`); TLS and logins do not matter to a listener.
const SEARCH: Recipe = tcp(&["http", "https", "rest", "rest-api", "tcp-rest-api"], 9200);

/// The port opens once the node has joined its ring.
const CQL: Recipe = tcp(&["cql", "tcp-cql", "native"], 9042);

/// Version 3 listens on 8181 and wants a token for `/ping`, and no tag tells; it opens its port when it serves, as the
/// earlier ones do.
const INFLUX: Recipe = tcp(&["http", "api", "influxdb"], 8086).declared();

const SEARCH_PORT: Evidence = survey("a survey of charts, operators and issues", "tcp 9200");

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "mongodb",
        images: &[
            "mongo",
            "mongodb",
            "mongodb-community-server",
            "mongodb-enterprise-server",
            "mongodb-enterprise-database",
            "percona-server-mongodb",
        ],
        programs: &["mongod"],
        recipes: &[MONGO],
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        evidence: &[survey(
            "a survey of charts, operators and issues",
            "tcp 27017 until `rs.initiate` is known to be done",
        )],
        ..BLANK
    },
    Entry {
        name: "elasticsearch",
        images: &[
            "elasticsearch",
            "elasticsearch-oss",
            "elasticsearch-wolfi",
            "docker-elasticsearch-kubernetes",
        ],
        programs: &["elasticsearch", "eswrapper", "run.sh"],
        subcommands: &["eswrapper"],
        recipes: &[SEARCH],
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        evidence: &[SEARCH_PORT],
        ..BLANK
    },
    Entry {
        name: "opensearch",
        images: &["opensearch"],
        programs: &["opensearch", "opensearch-docker-entrypoint.sh"],
        subcommands: &["opensearch"],
        recipes: &[SEARCH],
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        evidence: &[SEARCH_PORT],
        ..BLANK
    },
    Entry {
        name: "cassandra",
        images: &["cassandra", "dse-server", "cassandra-dse"],
        programs: &["cassandra", "run.sh"],
        subcommands: &["cassandra"],
        recipes: &[CQL],
        needs_peers: true,
        quorum: true,
        database: true,
        evidence: &[survey(
            "a survey of charts, operators and issues",
            "tcp 9042 (nodetool forks a JVM every period)",
        )],
        ..BLANK
    },
    Entry {
        name: "scylladb",
        images: &["scylla", "scylladb", "scylla-enterprise"],
        programs: &["scylla", "scylla-server"],
        recipes: &[CQL],
        needs_peers: true,
        quorum: true,
        database: true,
        evidence: &[source(
            "bitnami/charts:bitnami/scylladb/values.yaml",
            "cql: 9042",
        )],
        ..BLANK
    },
    Entry {
        name: "couchdb",
        images: &["couchdb"],
        programs: &["couchdb"],
        recipes: &[tcp(&["couchdb", "http"], 5984)],
        needs_peers: true,
        node_local: true,
        // its files are append-only: there is nothing to recover at the start
        database: false,
        // `/_up` may ask for a login
        evidence: &[chart("apache/couchdb-helm", "containerPort: 5984")],
        ..BLANK
    },
    Entry {
        name: "influxdb",
        images: &["influxdb", "influxdb2"],
        programs: &["influxd", "run.sh"],
        recipes: &[INFLUX],
        node_local: true,
        database: true,
        evidence: &[chart("influxdata/helm-charts", "containerPort: 8086")],
        ..BLANK
    },
    Entry {
        name: "neo4j",
        images: &["neo4j"],
        programs: &["neo4j"],
        subcommands: &["neo4j"],
        recipes: &[tcp(&["tcp-bolt", "bolt"], 7687)],
        needs_peers: true,
        quorum: true,
        database: true,
        evidence: &[
            survey("bitnami/charts:bitnami/neo4j", "http admin / tcp bolt"),
            chart("helm/charts:stable/neo4j", "containerPort: 7687"),
        ],
        ..BLANK
    },
    Entry {
        name: "solr",
        images: &["solr"],
        programs: &["solr", "solr-foreground"],
        subcommands: &["solr-foreground", "solr"],
        recipes: &[tcp(&["solr-client", "http", "solr"], 8983)],
        node_local: true,
        database: true,
        evidence: &[chart("bitnami/charts:bitnami/solr", "containerPort: 8983")],
        ..BLANK
    },
    Entry {
        name: "meilisearch",
        images: &["meilisearch"],
        programs: &["meilisearch"],
        unless: &[
            Unless::Certificates,
            Unless::Word("--ssl"),
            Unless::Variable("MEILI_SSL"),
        ],
        recipes: &[http(&["http", "meilisearch"], 7700, "/health").alive("/health")],
        at_least: Timings {
            timeout_seconds: 10,
            ..ANY
        },
        node_local: true,
        database: true,
        evidence: &[
            chart("meilisearch/meilisearch-kubernetes", "path: /health"),
            chart("meilisearch/meilisearch-kubernetes", "containerPort: 7700"),
            chart("meilisearch/meilisearch-kubernetes", "timeoutSeconds: 10"),
        ],
        ..BLANK
    },
    Entry {
        name: "qdrant",
        images: &["qdrant"],
        programs: &["qdrant", "initialize.sh", "entrypoint.sh"],
        recipes: &[tcp(&["http", "rest"], 6333)],
        needs_peers: true,
        quorum: true,
        database: true,
        evidence: &[chart("qdrant/qdrant-helm", "containerPort: 6333")],
        ..BLANK
    },
    Entry {
        // from 1.25 it is ready once Raft has a leader
        name: "weaviate",
        images: &["weaviate"],
        programs: &["weaviate"],
        unless: &[Unless::Certificates, Unless::Word("https")],
        recipes: &[http(&["http", "weaviate"], 8080, "/v1/.well-known/ready")
            .alive("/v1/.well-known/live")],
        needs_peers: true,
        quorum: true,
        database: true,
        evidence: &[source(
            "docs.weaviate.io: status",
            "http://localhost:8080/v1/.well-known/ready http://localhost:8080/v1/.well-known/live",
        )],
        ..BLANK
    },
];
