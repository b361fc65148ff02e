//! Variables that Services put into containers.

use crate::catalogue;
use crate::cluster_view::Service;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Container;

/// A Service that the kubelet makes a variable of which the image takes for its own setting (`FromServices` in `pkg/kubelet/envvars`).
pub static COLLIDE: Rule = Rule {
    id: "service-links-collide",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A Service puts a variable into the pods that the image takes for one of its own settings.",
        why: "For every Service with an address the kubelet sets variables in all pods of the namespace: a Service `kafka` makes \
              `KAFKA_PORT=tcp://10.0.0.7:9092`. Some images read such variables as their configuration, and stop: Confluent's Kafka says \"port \
              is deprecated\", Neo4j \"unrecognized setting\". It happens only to pods that start after the Service was made, so often after \
              the first restart.\n\n\
              The rule knows the images that `steadyset explain catalogue` lists.",
        at: &["spec.template.spec.enableServiceLinks"],
        cluster: "\
kind: Service
metadata: {name: kafka}
spec:
  selector: {app: web}
  ports:
    - port: 9092
---
kind: Service
metadata: {name: web}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {app: web}
",
        example: "\
spec:
  podManagementPolicy: Parallel
  template:
    spec:
      containers:
        - name: kafka
          image: confluentinc/cp-kafka:7.6.0
          readinessProbe:
            tcpSocket: {port: 9092}
",
        fix: "Set `enableServiceLinks: false` in the pod template: pods find Services by DNS. Or give the Service another name.",
        fixed: "\
spec:
  podManagementPolicy: Parallel
  template:
    spec:
      enableServiceLinks: false
      containers:
        - name: kafka
          image: confluentinc/cp-kafka:7.6.0
          readinessProbe:
            tcpSocket: {port: 9092}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let pod = &context.set.spec.template.spec;
    if pod.enable_service_links == Some(false) {
        return;
    }
    for container in &pod.containers {
        let Some(system) = catalogue::by_image(&container.image) else {
            continue;
        };
        let mut variables = system
            .variables_of(&container.image)
            .filter(|variable| !is_handled(container, variable))
            .peekable();
        if variables.peek().is_none() {
            continue;
        }
        let services = context.cluster.services(context.namespace);
        let services = services.found().unwrap_or_default();
        for variable in variables {
            let Some(service) = services.iter().find(|service| makes(service, variable)) else {
                continue;
            };
            let message = format!(
                "Service {} puts {variable} into {}, and this image takes it for its own setting and does not start",
                quoted(&service.name),
                quoted(&container.name)
            );
            let help = "set enableServiceLinks: false in spec.template.spec";
            violations.push(
                Violation::new("/spec/template/spec/enableServiceLinks", message, help)
                    .of(format!("{}/{variable}", container.name)),
            );
        }
    }
}

/// Whether pods get the variable of the Service: one with an address does it, called as it is in capitals.
fn makes(service: &Service, variable: &str) -> bool {
    let name = service.name.to_ascii_uppercase().replace('-', "_");
    !service.headless
        && service.kind != "ExternalName"
        && !service.ports.is_empty()
        && variable.strip_suffix("_PORT") == Some(&*name)
}

/// Whether the set gives the variable a value of its own, which wins, or its command speaks of it.
fn is_handled(container: &Container<'_>, variable: &str) -> bool {
    let mut words = container.command.iter().chain(&container.args);
    container.env.iter().any(|own| own.name == *variable)
        || words.any(|word| word.contains(variable))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster_view::ServicePort;
    use crate::rules::testing::{Case, World, headless, mounting};

    fn service(name: &str) -> Service {
        Service {
            headless: false,
            ports: vec![ServicePort::default()],
            ..headless(name, &[])
        }
    }

    fn says(container: &Value, spec: &Value, service: Service) -> Vec<String> {
        Case::create(mounting(container, spec))
            .among(World::with_services(vec![service]))
            .says(&COLLIDE)
    }

    #[test]
    fn a_variable_is_the_images_own() {
        for (image, name, variable) in [
            ("confluentinc/cp-kafka:7.6.0", "kafka", "KAFKA_PORT"),
            (
                "confluentinc/cp-kafka",
                "kafka-advertised",
                "KAFKA_ADVERTISED_PORT",
            ),
            (
                "confluentinc/cp-schema-registry:7.6.0",
                "schema-registry",
                "SCHEMA_REGISTRY_PORT",
            ),
            ("neo4j:5", "neo4j", "NEO4J_PORT"),
        ] {
            assert_eq!(
                says(&json!({"image": image}), &json!({}), service(name)),
                [format!(
                    "spec.template.spec.enableServiceLinks: Service \"{name}\" puts {variable} into \"web\", \
                     and this image takes it for its own setting and does not start; \
                     set enableServiceLinks: false in spec.template.spec"
                )]
            );
        }
    }

    #[test]
    fn no_variable_is_made_or_read() {
        let kafka = json!({"image": "confluentinc/cp-kafka:7.6.0"});
        let off = json!({"template": {"spec": {"enableServiceLinks": false}}});
        let mut without = mounting(&kafka, &json!({}));
        json_patch::merge(&mut without["spec"], &off);
        let among = World::with_services(vec![service("kafka")]);
        assert!(Case::create(without).among(among).says(&COLLIDE).is_empty());
        let with = |changes: Value| {
            let mut container = kafka.clone();
            json_patch::merge(&mut container, &changes);
            container
        };
        for (container, service) in [
            (kafka.clone(), headless("kafka", &[])),
            (kafka.clone(), service("kafka-client")),
            (
                with(json!({"env": [{"name": "KAFKA_PORT", "value": ""}]})),
                service("kafka"),
            ),
            (
                with(
                    json!({"command": ["sh", "-c", "unset KAFKA_PORT; /etc/confluent/docker/run"]}),
                ),
                service("kafka"),
            ),
            (json!({"image": "apache/kafka:3.9.0"}), service("kafka")),
            (json!({"image": "bitnami/neo4j:5"}), service("neo4j")),
            (json!({"image": "redis:7"}), service("redis")),
        ] {
            assert!(
                says(&container, &json!({}), service).is_empty(),
                "{container}"
            );
        }
    }
}
