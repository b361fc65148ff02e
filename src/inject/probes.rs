//! Which probes a container would get, and why it gets none.

use std::sync::Arc;

use crate::cluster_view::{ClusterView, Lookup, Service};
use crate::model::pointer::container_field;
use crate::policy::{Policy, ProbeMode, StartupMode};
use crate::statefulset::probe::{Probe, Slot};
use crate::statefulset::set::{Container, Set};

use super::record::{Item, Record, probe_key};
use super::work::{Work, Write};
use super::{Origin, Tag};
use crate::catalogue;

mod bound;
mod derive;
mod image;
mod liveness;
mod port;
mod safe;
mod settle;
mod side;

pub(super) use bound::not_ours;
pub(super) use settle::settle;

/// The source of a probe of a declared port.
pub(super) const SOURCE_PORT: &str = "port";
/// What the name of a catalogue entry is put behind to name it as a source.
pub(super) const SOURCE_CATALOGUE: &str = "catalogue/";
/// What the name of a policy is put behind that states the probe for the image.
pub(super) const SOURCE_IMAGE: &str = "policy/";

/// What a proposal rests on.
#[derive(Clone, Copy)]
pub struct Site<'s> {
    /// When probes are injected, and with which numbers.
    pub policy: &'s Policy,
    /// The set's namespace.
    pub namespace: &'s str,
    /// The set, with its `serviceName` as it will be.
    pub set: &'s Set<'s>,
    /// What was injected into it.
    pub record: &'s Record,
    /// The cluster around it.
    pub cluster: &'s dyn ClusterView,
}

/// What a container without a readiness probe would get.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposal {
    /// This probe.
    Probe(Proposed),
    /// None: it could stop the set from forming.
    HeldBack {
        /// The probe that `Always` would inject.
        probe: Proposed,
        /// Why it could.
        risk: Risk,
    },
    /// None fits.
    NoProbe(NoProbe),
    /// None, and nothing to say: a side container, or a system that must never get one.
    Silent,
}

/// Why no probe fits a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoProbe {
    /// These ports compete, by name or number.
    Competing(Vec<String>),
    /// The Services that select the pods target these different ports.
    Targets(Vec<String>),
    /// The program listens where the kubelet does not reach it.
    Loopback,
    /// The program serves TLS, and only a port for plain requests is declared.
    PlainPortOff,
    /// No port serves anything but metrics.
    NoPort,
}

/// How a probe could stop a set from forming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Names of pods may be hidden until they are ready, by the governing Service where the set names one.
    HiddenNames(Option<String>),
    /// It may pass only with the peers, and `OrderedReady` creates them once it has passed.
    NeedsPeers,
}

/// A probe and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    /// The probe, every field that the API server would fill in written out.
    pub probe: Probe<'static>,
    /// `port`, `catalogue/<entry>`, or `policy/<policy>`.
    pub source: String,
    /// The number of the port that a script asks.
    pub port: Option<i64>,
}

/// What the container would get if it has no readiness probe; the policy's mode `Never` counts as `Safe` here.
#[must_use]
pub fn propose(site: Site<'_>, container: &Container<'_>) -> Proposal {
    if derive::is_silent(container) {
        return Proposal::Silent;
    }
    let derived = match derive::derive(Slot::Readiness, site, container) {
        Ok(derived) => derived,
        Err(none) => return Proposal::NoProbe(none),
    };
    let is_asked = site.policy.inject.readiness_probe.mode == ProbeMode::Always;
    match safe::risk(site, container).filter(|_| !is_asked && !derived.node_local) {
        Some(risk) => Proposal::HeldBack {
            probe: derived.proposed,
            risk,
        },
        None => Proposal::Probe(derived.proposed),
    }
}

/// Gives every container of a new set the probes that it lacks; what the record knows is decided.
pub(super) fn inject(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    for index in 0..work.draft.set().spec.template.spec.containers.len() {
        for slot in Slot::ALL {
            if write.wants(slot.into()) && is_on(slot, work.policy) {
                work.step(|work| inject_into(work, write, index, slot));
            }
        }
    }
}

/// Whether the policy has probes of that kind injected at all.
pub(super) fn is_on(slot: Slot, policy: &Policy) -> bool {
    let inject = &policy.inject;
    let restarts = inject.liveness_probe.mode != ProbeMode::Never;
    match slot {
        Slot::Readiness => inject.readiness_probe.mode != ProbeMode::Never,
        Slot::Liveness => restarts,
        Slot::Startup => restarts && inject.startup_probe.mode == StartupMode::WithLiveness,
    }
}

fn inject_into(work: &mut Work<'_, '_>, write: &Write<'_, '_>, index: usize, slot: Slot) {
    let site = work.site();
    let Some(container) = site.set.container(index) else {
        return;
    };
    let key = probe_key(slot, &container.name);
    if slot.of(container).is_some() || work.record.get(&key).is_some() {
        return;
    }
    let proposed = match slot {
        Slot::Readiness => match propose(site, container) {
            Proposal::Probe(proposed) => Some(proposed),
            _ => None,
        },
        Slot::Liveness => liveness::propose(site, container, write),
        Slot::Startup => liveness::propose_startup(site, container),
    };
    let Some(proposed) = proposed else {
        return;
    };
    let Ok(value) = serde_json::to_value(&proposed.probe) else {
        return;
    };
    let message = format!(
        "added: {}; write it in the manifest, or your own",
        proposed.describe()
    );
    let origin = origin(&proposed.source);
    let item = Item {
        port: proposed.port,
        ..Item::new(value, proposed.source)
    };
    work.draft.set_probe(index, slot, proposed.probe);
    work.record.insert(key.clone(), item);
    work.injected(slot.into(), origin, key);
    work.note(Tag::Injected, container_field(index, slot.field()), message);
}

impl Proposed {
    /// The probe in a few words.
    fn describe(&self) -> String {
        let entry = self.source.strip_prefix(SOURCE_CATALOGUE);
        let policy = self.source.strip_prefix(SOURCE_IMAGE);
        let what = match (entry, policy) {
            (Some(entry), _) => format!("what suits {entry}"),
            (_, Some(policy)) => format!("what policy {policy} states for the image"),
            _ => "tcpSocket".to_owned(),
        };
        match (self.probe.port(), self.port) {
            (Some(port), _) => format!("{what}, port {port}"),
            (None, Some(port)) => format!("{what}, port {port}"),
            (None, None) => what,
        }
    }
}

fn origin(source: &str) -> Origin {
    if source.starts_with(SOURCE_CATALOGUE) {
        Origin::Catalogue
    } else if source.starts_with(SOURCE_IMAGE) {
        Origin::Policy
    } else {
        Origin::Port
    }
}

fn governing_service(site: Site<'_>) -> Option<Arc<Service>> {
    let name = &*site.set.spec.service_name;
    if name.is_empty() {
        return None;
    }
    match site.cluster.service(site.namespace, name) {
        Lookup::Found(service) => Some(service),
        Lookup::Absent | Lookup::Unknown => None,
    }
}

#[cfg(test)]
mod tests;
