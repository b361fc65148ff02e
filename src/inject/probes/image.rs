//! The probes that a policy states for images of the operator's own.

use super::derive::{Derived, numbers};
use super::{Proposed, SOURCE_IMAGE, Site};
use crate::catalogue::{Timings, repository};
use crate::policy::ImageProbe;
use crate::statefulset::probe::{Probe, Slot};
use crate::statefulset::set::Container;
use crate::statefulset::view::IntOrString;

/// The probe that the policy states for the container's image. It wins over all that is derived, and counts as one that a
/// member answers by itself: whoever wrote it for exactly this image knows.
pub(super) fn derive(site: Site<'_>, container: &Container<'_>) -> Option<Derived> {
    let stated = stated(site, container)?;
    let own = &stated.readiness;
    let numbers = numbers(Slot::Readiness, &site.policy.inject, Timings::default());
    let probe = Probe {
        period_seconds: own.period_seconds.or(numbers.period_seconds),
        timeout_seconds: own.timeout_seconds.or(numbers.timeout_seconds),
        success_threshold: own.success_threshold.or(numbers.success_threshold),
        failure_threshold: own.failure_threshold.or(numbers.failure_threshold),
        ..own.clone()
    };
    Some(Derived {
        proposed: Proposed {
            probe,
            source: format!("{SOURCE_IMAGE}{}", site.policy.name),
            port: None,
        },
        node_local: true,
    })
}

/// The first statement that fits: its image is the container's, with or without registry and organisation, and a port that it
/// names is declared there.
fn stated<'s>(site: Site<'s>, container: &Container<'_>) -> Option<&'s ImageProbe> {
    let repository = repository(&container.image);
    let name = repository.rsplit('/').next().unwrap_or(repository);
    let mut stated = site.policy.inject.image_probes.iter();
    stated.find(|stated| {
        let is_its_image = stated.image.matches(repository) || stated.image.matches(name);
        is_its_image && is_declared(container, &stated.readiness)
    })
}

/// Whether a port that the probe names is declared; numbers need not be.
pub(super) fn is_declared(container: &Container<'_>, probe: &Probe<'_>) -> bool {
    match probe.port() {
        Some(IntOrString::String(name)) => container.tcp_ports().any(|port| port.name == *name),
        _ => true,
    }
}

/// Whether a probe that a policy stated is still for the container: its image is the one that it was, whatever the policy
/// says today.
pub(super) fn is_founded(
    container: &Container<'_>,
    old: Option<&Container<'_>>,
    probe: &Probe<'_>,
) -> bool {
    let same = |old: &Container<'_>| repository(&old.image) == repository(&container.image);
    old.is_none_or(same) && is_declared(container, probe)
}

#[cfg(test)]
mod tests;
