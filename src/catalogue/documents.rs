//! Databases of documents, columns, graphs, series and vectors; search engines.

use super::evidence::{Evidence, chart, source, survey};
use super::recipe::{Recipe, http, tcp};
use super::{ANY, BLANK, DataFolder, Entry, OwnVariable, Timings, Tool, Unless, Versions};

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
        recovers: true,
        data: &[DataFolder {
            images: &["mongo"],
            versions: Versions::ALL,
            path: "/data/db",
            volume: "/data/db",
            variable: "",
        }],
        tools: &[
            Tool {
                images: &["mongo"],
                name: "mongosh",
                versions: Versions::since(5, 0),
                instead: "mongo",
            },
            Tool {
                images: &["mongo"],
                name: "mongo",
                versions: Versions::before(6, 0),
                instead: "mongosh",
            },
        ],
        evidence: &[
            survey(
                "a survey of charts, operators and issues",
                "tcp 27017 until `rs.initiate` is known to be done",
            ),
            source(
                "docker-library/mongo:7.0/Dockerfile",
                "VOLUME /data/db /data/configdb",
            ),
            source(
                "mongodb.com/docs/manual/release-notes/6.0",
                "the mongo shell is removed in 6.0; mongosh replaces it",
            ),
            source(
                "docker-library/mongo#492",
                "mongosh is in the images of 5.0 and later",
            ),
        ],
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
        listens_first: true,
        recovers: true,
        data: &[DataFolder {
            images: &["elasticsearch"],
            versions: Versions::ALL,
            path: "/usr/share/elasticsearch/data",
            volume: "",
            variable: "path.data",
        }],
        evidence: &[
            SEARCH_PORT,
            source(
                "elastic.co/guide: docker",
                "bind a volume on /usr/share/elasticsearch/data",
            ),
        ],
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
        listens_first: true,
        recovers: true,
        data: &[DataFolder {
            images: &["opensearch"],
            versions: Versions::ALL,
            path: "/usr/share/opensearch/data",
            volume: "",
            variable: "path.data",
        }],
        evidence: &[
            SEARCH_PORT,
            source(
                "opensearch.org/docs: docker",
                "opensearch-data1:/usr/share/opensearch/data",
            ),
        ],
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
        data: &[DataFolder {
            images: &["cassandra"],
            versions: Versions::ALL,
            path: "/var/lib/cassandra/data",
            volume: "/var/lib/cassandra",
            variable: "",
        }],
        evidence: &[
            survey(
                "a survey of charts, operators and issues",
                "tcp 9042 (nodetool forks a JVM every period)",
            ),
            source(
                "docker-library/cassandra:5.0/Dockerfile",
                "VOLUME /var/lib/cassandra",
            ),
        ],
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
        data: &[DataFolder {
            images: &["couchdb"],
            versions: Versions::ALL,
            path: "/opt/couchdb/data",
            volume: "/opt/couchdb/data",
            variable: "",
        }],
        evidence: &[
            chart("apache/couchdb-helm", "containerPort: 5984"),
            source(
                "apache/couchdb-docker:3.4.2/Dockerfile",
                "VOLUME /opt/couchdb/data",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "influxdb",
        images: &["influxdb", "influxdb2"],
        programs: &["influxd", "run.sh"],
        recipes: &[INFLUX],
        node_local: true,
        database: true,
        data: &[
            DataFolder {
                images: &["influxdb"],
                versions: Versions::before(2, 0),
                path: "/var/lib/influxdb/data",
                volume: "/var/lib/influxdb",
                variable: "INFLUXDB_DATA_DIR",
            },
            DataFolder {
                images: &["influxdb"],
                versions: Versions {
                    from: (2, 0),
                    until: (3, 0),
                },
                path: "/var/lib/influxdb2",
                volume: "/var/lib/influxdb2",
                variable: "INFLUXD_ENGINE_PATH",
            },
        ],
        evidence: &[
            chart("influxdata/helm-charts", "containerPort: 8086"),
            source(
                "influxdata/influxdata-docker:influxdb/1.11/Dockerfile",
                "VOLUME /var/lib/influxdb",
            ),
            source(
                "influxdata/influxdata-docker:influxdb/2.7/Dockerfile",
                "VOLUME /var/lib/influxdb2 /etc/influxdb2",
            ),
        ],
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
        own_variables: &[OwnVariable {
            images: &["neo4j"],
            name: "NEO4J_PORT",
        }],
        data: &[DataFolder {
            images: &["neo4j"],
            versions: Versions::ALL,
            path: "/data",
            volume: "/data",
            variable: "",
        }],
        needs_majority: true,
        evidence: &[
            source(
                "neo4j.com/docs/operations-manual: docker/configuration",
                "every variable that begins with NEO4J_ is a setting, and one of an unknown name keeps Neo4j 5 from starting",
            ),
            survey("bitnami/charts:bitnami/neo4j", "http admin / tcp bolt"),
            chart("helm/charts:stable/neo4j", "containerPort: 7687"),
            source("neo4j/docker-neo4j: Dockerfile", "VOLUME /data /logs"),
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
        data: &[DataFolder {
            images: &["meilisearch"],
            versions: Versions::ALL,
            path: "/meili_data",
            volume: "",
            variable: "MEILI_DB_PATH",
        }],
        evidence: &[
            chart("meilisearch/meilisearch-kubernetes", "path: /health"),
            chart("meilisearch/meilisearch-kubernetes", "containerPort: 7700"),
            chart("meilisearch/meilisearch-kubernetes", "timeoutSeconds: 10"),
            source("meilisearch/meilisearch:Dockerfile", "WORKDIR /meili_data"),
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
        data: &[DataFolder {
            images: &["qdrant"],
            versions: Versions::ALL,
            path: "/qdrant/storage",
            volume: "",
            variable: "QDRANT__STORAGE__STORAGE_PATH",
        }],
        evidence: &[
            chart("qdrant/qdrant-helm", "containerPort: 6333"),
            source(
                "qdrant.tech/documentation: docker",
                "-v $(pwd)/qdrant_storage:/qdrant/storage",
            ),
        ],
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
