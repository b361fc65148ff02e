//! The one function that every surface calls.

use std::fmt;

use jiff::Timestamp;
use json_patch::PatchOperation;

use crate::cluster_view::ClusterView;
use crate::inject::{self, Injection, Notice};
use crate::model::finding::{Action, Finding, Phase};
use crate::patch::Draft;
use crate::policy::Policy;
use crate::rules::Context;
use crate::statefulset::Subject;
use crate::statefulset::immutable;

mod judge;

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
    /// The JSON Patch: what the author misplaced is moved, then what is missing is filled in; empty in [`Phase::Validate`].
    pub operations: Vec<PatchOperation>,
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
}

/// Judges a set by the policy that is for it: injects, then runs the rules on the set as it will be. `now` is when exemptions
/// are held against the clock.
#[must_use]
pub fn evaluate(
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
        inject::inject(policy, &namespace, &mut draft, old.as_ref(), cluster)
    };
    let (set, operations) = draft.finish();
    let changes = old
        .as_ref()
        .map(|old| immutable::changes(&set, &operations, old))
        .unwrap_or_default();
    let context = Context {
        namespace: &namespace,
        set: &set,
        old: old.as_ref().map(|old| &old.set),
        template_changed: old
            .as_ref()
            .is_some_and(|old| old.template_changed_after(&operations)),
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
        operations,
        ..Verdict::default()
    };
    judge::judge(&context, now, &mut verdict);
    verdict.operations.splice(..0, slips.moves);
    verdict
}

#[cfg(test)]
mod tests;
