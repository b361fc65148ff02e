//! Probes that call a program which is not there, or which needs longer than it gets.

use crate::catalogue::{self, Tool};
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::probe::{Exec, Probe, Slot};
use crate::statefulset::set::Container;

/// A probe whose program the image of that version does not have.
pub static MISSING: Rule = Rule {
    id: "probe-program-missing",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A probe runs a program that this version of the image does not have.",
        why: "A probe whose program is not there fails every time. A readiness probe then keeps the pod out of service, a liveness or startup \
              probe has the container restarted for ever, though the database runs.\n\n\
              MongoDB's images have `mongo` up to 5.0 and `mongosh` from 5.0 on; MariaDB's have `mysql` and `mysqladmin` up to 10.11 and \
              `mariadb` and `mariadb-admin` since. The rule looks at images whose tag tells the version, and is silent where the probe's \
              script looks for the program first.",
        at: &[
            "spec.template.spec.containers[N].readinessProbe.exec.command",
            "spec.template.spec.containers[N].livenessProbe.exec.command",
            "spec.template.spec.containers[N].startupProbe.exec.command",
        ],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: mongodb
          image: mongo:4.2
          readinessProbe:
            exec: {command: [mongosh, --quiet, --eval, db.hello()]}
            timeoutSeconds: 10
",
        fix: "Call the program that the message names, or take an image of a version that has the one you call.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: mongodb
          image: mongo:4.2
          readinessProbe:
            exec: {command: [mongo, --quiet, --eval, db.hello()]}
            timeoutSeconds: 10
",
        ..Docs::BLANK
    },
    check: missing,
};

fn missing(context: &Context<'_>, violations: &mut Vec<Violation>) {
    for (place, container) in context.set.spec.template.spec.all_containers() {
        for slot in Slot::ALL {
            let Some(tool) = slot
                .of(container)
                .and_then(|probe| lacking(container, probe))
            else {
                continue;
            };
            violations.push(
                Violation::new(
                    format!("{place}/{}/exec/command", slot.field()),
                    format!(
                        "{} has no {}: this probe always fails",
                        quoted(&container.image),
                        tool.name
                    ),
                    format!("call {} instead", tool.instead),
                )
                .of(format!("{}/{}", container.name, slot.field())),
            );
        }
    }
}

/// The program that the probe runs and the image does not have.
pub(super) fn lacking(container: &Container<'_>, probe: &Probe<'_>) -> Option<&'static Tool> {
    let exec = probe.exec.as_ref()?;
    let system = catalogue::by_image(&container.image)?;
    if system.tools.is_empty() || looks_first(exec) {
        return None;
    }
    programs(exec).find_map(|program| system.lacks(&container.image, &program))
}

/// Whether the script asks whether a program is there, or has another for when it fails.
fn looks_first(exec: &Exec<'_>) -> bool {
    const WAYS: [&str; 4] = ["command -v", "which ", "type ", "||"];
    let mut words = exec.command.iter();
    words.any(|word| WAYS.iter().any(|way| word.contains(way)))
}

/// The programs that a probe starts, less the folders that they lie in.
fn programs(exec: &Exec<'_>) -> impl Iterator<Item = String> {
    let commands = catalogue::commands(&exec.command).into_iter();
    commands.filter_map(|command| {
        let program = command.into_iter().next()?;
        Some(program.rsplit('/').next().unwrap_or_default().to_owned())
    })
}

/// A probe that starts a runtime and has a second for it.
pub static TIMEOUT_DEFAULT: Rule = Rule {
    id: "probe-timeout-default",
    action: Action::Audit,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A probe starts a Java or Erlang runtime or an interpreter, and has the default timeout of one second.",
        why: "`nodetool`, `kafka-topics.sh`, `rabbitmq-diagnostics` and `cqlsh` start a virtual machine or an interpreter before they ask \
              anything. On a busy node that takes longer than the default `timeoutSeconds` of 1, and the probe fails though the server is well. \
              Only the operator's audit log has the finding.",
        at: &[
            "spec.template.spec.containers[N].readinessProbe.timeoutSeconds",
            "spec.template.spec.containers[N].livenessProbe.timeoutSeconds",
            "spec.template.spec.containers[N].startupProbe.timeoutSeconds",
        ],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          readinessProbe:
            exec: {command: [nodetool, status]}
",
        fix: "Write a `timeoutSeconds` of 10 or more, or ask the port with `tcpSocket`, which starts nothing.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          readinessProbe:
            exec: {command: [nodetool, status]}
            timeoutSeconds: 10
",
        ..Docs::BLANK
    },
    check: timeout_default,
};

fn timeout_default(context: &Context<'_>, violations: &mut Vec<Violation>) {
    for (place, container) in context.set.spec.template.spec.all_containers() {
        for slot in Slot::ALL {
            let Some(probe) = slot.of(container) else {
                continue;
            };
            let has_default = probe.timeout_seconds.is_none_or(|seconds| seconds <= 1);
            let exec = probe.exec.as_ref().filter(|_| has_default);
            let Some(program) = exec.and_then(|exec| programs(exec).find(|it| starts_runtime(it)))
            else {
                continue;
            };
            violations.push(
                Violation::new(
                    format!("{place}/{}/timeoutSeconds", slot.field()),
                    format!(
                        "{program} starts a runtime and has 1 s for it: on a busy node the probe fails though the server is well"
                    ),
                    "write timeoutSeconds: 10",
                )
                .of(format!("{}/{}", container.name, slot.field())),
            );
        }
    }
}

/// Programs of the JVM (Kafka, Cassandra, `ZooKeeper`), of Erlang (`RabbitMQ`), and an interpreter's (`cqlsh` is Python).
fn starts_runtime(program: &str) -> bool {
    const PROGRAMS: [&str; 5] = [
        "nodetool",
        "cqlsh",
        "rabbitmq-diagnostics",
        "rabbitmqctl",
        "zkCli.sh",
    ];
    PROGRAMS.contains(&program) || program.starts_with("kafka-")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, mounting};

    fn says(rule: &Rule, image: &str, command: &Value, changes: &Value) -> Vec<String> {
        let mut probe = json!({"exec": {"command": command}});
        json_patch::merge(&mut probe, changes);
        let container = json!({"image": image, "livenessProbe": probe});
        Case::create(mounting(&container, &json!({}))).says(rule)
    }

    #[test]
    fn a_probe_calls_what_the_image_has() {
        let line = |image: &str, program: &str, instead: &str| {
            [format!(
                "spec.template.spec.containers[0].livenessProbe.exec.command: \"{image}\" has no {program}: \
                 this probe always fails; call {instead} instead"
            )]
        };
        for (image, command, program, instead) in [
            (
                "mongo:4.2",
                json!(["mongosh", "--eval", "1"]),
                "mongosh",
                "mongo",
            ),
            (
                "mongo:4",
                json!(["sh", "-c", "mongosh --eval 1"]),
                "mongosh",
                "mongo",
            ),
            (
                "mongo:7.0.14",
                json!(["bash", "-c", "exec /usr/bin/mongo --eval 1"]),
                "mongo",
                "mongosh",
            ),
            (
                "mariadb:11.4",
                json!(["mysqladmin", "ping"]),
                "mysqladmin",
                "mariadb-admin",
            ),
        ] {
            assert_eq!(
                says(&MISSING, image, &command, &json!({})),
                line(image, program, instead)
            );
        }
    }

    #[test]
    fn a_probe_that_may_find_its_program_is_fine() {
        for (image, command) in [
            ("mongo:5.0", json!(["mongosh", "--eval", "1"])),
            ("mongo:5", json!(["mongo", "--eval", "1"])),
            ("mongo", json!(["mongo", "--eval", "1"])),
            ("mongo:latest", json!(["mongo", "--eval", "1"])),
            ("bitnami/mongodb:4.2", json!(["mongosh", "--eval", "1"])),
            (
                "mongo:4.2",
                json!(["sh", "-c", "mongosh --eval 1 || mongo --eval 1"]),
            ),
            (
                "mongo:4.2",
                json!(["sh", "-c", "if command -v mongosh; then mongosh; fi"]),
            ),
            ("mongo:4.2", json!(["sh", "-c", "echo mongosh"])),
            ("mariadb:10.11", json!(["mysqladmin", "ping"])),
            ("mysql:9", json!(["mysqladmin", "ping"])),
        ] {
            assert!(
                says(&MISSING, image, &command, &json!({})).is_empty(),
                "{image} {command}"
            );
        }
    }

    #[test]
    fn a_runtime_has_time_to_start() {
        let kafka = json!(["sh", "-c", "/opt/kafka/bin/kafka-topics.sh --list"]);
        for timeout in [
            json!({}),
            json!({"timeoutSeconds": 1}),
            json!({"timeoutSeconds": 0}),
        ] {
            assert_eq!(
                says(&TIMEOUT_DEFAULT, "apache/kafka:3.9.0", &kafka, &timeout),
                [
                    "spec.template.spec.containers[0].livenessProbe.timeoutSeconds: kafka-topics.sh starts a runtime and has 1 s for it: \
                     on a busy node the probe fails though the server is well; write timeoutSeconds: 10"
                ]
            );
        }
        for command in [
            json!(["nodetool", "info"]),
            json!(["rabbitmq-diagnostics", "ping"]),
            json!(["cqlsh"]),
        ] {
            assert_eq!(
                says(&TIMEOUT_DEFAULT, "x", &command, &json!({})).len(),
                1,
                "{command}"
            );
        }
        let longer = json!({"timeoutSeconds": 5});
        assert!(says(&TIMEOUT_DEFAULT, "x", &kafka, &longer).is_empty());
        for command in [
            json!(["pg_isready"]),
            json!(["sh", "-c", "pgrep -f kafka-server"]),
        ] {
            assert!(
                says(&TIMEOUT_DEFAULT, "x", &command, &json!({})).is_empty(),
                "{command}"
            );
        }
    }
}
