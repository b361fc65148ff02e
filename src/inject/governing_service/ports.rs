//! The ports of a governing Service: what the pods declare.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerPort, PodSpec, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The declared ports of a pod, each pair of number and protocol once; side containers count, what runs before the
/// containers does not. A port keeps its name where no other has it, and is called `tcp-8080` otherwise.
pub(crate) fn ports(pod: &PodSpec) -> Vec<ServicePort> {
    let init_containers = pod.init_containers.iter().flatten();
    let beside =
        init_containers.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    let declared = pod.containers.iter().chain(beside).flat_map(declared);
    let (mut seen, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut ports = Vec::new();
    for port in declared {
        let (number, protocol) = (port.container_port, protocol(port));
        if !(1..=65535).contains(&number) || !seen.insert((number, protocol)) {
            continue;
        }
        let own = format!("{}-{number}", protocol.to_lowercase());
        let kept = port.name.clone().filter(|name| {
            is_label(name) && (*name == own || !looks_generated(name)) && names.insert(name.clone())
        });
        ports.push(ServicePort {
            name: Some(kept.unwrap_or(own)),
            port: number,
            target_port: Some(IntOrString::Int(number)),
            protocol: Some(protocol.to_owned()),
            ..ServicePort::default()
        });
    }
    ports
}

fn declared(container: &Container) -> impl Iterator<Item = &ContainerPort> {
    container.ports.iter().flatten()
}

fn protocol(port: &ContainerPort) -> &str {
    port.protocol
        .as_deref()
        .filter(|text| !text.is_empty())
        .unwrap_or("TCP")
}

/// Whether a Service takes the name: before 1.34 nobody checks a pod template, so a set may hold anything.
fn is_label(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Whether the name has the form of those made up here, which must stay free for the ports they are made for.
fn looks_generated(name: &str) -> bool {
    let rest = ["tcp-", "udp-", "sctp-"]
        .iter()
        .find_map(|protocol| name.strip_prefix(protocol));
    rest.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    /// What becomes of the ports of the containers given, as `name=port/protocol`.
    fn shown(pod: Value) -> Vec<String> {
        let pod: PodSpec = from_value(pod).unwrap();
        let show = |port: ServicePort| {
            assert_eq!(port.target_port, Some(IntOrString::Int(port.port)));
            format!(
                "{}={}/{}",
                port.name.unwrap(),
                port.port,
                port.protocol.unwrap()
            )
        };
        ports(&pod).into_iter().map(show).collect()
    }

    fn of_one(ports: &Value) -> Vec<String> {
        shown(json!({"containers": [{"name": "c", "ports": ports}]}))
    }

    #[test]
    fn a_pair_of_number_and_protocol_comes_once() {
        let ports = json!([{"containerPort": 80, "name": "http"}, {"containerPort": 80, "name": "web"},
            {"containerPort": 80, "protocol": "UDP", "name": "quic"}, {"containerPort": 80, "protocol": "TCP"}]);
        assert_eq!(of_one(&ports), ["http=80/TCP", "quic=80/UDP"]);
    }

    #[test]
    fn what_has_no_name_of_its_own_gets_one() {
        for (ports, expected) in [
            (json!([{"containerPort": 80}]), vec!["tcp-80=80/TCP"]),
            (
                json!([{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]),
                vec!["a=80/TCP", "tcp-81=81/TCP"],
            ),
            // a name that was made up for another port, and one that is right
            (
                json!([{"containerPort": 90, "name": "tcp-80"}, {"containerPort": 80}]),
                vec!["tcp-90=90/TCP", "tcp-80=80/TCP"],
            ),
            (
                json!([{"containerPort": 80, "name": "tcp-80"}]),
                vec!["tcp-80=80/TCP"],
            ),
            // stored by an API server that does not check templates
            (
                json!([{"containerPort": 80, "name": "Web UI"}, {"containerPort": 0}, {"containerPort": 70000}]),
                vec!["tcp-80=80/TCP"],
            ),
            (
                json!([{"containerPort": 53, "protocol": "UDP"}]),
                vec!["udp-53=53/UDP"],
            ),
        ] {
            assert_eq!(of_one(&ports), expected, "{ports}");
        }
    }

    #[test]
    fn side_containers_count_and_init_containers_do_not() {
        let pod = json!({
            "containers": [{"name": "a", "ports": [{"containerPort": 1}]}, {"name": "b", "ports": [{"containerPort": 2}]}],
            "initContainers": [{"name": "c", "ports": [{"containerPort": 3}]},
                {"name": "d", "ports": [{"containerPort": 4}], "restartPolicy": "Always"}],
        });
        assert_eq!(shown(pod), ["tcp-1=1/TCP", "tcp-2=2/TCP", "tcp-4=4/TCP"]);
        assert!(shown(json!({"containers": [{"name": "a"}]})).is_empty());
    }
}
