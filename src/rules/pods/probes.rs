//! Probes.

use crate::model::finding::Action;
use crate::model::spelling::nearest;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::probe::Probe;
use crate::statefulset::set::{Container, ContainerPort};
use crate::statefulset::view::IntOrString;

/// A liveness or startup probe that asks for several successes (`validateLivenessProbe`, `validateStartupProbe`).
pub static SUCCESS_THRESHOLD: Rule = Rule {
    id: "probe-success-threshold",
    action: Action::Deny,
    builtin: Builtin::Since(34),
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A liveness or startup probe has a `successThreshold` other than 1.",
        why: "`successThreshold` says how many successes in a row a probe needs after a failure. For these two kinds one is enough by \
              definition. From 1.34 the API server refuses the set; before, it accepts the set and no pod can be created.",
        at: &[
            "spec.template.spec.containers[N].livenessProbe",
            "spec.template.spec.containers[N].startupProbe",
        ],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          livenessProbe:
            tcpSocket: {port: 8080}
            successThreshold: 2
",
        fix: "Remove `successThreshold`. A readiness probe may ask for more than one.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          livenessProbe:
            tcpSocket: {port: 8080}
",
        ..Docs::BLANK
    },
    check: success_threshold,
};

fn success_threshold(context: &Context<'_>, violations: &mut Vec<Violation>) {
    for (place, container) in context.set.spec.template.spec.all_containers() {
        for (field, probe) in once_is_enough(container) {
            // The server fills in 1 for 0 (SetDefaults_Probe).
            let threshold = probe.and_then(|probe| probe.success_threshold).unwrap_or(1);
            if !matches!(threshold, 0 | 1) {
                violations.push(
                    Violation::new(
                        format!("{place}/{field}"),
                        format!("successThreshold is {threshold}, and one success is enough here by definition"),
                        "remove successThreshold, or write 1",
                    )
                    .of(format!("{}/{field}", container.name)),
                );
            }
        }
    }
}

fn once_is_enough<'s, 'a>(
    container: &'s Container<'a>,
) -> [(&'static str, Option<&'s Probe<'a>>); 2] {
    [
        ("livenessProbe", container.liveness_probe.as_ref()),
        ("startupProbe", container.startup_probe.as_ref()),
    ]
}

/// A probe of a port by a name that its container does not declare.
pub static PORT_UNKNOWN: Rule = Rule {
    id: "probe-port-unknown",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A probe asks a port by a name that its own container does not declare.",
        why: "A probe names its port by number, or by a name from the `ports` of the same container. Every API server accepts a name that is \
              not there, and the probe can never pass, because the kubelet does not know which number is meant. With such a readiness or startup \
              probe the pod never becomes Ready and holds up every rollout. Of a liveness probe the kubelet drops the error: the pod runs, and \
              is never restarted, so that one is a warning.\n\n\
              A number in quotes is a name. Numbers need not be declared.",
        at: &[
            "spec.template.spec.containers[N].readinessProbe.httpGet.port",
            "spec.template.spec.containers[N].readinessProbe.tcpSocket.port",
            "spec.template.spec.containers[N].livenessProbe.httpGet.port",
            "spec.template.spec.containers[N].livenessProbe.tcpSocket.port",
            "spec.template.spec.containers[N].startupProbe.httpGet.port",
            "spec.template.spec.containers[N].startupProbe.tcpSocket.port",
        ],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: web, containerPort: 8080}
          readinessProbe:
            httpGet: {path: /, port: http}
",
        fix: "Write the name as it is declared, declare a port of that name in the same container, or write the number.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: web, containerPort: 8080}
          readinessProbe:
            httpGet: {path: /, port: web}
",
        ..Docs::BLANK
    },
    check: port_unknown,
};

fn port_unknown(context: &Context<'_>, violations: &mut Vec<Violation>) {
    for (place, container) in context.set.spec.template.spec.all_containers() {
        for (field, probe) in probes(container) {
            let Some((handler, name)) = probe.and_then(named_port) else {
                continue;
            };
            if container.ports.iter().any(|port| port.name == *name) {
                continue;
            }
            // the kubelet drops the error of a liveness probe (pkg/kubelet/prober/worker.go)
            let (effect, action) = if field == "livenessProbe" {
                ("the kubelet ignores this probe", Action::Warn)
            } else {
                ("the probe can never pass", PORT_UNKNOWN.action)
            };
            let violation = Violation::new(
                format!("{place}/{field}/{handler}/port"),
                format!(
                    "{} declares no port {}, so {effect}",
                    quoted(&container.name),
                    quoted(name)
                ),
                meant(name, &container.ports),
            );
            violations.push(
                violation
                    .with(action)
                    .of(format!("{}/{field}", container.name)),
            );
        }
    }
}

fn probes<'s, 'a>(container: &'s Container<'a>) -> [(&'static str, Option<&'s Probe<'a>>); 3] {
    let [liveness, startup] = once_is_enough(container);
    let readiness = ("readinessProbe", container.readiness_probe.as_ref());
    [readiness, liveness, startup]
}

/// The handler that asks a port by name, and the name.
fn named_port<'p>(probe: &'p Probe<'_>) -> Option<(&'static str, &'p str)> {
    let get = probe.http_get.as_ref().map(|get| &get.port);
    let socket = probe.tcp_socket.as_ref().map(|socket| &socket.port);
    let mut handlers = [("httpGet", get), ("tcpSocket", socket)].into_iter();
    handlers.find_map(|(handler, port)| match port? {
        IntOrString::String(name) => Some((handler, &**name)),
        IntOrString::Int(_) => None,
    })
}

fn meant(name: &str, ports: &[ContainerPort<'_>]) -> String {
    if let Ok(number) = name.parse::<u16>() {
        return format!("write {number} without quotes");
    }
    let names = ports.iter().map(|port| &*port.name);
    if let Some(near) = nearest(name, names.filter(|name| !name.is_empty())) {
        return format!("did you mean {}?", quoted(near));
    }
    match ports {
        [] => "write the number, or declare the port under ports".to_owned(),
        [only] if only.name.is_empty() => {
            let number = only.container_port;
            format!("write {number}, or give that port the name")
        }
        [only] => format!("write {}, or declare the port under ports", only.name),
        _ => "write a declared name or a number, or declare the port under ports".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, fires, web_spec};

    fn with(kind: &str, threshold: &Value) -> Value {
        let container = json!({"name": "web", kind: {"tcpSocket": {"port": 80}, "successThreshold": threshold}});
        web_spec(&json!({"template": {"spec": {"containers": [container]}}}))
    }

    #[test]
    fn one_success_is_enough() {
        for kind in ["livenessProbe", "startupProbe"] {
            assert_eq!(
                Case::create(with(kind, &json!(2))).says(&SUCCESS_THRESHOLD),
                [format!(
                    "spec.template.spec.containers[0].{kind}: successThreshold is 2, and one success is enough here by definition; \
                     remove successThreshold, or write 1"
                )]
            );
            for threshold in [json!(1), json!(0), json!(null)] {
                assert!(
                    !fires(&SUCCESS_THRESHOLD, with(kind, &threshold)),
                    "{threshold}"
                );
            }
        }
        assert!(!fires(
            &SUCCESS_THRESHOLD,
            with("readinessProbe", &json!(2))
        ));
    }

    fn asking(kind: &str, probe: &Value, ports: &Value) -> Value {
        let container = json!({"name": "web", "ports": ports, kind: probe});
        web_spec(&json!({"template": {"spec": {"containers": [container]}}}))
    }

    #[test]
    fn a_probe_asks_a_declared_port() {
        let get = |port: &str| json!({"httpGet": {"path": "/", "port": port}});
        let port = |name: &str, number: u16| json!({"name": name, "containerPort": number});
        for (asked, ports, help) in [
            (
                "http",
                json!(null),
                "write the number, or declare the port under ports",
            ),
            (
                "http",
                json!([port("", 8080)]),
                "write 8080, or give that port the name",
            ),
            (
                "http",
                json!([port("peers", 8080)]),
                "write peers, or declare the port under ports",
            ),
            (
                "http",
                json!([port("Http", 8080), port("x", 1)]),
                "did you mean \"Http\"?",
            ),
            (
                "http",
                json!([port("peers", 1), port("raft", 2)]),
                "write a declared name or a number, or declare the port under ports",
            ),
            ("8080", json!([port("", 8080)]), "write 8080 without quotes"),
        ] {
            for kind in ["readinessProbe", "livenessProbe", "startupProbe"] {
                let (action, effect) = if kind == "livenessProbe" {
                    ("Warn", "the kubelet ignores this probe")
                } else {
                    ("Deny", "the probe can never pass")
                };
                assert_eq!(
                    Case::create(asking(kind, &get(asked), &ports)).says(&PORT_UNKNOWN),
                    [format!(
                        "{action} spec.template.spec.containers[0].{kind}.httpGet.port: \"web\" declares no port \"{asked}\", \
                         so {effect}; {help}"
                    )]
                );
            }
        }
        let socket = asking(
            "livenessProbe",
            &json!({"tcpSocket": {"port": "db"}}),
            &json!(null),
        );
        let found = Case::create(socket).violations(&PORT_UNKNOWN).remove(0);
        assert_eq!(
            (&*found.pointer, &*found.subject),
            (
                "/spec/template/spec/containers/0/livenessProbe/tcpSocket/port",
                "web/livenessProbe"
            )
        );
    }

    #[test]
    fn numbers_need_not_be_declared() {
        let declared = json!([{"name": "http", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]);
        for probe in [
            json!({"httpGet": {"port": 9999}}),
            json!({"httpGet": {"port": "http"}}),
            json!({"tcpSocket": {"port": "dns"}}),
            json!({"tcpSocket": {"port": 9999}}),
            json!({"grpc": {"port": 9999}}),
            json!({"exec": {"command": ["true"]}}),
            json!(null),
        ] {
            assert!(
                !fires(&PORT_UNKNOWN, asking("readinessProbe", &probe, &declared)),
                "{probe}"
            );
        }
    }

    #[test]
    fn the_port_of_another_container_does_not_count() {
        let side = json!({"name": "side", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": "http"}}});
        let web = json!({"name": "web", "ports": [{"name": "http", "containerPort": 80}]});
        let set = web_spec(
            &json!({"template": {"spec": {"containers": [web], "initContainers": [side]}}}),
        );
        assert_eq!(
            Case::create(set).says(&PORT_UNKNOWN),
            [
                "Deny spec.template.spec.initContainers[0].startupProbe.tcpSocket.port: \"side\" declares no port \"http\", \
                 so the probe can never pass; write the number, or declare the port under ports"
            ]
        );
    }
}
