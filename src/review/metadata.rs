//! A write that leaves the spec as it is: not judged, and changed in one case only.

use json_patch::PatchOperation;
use serde_json::value::RawValue;

use super::{Verdict, policy_for};
use crate::cluster_view::ClusterView;
use crate::inject::bind::{claims_service, without_service};
use crate::inject::record::Record;
use crate::patch::Draft;
use crate::policy::Policies;
use crate::statefulset::annotations::INJECTED;
use crate::statefulset::set::Set;
use crate::statefulset::{Source, Subject, Undecodable};

/// Takes from a record the claim of a Service that the stored record does not make, under a policy that asks for the author's right
/// to create Services: he was asked about when the set was made. Answers `None` for every other write.
///
/// # Errors
///
/// [`Undecodable`] if a field that is read has the wrong type.
pub fn disclaim_service(
    policies: &Policies,
    source: Source<'_>,
    cluster: &dyn ClusterView,
) -> Result<Option<Verdict>, Undecodable> {
    let Some(old_object) = source.old_object else {
        return Ok(None);
    };
    if !policies
        .iter()
        .any(|policy| policy.asks_for_service_rights())
    {
        return Ok(None);
    }
    let new = record(source.object)?;
    if !claims_service(&new, &record(old_object)?) {
        return Ok(None);
    }
    let alone = Source {
        old_object: None,
        ..source
    };
    let Some(subject) = Subject::decode(alone)? else {
        return Ok(None);
    };
    let policy = policy_for(policies, &subject, cluster);
    let is_asked = policy.is_some_and(|policy| policy.asks_for_service_rights());
    Ok(is_asked.then(|| Verdict {
        operations: disclaimed(subject.set, new),
        ..Verdict::default()
    }))
}

fn record(object: &RawValue) -> Result<Record, Undecodable> {
    let set: Set<'_> = serde_json::from_str(object.get())?;
    Ok(Record::of(&set).unwrap_or_default())
}

fn disclaimed(set: Set<'_>, record: Record) -> Vec<PatchOperation> {
    let mut draft = Draft::new(set);
    if let Ok(text) = without_service(record).to_json() {
        draft.annotate(INJECTED, &text);
    }
    draft.finish().1
}
