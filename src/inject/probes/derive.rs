//! The probe that fits a container: of the policy, else of the catalogue, else of its ports.

use super::catalogue::{self, Ask, Entry, Loopback, Recipe, ServedPort, Timings};
use super::{
    NoProbe, Proposed, SOURCE_CATALOGUE, SOURCE_IMAGE, SOURCE_PORT, Site, image, liveness, port,
    safe, side,
};
use crate::inject::record::Earlier;
use crate::policy::Inject;
use crate::statefulset::probe::{Exec, HttpGet, Probe, Slot, TcpSocket};
use crate::statefulset::set::Container;
use crate::statefulset::view::{IntOrString, Text};

/// What a container would get whatever `Safe` says.
pub(super) fn derive_any(
    slot: Slot,
    site: Site<'_>,
    container: &Container<'_>,
) -> Option<Proposed> {
    if !is_permitted(slot, site, container) {
        return None;
    }
    let derived = derive(slot, site, container).ok()?;
    Some(derived.proposed)
}

/// The same, from the source of an earlier probe alone.
pub(super) fn derive_from(
    source: &str,
    slot: Slot,
    site: Site<'_>,
    container: &Container<'_>,
) -> Option<Proposed> {
    if !is_permitted(slot, site, container) {
        return None;
    }
    if source == SOURCE_PORT {
        return from_ports(slot, site, container).ok();
    }
    let derived = if source.starts_with(SOURCE_IMAGE) {
        image::derive(site, container)
    } else {
        from_catalogue(slot, site, container)
    };
    let proposed = derived?.proposed;
    Some(proposed).filter(|proposed| proposed.source == source)
}

/// Whether a container may have such a probe of ours: one that is put to sleep answers nothing, and none may be restarted
/// that `Safe` protects.
pub(super) fn is_permitted(slot: Slot, site: Site<'_>, container: &Container<'_>) -> bool {
    !is_silent(container) && (slot == Slot::Readiness || liveness::is_permitted(site, container))
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
        let answers = |ask: Ask| is_asked(ask, recorded, probe) && entry.answers(ask, container);
        catalogue::running(container) == Some(entry) && asks(entry).any(answers)
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
pub(super) fn holds(
    recorded: &Earlier,
    slot: Slot,
    site: Site<'_>,
    container: &Container<'_>,
    probe: &Probe<'_>,
) -> bool {
    if !is_permitted(slot, site, container) {
        return false;
    }
    if recorded.source.starts_with(SOURCE_IMAGE) {
        let stated = image::derive(site, container).filter(|_| slot == Slot::Readiness);
        return stated.is_some_and(|stated| stated.proposed.probe == *probe);
    }
    founded(recorded, container, probe) && is_of_source(recorded, probe) && has_our_numbers(probe)
}

/// Whether the numbers may be those of some policy: what the server refuses would come back with every write.
fn has_our_numbers(probe: &Probe<'_>) -> bool {
    let seconds = [probe.period_seconds, probe.timeout_seconds];
    let failures = probe.failure_threshold;
    seconds
        .into_iter()
        .flatten()
        .all(|number| (1..=3600).contains(&number))
        && failures.is_none_or(|number| (1..=10_000).contains(&number))
        && probe.success_threshold.is_none_or(|number| number == 1)
        && probe.initial_delay_seconds.is_none()
        && probe.termination_grace_period_seconds.is_none()
}

/// Every way in which a system is asked, for readiness or liveness.
fn asks(entry: &'static Entry) -> impl Iterator<Item = Ask> {
    let recipes = entry.recipes.iter();
    recipes.flat_map(|recipe| [recipe.ask, recipe.liveness()])
}

fn is_of_source(recorded: &Earlier, probe: &Probe<'_>) -> bool {
    let entry = recorded.source.strip_prefix(SOURCE_CATALOGUE);
    match entry.map(catalogue::named) {
        Some(Some(entry)) => asks(entry).any(|ask| is_asked(ask, recorded, probe)),
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
    asking(ask, port, number).asks_like(probe)
}

/// A probe that fits a container, whether or not it is safe for the set.
pub(super) struct Derived {
    pub(super) proposed: Proposed,
    /// Whether it passes on a member that has no peers.
    pub(super) node_local: bool,
}

/// The probe of a container, or why there is none.
pub(super) fn derive(
    slot: Slot,
    site: Site<'_>,
    container: &Container<'_>,
) -> Result<Derived, NoProbe> {
    let stated = (slot == Slot::Readiness)
        .then(|| image::derive(site, container))
        .flatten();
    if let Some(derived) = stated.or_else(|| from_catalogue(slot, site, container)) {
        return Ok(derived);
    }
    let proposed = from_ports(slot, site, container)?;
    Ok(Derived {
        proposed,
        node_local: false,
    })
}

fn from_ports(slot: Slot, site: Site<'_>, container: &Container<'_>) -> Result<Proposed, NoProbe> {
    let port = port::infer(site, container)?;
    let socket = TcpSocket {
        port: port::reference(container, port),
        ..TcpSocket::default()
    };
    let probe = Probe {
        tcp_socket: Some(socket),
        ..numbers(slot, &site.policy.inject, Timings::default())
    };
    Ok(Proposed {
        probe,
        source: SOURCE_PORT.to_owned(),
        port: None,
    })
}

fn from_catalogue(slot: Slot, site: Site<'_>, container: &Container<'_>) -> Option<Derived> {
    let entry = catalogue::running(container)?;
    let (recipe, served) = entry.recipe(container)?;
    let ask = asked(slot, recipe);
    let number = match served {
        ServedPort::Declared(port) => port.container_port,
        ServedPort::Own(number) => number,
    };
    let asks_from_outside = !matches!(ask, Ask::Shell(_));
    if asks_from_outside && Loopback::of(container).holds(number) {
        return None;
    }
    let reference = match served {
        ServedPort::Declared(port) => port::reference(container, port),
        ServedPort::Own(number) => IntOrString::Int(number),
    };
    let probe = asking(ask, reference, number);
    Some(Derived {
        proposed: Proposed {
            probe: Probe {
                exec: probe.exec,
                http_get: probe.http_get,
                tcp_socket: probe.tcp_socket,
                ..numbers(slot, &site.policy.inject, entry.at_least)
            },
            source: format!("{SOURCE_CATALOGUE}{}", entry.name),
            port: (!asks_from_outside).then_some(number),
        },
        node_local: entry.node_local && safe::runs_plainly(site.set, container),
    })
}

fn asked(slot: Slot, recipe: &Recipe) -> Ask {
    match slot {
        Slot::Readiness => recipe.ask,
        Slot::Liveness | Slot::Startup => recipe.liveness(),
    }
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

/// The policy's numbers, or those below which the system must not go, each of which the API server would otherwise fill in:
/// what is stored is then what the record says.
pub(super) fn numbers(slot: Slot, policy: &Inject, at_least: Timings) -> Probe<'static> {
    let (ready, alive, started) = (
        &policy.readiness_probe,
        &policy.liveness_probe,
        &policy.startup_probe,
    );
    let (period, timeout, failures) = match slot {
        Slot::Readiness => (
            ready.period_seconds,
            ready.timeout_seconds,
            ready.failure_threshold,
        ),
        Slot::Liveness => (
            alive.period_seconds,
            alive.timeout_seconds,
            alive.failure_threshold,
        ),
        Slot::Startup => (
            started.period_seconds,
            alive.timeout_seconds,
            started.failure_threshold,
        ),
    };
    Probe {
        period_seconds: Some(period.max(at_least.period_seconds)),
        timeout_seconds: Some(timeout.max(at_least.timeout_seconds)),
        success_threshold: Some(1),
        failure_threshold: Some(failures.max(at_least.failure_threshold)),
        ..Probe::default()
    }
}
