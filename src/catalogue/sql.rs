//! Relational databases.

use super::evidence::{Evidence, chart, source, survey};
use super::recipe::{Recipe, http, shell, tcp};
use super::{ANY, BLANK, DataFolder, Entry, Timings, Tool, Unless, Versions};

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

const PG_TOLD: Evidence = survey(
    "bitnami/charts:bitnami/postgresql",
    "exec `pg_isready -U <user> -d dbname=… -h 127.0.0.1 -p 5432`",
);
const PG_QUIET: Evidence = source(
    "postgresql.org/docs: pg_isready",
    "-q --quiet Do not display status message. This is useful when scripting.",
);
const PG_TIMINGS: Evidence = survey(
    "a survey of charts, operators and issues",
    "`pg_isready -h 127.0.0.1 -U $POSTGRES_USER` 5/10/5/6",
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

const PING_TOLD: Evidence = survey(
    "a survey of charts, operators and issues",
    "`mysqladmin ping -h 127.0.0.1` (needs no valid password: `ping` exits 0 even on access errors",
);
const PING_SOURCE: Evidence = source(
    "mysql/mysql-server:client/mysqladmin.cc",
    "Return 0 if all commands are PING",
);
const PING_PORT: Evidence = source(
    "dev.mysql.com/doc: mysqladmin",
    "--port=port_num, -P port_num For TCP/IP connections, the port number to use.",
);
const MYSQL_PORT: Evidence = chart("bitnami/charts:bitnami/mysql", "containerPort: 3306");
const PING_TIMINGS: Evidence = survey(
    "a survey of charts, operators and issues",
    "re-check per image) 10/10/5/6",
);

/// A client that starts a program takes its time, and its failures are no reason to take a database out of service at once.
const CLIENT: Timings = Timings {
    timeout_seconds: 5,
    failure_threshold: 6,
    ..ANY
};

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
        at_least: CLIENT,
        node_local: true,
        database: true,
        listens_first: true,
        recovers: true,
        data: &[
            DataFolder {
                images: &["postgres", "postgis", "pgvector", "timescaledb"],
                versions: Versions::before(18, 0),
                path: "/var/lib/postgresql/data",
                volume: "/var/lib/postgresql/data",
                variable: "PGDATA",
            },
            DataFolder {
                images: &["postgres", "postgis", "pgvector", "timescaledb"],
                versions: Versions::since(18, 0),
                path: "/var/lib/postgresql/{major}/docker",
                volume: "/var/lib/postgresql",
                variable: "PGDATA",
            },
        ],
        evidence: &[
            PG_TOLD,
            PG_QUIET,
            PG_TIMINGS,
            source(
                "docker-library/postgres:17/bookworm/Dockerfile",
                "ENV PGDATA /var/lib/postgresql/data VOLUME /var/lib/postgresql/data",
            ),
            source(
                "docker-library/postgres:18/bookworm/Dockerfile",
                "ENV PGDATA /var/lib/postgresql/18/docker VOLUME /var/lib/postgresql",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "patroni",
        images: &["spilo", "spilo-*", "patroni", "timescaledb-ha"],
        programs: &["patroni", "launch.sh", "postgres"],
        recipes: &[PG_ISREADY],
        at_least: CLIENT,
        needs_peers: true,
        database: true,
        listens_first: true,
        recovers: true,
        evidence: &[
            survey(
                "zalando/postgres-operator#2004",
                "because readiness + OrderedReady blocked failover",
            ),
            PG_TOLD,
            PG_QUIET,
            PG_TIMINGS,
        ],
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
        at_least: CLIENT,
        node_local: true,
        database: true,
        recovers: true,
        data: &[DataFolder {
            images: &["mysql", "mysql-server", "percona", "percona-server"],
            versions: Versions::ALL,
            path: "/var/lib/mysql",
            volume: "/var/lib/mysql",
            variable: "",
        }],
        evidence: &[
            PING_TOLD,
            PING_SOURCE,
            PING_PORT,
            MYSQL_PORT,
            PING_TIMINGS,
            source(
                "docker-library/mysql:8.4/Dockerfile.oracle",
                "VOLUME /var/lib/mysql",
            ),
            source(
                "percona/percona-docker:percona-server-8.0/Dockerfile",
                "/var/lib/mysql",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "mariadb",
        images: &["mariadb", "mariadb-server"],
        programs: MARIADB_PROGRAMS,
        unless: &[Unless::Word("--wsrep")],
        recipes: &[MARIADB_ADMIN_PING],
        at_least: CLIENT,
        node_local: true,
        database: true,
        recovers: true,
        data: &[DataFolder {
            images: &["mariadb"],
            versions: Versions::ALL,
            path: "/var/lib/mysql",
            volume: "/var/lib/mysql",
            variable: "",
        }],
        tools: &[
            Tool {
                images: &["mariadb"],
                name: "mysqladmin",
                versions: Versions::before(11, 0),
                instead: "mariadb-admin",
            },
            Tool {
                images: &["mariadb"],
                name: "mysql",
                versions: Versions::before(11, 0),
                instead: "mariadb",
            },
        ],
        evidence: &[
            survey(
                "bitnami/charts:bitnami/mariadb",
                "`mariadb-admin status`/ping",
            ),
            PING_TOLD,
            PING_PORT,
            MYSQL_PORT,
            PING_TIMINGS,
            source(
                "MariaDB/mariadb-docker:11.4/Dockerfile",
                "VOLUME /var/lib/mysql",
            ),
            source(
                "mariadb.org/mariadb-11-0-docker-official-image",
                "the MySQL names of the programs are gone from MariaDB 11.0 on",
            ),
        ],
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
        recovers: true,
        data: &[DataFolder {
            images: &["percona-xtradb-cluster"],
            versions: Versions::ALL,
            path: "/var/lib/mysql",
            volume: "/var/lib/mysql",
            variable: "",
        }],
        evidence: &[
            survey(
                "helm/charts#5762",
                "SST can take hours: liveness forbidden (helm/charts#5762)",
            ),
            source(
                "bitnami/charts:bitnami/mariadb-galera/values.yaml",
                "mysql: 3306",
            ),
            source(
                "percona/percona-docker:percona-xtradb-cluster-8.0/Dockerfile",
                "VOLUME [\"/var/lib/mysql\", \"/var/log/mysql\"]",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "cockroachdb",
        images: &["cockroach", "cockroachdb"],
        programs: &["cockroach", "cockroach.sh"],
        verbs: &["start", "start-single-node"],
        recipes: &[tcp(&["grpc", "tcp", "sql", "cockroachdb"], 26257)],
        needs_peers: true,
        quorum: true,
        node_local: true,
        // no `database`: its `/health`, which charts ask for liveness, answers before it has been initialised even
        evidence: &[
            survey(
                "cockroachdb/helm-charts",
                "CockroachDB's `/health?ready=1` is not node-local (it would deadlock before `init`)",
            ),
            chart("cockroachdb/helm-charts", "containerPort: 26257"),
        ],
        ..BLANK
    },
    Entry {
        name: "clickhouse",
        images: &["clickhouse", "clickhouse-server"],
        programs: &["clickhouse", "clickhouse-server"],
        unless: &[Unless::Certificates],
        recipes: &[http(&["http", "http-port", "tcp-http"], 8123, "/ping").alive("/ping")],
        node_local: true,
        database: true,
        recovers: true,
        data: &[DataFolder {
            images: &["clickhouse-server", "clickhouse"],
            versions: Versions::ALL,
            path: "/var/lib/clickhouse",
            volume: "/var/lib/clickhouse",
            variable: "",
        }],
        evidence: &[
            survey(
                "a survey of charts, operators and issues",
                "GET /ping :8123",
            ),
            source(
                "ClickHouse/ClickHouse:docker/server/Dockerfile.ubuntu",
                "VOLUME /var/lib/clickhouse",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "questdb",
        images: &["questdb"],
        programs: &["questdb.sh", "java"],
        recipes: &[tcp(&["http"], 9000)],
        node_local: true,
        database: true,
        data: &[DataFolder {
            images: &["questdb"],
            versions: Versions::ALL,
            path: "/var/lib/questdb",
            volume: "",
            variable: "",
        }],
        evidence: &[
            chart("questdb/questdb-kubernetes", "containerPort: 9000"),
            source(
                "questdb/questdb:core/Dockerfile",
                "WORKDIR /var/lib/questdb",
            ),
        ],
        ..BLANK
    },
];
