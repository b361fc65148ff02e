//! Where Services send what comes in at their ports.

use crate::cluster_view::{Service, ServicePort};
use crate::model::finding::Action;
use crate::model::spelling::nearest;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::ContainerPort;

/// A Service that targets a port by a name that no container declares (`FindPort` in the endpoints controller).
pub static PORT_UNKNOWN: Rule = Rule {
    id: "service-port-unknown",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A Service that selects the set's pods targets a port by a name that no container declares.",
        why: "`targetPort` of a Service is a number, or a name from the `ports` of the pods' containers. A name that no container declares \
              leads nowhere: the Service has no endpoint for that port, and connections to it are refused.\n\n\
              Numbers need not be declared. A Service that may also select pods of other sets is not looked at.",
        at: &["spec.template.spec.containers"],
        cluster: "\
kind: Service
metadata: {name: web}
spec:
  clusterIP: None
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: http}
",
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
            tcpSocket: {port: web}
",
        fix: "Write the name into `ports` of the container, or the container's number or name into `targetPort` of the Service.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: http, containerPort: 8080}
          readinessProbe:
            tcpSocket: {port: http}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let services = context.cluster.services(context.namespace);
    for service in services.found().unwrap_or_default() {
        if !is_for_this_set_alone(&service, context) {
            continue;
        }
        for port in &service.ports {
            if is_declared(port, context) {
                continue;
            }
            violations.push(
                Violation::new(
                    "/spec/template/spec/containers",
                    format!(
                        "Service {} sends port {} to a container port {}, which no container declares: it leads nowhere",
                        quoted(&service.name),
                        port.port,
                        quoted(&port.target_port)
                    ),
                    help(&port.target_port, context),
                )
                .of(format!("{}/{}", service.name, port.port)),
            );
        }
    }
}

/// Whether the Service asks for all that the set's own selector asks for, so that no other set has pods like that.
fn is_for_this_set_alone(service: &Service, context: &Context<'_>) -> bool {
    let spec = &context.set.spec;
    let labels = &spec.template.metadata.labels;
    let Some(selector) = &spec.selector else {
        return false;
    };
    let mut own = selector.match_labels.iter();
    !selector.match_labels.is_empty()
        && service.selects(|key| labels.get(key).map(|label| &**label))
        && own.all(|(key, value)| {
            service
                .selector
                .get(&**key)
                .is_some_and(|asked| **value == **asked)
        })
}

/// Whether the target is a number, or the name of a port that a container declares for the same protocol.
fn is_declared(port: &ServicePort, context: &Context<'_>) -> bool {
    port.target_port.parse::<u16>().is_ok()
        || declared(context).any(|declared| {
            let protocol = if declared.protocol.is_empty() {
                "TCP"
            } else {
                &declared.protocol
            };
            declared.name == *port.target_port && protocol == port.protocol
        })
}

/// The ports of the containers, and of the init containers that keep running beside them.
fn declared<'c>(context: &Context<'c>) -> impl Iterator<Item = &'c ContainerPort<'c>> {
    let pod = &context.set.spec.template.spec;
    let beside = pod.init_containers.iter();
    let beside = beside.filter(|container| container.restart_policy == "Always");
    pod.containers
        .iter()
        .chain(beside)
        .flat_map(|container| &container.ports)
}

fn help(target: &str, context: &Context<'_>) -> String {
    let names = declared(context).map(|port| &*port.name);
    nearest(target, names.filter(|name| !name.is_empty())).map_or_else(
        || "declare that port, or write its number as targetPort".to_owned(),
        |near| format!("did you mean targetPort: {near}?"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, World, headless, mounting};

    fn says(target: &str, selector: &[(&str, &str)]) -> Vec<String> {
        let port = ServicePort {
            port: 80,
            target_port: target.to_owned(),
            protocol: "TCP".to_owned(),
            ..ServicePort::default()
        };
        let service = Service {
            ports: vec![port],
            ..headless("front", selector)
        };
        let container = json!({"ports": [{"name": "http-web", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]});
        Case::create(mounting(&container, &json!({})))
            .among(World::with_services(vec![service]))
            .says(&PORT_UNKNOWN)
    }

    #[test]
    fn a_service_leads_to_a_declared_port() {
        let line = |target: &str, help: &str| {
            [format!(
                "spec.template.spec.containers: Service \"front\" sends port 80 to a container port \"{target}\", \
                 which no container declares: it leads nowhere; {help}"
            )]
        };
        let own = [("app", "web")];
        assert_eq!(
            says("api", &own),
            line(
                "api",
                "declare that port, or write its number as targetPort"
            )
        );
        assert_eq!(
            says("httpweb", &own),
            line("httpweb", "did you mean targetPort: http-web?")
        );
        assert_eq!(says("dns", &own).len(), 1, "of another protocol");
        for target in ["http-web", "8080", "80"] {
            assert!(says(target, &own).is_empty(), "{target}");
        }
    }

    #[test]
    fn other_pods_may_have_the_port() {
        for selector in [&[("app", "shop")][..], &[("tier", "front")], &[]] {
            assert!(says("api", selector).is_empty(), "{selector:?}");
        }
    }
}
