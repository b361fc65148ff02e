//! Ports of the node.

use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// Pods that need a node each, made one after the other.
pub static ORDERED: Rule = Rule {
    id: "host-port-ordered",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "Pods with a `hostPort` are created one after the other: where nodes are fewer than pods, the set halts.",
        why: "A `hostPort` is a port of the node, which one pod can have: each replica needs a node of its own. With `OrderedReady` the next pod \
              is created only when the one before is Ready, so the first pod that finds no free node stays Pending, and those after it are never \
              created. A drained node is enough to bring it about.",
        at: &["spec.template.spec.containers[N].ports[N].hostPort"],
        example: "\
spec:
  replicas: 3
  podManagementPolicy: OrderedReady
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: http, containerPort: 8080, hostPort: 8080}
          readinessProbe:
            tcpSocket: {port: http}
",
        fix: "Remove `hostPort` and let clients use a Service. Where it is needed write `podManagementPolicy: Parallel`, which an existing set \
              can only change by being made anew.",
        fixed: "\
spec:
  replicas: 3
  podManagementPolicy: Parallel
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: http, containerPort: 8080, hostPort: 8080}
          readinessProbe:
            tcpSocket: {port: http}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    let replicas = spec.replicas();
    if replicas <= 1 || !spec.is_ordered_ready() {
        return;
    }
    let mut containers = spec.template.spec.all_containers();
    let found = containers.find_map(|(place, container)| {
        let port = container
            .ports
            .iter()
            .position(|port| port.host_port != 0)?;
        let number = container.ports.get(port)?.host_port;
        Some((format!("{place}/ports/{port}/hostPort"), number))
    });
    if let Some((pointer, port)) = found {
        violations.push(Violation::new(
            pointer,
            format!(
                "each of {replicas} pods needs a node with port {port} free: OrderedReady halts at one that finds none"
            ),
            "remove hostPort, or set podManagementPolicy: Parallel in a new set",
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, mounting};

    fn says(port: &Value, spec: &Value) -> Vec<String> {
        Case::create(mounting(
            &json!({"ports": [{"containerPort": 1}, port]}),
            spec,
        ))
        .says(&ORDERED)
    }

    #[test]
    fn pods_with_a_port_of_the_node_are_made_at_once() {
        let port = json!({"containerPort": 80, "hostPort": 8080});
        assert_eq!(
            says(&port, &json!({})),
            [
                "spec.template.spec.containers[0].ports[1].hostPort: each of 3 pods needs a node with port 8080 free: \
                 OrderedReady halts at one that finds none; \
                 remove hostPort, or set podManagementPolicy: Parallel in a new set"
            ]
        );
        assert!(says(&port, &json!({"replicas": 1})).is_empty());
        assert!(says(&port, &json!({"podManagementPolicy": "Parallel"})).is_empty());
        assert!(says(&json!({"containerPort": 80, "hostPort": 0}), &json!({})).is_empty());
    }
}
