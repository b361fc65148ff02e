//! The one function that every surface calls: which policy is for a set, what is filled in, and what is wrong with it.
//!
//! The webhook, the audit, `fix`, the post-renderer, `policy test` and the pages of the rules differ only in where the set comes
//! from and how the verdict is shown.

use std::fmt;

use jiff::Timestamp;
use json_patch::PatchOperation;

use crate::change::{self, Change, Draft, immutable};
use crate::cluster_view::ClusterView;
use crate::cluster_view::Lookup;
use crate::inject::{self, Injection, Notice};
use crate::model::finding::{Action, Finding, Phase};
use crate::policy::{Policies, Policy};
use crate::rules::Context;
use crate::statefulset::Operation;
use crate::strict::Subject;

mod findings;
pub mod manifest_row;
pub mod merge;
pub mod progress;
pub mod report;

/// What is to be said of a set, and done to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// What is wrong, in the order of the rules.
    pub findings: Vec<Finding>,
    /// What was filled in.
    pub injections: Vec<Injection>,
    /// What the user is told beside the findings.
    pub notices: Vec<Notice>,
    /// The rules that the set is exempted from and breaks.
    pub exempted: Vec<&'static str>,
    /// What only warns because of the owner that the set names.
    pub spared: Option<Spared>,
    /// What the author misplaced, moved where it belongs.
    pub moves: Vec<PatchOperation>,
    /// What is changed after that; empty in [`Phase::Validate`].
    pub changes: Vec<Change>,
}

/// What would deny, did the set not name an owner that is believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spared {
    /// The owner, as `Kind.group/name`.
    pub owner: String,
    /// The rules, in their order.
    pub rules: Vec<&'static str>,
}

impl fmt::Display for Spared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} owned by {}",
            self.rules.join(","),
            self.owner
        )
    }
}

impl Verdict {
    /// Whether the write is refused.
    #[must_use]
    pub fn denies(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.action == Action::Deny)
    }

    /// Whether the object is to be patched.
    #[must_use]
    pub fn patches(&self) -> bool {
        !(self.moves.is_empty() && self.changes.is_empty())
    }

    /// The JSON Patch: what the author misplaced is moved, then what is missing is filled in.
    #[must_use]
    pub fn operations(&self) -> Vec<PatchOperation> {
        let moves = self.moves.iter().cloned();
        moves.chain(change::operations(&self.changes)).collect()
    }
}

/// Reviews a set by the policy that is for it. Answers `None` where policies exist and none is for it: then it is neither judged nor
/// changed.
///
/// Where a policy asks for the labels of the set's namespace and nobody can tell them, the set is judged with care: nothing is
/// injected, and findings warn at most. `now` is when exemptions are held against the clock.
#[must_use]
pub fn review(
    policies: &Policies,
    subject: Subject<'_>,
    cluster: &dyn ClusterView,
    phase: Phase,
    now: Timestamp,
) -> Option<Verdict> {
    let policy = policy_for(policies, &subject, cluster)?;
    let is_narrowed = policy.asks_for_service_rights()
        && subject.operation() == Operation::Create
        && cluster.service_right() != Lookup::Found(());
    if is_narrowed {
        let policy = policy.without_service_rights();
        return Some(evaluate(&policy, subject, cluster, phase, now));
    }
    Some(evaluate(policy, subject, cluster, phase, now))
}

/// The policy that is for a set.
pub(crate) fn policy_for<'p>(
    policies: &'p Policies,
    subject: &Subject<'_>,
    cluster: &dyn ClusterView,
) -> Option<&'p Policy> {
    let is_unknown = policies.read_namespace_labels()
        && cluster.namespace_labels(&subject.namespace) == Lookup::Unknown;
    if is_unknown {
        Some(Policies::fallback())
    } else {
        policies.select(subject, cluster)
    }
}

/// The verdict of one policy: injects, then runs the rules on the set as it will be.
fn evaluate(
    policy: &Policy,
    subject: Subject<'_>,
    cluster: &dyn ClusterView,
    phase: Phase,
    now: Timestamp,
) -> Verdict {
    let operation = subject.operation();
    let Subject {
        namespace,
        set,
        old,
        slips,
    } = subject;
    let mut draft = Draft::new(set);
    let outcome = if phase == Phase::Validate || !slips.may_be_filled_in() {
        inject::Outcome::default()
    } else {
        let around = inject::Around {
            namespace: &namespace,
            cluster,
            slips: &slips,
        };
        inject::inject(policy, around, &mut draft, old.as_ref())
    };
    let (set, injected) = draft.finish();
    let changes = old
        .as_ref()
        .map(|old| immutable::changes(&set, &injected, old))
        .unwrap_or_default();
    let context = Context {
        namespace: &namespace,
        set: &set,
        old: old.as_ref().map(|old| &old.set),
        template_changed: old
            .as_ref()
            .is_some_and(|old| change::template_changed_after(&injected, old)),
        changes: &changes,
        operation,
        policy,
        cluster,
        phase,
        slips: &slips,
    };
    let mut verdict = Verdict {
        injections: outcome.injections,
        notices: outcome.notices,
        changes: injected,
        ..Verdict::default()
    };
    findings::add(&context, now, &mut verdict);
    verdict.moves = slips.moves;
    verdict
}

#[cfg(test)]
mod tests;
