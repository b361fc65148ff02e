//! Readiness probes that are not there.

use crate::cluster_view::Lookup;
use crate::inject::probes::{Proposal, Proposed, Site, propose};
use crate::inject::record::Record;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::Operation;
use crate::statefulset::set::Container;

/// A container that counts as ready because it runs.
pub static MISSING: Rule = Rule {
    id: "readiness-probe-missing",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A container with a TCP port has no readiness probe, and none was added.",
        why: "A readiness probe asks a pod whether it can serve. Without one a pod counts as ready as soon as its process runs. A rolling \
              update waits for nothing else before it restarts the next pod, so a version that starts but does not work goes through the whole \
              set, one pod after the other.\n\n\
              When a set is created, steadyset adds a probe where one can be told from the image or the ports, and where it cannot keep the \
              set from forming. The message says why it did not. Containers that only serve metrics or belong to a mesh are left alone. \
              With one replica or none only the operator's audit log has the finding.",
        at: &["spec.template.spec.containers[N]"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: api, containerPort: 8080}
            - {name: admin, containerPort: 9090}
",
        fix: "Write a probe that this pod can answer without its peers: `tcpSocket` on the port that serves, or better `httpGet` of the \
              program's own health path.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: api, containerPort: 8080}
            - {name: admin, containerPort: 9090}
          readinessProbe:
            tcpSocket: {port: api}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let set = context.set;
    if set.spec.update_strategy.kind() != "RollingUpdate" {
        return;
    }
    let record = Record::of(set).unwrap_or_default();
    let site = Site {
        policy: context.policy,
        namespace: context.namespace,
        set,
        record: &record,
        cluster: context.cluster,
    };
    // a rolling update of one pod has no next one to hold back
    let action = if set.spec.replicas() > 1 {
        Action::Warn
    } else {
        Action::Audit
    };
    for (index, container) in set.spec.template.spec.containers.iter().enumerate() {
        if container.readiness_probe.is_some() || !serves(container) {
            continue;
        }
        let proposal = propose(site, container);
        let Some((why, help)) = advice(context, &proposal) else {
            continue;
        };
        violations.push(
            Violation::new(
                format!("/spec/template/spec/containers/{index}"),
                format!("{} has no readiness probe{why}", quoted(&container.name)),
                help,
            )
            .of(&*container.name)
            .with(action),
        );
    }
}

/// Whether a container has a TCP port that clients may ask. A CSI driver's `healthz` is asked by the kubelet alone, about another
/// container (`kubernetes-csi/livenessprobe`).
fn serves(container: &Container<'_>) -> bool {
    container.tcp_ports().any(|port| port.name != "healthz")
}

/// Why there is none, and what to write; `None` where nothing is to be said.
fn advice(context: &Context<'_>, proposal: &Proposal) -> Option<(String, String)> {
    match proposal {
        Proposal::Silent | Proposal::NoPort => None,
        Proposal::Probe(proposed) => Some((
            ", so a broken version counts as ready".to_owned(),
            format!("write {}", shown(proposed)),
        )),
        Proposal::Competing(ports) => Some((
            format!(", and its ports compete: {}", first_few(ports)),
            "write one, or call one port http, https, web, grpc, tcp or client".to_owned(),
        )),
        Proposal::HeldBack { service, .. } => Some((
            ", and ours could keep peers from finding each other".to_owned(),
            format!("write one{}", way_out(context, service.as_deref())),
        )),
    }
}

/// How else a probe of ours would be safe: by names for pods that are not ready, where the Service gives pods names at all, or
/// by starting all pods at once, which only a new set can.
fn way_out(context: &Context<'_>, service: Option<&str>) -> String {
    let names_pods = |name: &&str| match context.cluster.service(context.namespace, name) {
        Lookup::Found(service) => service.headless && !service.selector.is_empty(),
        Lookup::Absent => false,
        Lookup::Unknown => true,
    };
    match (service.filter(names_pods), context.operation) {
        (Some(name), _) => format!(
            ", or set publishNotReadyAddresses: true on Service {}",
            quoted(name)
        ),
        (None, Operation::Create) => ", or use podManagementPolicy: Parallel".to_owned(),
        (None, Operation::Update) => String::new(),
    }
}

/// As many as leave room for what is to be written.
fn first_few(ports: &[String]) -> String {
    const ENOUGH: usize = 40;
    let mut shown = String::new();
    for port in ports {
        if !shown.is_empty() && shown.len() + port.len() > ENOUGH {
            return shown + ", ...";
        }
        let comma = if shown.is_empty() { "" } else { ", " };
        shown.extend([comma, port]);
    }
    shown
}

/// A probe in short.
fn shown(proposed: &Proposed) -> String {
    let probe = &proposed.probe;
    match (&probe.http_get, probe.port()) {
        (Some(get), _) => format!(
            "readinessProbe: {{httpGet: {{path: {}, port: {}}}}}",
            get.path, get.port
        ),
        (None, Some(port)) => format!("readinessProbe: {{tcpSocket: {{port: {port}}}}}"),
        (None, None) => format!("a readinessProbe, such as the one of {}", proposed.source),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster_view::Service;
    use crate::rules::testing::{Case, World, fires, headless, mounting, web_spec};

    fn says(container: &Value, spec: &Value) -> Vec<String> {
        Case::create(mounting(container, spec)).says(&MISSING)
    }

    #[test]
    fn says_what_to_write() {
        let start = "Warn spec.template.spec.containers[0]: \"web\" has no readiness probe";
        let parallel = json!({"podManagementPolicy": "Parallel"});
        let ports = |ports: &[i64]| {
            let ports: Vec<Value> = ports
                .iter()
                .map(|port| json!({"containerPort": port}))
                .collect();
            json!({"ports": ports})
        };
        for (container, spec, line) in [
            (
                json!({"ports": [{"name": "http", "containerPort": 3000}]}),
                &parallel,
                ", so a broken version counts as ready; write readinessProbe: {tcpSocket: {port: http}}",
            ),
            (
                ports(&[11_111, 22_222, 33_333, 44_444, 55_555, 60_000, 60_001]),
                &parallel,
                ", and its ports compete: 11111, 22222, 33333, 44444, 55555, 60000, ...; \
                 write one, or call one port http, https, web, grpc, tcp or client",
            ),
            (
                ports(&[3000]),
                &json!({}),
                ", and ours could keep peers from finding each other; \
                 write one, or set publishNotReadyAddresses: true on Service \"web\"",
            ),
            (
                ports(&[3000]),
                &json!({"serviceName": null}),
                ", and ours could keep peers from finding each other; write one, or use podManagementPolicy: Parallel",
            ),
        ] {
            assert_eq!(says(&container, spec), [format!("{start}{line}")]);
        }
    }

    #[test]
    fn a_way_out_is_one_that_exists() {
        let set = || mounting(&json!({"ports": [{"containerPort": 3000}]}), &json!({}));
        let among = |services| Case::create(set()).among(World::with_services(services));
        let ends = |case: Case, end: &str| {
            let said = case.says(&MISSING);
            assert!(said[0].ends_with(end), "{said:?}");
        };
        let names_pods = headless("web", &[("app", "web")]);
        let with_address = Service {
            headless: false,
            ..names_pods.clone()
        };
        ends(
            among(vec![names_pods]),
            "; write one, or set publishNotReadyAddresses: true on Service \"web\"",
        );
        let parallel = "; write one, or use podManagementPolicy: Parallel";
        for services in [
            vec![with_address.clone()],
            vec![headless("web", &[])],
            vec![],
        ] {
            ends(among(services), parallel);
        }
        let old = web_spec(&json!({}));
        let update = Case::update(old, set()).among(World::with_services(vec![with_address]));
        ends(update, " finding each other; write one");
    }

    #[test]
    fn one_pod_alone_is_for_the_operator() {
        let container = json!({"ports": [{"containerPort": 3000}]});
        for replicas in [0, 1] {
            let found = says(&container, &json!({"replicas": replicas}));
            assert!(found[0].starts_with("Audit "), "{found:?}");
        }
        let driver = json!({"ports": [{"name": "healthz", "containerPort": 9808}]});
        assert!(says(&driver, &json!({})).is_empty());
    }

    #[test]
    fn says_nothing_where_there_is_nothing_to_ask() {
        let port = json!([{"containerPort": 3000}]);
        for (container, spec) in [
            (json!({}), json!({})),
            (
                json!({"ports": [{"containerPort": 53, "protocol": "UDP"}]}),
                json!({}),
            ),
            (
                json!({"ports": port, "readinessProbe": {"tcpSocket": {"port": 3000}}}),
                json!({}),
            ),
            (
                json!({"ports": port}),
                json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}),
            ),
            (
                json!({"ports": port, "image": "prom/mysqld-exporter"}),
                json!({}),
            ),
        ] {
            assert!(
                !fires(&MISSING, mounting(&container, &spec)),
                "{container} {spec}"
            );
        }
    }
}
