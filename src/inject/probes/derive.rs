//! The probe that fits a container: of the catalogue, else of its ports.

use std::sync::Arc;

use super::catalogue::{self, Ask, Entry, Recipe, ServedPort};
use super::{Proposed, SOURCE_CATALOGUE, SOURCE_PORT, Site, governing_service, port, side};
use crate::cluster::Service;
use crate::inject::record::Earlier;
use crate::policy::ReadinessProbe;
use crate::subject::probe::{Exec, HttpGet, Probe, TcpSocket};
use crate::subject::set::Container;
use crate::subject::view::{IntOrString, Text};

/// What a container would get whatever `Safe` says.
pub(super) fn derive_any(site: Site<'_>, container: &Container<'_>) -> Option<Proposed> {
    if is_silent(container) {
        return None;
    }
    let governing = governing_service(site);
    let derived = derive(site.policy, container, governing.as_ref()).ok()?;
    Some(derived.proposed)
}

/// The same, from the source of an earlier probe alone.
pub(super) fn derive_from(
    source: &str,
    site: Site<'_>,
    container: &Container<'_>,
) -> Option<Proposed> {
    if is_silent(container) {
        return None;
    }
    if source == SOURCE_PORT {
        let governing = governing_service(site);
        return from_ports(site.policy, container, governing.as_ref()).ok();
    }
    let derived = from_catalogue(site.policy, container)?;
    Some(derived.proposed).filter(|proposed| proposed.source == source)
}

/// Whether nothing is ever said of the container: a side container, a system that must never get a probe, or a container
/// that is only kept waiting.
pub(super) fn is_silent(container: &Container<'_>) -> bool {
    side::is_side_container(container)
        || catalogue::only_waits(container)
        || catalogue::by_image(&container.image).is_some_and(Entry::never_probed)
}

/// Whether what a recorded probe rests on is still there: its port, and for one of the catalogue the program.
pub(super) fn founded(recorded: &Earlier, container: &Container<'_>, probe: &Probe<'_>) -> bool {
    let entry = recorded
        .source
        .strip_prefix(SOURCE_CATALOGUE)
        .and_then(catalogue::named);
    let fits = entry.is_none_or(|entry| {
        let asked = |recipe: &&Recipe| is_asked(recipe.ask, recorded, probe);
        let recipe = entry.recipes.iter().find(asked);
        catalogue::running(container) == Some(entry)
            && recipe.is_some_and(|recipe| entry.answers(recipe.ask, container))
    });
    let mut ports = container.tcp_ports();
    let undeclared = entry.is_some() && container.tcp_ports().next().is_none();
    fits && match probe.port() {
        Some(IntOrString::String(name)) => ports.any(|port| port.name == *name),
        Some(IntOrString::Int(number)) => {
            undeclared || ports.any(|port| port.container_port == *number)
        }
        None => undeclared || ports.any(|port| Some(port.container_port) == recorded.port),
    }
}

/// Whether a recorded probe is founded, and one that we could have written: the record could be forged.
pub(super) fn holds(recorded: &Earlier, container: &Container<'_>, probe: &Probe<'_>) -> bool {
    founded(recorded, container, probe)
        && !is_silent(container)
        && is_of_source(recorded, probe)
        && has_our_numbers(probe)
}

/// Whether the numbers may be those of some policy: what the server refuses would come back with every write.
fn has_our_numbers(probe: &Probe<'_>) -> bool {
    let numbers = [
        probe.period_seconds,
        probe.timeout_seconds,
        probe.failure_threshold,
    ];
    numbers
        .into_iter()
        .flatten()
        .all(|number| (1..=3600).contains(&number))
        && probe.success_threshold.is_none_or(|number| number == 1)
        && probe.initial_delay_seconds.is_none()
        && probe.termination_grace_period_seconds.is_none()
}

fn is_of_source(recorded: &Earlier, probe: &Probe<'_>) -> bool {
    let entry = recorded.source.strip_prefix(SOURCE_CATALOGUE);
    match entry.map(catalogue::named) {
        Some(Some(entry)) => entry
            .recipes
            .iter()
            .any(|recipe| is_asked(recipe.ask, recorded, probe)),
        Some(None) => false,
        None => recorded.source == SOURCE_PORT && is_asked(Ask::Tcp, recorded, probe),
    }
}

/// Whether a recorded probe asks like this.
fn is_asked(ask: Ask, recorded: &Earlier, probe: &Probe<'_>) -> bool {
    let number = recorded.port.unwrap_or_default();
    let port = match probe.port() {
        Some(IntOrString::String(name)) => IntOrString::String(Text::from(name.to_string())),
        Some(IntOrString::Int(number)) => IntOrString::Int(*number),
        None => IntOrString::Int(number),
    };
    let expected = asking(ask, port, number);
    expected.exec == probe.exec
        && expected.http_get == probe.http_get
        && expected.tcp_socket == probe.tcp_socket
        && probe.grpc.is_none()
}

/// A probe that fits a container, whether or not it is safe for the set.
pub(super) struct Derived {
    pub(super) proposed: Proposed,
    pub(super) entry: Option<&'static Entry>,
}

/// The probe of a container, or the ports that compete.
pub(super) fn derive(
    policy: &ReadinessProbe,
    container: &Container<'_>,
    governing: Option<&Arc<Service>>,
) -> Result<Derived, Vec<String>> {
    if let Some(derived) = from_catalogue(policy, container) {
        return Ok(derived);
    }
    let proposed = from_ports(policy, container, governing)?;
    Ok(Derived {
        proposed,
        entry: None,
    })
}

fn from_ports(
    policy: &ReadinessProbe,
    container: &Container<'_>,
    governing: Option<&Arc<Service>>,
) -> Result<Proposed, Vec<String>> {
    let port = port::infer(container, governing.map(|service| &**service))?;
    let socket = TcpSocket {
        port: port::reference(container, port),
        ..TcpSocket::default()
    };
    let probe = Probe {
        tcp_socket: Some(socket),
        ..numbers(policy)
    };
    Ok(Proposed {
        probe,
        source: SOURCE_PORT.to_owned(),
        port: None,
    })
}

fn from_catalogue(policy: &ReadinessProbe, container: &Container<'_>) -> Option<Derived> {
    let entry = catalogue::running(container)?;
    let (recipe, served) = entry.recipe(container)?;
    let number = match served {
        ServedPort::Declared(port) => port.container_port,
        ServedPort::Own(number) => number,
    };
    let asks_from_outside = !matches!(recipe.ask, Ask::Shell(_));
    if asks_from_outside && port::is_loopback_only(container, number) {
        return None;
    }
    let reference = match served {
        ServedPort::Declared(port) => port::reference(container, port),
        ServedPort::Own(number) => IntOrString::Int(number),
    };
    let probe = asking(recipe.ask, reference, number);
    Some(Derived {
        proposed: Proposed {
            probe: Probe {
                exec: probe.exec,
                http_get: probe.http_get,
                tcp_socket: probe.tcp_socket,
                ..numbers(policy)
            },
            source: format!("{SOURCE_CATALOGUE}{}", entry.name),
            port: (!asks_from_outside).then_some(number),
        },
        entry: Some(entry),
    })
}

/// The handler alone.
fn asking(ask: Ask, port: IntOrString<'static>, number: i64) -> Probe<'static> {
    let mut probe = Probe::default();
    match ask {
        Ask::Tcp => {
            probe.tcp_socket = Some(TcpSocket {
                port,
                ..TcpSocket::default()
            });
        }
        Ask::HttpGet(path) => {
            probe.http_get = Some(HttpGet {
                path: Text::from(path),
                port,
                scheme: Text::from("HTTP"),
                ..HttpGet::default()
            });
        }
        Ask::Shell(script) => {
            let script = script.replace("{port}", &number.to_string());
            probe.exec = Some(Exec {
                command: vec![Text::from("sh"), Text::from("-c"), Text::from(script)],
            });
        }
    }
    probe
}

/// The numbers, each of which the API server would otherwise fill in: what is stored is then what the record says.
fn numbers(policy: &ReadinessProbe) -> Probe<'static> {
    Probe {
        period_seconds: Some(policy.period_seconds),
        timeout_seconds: Some(policy.timeout_seconds),
        success_threshold: Some(1),
        failure_threshold: Some(policy.failure_threshold),
        ..Probe::default()
    }
}
