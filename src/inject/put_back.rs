//! What a write dropped of the fields that cannot change: without it the API server refuses a write that its user believes
//! to change nothing, such as `kubectl replace` of the original file.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::record::{Item, SERVICE_NAME, claim_key, completion_key};
use super::work::Work;
use super::{Kind, Origin, Tag};
use crate::statefulset::Old;
use crate::statefulset::claim_equality::is_same_claim;
use crate::statefulset::set::Claim;

/// Puts back `serviceName`.
pub(super) fn service_name(work: &mut Work<'_, '_>, old: &Old<'_>) {
    let stored = &*old.set.spec.service_name;
    let recorded = work
        .record
        .get(SERVICE_NAME)
        .and_then(|item| item.value.as_str());
    if stored.is_empty()
        || recorded != Some(stored)
        || !work.draft.set().spec.service_name.is_empty()
    {
        return;
    }
    work.draft.set_service_name(stored);
    work.injected(Kind::ServiceName, Origin::Record, SERVICE_NAME.to_owned());
    work.note(
        Tag::Injected,
        "/spec/serviceName",
        format!("{stored:?} put back: it cannot change; write it in the manifest"),
    );
}

/// Puts back claims at their old places, and what was filled into the user's own.
///
/// `volumeClaimTemplates` is an atomic list: the plain re-apply of a file that has other claims sends the list without ours.
pub(super) fn claims(work: &mut Work<'_, '_>, old: &Old<'_>) {
    let names = |claims: &[Claim<'_>]| -> Vec<String> {
        claims
            .iter()
            .map(|claim| claim.metadata.name.to_string())
            .collect()
    };
    let wanted = names(&work.draft.set().spec.volume_claim_templates);
    let stored = names(&old.set.spec.volume_claim_templates);
    let known: HashSet<&String> = wanted.iter().collect();
    let is_dropped = |index: &usize| {
        stored
            .get(*index)
            .is_some_and(|name| !known.contains(name) && is_ours(work, old, *index, name))
    };
    let dropped: BTreeSet<usize> = (0..stored.len()).filter(is_dropped).collect();
    let rest = stored
        .iter()
        .enumerate()
        .filter(|(index, _)| !dropped.contains(index));
    if rest.map(|(_, name)| name).eq(&wanted) {
        for index in dropped {
            put_back_claim(work, old, index);
        }
    }
    for index in 0..work.draft.set().spec.volume_claim_templates.len() {
        complete_again(work, old, index);
    }
}

/// Whether the stored claim is exactly the one that the record says we added.
fn is_ours(work: &Work<'_, '_>, old: &Old<'_>, index: usize, name: &str) -> bool {
    let item = work.record.get(&claim_key(name));
    item.zip(stored_claim(old, index))
        .is_some_and(|(item, stored)| is_same_claim(&item.value, &stored))
}

fn stored_claim(old: &Old<'_>, index: usize) -> Option<Value> {
    serde_json::from_str(old.raw_claims().get(index)?).ok()
}

fn put_back_claim(work: &mut Work<'_, '_>, old: &Old<'_>, index: usize) {
    let Some(claim) = stored_claim(old, index) else {
        return;
    };
    let Some(name) = old.set.spec.volume_claim_templates.get(index) else {
        return;
    };
    let name = &*name.metadata.name;
    if work.draft.insert_claim(index, claim).is_err() {
        return;
    }
    work.injected(Kind::VolumeClaims, Origin::Record, claim_key(name));
    work.note(
        Tag::Injected,
        format!("/spec/volumeClaimTemplates/{index}"),
        format!("claim {name:?} put back: it cannot change; write it in the manifest"),
    );
}

/// Fills in again what a claim lacked when the set was made, as it is stored.
fn complete_again(work: &mut Work<'_, '_>, old: &Old<'_>, index: usize) {
    let Some(claim) = work.draft.set().spec.volume_claim_templates.get(index) else {
        return;
    };
    if claim.has_access_modes() && claim.has_storage_request() {
        return;
    }
    let key = completion_key(&claim.metadata.name);
    let stored = old.set.spec.claim(&claim.metadata.name);
    let held = work
        .record
        .get(&key)
        .zip(stored)
        .filter(|(item, stored)| holds(stored, item));
    let Some((modes, storage)) = held.map(|(_, stored)| filled_in(stored)) else {
        return;
    };
    work.draft.complete_claim(index, &modes, &storage);
    work.injected(Kind::VolumeClaims, Origin::Record, key);
    work.note(
        Tag::Injected,
        format!("/spec/volumeClaimTemplates/{index}/spec"),
        "what it lacks was put back: claims cannot change; write it in the manifest".to_owned(),
    );
}

/// Whether the stored claim holds exactly what the record says was filled in.
fn holds(stored: &Claim<'_>, item: &Item) -> bool {
    let (modes, storage) = filled_in(stored);
    let said = |key: &str, value: Value| item.value.get(key).is_none_or(|said| *said == value);
    let sized =
        |storage: &Value| json!({"spec": {"resources": {"requests": {"storage": storage}}}});
    said("accessModes", json!(modes))
        && item
            .value
            .get("storage")
            .is_none_or(|said| is_same_claim(&sized(said), &sized(&json!(storage))))
}

/// The access modes and the size of a claim.
fn filled_in(claim: &Claim<'_>) -> (Vec<String>, String) {
    let Some(spec) = &claim.spec else {
        return (Vec::new(), String::new());
    };
    let modes = spec.access_modes.iter().map(ToString::to_string).collect();
    let requests = spec
        .resources
        .as_ref()
        .and_then(|resources| resources.requests.as_ref());
    let storage = requests.and_then(|requests| requests.get("storage"));
    (modes, storage.map(ToString::to_string).unwrap_or_default())
}
