//! When a container may be restarted because a probe of ours says so.
//!
//! A restart helps a process that has died inside, and harms one that recovers or waits for others. So liveness asks less
//! than readiness does, `Safe` asks it only of what waits for nobody, and before it stands a startup probe, or its own
//! patience is as long as that of one. The operator's `imageProbes` speak of readiness alone.

use super::derive::{derive, derive_any, is_silent};
use super::{Proposed, Site, is_on, safe};
use crate::catalogue;
use crate::inject::Kind;
use crate::inject::record::{Record, probe_key};
use crate::inject::work::Write;
use crate::policy::ProbeMode;
use crate::statefulset::probe::{Probe, Slot};
use crate::statefulset::set::Container;

/// The seconds that a container without a startup probe must get before it is restarted.
const PATIENCE: i64 = 600;

/// The liveness probe of a container that has none, where one may be injected.
pub(super) fn propose(
    site: Site<'_>,
    container: &Container<'_>,
    write: &Write<'_, '_>,
) -> Option<Proposed> {
    if is_silent(container) || !is_permitted(site, container) {
        return None;
    }
    let derived = derive(Slot::Liveness, site, container).ok()?;
    let proposed = derived.proposed;
    let starts = container.startup_probe.is_some()
        || write.wants(Kind::StartupProbe) && is_on(Slot::Startup, site.policy);
    (starts || is_patient(&proposed.probe)).then_some(proposed)
}

/// The startup probe of a container that has none, beside a liveness probe of ours: it asks the same, for longer.
pub(super) fn propose_startup(site: Site<'_>, container: &Container<'_>) -> Option<Proposed> {
    let beside = is_beside_ours(site.record, container);
    beside.then(|| derive_any(Slot::Startup, site, container))?
}

/// Whether liveness may be asked of a container at all.
pub(super) fn is_permitted(site: Site<'_>, container: &Container<'_>) -> bool {
    let waits = || {
        let known = catalogue::by_image(&container.image);
        known.is_some_and(catalogue::Entry::may_wait) || safe::knows_peers(site.set, container)
    };
    site.policy.inject.liveness_probe.mode == ProbeMode::Always || !waits()
}

/// Whether the user lets a liveness probe of ours stay: not one that has neither a startup probe before it nor patience.
pub(super) fn is_wanted(record: &Record, container: &Container<'_>, write: &Write<'_, '_>) -> bool {
    let own = || {
        let own = container.startup_probe.as_ref();
        own.is_some_and(|own| !is_ours(record, Slot::Startup, container, own))
    };
    let patient = || {
        let item = record.get(&probe_key(Slot::Liveness, &container.name));
        let mut values = item.into_iter().flat_map(super::settle::values);
        values.any(|ours| is_patient(&ours))
    };
    write.wants(Kind::LivenessProbe) && (write.wants(Kind::StartupProbe) || own() || patient())
}

/// Whether the container's liveness probe asks what one of ours asks.
pub(super) fn is_beside_ours(record: &Record, container: &Container<'_>) -> bool {
    let probe = container.liveness_probe.as_ref();
    probe.is_some_and(|probe| is_ours(record, Slot::Liveness, container, probe))
}

fn is_ours(record: &Record, slot: Slot, container: &Container<'_>, probe: &Probe<'_>) -> bool {
    let item = record.get(&probe_key(slot, &container.name));
    let mut values = item.into_iter().flat_map(super::settle::values);
    values.any(|ours| probe.asks_like(&ours))
}

fn is_patient(probe: &Probe<'_>) -> bool {
    let (period, failures) = (probe.period_seconds, probe.failure_threshold);
    period.unwrap_or(10).saturating_mul(failures.unwrap_or(3)) >= PATIENCE
}

#[cfg(test)]
mod tests;
