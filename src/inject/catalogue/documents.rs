//! Databases of documents, columns, graphs, series and vectors; search engines.

use super::{BLANK, Entry, Recipe, Unless, http, tcp};

/// Before `rs.initiate` no member is primary or secondary, so anything more than the listener would block the start.
const MONGO: Recipe = tcp(&["mongodb", "mongo", "tcp-mongodb", "db"], 27017);

/// A node listens for HTTP half a minute after its start at the latest, elected master or not
/// (`discovery.initial_state_timeout`); TLS and logins do not matter to a listener.
const SEARCH: Recipe = tcp(&["http", "https", "rest", "rest-api", "tcp-rest-api"], 9200);

/// The port opens once the node has joined its ring.
const CQL: Recipe = tcp(&["cql", "tcp-cql", "native"], 9042);

/// Version 3 listens on 8181 and wants a token for `/ping`, and no tag tells; it opens its port when it serves, as the
/// earlier ones do.
const INFLUX: Recipe = Recipe {
    declared_only: true,
    ..tcp(&["http", "api", "influxdb"], 8086)
};

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
        source: "bitnami/charts:bitnami/mongodb",
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
        source: "elastic/cloud-on-k8s; elastic/helm-charts",
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
        source: "opensearch-project/helm-charts",
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
        source: "bitnami/charts:bitnami/cassandra; nodetool would start a JVM every period",
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
        source: "bitnami/charts:bitnami/scylladb",
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
        source: "apache/couchdb-helm: /_up may ask for a login",
        ..BLANK
    },
    Entry {
        name: "influxdb",
        images: &["influxdb", "influxdb2"],
        programs: &["influxd", "run.sh"],
        recipes: &[INFLUX],
        node_local: true,
        database: true,
        source: "influxdata/helm-charts:charts/influxdb",
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
        source: "neo4j/helm-charts; bitnami/charts:bitnami/neo4j",
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
        source: "apache/solr-operator; bitnami/charts:bitnami/solr",
        ..BLANK
    },
    Entry {
        name: "meilisearch",
        images: &["meilisearch"],
        programs: &["meilisearch"],
        unless: &[Unless::Word("--ssl"), Unless::Variable("MEILI_SSL")],
        recipes: &[http(&["http", "meilisearch"], 7700, "/health")],
        node_local: true,
        database: true,
        source: "meilisearch/meilisearch-kubernetes",
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
        source: "qdrant/qdrant-helm#115",
        ..BLANK
    },
];
