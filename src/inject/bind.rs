//! What of a record counts. The record `steadyset.io/injected` is text that every author of a set may write: it is held against
//! what the policy in force would do for the set, and what that would not have made is not ours.

use super::record::{Record, SERVICE_NAME, State};
use super::work::{Work, Write};
use super::{Kind, probes, service};
use crate::policy::{ClaimMode, Policy, ServiceNameMode};
use crate::statefulset::probe::Slot;

/// Binds the record of a new set: of a kind that the policy injects nothing of nothing is ours, no tombstone of it either, and a
/// probe that we could not have written is its author's.
pub(super) fn bind_new(work: &mut Work<'_, '_>) {
    let policy = work.policy;
    work.record
        .retain(|key| kind_of(key).is_none_or(|kind| is_on(policy, kind)));
    bind_service_name(work);
    let written: Vec<String> = probes::not_ours(work.site());
    for key in written {
        work.record.set_state(&key, State::Adopted);
    }
}

/// Binds the record of an UPDATE: a Service is kept only where it was claimed before, because none is made for a set that exists,
/// and of a kind that the policy injects nothing of only that is ours which was recorded before.
pub(super) fn bind_stored(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    let policy = work.policy;
    let stored = write.old.and_then(|old| Record::of(&old.set));
    let stored = stored.unwrap_or_default();
    work.record.retain(|key| {
        stored.get(key).is_some() || kind_of(key).is_none_or(|kind| is_on(policy, kind))
    });
    if claims_service(&work.record, &stored) {
        disclaim_service(work);
    }
}

fn bind_service_name(work: &mut Work<'_, '_>) {
    let keeping = work.cluster.keeps_services();
    let (policy, namespace) = (work.policy, work.namespace);
    let kept = service::kept(policy, namespace, work.draft.set(), &work.record, keeping);
    if kept.is_none() {
        disclaim_service(work);
    }
}

fn disclaim_service(work: &mut Work<'_, '_>) {
    if work.record.kept_service().is_some() {
        work.record.set_state(SERVICE_NAME, State::Adopted);
    }
}

/// What kind of thing a key of the record names; `None` for a key that we never write.
fn kind_of(key: &str) -> Option<Kind> {
    let word = key.split('/').next().unwrap_or_default();
    match word {
        "claim" | "claim-completion" | "mount" => Some(Kind::VolumeClaims),
        word => Kind::ALL.into_iter().find(|kind| kind.word() == word),
    }
}

/// Whether a policy injects anything of a kind.
fn is_on(policy: &Policy, kind: Kind) -> bool {
    match kind {
        Kind::ServiceName => policy.inject.service_name.mode != ServiceNameMode::Never,
        Kind::VolumeClaims => policy.inject.volume_claims.mode != ClaimMode::Never,
        Kind::ReadinessProbe => probes::is_on(Slot::Readiness, policy),
        Kind::LivenessProbe => probes::is_on(Slot::Liveness, policy),
        Kind::StartupProbe => probes::is_on(Slot::Startup, policy),
    }
}

/// Whether a record claims that the controller keeps a Service which another record does not claim.
#[must_use]
pub fn claims_service(new: &Record, old: &Record) -> bool {
    new.kept_service().is_some() && new.kept_service() != old.kept_service()
}

/// The same record without that claim.
#[must_use]
pub fn without_service(mut record: Record) -> Record {
    record.set_state(SERVICE_NAME, State::Adopted);
    record
}
