//! Which declared port a probe asks where only the ports speak.

use std::collections::HashSet;

use super::catalogue::{is_metrics, words};
use crate::cluster_view::{Service, ServicePort};
use crate::model::name::is_dns_label;
use crate::statefulset::set::{Container, ContainerPort};
use crate::statefulset::view::{IntOrString, Text};

/// The names that say which of several ports serves clients, best first.
const CLIENT_PORTS: [&str; 6] = ["http", "https", "web", "grpc", "tcp", "client"];

/// The one declared TCP port, or the one that the governing Service targets, or of several the one with a client's name; else
/// those that compete.
pub(super) fn infer<'c, 'a>(
    container: &'c Container<'a>,
    governing: Option<&Service>,
) -> Result<&'c ContainerPort<'a>, Vec<String>> {
    let loopback: HashSet<i64> = loopback_ports(container).collect();
    let ports: Vec<_> = container
        .tcp_ports()
        .filter(|port| !is_metrics(&port.name) && !loopback.contains(&port.container_port))
        .collect();
    if let [port] = ports[..] {
        return Ok(port);
    }
    let targeted = governing.and_then(|service| only_target(&ports, service));
    let named = || {
        let mut names = CLIENT_PORTS.iter();
        names.find_map(|name| ports.iter().find(|port| port.name == *name).copied())
    };
    targeted
        .or_else(named)
        .ok_or_else(|| ports.iter().map(|port| describe(port)).collect())
}

fn only_target<'c, 'a>(
    ports: &[&'c ContainerPort<'a>],
    service: &Service,
) -> Option<&'c ContainerPort<'a>> {
    let is_targeted = |port: &&&ContainerPort<'_>| {
        let mut targets = service.ports.iter();
        targets.any(|target| reaches(target, port))
    };
    let mut targeted = ports.iter().filter(is_targeted);
    let first = targeted.next()?;
    targeted.next().is_none().then_some(*first)
}

fn reaches(target: &ServicePort, port: &ContainerPort<'_>) -> bool {
    let is_tcp = target.protocol.is_empty() || target.protocol == "TCP";
    let is_number = target.target_port.parse() == Ok(port.container_port);
    is_tcp && (is_number || !port.name.is_empty() && port.name == *target.target_port)
}

/// How a probe names a declared port: by name, which survives a change of the number, where one port alone has it and the
/// API server takes it.
pub(super) fn reference(
    container: &Container<'_>,
    port: &ContainerPort<'_>,
) -> IntOrString<'static> {
    let same_name = container
        .ports
        .iter()
        .filter(|other| other.name == port.name);
    if !is_port_name(&port.name) || same_name.count() > 1 {
        IntOrString::Int(port.container_port)
    } else {
        IntOrString::String(Text::from(port.name.to_string()))
    }
}

/// Whether a text is a port's name (RFC 6335, `IsValidPortName` in kubernetes/apimachinery).
fn is_port_name(text: &str) -> bool {
    const LONGEST: usize = 15;
    text.len() <= LONGEST
        && is_dns_label(text)
        && !text.contains("--")
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Whether the program is told to listen on that port for the pod itself only, where no probe reaches it.
pub(super) fn is_loopback_only(container: &Container<'_>, port: i64) -> bool {
    loopback_ports(container).any(|other| other == port)
}

fn loopback_ports<'c>(container: &'c Container<'_>) -> impl Iterator<Item = i64> + 'c {
    words(container).filter_map(|word| {
        let (address, number) = word.rsplit_once(':')?;
        let is_loopback = (address.ends_with("127.0.0.1") || address.ends_with("localhost"))
            && word.contains("listen");
        number.parse().ok().filter(|_| is_loopback)
    })
}

fn describe(port: &ContainerPort<'_>) -> String {
    if port.name.is_empty() {
        port.container_port.to_string()
    } else {
        format!("{} ({})", port.name, port.container_port)
    }
}
