//! A policy that asks for the author's own right to create Services (`inject.serviceName.requireServiceRights`): who may not is
//! linked to what is there, and has nothing made.

use json_patch::PatchOperation;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::Cluster;
use crate::cluster_view::Lookup;
use crate::evaluate::Verdict;
use crate::inject::bind::{claims_service, without_service};
use crate::inject::record::Record;
use crate::model::finding::Phase;
use crate::patch::Draft;
use crate::policy::{Policies, Policy, ServiceNameMode};
use crate::statefulset::annotations::INJECTED;
use crate::statefulset::set::Set;
use crate::statefulset::{Operation, Source, Subject, Undecodable};

impl Cluster {
    /// The policy for an author who may not create Services himself, where it asks for that: its mode is `Link`. Who cannot be
    /// asked about may not.
    pub(super) async fn narrowed_for_author(
        &self,
        policy: &Policy,
        subject: &Subject<'_>,
        user: Option<&RawValue>,
        deadline: Instant,
    ) -> Option<Policy> {
        if subject.operation() == Operation::Update || !asks_for_rights(policy) {
            return None;
        }
        let namespace = &subject.namespace;
        let right = self.may_create_services_in(namespace, user, deadline).await;
        (right != Lookup::Found(())).then(|| {
            let mut narrowed = policy.clone();
            narrowed.inject.service_name.mode = ServiceNameMode::Link;
            narrowed
        })
    }

    /// A write that leaves the spec as it is gets no patch, with one exception: under a policy that asks for rights, it cannot claim
    /// in the record a Service that was not claimed when the set was made and its author was asked about.
    pub(super) fn judge_metadata(
        &self,
        policies: &Policies,
        source: Source<'_>,
        phase: Phase,
    ) -> Result<Option<Verdict>, Undecodable> {
        let Some(old_object) = source.old_object.filter(|_| phase == Phase::Mutate) else {
            return Ok(None);
        };
        if !policies.iter().any(asks_for_rights) {
            return Ok(None);
        }
        let record = |object: &RawValue| -> Result<_, Undecodable> {
            let set: Set<'_> = serde_json::from_str(object.get())?;
            Ok(Record::of(&set).unwrap_or_default())
        };
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
        let selected = policies.select(&subject, self);
        Ok(selected
            .filter(|policy| asks_for_rights(policy))
            .map(|_| Verdict {
                operations: disclaimed(subject.set, new),
                ..Verdict::default()
            }))
    }
}

fn asks_for_rights(policy: &Policy) -> bool {
    let linkage = &policy.inject.service_name;
    linkage.require_service_rights && linkage.mode == ServiceNameMode::LinkOrCreate
}

fn disclaimed(set: Set<'_>, record: Record) -> Vec<PatchOperation> {
    let mut draft = Draft::new(set);
    if let Ok(text) = without_service(record).to_json() {
        draft.annotate(INJECTED, &text);
    }
    draft.finish().1
}
