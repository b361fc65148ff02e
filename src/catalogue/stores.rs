//! Stores in memory, and of objects.

use super::evidence::{Evidence, chart, source, survey};
use super::recipe::{Recipe, http, shell, tcp};
use super::{ANY, BLANK, DataFolder, Entry, Timings, Unless, Versions};

/// `redis-cli ping` exits 0 whatever the answer. `LOADING` and `MASTERDOWN` are not ready. `NOAUTH`, `WRONGPASS` and
/// `NOPERM` come from a server that serves those who know the password.
const REDIS_PING: Recipe = shell(
    &[
        "redis",
        "tcp-redis",
        "redis-port",
        "valkey",
        "tcp-valkey",
        "keydb",
        "client",
        "db",
    ],
    6379,
    "[ -z \"$REDIS_PASSWORD\" ] || export REDISCLI_AUTH=\"$REDIS_PASSWORD\"; \
     case \"$(redis-cli -h 127.0.0.1 -p {port} ping 2>&1)\" in *PONG*|*NOAUTH*|*WRONGPASS*|*NOPERM*) exit 0;; *) exit 1;; esac",
);

const VALKEY_PING: Recipe = shell(
    &["valkey", "tcp-valkey", "redis", "tcp-redis", "client", "db"],
    6379,
    "[ -z \"$VALKEY_PASSWORD\" ] || export REDISCLI_AUTH=\"$VALKEY_PASSWORD\"; \
     case \"$(valkey-cli -h 127.0.0.1 -p {port} ping 2>&1)\" in *PONG*|*NOAUTH*|*WRONGPASS*|*NOPERM*) exit 0;; *) exit 1;; esac",
);

const KEYDB_PING: Recipe = shell(
    &["keydb", "redis", "tcp-redis", "server", "client", "db"],
    6379,
    "[ -z \"$REDIS_PASSWORD\" ] || export REDISCLI_AUTH=\"$REDIS_PASSWORD\"; \
     case \"$(keydb-cli -h 127.0.0.1 -p {port} ping 2>&1)\" in *PONG*|*NOAUTH*|*WRONGPASS*|*NOPERM*) exit 0;; *) exit 1;; esac",
);

const REDIS_TOLD: Evidence = survey(
    "a survey of charts, operators and issues",
    "`redis-cli ping` (with `REDISCLI_AUTH` if env known), else tcp 6379",
);
const REDIS_ANSWER: Evidence = survey(
    "bitnami/charts:bitnami/redis",
    "PONG, LOADING or MASTERDOWN accepted 20/5/5/5 | PONG only 20/5/1/5",
);
const REDIS_OPTIONS: Evidence = source(
    "redis/redis:src/redis-cli.c",
    "-h <hostname> Server hostname (default: 127.0.0.1). -p <port> Server port (default: 6379).",
);
const REDIS_NOAUTH: Evidence = source(
    "redis/redis:src/server.c",
    "-NOAUTH Authentication required.",
);
const REDIS_WRONGPASS: Evidence = source(
    "redis/redis:src/acl.c",
    "-WRONGPASS invalid username-password pair or user is disabled.",
);
const REDIS_NOPERM: Evidence = source(
    "redis/redis:src/server.c",
    "-NOPERM this user has no permissions to run the '%s' command",
);
const REDIS_PASSWORD: Evidence = chart("bitnami/charts:bitnami/redis", "REDIS_PASSWORD");

const REDIS_EVIDENCE: &[Evidence] = &[
    REDIS_TOLD,
    REDIS_ANSWER,
    REDIS_OPTIONS,
    REDIS_NOAUTH,
    REDIS_WRONGPASS,
    REDIS_NOPERM,
    REDIS_PASSWORD,
];

const VALKEY_EVIDENCE: &[Evidence] = &[
    chart("valkey-io/valkey-helm", "valkey-cli"),
    source("bitnami/charts:bitnami/valkey", "VALKEY_PASSWORD"),
    REDIS_TOLD,
    REDIS_ANSWER,
    REDIS_OPTIONS,
    REDIS_NOAUTH,
    REDIS_WRONGPASS,
    REDIS_NOPERM,
];

/// A server that is busy with one slow command answers late, again and again.
const REDIS_TIMINGS: Timings = Timings {
    failure_threshold: 5,
    ..ANY
};

/// A sentinel answers PONG too, but is not what the entry is about; TLS and a renamed command make the client fail.
const REDIS_UNLESS: &[Unless] = &[
    Unless::Certificates,
    Unless::Word("--sentinel"),
    Unless::Word("--tls"),
    Unless::Word("--unixsocket"),
    Unless::Word("--bind"),
    Unless::Word("--rename-command"),
    Unless::Variable("REDIS_TLS"),
    Unless::Variable("VALKEY_TLS"),
    Unless::Variable("KEYDB_TLS"),
];

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "redis",
        images: &[
            "redis",
            "redis-photon",
            "redis-stack",
            "redis-stack-server",
            "redis-alpine",
        ],
        programs: &["redis-server", "redis-stack-server"],
        unless: REDIS_UNLESS,
        recipes: &[REDIS_PING],
        at_least: REDIS_TIMINGS,
        node_local: true,
        database: true,
        listens_first: true,
        data: &[DataFolder {
            images: &["redis"],
            versions: Versions::ALL,
            path: "/data",
            volume: "/data",
            variable: "",
        }],
        evidence: REDIS_EVIDENCE,
        ..BLANK
    },
    Entry {
        name: "redis-cluster",
        images: &["redis-cluster"],
        programs: &["redis-server"],
        unless: REDIS_UNLESS,
        recipes: &[REDIS_PING],
        at_least: REDIS_TIMINGS,
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        listens_first: true,
        evidence: REDIS_EVIDENCE,
        ..BLANK
    },
    Entry {
        name: "valkey",
        images: &["valkey", "valkey-photon"],
        programs: &["valkey-server"],
        unless: REDIS_UNLESS,
        recipes: &[VALKEY_PING],
        at_least: REDIS_TIMINGS,
        node_local: true,
        database: true,
        listens_first: true,
        data: &[DataFolder {
            images: &["valkey"],
            versions: Versions::ALL,
            path: "/data",
            volume: "/data",
            variable: "",
        }],
        evidence: VALKEY_EVIDENCE,
        ..BLANK
    },
    Entry {
        name: "valkey-cluster",
        images: &["valkey-cluster"],
        programs: &["valkey-server"],
        unless: REDIS_UNLESS,
        recipes: &[VALKEY_PING],
        at_least: REDIS_TIMINGS,
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        listens_first: true,
        evidence: VALKEY_EVIDENCE,
        ..BLANK
    },
    Entry {
        name: "keydb",
        images: &["keydb"],
        programs: &["keydb-server"],
        unless: REDIS_UNLESS,
        recipes: &[KEYDB_PING],
        at_least: REDIS_TIMINGS,
        node_local: true,
        database: true,
        listens_first: true,
        evidence: &[
            source("bitnami/charts:bitnami/keydb", "keydb-cli"),
            REDIS_TOLD,
            REDIS_ANSWER,
            REDIS_OPTIONS,
            REDIS_NOAUTH,
            REDIS_WRONGPASS,
            REDIS_NOPERM,
            REDIS_PASSWORD,
        ],
        ..BLANK
    },
    Entry {
        name: "memcached",
        images: &["memcached"],
        programs: &["memcached"],
        recipes: &[tcp(
            &["memcached", "memcache", "client", "tcp-memcached"],
            11211,
        )],
        node_local: true,
        evidence: &[
            survey("bitnami/charts:bitnami/memcached", "tcp/pgrep | tcp"),
            chart("bitnami/charts:bitnami/memcached", "containerPort: 11211"),
        ],
        ..BLANK
    },
    Entry {
        name: "minio",
        images: &["minio"],
        programs: &["minio"],
        verbs: &["server", "gateway"],
        unless: &[
            Unless::Certificates,
            Unless::Word("--certs-dir"),
            Unless::Word("-S"),
            Unless::Variable("MINIO_KMS"),
            Unless::Variable("MINIO_ETCD"),
            Unless::Variable("MINIO_SCHEME"),
            Unless::Variable("MINIO_IDENTITY_TLS"),
        ],
        recipes: &[http(
            &["http", "api", "minio", "minio-api", "s3", "http-minio"],
            9000,
            "/minio/health/ready",
        )
        .alive("/minio/health/live")],
        at_least: Timings {
            period_seconds: 15,
            timeout_seconds: 10,
            ..ANY
        },
        needs_peers: true,
        quorum: true,
        node_local: true,
        evidence: &[
            survey("min.io/docs", "GET /minio/health/live :9000 120/30/10/3"),
            survey("min.io/docs", "GET /minio/health/ready 120/15/10/3"),
            survey(
                "minio/minio:cmd/healthcheck-handler.go",
                "MinIO's `/minio/health/ready` is, unless a KMS or etcd is configured",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "seaweedfs",
        images: &["seaweedfs"],
        programs: &["weed"],
        verbs: &["master", "volume", "filer", "server"],
        recipes: &[
            tcp(&["swfs-master", "master"], 9333).declared(),
            tcp(&["swfs-filer", "filer"], 8888).declared(),
            tcp(&["swfs-vol", "volume"], 8080).declared(),
        ],
        needs_peers: true,
        node_local: true,
        database: true,
        evidence: &[source(
            "seaweedfs/seaweedfs:docker/compose/e2e-mount.yml",
            "http://localhost:9333/cluster/healthz http://localhost:8080/healthz http://localhost:8888",
        )],
        ..BLANK
    },
    Entry {
        name: "aerospike",
        images: &["aerospike-server", "aerospike-server-enterprise"],
        programs: &["asd"],
        recipes: &[tcp(&["clients", "service", "client", "aero-client"], 3000)],
        needs_peers: true,
        node_local: true,
        database: true,
        evidence: &[chart(
            "aerospike/aerospike-kubernetes",
            "readinessProbe: tcpSocket: port: 3000",
        )],
        ..BLANK
    },
];
