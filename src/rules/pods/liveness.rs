//! Databases that are killed before they have started.

use crate::catalogue;
use crate::catalogue::Entry;
use crate::model::finding::Action;
use crate::rules::pods::program::lacking;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::probe::{Exec, Probe};
use crate::statefulset::set::Container;

/// A liveness probe that gives a database less than a minute to start.
pub static WITHOUT_STARTUP: Rule = Rule {
    id: "liveness-without-startup",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A database has a liveness probe that may kill it while it starts, and no startup probe.",
        why: "A liveness probe that fails has the kubelet kill the container. A database that crashed, or has much data, may need minutes to \
              recover, and does not answer until then. If it is killed before it is done the next start begins from the same point: it never \
              comes up, and nothing but more time helps.\n\n\
              The first failure already counts at `initialDelaySeconds`, so a container is killed no later than (`failureThreshold` - 1) * \
              `periodSeconds` after that, and one more period. Less than 60 seconds is a warning; less than 300, of a database that replays its \
              log after a crash (PostgreSQL, MySQL, MongoDB, ClickHouse, Elasticsearch), is for the operator's audit log.\n\n\
              A probe that only looks whether the process runs, or takes \"loading\" for a good answer, is not reported. The rule knows \
              databases by their images; `steadyset explain catalogue` lists them.",
        at: &["spec.template.spec.containers[N].livenessProbe"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: postgres
          image: postgres:17
          livenessProbe:
            exec: {command: [pg_isready, -h, 127.0.0.1]}
            periodSeconds: 10
            failureThreshold: 3
",
        fix: "Add a startup probe that asks the same for ten minutes: liveness waits until it has passed. Or leave the liveness probe out: a \
              database that fails for good mostly exits by itself.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: postgres
          image: postgres:17
          livenessProbe:
            exec: {command: [pg_isready, -h, 127.0.0.1]}
            periodSeconds: 10
            failureThreshold: 3
          startupProbe:
            exec: {command: [pg_isready, -h, 127.0.0.1]}
            periodSeconds: 10
            failureThreshold: 60
",
        ..Docs::BLANK
    },
    check,
};

/// Seconds that are enough for most starts.
const ENOUGH: i64 = 60;

/// Seconds that are enough for most recoveries.
const ENOUGH_TO_RECOVER: i64 = 300;

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    for (place, container) in context.set.spec.template.spec.all_containers() {
        let Some((system, probe)) = impatient(container) else {
            continue;
        };
        let Budget { earliest, latest } = Budget::of(probe);
        let action = if earliest < ENOUGH {
            Action::Warn
        } else {
            Action::Audit
        };
        violations.push(
            Violation::new(
                format!("{place}/livenessProbe"),
                format!(
                    "this probe kills {} {earliest} s to {latest} s after its start: a slower start never ends",
                    system.name
                ),
                "add a startupProbe: the same with failureThreshold: 60",
            )
            .of(&*container.name)
            .with(action),
        );
    }
}

/// The database that a container runs, and its liveness probe, where that fails during a long start.
fn impatient<'c, 'a>(container: &'c Container<'a>) -> Option<(&'static Entry, &'c Probe<'a>)> {
    if container.startup_probe.is_some() {
        return None;
    }
    let probe = container.liveness_probe.as_ref()?;
    let system = catalogue::running(container).filter(|system| system.database)?;
    let enough = if system.recovers {
        ENOUGH_TO_RECOVER
    } else {
        ENOUGH
    };
    // of a probe that never passes probe-program-missing tells: a startup probe like it would not pass either
    let is_impatient = Budget::of(probe).earliest < enough
        && fails_while_loading(system, probe)
        && lacking(container, probe).is_none();
    is_impatient.then_some((system, probe))
}

/// Seconds after its start in which a container that never answers is killed.
struct Budget {
    earliest: i64,
    latest: i64,
}

impl Budget {
    /// As the kubelet counts: the first failure is at `initialDelaySeconds`, and the ticker that the probes follow began with the worker,
    /// so everything may be one period later (`pkg/kubelet/prober/worker.go`). 0 stands for the default (`SetDefaults_Probe`).
    fn of(probe: &Probe<'_>) -> Self {
        let or = |number: Option<i64>, default: i64| {
            number.filter(|number| *number > 0).unwrap_or(default)
        };
        let period = or(probe.period_seconds, 10);
        let failures = or(probe.failure_threshold, 3);
        let delay = or(probe.initial_delay_seconds, 0);
        let earliest = delay.saturating_add(period.saturating_mul(failures - 1));
        Self {
            earliest,
            latest: earliest.saturating_add(period),
        }
    }
}

fn fails_while_loading(system: &Entry, probe: &Probe<'_>) -> bool {
    let listens_first = system.listens_first;
    match &probe.exec {
        Some(exec) => asks_the_server(exec, listens_first),
        None => !listens_first && probe.handlers() > 0,
    }
}

/// Whether the command fails where the server does not serve: it runs a client that does, or takes one answer alone.
///
/// `redis-cli ping` succeeds whatever the answer is. What a script of the image does is not known, `pgrep` looks at the
/// process, and `rabbitmq-diagnostics ping` and `nodetool` at the runtime around it.
fn asks_the_server(exec: &Exec<'_>, listens_first: bool) -> bool {
    const ANSWERS: [&str; 2] = ["PONG", "imok"];
    const CLIENTS: [&str; 12] = [
        "pg_isready",
        "psql",
        "mysqladmin",
        "mysql",
        "mariadb-admin",
        "mariadb",
        "mongo",
        "mongosh",
        "cqlsh",
        "clickhouse-client",
        "etcdctl",
        "cypher-shell",
    ];
    const CONNECTORS: [&str; 3] = ["curl", "wget", "nc"];
    let has = |text: &str| exec.command.iter().any(|part| part.contains(text));
    let runs = |program: &str| {
        CLIENTS.contains(&program) || !listens_first && CONNECTORS.contains(&program)
    };
    !has("LOADING") && (ANSWERS.into_iter().any(has) || programs(exec).any(runs))
}

/// The words of a command, less the folders that a program lies in.
fn programs<'e>(exec: &'e Exec<'_>) -> impl Iterator<Item = &'e str> {
    let is_boundary = |letter: char| letter.is_whitespace() || ";&|(){}\"'`$".contains(letter);
    let words = exec
        .command
        .iter()
        .flat_map(move |part| part.split(is_boundary));
    words.map(|word| word.rsplit('/').next().unwrap_or(word))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, mounting};

    fn says(image: &str, probe: &Value) -> Vec<String> {
        let container = json!({"image": image, "livenessProbe": probe});
        Case::create(mounting(&container, &json!({}))).says(&WITHOUT_STARTUP)
    }

    fn exec(command: &Value) -> Value {
        json!({"exec": {"command": command}})
    }

    #[test]
    fn a_database_has_a_minute_to_start() {
        let line = |earliest: i64, latest: i64, system: &str| {
            format!(
                "Warn spec.template.spec.containers[0].livenessProbe: this probe kills {system} {earliest} s to {latest} s after its start: \
                 a slower start never ends; add a startupProbe: the same with failureThreshold: 60"
            )
        };
        let get = |numbers: Value| {
            let mut probe = json!({"httpGet": {"path": "/health", "port": 8086}});
            json_patch::merge(&mut probe, &numbers);
            probe
        };
        for (numbers, earliest, latest) in [
            (json!({}), 20, 30),
            (json!({"periodSeconds": 0, "failureThreshold": 0}), 20, 30),
            (
                json!({"initialDelaySeconds": 30, "periodSeconds": 10}),
                50,
                60,
            ),
            (
                json!({"initialDelaySeconds": 33, "periodSeconds": 13}),
                59,
                72,
            ),
            (
                json!({"initialDelaySeconds": 30, "failureThreshold": 1}),
                30,
                40,
            ),
        ] {
            assert_eq!(
                says("influxdb:2", &get(numbers)),
                [line(earliest, latest, "influxdb")]
            );
        }
        for numbers in [
            json!({"initialDelaySeconds": 40}),
            json!({"periodSeconds": 30}),
            json!({"failureThreshold": 7}),
        ] {
            assert!(
                says("influxdb:2", &get(numbers.clone())).is_empty(),
                "{numbers}"
            );
        }
        assert_eq!(
            says(
                "postgres:17",
                &exec(&json!(["pg_isready", "-U", "postgres"]))
            ),
            [line(20, 30, "postgresql")]
        );
    }

    #[test]
    fn a_database_that_recovers_has_five() {
        let ping = |delay: i64| {
            let probe =
                json!({"exec": {"command": ["mysqladmin", "ping"]}, "initialDelaySeconds": delay});
            says("mysql:8.4", &probe)
        };
        assert!(ping(39)[0].starts_with("Warn "));
        assert!(ping(40)[0].starts_with("Audit "));
        assert!(ping(279)[0].contains("299 s to 309 s"));
        assert!(ping(280).is_empty());
    }

    #[test]
    fn a_probe_that_never_passes_gets_no_such_advice() {
        let probe = exec(&json!(["mongosh", "--eval", "1"]));
        assert!(says("mongo:4.2", &probe).is_empty());
        assert_eq!(says("mongo:6.0", &probe).len(), 1);
    }

    #[test]
    fn a_startup_probe_is_enough() {
        let container = json!({"image": "influxdb:2", "livenessProbe": {"tcpSocket": {"port": 8086}},
            "startupProbe": {"tcpSocket": {"port": 8086}, "failureThreshold": 60}});
        let case = Case::create(mounting(&container, &json!({})));
        assert!(case.says(&WITHOUT_STARTUP).is_empty());
    }

    #[test]
    fn a_probe_that_fails_during_the_start_counts() {
        let socket = json!({"tcpSocket": {"port": 1}});
        let grpc = json!({"grpc": {"port": 1}});
        for (image, probe) in [
            ("mysql:9", socket.clone()),
            ("qdrant/qdrant", grpc),
            (
                "mysql:9",
                exec(&json!(["sh", "-c", "exec mysqladmin ping -h 127.0.0.1"])),
            ),
            (
                "mongo:8",
                exec(&json!([
                    "/usr/bin/mongosh",
                    "--eval",
                    "db.adminCommand('ping')"
                ])),
            ),
            (
                "zookeeper:3.9",
                exec(&json!([
                    "sh",
                    "-c",
                    "echo ruok|nc 127.0.0.1 2181|grep imok"
                ])),
            ),
            (
                "clickhouse:25",
                exec(&json!(["sh", "-c", "wget -qO- localhost:8123/ping"])),
            ),
            (
                "redis:8",
                exec(&json!(["sh", "-c", "redis-cli ping | grep PONG"])),
            ),
        ] {
            assert_eq!(says(image, &probe).len(), 1, "{image} {probe}");
        }
    }

    #[test]
    fn a_probe_that_accepts_a_loading_server_does_not() {
        let socket = json!({"tcpSocket": {"port": 6379}});
        for (image, probe) in [
            ("redis:8", socket.clone()),
            (
                "bitnami/valkey:8",
                exec(&json!(["sh", "-c", "/health/ping_liveness_local.sh 5"])),
            ),
            ("redis:8", exec(&json!(["redis-cli", "ping"]))),
            (
                "redis:8",
                exec(&json!([
                    "sh",
                    "-c",
                    "r=$(redis-cli ping); [ $r = PONG ] || [ $r = LOADING ]"
                ])),
            ),
            ("mysql:9", exec(&json!(["pgrep", "mysqld"]))),
            ("rabbitmq:4", exec(&json!(["rabbitmq-diagnostics", "ping"]))),
            (
                "cassandra:5",
                exec(&json!(["bash", "-c", "nodetool status"])),
            ),
            ("postgres:17", socket.clone()),
            (
                "elasticsearch:9",
                exec(&json!(["sh", "-c", "curl -s localhost:9200"])),
            ),
            ("nginx", socket),
            ("mysql:9", json!({})),
            ("mysql:9", json!(null)),
        ] {
            assert!(says(image, &probe).is_empty(), "{image} {probe}");
        }
        let sentinel = json!({"image": "redis:8", "command": ["redis-sentinel", "/etc/sentinel.conf"],
            "livenessProbe": exec(&json!(["sh", "-c", "redis-cli -p 26379 ping | grep PONG"]))});
        let case = Case::create(mounting(&sentinel, &json!({})));
        assert!(case.says(&WITHOUT_STARTUP).is_empty());
    }
}
