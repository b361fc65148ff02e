//! Which readiness probe a container would get, and why it gets none.

use std::sync::Arc;

use crate::cluster::{ClusterView, Lookup, Service};
use crate::policy::{ProbeMode, ReadinessProbe};
use crate::subject::probe::Probe;
use crate::subject::set::{Container, Set};

use super::catalogue;
use super::record::{Item, Record, readiness_key};
use super::work::Work;
use super::{Kind, Origin, Tag};

mod derive;
mod port;
mod safe;
mod settle;
mod side;

pub(super) use settle::settle;

/// The source of a probe of a declared port.
pub(super) const SOURCE_PORT: &str = "port";
/// What the name of a catalogue entry is put behind to name it as a source.
pub(super) const SOURCE_CATALOGUE: &str = "catalogue/";

/// What a proposal rests on.
#[derive(Clone, Copy)]
pub struct Site<'s> {
    /// When probes are injected, and their numbers.
    pub policy: &'s ReadinessProbe,
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
        /// The governing Service, where the set names one.
        service: Option<String>,
    },
    /// None: these ports compete, by name or number.
    Competing(Vec<String>),
    /// None: no port serves anything but metrics.
    NoPort,
    /// None, and nothing to say: a side container, or a system that must never get one.
    Silent,
}

/// A probe and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    /// The probe, every field that the API server would fill in written out.
    pub probe: Probe<'static>,
    /// `port`, or `catalogue/<entry>`.
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
    let governing = governing_service(site);
    let derived = match derive::derive(site.policy, container, governing.as_ref()) {
        Ok(derived) => derived,
        Err(none) if none.is_empty() => return Proposal::NoPort,
        Err(competing) => return Proposal::Competing(competing),
    };
    let safe = site.policy.mode == ProbeMode::Always
        || derived.entry.is_some_and(|entry| entry.node_local)
        || safe::cannot_block(site, governing.as_ref())
        || catalogue::by_image(&container.image).is_none()
            && safe::is_plain_web(site.set, container);
    if safe {
        return Proposal::Probe(derived.proposed);
    }
    let service = &*site.set.spec.service_name;
    Proposal::HeldBack {
        probe: derived.proposed,
        service: (!service.is_empty()).then(|| service.to_owned()),
    }
}

/// Gives every container of a new set the probe that it lacks; what the record knows is decided.
pub(super) fn inject(work: &mut Work<'_, '_>) {
    if work.policy.inject.readiness_probe.mode == ProbeMode::Never {
        return;
    }
    for index in 0..work.draft.set().spec.template.spec.containers.len() {
        inject_into(work, index);
    }
}

fn inject_into(work: &mut Work<'_, '_>, index: usize) {
    let site = Site {
        policy: &work.policy.inject.readiness_probe,
        namespace: work.namespace,
        set: work.draft.set(),
        record: &work.record,
        cluster: work.cluster,
    };
    let Some(container) = site.set.spec.template.spec.containers.get(index) else {
        return;
    };
    let key = readiness_key(&container.name);
    if container.readiness_probe.is_some() || work.record.get(&key).is_some() {
        return;
    }
    let Proposal::Probe(proposed) = propose(site, container) else {
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
    work.draft.set_readiness_probe(index, proposed.probe);
    work.record.insert(key.clone(), item);
    work.injected(Kind::ReadinessProbe, origin, key);
    work.note(
        Tag::Injected,
        format!("/spec/template/spec/containers/{index}/readinessProbe"),
        message,
    );
}

impl Proposed {
    /// The probe in a few words.
    fn describe(&self) -> String {
        let entry = self.source.strip_prefix(SOURCE_CATALOGUE);
        let what = entry.map_or_else(
            || "tcpSocket".to_owned(),
            |entry| format!("what suits {entry}"),
        );
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
