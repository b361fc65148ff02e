//! The rules, run on a set as it will be, and what becomes of what they find.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Spared, Verdict};
use crate::inject::{Notice, Tag};
use crate::model::finding::{Action, Finding};
use crate::model::finding_limits;
use crate::model::pointer::escape;
use crate::policy::Profile;
use crate::policy::exemption::{Exemption, Use};
use crate::policy::trust::{believed_controller, describe};
use crate::rules;
use crate::rules::{About, Context, Rule, Violation};
use crate::statefulset::annotations::EXEMPT;
use crate::strict::Slips;

/// Adds to the verdict what is wrong with the set, and which exemptions were used or could not be.
pub(crate) fn add(context: &Context<'_>, now: Timestamp, verdict: &mut Verdict) {
    let ceiling = Ceiling::of(context);
    let exemption = Exemption::of(context.set);
    let rules = rules::of_phase(context.phase).iter();
    for rule in rules.filter(|rule| rule.runs(context)) {
        let found = Found::by(rule, ceiling, context);
        let used = match &exemption {
            Some(exemption)
                if found.is_heard() || found.old && exemption.is_expired(rule.id, now) =>
            {
                exemption.applies(rule.id, context.policy, &context.cluster.exempt_verb(), now)
            }
            _ => Use::None,
        };
        if found.spared && !matches!(used, Use::Counts(_)) {
            spare(rule.id, context, verdict);
        }
        match used {
            Use::None => verdict.findings.extend(found.findings),
            Use::Counts(message) => {
                verdict.exempted.push(rule.id);
                verdict.notices.push(exempted(message));
            }
            Use::CountsNot(message) => {
                verdict.findings.extend(found.findings);
                verdict.notices.push(exempted(message));
            }
        }
    }
    finding_limits::apply(&mut verdict.findings);
}

/// Notes that a rule does not deny because of the owner that the set names.
fn spare(rule: &'static str, context: &Context<'_>, verdict: &mut Verdict) {
    let spared = verdict.spared.get_or_insert_with(|| Spared {
        owner: context.set.controller().map(describe).unwrap_or_default(),
        rules: Vec::new(),
    });
    spared.rules.push(rule);
}

fn exempted(message: String) -> Notice {
    Notice {
        tag: Tag::Exempted,
        pointer: format!("/metadata/annotations/{}", escape(EXEMPT)),
        message,
    }
}

/// What is known of how a stored set was written.
static UNWRITTEN: Slips = Slips::NONE;

/// What a rule found in a set.
struct Found {
    /// What it did not find in the stored set: old sins are not punished.
    findings: Vec<Finding>,
    /// Whether it found an old sin. Of an exemption that has ended every write hears all the same.
    old: bool,
    /// Whether one of them would deny, did the set not name an owner that is believed.
    spared: bool,
}

impl Found {
    /// Both sets are judged with what is known of the cluster today.
    fn by(rule: &Rule, ceiling: Ceiling, context: &Context<'_>) -> Self {
        let mut violations = Vec::new();
        (rule.check)(context, &mut violations);
        let all = violations.len();
        if let (Some(stored), false) = (context.old, violations.is_empty()) {
            let stored = Context {
                set: stored,
                old: None,
                template_changed: false,
                changes: &[],
                slips: &UNWRITTEN,
                ..*context
            };
            let mut before = Vec::new();
            (rule.check)(&stored, &mut before);
            let known: HashSet<&str> = before
                .iter()
                .map(|violation| violation.subject.as_str())
                .collect();
            violations.retain(|violation| !known.contains(violation.subject.as_str()));
        }
        let old = violations.len() < all;
        violations
            .retain(|violation| rule.is_of_the_file() || !context.slips.hide(&violation.pointer));
        let mut spared = false;
        let findings = violations.into_iter().filter_map(|violation| {
            let action = ceiling.action(rule, &violation, context)?;
            spared |= ceiling == Ceiling::BuiltinOnly
                && action < Action::Deny
                && Ceiling::None.action(rule, &violation, context) == Some(Action::Deny);
            Some(violation.finding(rule.id, action))
        });
        Self {
            findings: findings.collect(),
            old,
            spared,
        }
    }

    /// Whether the user is to hear of it.
    fn is_heard(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.action > Action::Audit)
    }
}

/// The most that any finding on this write may do, beside what the operator says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ceiling {
    /// No limit.
    None,
    /// A controller owns the set, and that is believed: it cannot read our text, so only what the server refuses anyway is refused.
    BuiltinOnly,
    /// The write changes a field that cannot change: the server's own 422 is what operators act on.
    Warn,
}

impl Ceiling {
    fn of(context: &Context<'_>) -> Self {
        if !context.changes.is_empty() {
            Self::Warn
        } else if believed_controller(context.policy, context.set, context.cluster.author())
            .is_some()
        {
            Self::BuiltinOnly
        } else {
            Self::None
        }
    }

    /// What a finding does: the rule's own action, then the profile, then what the policy says of the rule, then the ceilings.
    /// `None` where there is to be no finding.
    fn action(self, rule: &Rule, violation: &Violation, context: &Context<'_>) -> Option<Action> {
        let policy = context.policy;
        let builtin = rule.builtin.holds(context);
        let own = violation.action.unwrap_or(rule.action);
        let profiled = match policy.profile {
            Profile::Strict if own == Action::Warn && rule.about != About::Change => {
                Some(Action::Deny)
            }
            Profile::Default | Profile::Strict => Some(own),
            Profile::Permissive => builtin.then_some(own),
        };
        let told = policy.rules.get(rule.id);
        let action = told.map_or(profiled, |told| told.action())?;
        let most = if rule.may_deny {
            Action::Deny
        } else {
            Action::Warn
        };
        let limited = action.min(most).min(violation.ceiling.unwrap_or(most));
        Some(
            self.limit(limited, builtin)
                .min(policy.enforcement.ceiling()),
        )
    }

    fn limit(self, action: Action, builtin: bool) -> Action {
        match self {
            Self::None => action,
            Self::BuiltinOnly if builtin => action,
            Self::BuiltinOnly | Self::Warn => action.min(Action::Warn),
        }
    }
}
