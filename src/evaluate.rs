//! The one function that every surface calls.

use std::collections::HashSet;

use json_patch::PatchOperation;

use crate::cluster::ClusterView;
use crate::inject::{self, Injection, Notice};
use crate::patch::Draft;
use crate::policy::Policy;
use crate::rules::{self, Action, Context, Finding, Phase, Rule, Violation};
use crate::subject::Subject;
use crate::subject::immutable;

/// What is to be said of a set, and done to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// What is wrong, in the order of the rules.
    pub findings: Vec<Finding>,
    /// What was filled in.
    pub injections: Vec<Injection>,
    /// What the user is told beside the findings.
    pub notices: Vec<Notice>,
    /// The JSON Patch; empty in [`Phase::Validate`].
    pub operations: Vec<PatchOperation>,
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

/// Judges a set: injects, then runs the rules on the set as it will be.
#[must_use]
pub fn evaluate(
    policy: &Policy,
    subject: Subject<'_>,
    cluster: &dyn ClusterView,
    phase: Phase,
) -> Verdict {
    let operation = subject.operation();
    let Subject {
        namespace,
        set,
        old,
    } = subject;
    let mut draft = Draft::new(set);
    let outcome = if phase == Phase::Validate {
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
    };
    let findings = judge(&context);
    Verdict {
        findings,
        injections: outcome.injections,
        notices: outcome.notices,
        operations,
    }
}

fn judge(context: &Context<'_>) -> Vec<Finding> {
    let ceiling = Ceiling::of(context);
    let mut findings = Vec::new();
    for rule in rules::all().iter().filter(|rule| rule.runs(context)) {
        let violations = new_violations(rule, context);
        findings.extend(violations.into_iter().map(|violation| {
            let action = violation.action.unwrap_or(rule.action);
            let action = ceiling.apply(action, rule.builtin.holds(context));
            Finding {
                rule: rule.id,
                action,
                pointer: violation.pointer,
                message: violation.message,
                help: violation.help,
            }
        }));
    }
    findings
}

/// What the rule finds in the new set and did not find in the stored one: old sins are not punished. Both are judged with
/// what is known of the cluster today.
fn new_violations(rule: &Rule, context: &Context<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    (rule.check)(context, &mut violations);
    let (Some(old), false) = (context.old, violations.is_empty()) else {
        return violations;
    };
    let mut before = Vec::new();
    let stored = Context {
        set: old,
        old: None,
        template_changed: false,
        changes: &[],
        ..*context
    };
    (rule.check)(&stored, &mut before);
    let known: HashSet<&str> = before
        .iter()
        .map(|violation| violation.subject.as_str())
        .collect();
    violations.retain(|violation| !known.contains(violation.subject.as_str()));
    violations
}

/// The most that any finding on this write may do.
#[derive(Clone, Copy)]
enum Ceiling {
    /// No limit.
    None,
    /// A controller owns the set: it cannot read our text, so only what the server refuses anyway is refused.
    BuiltinOnly,
    /// The write changes a field that cannot change: the server's own 422 is what operators act on.
    Warn,
}

impl Ceiling {
    fn of(context: &Context<'_>) -> Self {
        if !context.changes.is_empty() {
            Self::Warn
        } else if context.set.is_controlled() {
            Self::BuiltinOnly
        } else {
            Self::None
        }
    }

    fn apply(self, action: Action, builtin: bool) -> Action {
        match self {
            Self::None => action,
            Self::BuiltinOnly if builtin => action,
            Self::BuiltinOnly | Self::Warn => action.min(Action::Warn),
        }
    }
}
