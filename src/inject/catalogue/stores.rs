//! Stores in memory, and of objects.

use super::{BLANK, Entry, Recipe, Unless, http, shell, tcp};

/// `redis-cli ping` exits 0 whatever the answer. `LOADING` is not ready; `NOAUTH` comes from a server that serves those who
/// know the password.
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
     case \"$(redis-cli -h 127.0.0.1 -p {port} ping 2>&1)\" in *PONG*|*NOAUTH*|*WRONGPASS*) exit 0;; *) exit 1;; esac",
);

const VALKEY_PING: Recipe = shell(
    &["valkey", "tcp-valkey", "redis", "tcp-redis", "client", "db"],
    6379,
    "[ -z \"$VALKEY_PASSWORD\" ] || export REDISCLI_AUTH=\"$VALKEY_PASSWORD\"; \
     case \"$(valkey-cli -h 127.0.0.1 -p {port} ping 2>&1)\" in *PONG*|*NOAUTH*|*WRONGPASS*) exit 0;; *) exit 1;; esac",
);

const KEYDB_PING: Recipe = shell(
    &["keydb", "redis", "tcp-redis", "server", "client", "db"],
    6379,
    "[ -z \"$REDIS_PASSWORD\" ] || export REDISCLI_AUTH=\"$REDIS_PASSWORD\"; \
     case \"$(keydb-cli -h 127.0.0.1 -p {port} ping 2>&1)\" in *PONG*|*NOAUTH*|*WRONGPASS*) exit 0;; *) exit 1;; esac",
);

/// A sentinel answers PONG too, but is not what the entry is about; TLS and a renamed command make the client fail.
const REDIS_UNLESS: &[Unless] = &[
    Unless::Certificates,
    Unless::Word("--sentinel"),
    Unless::Word("--tls"),
    Unless::Word("--unixsocket"),
    Unless::Word("--bind"),
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
        node_local: true,
        database: true,
        source: "bitnami/charts:bitnami/redis; redis/redis:src/redis-cli.c",
        ..BLANK
    },
    Entry {
        name: "redis-cluster",
        images: &["redis-cluster"],
        programs: &["redis-server"],
        unless: REDIS_UNLESS,
        recipes: &[REDIS_PING],
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        source: "bitnami/charts:bitnami/redis-cluster",
        ..BLANK
    },
    Entry {
        name: "valkey",
        images: &["valkey", "valkey-photon"],
        programs: &["valkey-server"],
        unless: REDIS_UNLESS,
        recipes: &[VALKEY_PING],
        node_local: true,
        database: true,
        source: "bitnami/charts:bitnami/valkey",
        ..BLANK
    },
    Entry {
        name: "valkey-cluster",
        images: &["valkey-cluster"],
        programs: &["valkey-server"],
        unless: REDIS_UNLESS,
        recipes: &[VALKEY_PING],
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        source: "bitnami/charts:bitnami/valkey-cluster",
        ..BLANK
    },
    Entry {
        name: "keydb",
        images: &["keydb"],
        programs: &["keydb-server"],
        unless: REDIS_UNLESS,
        recipes: &[KEYDB_PING],
        node_local: true,
        database: true,
        source: "bitnami/charts:bitnami/keydb",
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
        source: "bitnami/charts:bitnami/memcached",
        ..BLANK
    },
    Entry {
        name: "minio",
        images: &["minio"],
        programs: &["minio"],
        subcommands: &["server", "gateway"],
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
        )],
        needs_peers: true,
        quorum: true,
        node_local: true,
        source: "min.io: healthcheck probe; minio/minio:cmd/healthcheck-handler.go",
        ..BLANK
    },
    Entry {
        name: "aerospike",
        images: &["aerospike-server", "aerospike-server-enterprise"],
        programs: &["asd"],
        recipes: &[tcp(&["clients", "service", "client"], 3000)],
        needs_peers: true,
        node_local: true,
        database: true,
        source: "aerospike/aerospike-kubernetes",
        ..BLANK
    },
];
