//! Relational databases.

use super::{BLANK, Entry, Recipe, Unless, http, shell, tcp};

/// `pg_isready` needs no credentials, answers for a server that is up whatever the role, and fails while it recovers. The
/// image's first start runs a temporary server on a Unix socket only, so the host must be named.
const PG_ISREADY: Recipe = shell(
    &[
        "postgresql",
        "postgres",
        "tcp-postgresql",
        "pgsql",
        "psql",
        "pg",
        "db",
    ],
    5432,
    "exec pg_isready -q -h 127.0.0.1 -p {port}",
);

/// `ping` succeeds where the server answers at all, be it with a refused login. The image's first start runs a temporary
/// server without network, so the host must be named.
const MYSQLADMIN_PING: Recipe = shell(
    &["mysql", "tcp-mysql", "mysql-port", "db"],
    3306,
    "exec mysqladmin ping -h 127.0.0.1 -P {port}",
);

/// Newer `MariaDB` images have no `mysqladmin`, older ones no `mariadb-admin`.
const MARIADB_ADMIN_PING: Recipe = shell(
    &["mysql", "mariadb", "tcp-mysql", "tcp-mariadb", "db"],
    3306,
    "if command -v mariadb-admin >/dev/null; then exec mariadb-admin ping -h 127.0.0.1 -P {port}; \
     else exec mysqladmin ping -h 127.0.0.1 -P {port}; fi",
);

const MYSQL_PROGRAMS: &[&str] = &["mysqld", "mysqld_safe", "mysqld-debug"];
const MARIADB_PROGRAMS: &[&str] = &["mariadbd", "mariadbd-safe", "mysqld", "mysqld_safe"];

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "postgresql",
        images: &[
            "postgres",
            "postgresql",
            "postgresql-repmgr",
            "postgis",
            "pgvector",
            "timescaledb",
            "supabase-postgres",
            "harbor-db",
            "postgresql-photon",
            "postgresql-container",
            "crunchy-postgres",
        ],
        programs: &["postgres", "postmaster", "pg_ctl"],
        recipes: &[PG_ISREADY],
        node_local: true,
        database: true,
        source: "bitnami/charts:bitnami/postgresql; postgresql.org, pg_isready",
        ..BLANK
    },
    Entry {
        name: "patroni",
        images: &["spilo", "spilo-*", "patroni", "timescaledb-ha"],
        programs: &["patroni", "launch.sh", "postgres"],
        recipes: &[PG_ISREADY],
        needs_peers: true,
        database: true,
        source: "zalando/postgres-operator#2004",
        ..BLANK
    },
    Entry {
        name: "mysql",
        images: &[
            "mysql",
            "mysql-server",
            "community-server",
            "percona",
            "percona-server",
            "percona-mysql",
        ],
        programs: MYSQL_PROGRAMS,
        recipes: &[MYSQLADMIN_PING],
        node_local: true,
        database: true,
        source: "bitnami/charts:bitnami/mysql; mysql/mysql-server:client/mysqladmin.cc",
        ..BLANK
    },
    Entry {
        name: "mariadb",
        images: &["mariadb", "mariadb-server"],
        programs: MARIADB_PROGRAMS,
        unless: &[Unless::Word("--wsrep")],
        recipes: &[MARIADB_ADMIN_PING],
        node_local: true,
        database: true,
        source: "bitnami/charts:bitnami/mariadb; MariaDB/server:client/mysqladmin.cc",
        ..BLANK
    },
    Entry {
        name: "galera",
        images: &["mariadb-galera", "percona-xtradb-cluster", "pxc"],
        programs: MARIADB_PROGRAMS,
        recipes: &[tcp(&["mysql", "tcp-mysql", "db"], 3306)],
        needs_peers: true,
        quorum: true,
        database: true,
        source: "bitnami/charts:bitnami/mariadb-galera; helm/charts#5762",
        ..BLANK
    },
    Entry {
        name: "cockroachdb",
        images: &["cockroach", "cockroachdb"],
        programs: &["cockroach", "cockroach.sh"],
        subcommands: &["start", "start-single-node"],
        recipes: &[tcp(&["grpc", "tcp", "sql", "cockroachdb"], 26257)],
        needs_peers: true,
        quorum: true,
        node_local: true,
        database: true,
        source: "cockroachdb/helm-charts: /health?ready=1 fails before init, the port listens",
        ..BLANK
    },
    Entry {
        name: "clickhouse",
        images: &["clickhouse", "clickhouse-server"],
        programs: &["clickhouse", "clickhouse-server"],
        unless: &[Unless::Certificates],
        recipes: &[http(&["http", "http-port", "tcp-http"], 8123, "/ping")],
        node_local: true,
        database: true,
        source: "Altinity/clickhouse-operator; bitnami/charts:bitnami/clickhouse",
        ..BLANK
    },
    Entry {
        name: "questdb",
        images: &["questdb"],
        programs: &["questdb.sh", "java"],
        recipes: &[tcp(&["http"], 9000)],
        node_local: true,
        database: true,
        source: "questdb/questdb-kubernetes",
        ..BLANK
    },
];
