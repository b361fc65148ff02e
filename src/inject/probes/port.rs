//! Which declared port a probe asks where only the ports speak.

use super::catalogue::{Loopback, is_metrics, serves_tls};
use super::{NoProbe, Site, governing_service};
use crate::cluster_view::{Service, ServicePort};
use crate::model::name::is_dns_label;
use crate::statefulset::set::{Container, ContainerPort};
use crate::statefulset::view::{IntOrString, Text};

/// The names that say which of several ports serves clients, best first.
const CLIENT_PORTS: [&str; 6] = ["http", "https", "web", "grpc", "tcp", "client"];

/// The ports that are off where the program serves TLS.
const PLAIN_PORTS: [i64; 2] = [80, 8080];

/// The one declared TCP port, or the one that the governing Service targets, or of several the one with a client's name.
pub(super) fn infer<'c, 'a>(
    site: Site<'_>,
    container: &'c Container<'a>,
) -> Result<&'c ContainerPort<'a>, NoProbe> {
    let serving = || container.tcp_ports().filter(|port| !is_metrics(&port.name));
    if serving().next().is_none() {
        return Err(NoProbe::NoPort);
    }
    let loopback = Loopback::of(container);
    let reachable = serving().filter(|port| !loopback.holds(port.container_port));
    let mut ports: Vec<_> = reachable.collect();
    if ports.is_empty() {
        return Err(NoProbe::Loopback);
    }
    if serves_tls(container) {
        ports.retain(|port| !is_plain(port));
    }
    match ports[..] {
        [] => Err(NoProbe::PlainPortOff),
        [port] => Ok(port),
        _ => of_several(site, &ports),
    }
}

fn is_plain(port: &ContainerPort<'_>) -> bool {
    let is_named = matches!(&*port.name, "http" | "web");
    is_named || PLAIN_PORTS.contains(&port.container_port)
}

/// Which of several ports: what Services target is better evidence than a name, unless they do not agree, or the governing one may
/// select the pods of another set, which have other ports.
fn of_several<'c, 'a>(
    site: Site<'_>,
    ports: &[&'c ContainerPort<'a>],
) -> Result<&'c ContainerPort<'a>, NoProbe> {
    let described =
        |ports: &[&ContainerPort<'_>]| ports.iter().map(|port| describe(port)).collect();
    let labels = &site.set.spec.template.metadata.labels;
    let services = site.cluster.services_selecting(site.namespace, labels);
    let mut targeted: Vec<&ContainerPort<'_>> = Vec::new();
    for service in services.found().into_iter().flatten() {
        if let Some(port) = only_target(ports, &service)
            && !targeted.contains(&port)
        {
            targeted.push(port);
        }
    }
    if targeted.len() > 1 {
        return Err(NoProbe::Targets(described(&targeted)));
    }
    let governing = governing_service(site).filter(|service| is_of_this_set(site, service));
    let governed = governing.and_then(|service| only_target(ports, &service));
    let named = || {
        let mut names = CLIENT_PORTS.iter();
        names.find_map(|name| ports.iter().find(|port| port.name == *name).copied())
    };
    governed
        .or_else(named)
        .ok_or_else(|| NoProbe::Competing(described(ports)))
}

/// Whether a Service selects by all labels that the set selects by: one that asks for fewer is made to hold more than one set.
fn is_of_this_set(site: Site<'_>, service: &Service) -> bool {
    let selector = site.set.spec.selector.as_ref();
    selector.is_none_or(|selector| {
        let mut labels = selector.match_labels.iter();
        labels.all(|(key, value)| {
            service
                .selector
                .get(&**key)
                .is_some_and(|own| own == &**value)
        })
    })
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

fn describe(port: &ContainerPort<'_>) -> String {
    if port.name.is_empty() {
        port.container_port.to_string()
    } else {
        format!("{} ({})", port.name, port.container_port)
    }
}
