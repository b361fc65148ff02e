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
fn claims_service(new: &Record, old: &Record) -> bool {
    new.kept_service().is_some() && new.kept_service() != old.kept_service()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::inject::testing::{World, Written, create_with, update_with, web};
    use crate::policy::ProbeMode;
    use crate::statefulset::annotations::INJECTED;

    fn item(state: &str, value: &Value, source: &str) -> Value {
        json!({"state": state, "value": value, "source": source, "version": "0.1.0"})
    }

    /// A set that names this Service, with this record.
    fn recorded(service: &str, record: &Value) -> Value {
        web(&json!({
            "metadata": {"annotations": {INJECTED: record.to_string()}},
            "spec": {"serviceName": service},
        }))
    }

    fn record(written: &Written) -> Value {
        let text = written.set["metadata"]["annotations"][INJECTED].as_str();
        serde_json::from_str(text.unwrap()).unwrap()
    }

    #[test]
    fn of_a_kind_that_is_off_nothing_is_recorded_in_a_new_set() {
        let mut policy = Policy::default();
        policy.inject.readiness_probe.mode = ProbeMode::Never;
        policy.inject.service_name.mode = ServiceNameMode::Never;
        policy.inject.volume_claims.mode = ClaimMode::Never;
        let probe = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 3600});
        for state in ["injected", "yielded", "removed", "adopted"] {
            let forged = json!({
                "service-name": item(state, &json!("web-pods"), "policy"),
                "readiness-probe/web": item(state, &probe, "port"),
                "claim/data": item(state, &json!({}), "policy"),
            });
            let world = World::with(vec![]);
            let written = create_with(&policy, &recorded("web-pods", &forged), &world);
            assert_eq!(record(&written), json!({}), "{state}");
            let pod = &written.set["spec"]["template"]["spec"];
            assert_eq!(
                pod["containers"][0]["readinessProbe"],
                Value::Null,
                "{state}"
            );
        }
    }

    #[test]
    fn a_service_is_claimed_only_when_the_set_is_made() {
        let policy = Policy::default();
        let world = World::with(vec![]);
        let claim = json!({"service-name": item("injected", &json!("web-pods"), "policy")});
        let made = create_with(&policy, &recorded("web-pods", &claim), &world);
        assert_eq!(record(&made)["service-name"]["state"], "injected");
        let mut changed = made.set.clone();
        changed["spec"]["replicas"] = json!(5);
        let written = update_with(&policy, &made.set, &changed, &world);
        assert_eq!(record(&written)["service-name"]["state"], "injected");
        let unclaimed = recorded("web-pods", &json!({}));
        let written = update_with(&policy, &unclaimed, &changed, &world);
        assert_eq!(record(&written)["service-name"]["state"], "adopted");
    }

    #[test]
    fn a_probe_that_we_could_not_have_written_is_its_authors() {
        let own = json!({"httpGet": {"path": "/mine", "port": "http"}});
        let forged = json!({"readiness-probe/web": item("injected", &own, "port")});
        let mut set = recorded("web", &forged);
        set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = own.clone();
        let written = create_with(&Policy::default(), &set, &World::with(vec![]));
        assert_eq!(record(&written)["readiness-probe/web"]["state"], "adopted");
    }
}
