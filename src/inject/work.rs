//! What one run of the injections carries along.

use super::orphans::{KeptOut, Left, harm};
use super::probes::Site;
use super::record::Record;
use super::wanted::Wanted;
use super::{Injection, Kind, Notice, Origin, Outcome, Tag};
use crate::change::Draft;
use crate::cluster_view::ClusterView;
use crate::model::steps::Steps;
use crate::policy::Policy;
use crate::statefulset::Old;
use crate::statefulset::annotations::INJECTED;
use crate::strict::Slips;

/// A set under change, with what is known around it and what was done to it.
pub(super) struct Work<'w, 'a> {
    /// What is injected, and how.
    pub(super) policy: &'w Policy,
    /// The set's namespace.
    pub(super) namespace: &'w str,
    /// The set.
    pub(super) draft: &'w mut Draft<'a>,
    /// The cluster around it.
    pub(super) cluster: &'w dyn ClusterView,
    /// What is wrong with how its author wrote it.
    pub(super) slips: &'w Slips,
    /// What was ever injected into it.
    pub(super) record: Record,
    /// What was done so far.
    pub(super) outcome: Outcome,
    /// The pods that an earlier set has left.
    pub(super) left: Vec<Left>,
    /// What was not done, because of them.
    pub(super) kept_out: Vec<KeptOut>,
    /// How much may still be compared where no list bounds it.
    pub(super) steps: &'w Steps,
}

impl Work<'_, '_> {
    /// What a proposal for the set as it stands rests on.
    pub(super) fn site(&self) -> Site<'_> {
        Site {
            policy: self.policy,
            namespace: self.namespace,
            set: self.draft.set(),
            record: &self.record,
            cluster: self.cluster,
        }
    }

    /// Tells the user something.
    pub(super) fn note(&mut self, tag: Tag, pointer: impl Into<String>, message: String) {
        self.outcome.notices.push(Notice {
            tag,
            pointer: pointer.into(),
            message,
        });
    }

    /// Counts an injection.
    pub(super) fn injected(&mut self, kind: Kind, origin: Origin, key: String) {
        self.outcome
            .injections
            .push(Injection { kind, origin, key });
    }

    /// Does a step, and nothing of it where it would do harm to a pod that an earlier set has left.
    pub(super) fn step(&mut self, step: impl FnOnce(&mut Self)) {
        if self.left.is_empty() {
            return step(self);
        }
        let (draft, record) = (self.draft.clone(), self.record.clone());
        let before = std::mem::take(&mut self.outcome);
        step(self);
        let done = std::mem::replace(&mut self.outcome, before);
        let changes = self.draft.changes().get(draft.changes().len()..);
        let Some(harm) = harm(&self.left, changes.unwrap_or_default()) else {
            self.outcome.injections.extend(done.injections);
            self.outcome.notices.extend(done.notices);
            return;
        };
        *self.draft = draft;
        self.record = record;
        let pointer = done.notices.into_iter().next().map(|notice| notice.pointer);
        self.kept_out.push(KeptOut {
            pointer: pointer.unwrap_or_default(),
            injects: !done.injections.is_empty(),
            harm,
        });
    }

    /// Writes the record into the set where it says something else than the one that is there.
    pub(super) fn write_record(&mut self, dropped: bool) {
        if !self.record.is_touched() && !dropped {
            return;
        }
        let there = Record::of(self.draft.set()).unwrap_or_default();
        if !self.record.differs_from(&there) {
            return;
        }
        if let Ok(text) = self.record.to_json() {
            self.draft.annotate(INJECTED, &text);
        }
    }
}

/// The write around the work, as far as it decides what becomes of what was injected before.
pub(super) struct Write<'w, 'o> {
    /// The stored set; `None` on CREATE.
    pub(super) old: Option<&'w Old<'o>>,
    /// Whether the user changed the pod template, as he does with every CREATE; otherwise it must not be touched.
    pub(super) template_changed: bool,
    /// Whether the new object lacks the record that the stored one has: it was written from a file.
    pub(super) dropped: bool,
    /// What the user lets us inject.
    pub(super) wanted: Wanted,
}

impl Write<'_, '_> {
    /// Whether that kind may be injected.
    pub(super) fn wants(&self, kind: Kind) -> bool {
        self.wanted.allows(kind)
    }
}
