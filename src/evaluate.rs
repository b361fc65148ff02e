//! The one function that every surface calls.

use std::collections::HashSet;

use jiff::Timestamp;
use json_patch::PatchOperation;

use crate::cluster::ClusterView;
use crate::inject::{self, Injection, Notice, Tag};
use crate::patch::{Draft, escape};
use crate::policy::exemption::{Exemption, Use};
use crate::policy::{Policy, Profile};
use crate::rules::{self, Action, Context, Finding, Phase, Rule, Violation};
use crate::subject::Subject;
use crate::subject::annotations::EXEMPT;
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
    /// The rules that the set is exempted from and breaks.
    pub exempted: Vec<&'static str>,
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
    let mut verdict = Verdict {
        injections: outcome.injections,
        notices: outcome.notices,
        operations,
        ..Verdict::default()
    };
    judge(&context, now, &mut verdict);
    verdict
}

fn judge(context: &Context<'_>, now: Timestamp, verdict: &mut Verdict) {
    let ceiling = Ceiling::of(context);
    let exemption = Exemption::of(context.set);
    for rule in rules::all().iter().filter(|rule| rule.runs(context)) {
        let violations = Violations::of(rule, context);
        let new = violations.new.into_iter();
        let findings: Vec<Finding> = new
            .filter_map(|violation| {
                let action = ceiling.action(rule, &violation, context)?;
                Some(violation.finding(rule.id, action))
            })
            .collect();
        let Some(exemption) = &exemption else {
            verdict.findings.extend(findings);
            continue;
        };
        // Of an exemption that has ended every write hears, although an old sin is not punished.
        let seen = findings
            .iter()
            .any(|finding| finding.action > Action::Audit);
        let ended = violations.old && exemption.is_expired(rule, now);
        if !(seen || ended) {
            verdict.findings.extend(findings);
            continue;
        }
        match exemption.applies(rule, context.policy, &context.cluster.exempt_verb(), now) {
            Use::None => verdict.findings.extend(findings),
            Use::Counts(message) => {
                verdict.exempted.push(rule.id);
                verdict.notices.push(exempted(message));
            }
            Use::CountsNot(message) => {
                verdict.findings.extend(findings);
                verdict.notices.push(exempted(message));
            }
        }
    }
}

fn exempted(message: String) -> Notice {
    Notice {
        tag: Tag::Exempted,
        pointer: format!("/metadata/annotations/{}", escape(EXEMPT)),
        message,
    }
}

/// What a rule finds in a set.
struct Violations {
    /// What it did not find in the stored one: old sins are not punished.
    new: Vec<Violation>,
    /// Whether it finds an old one.
    old: bool,
}

impl Violations {
    /// Both sets are judged with what is known of the cluster today.
    fn of(rule: &Rule, context: &Context<'_>) -> Self {
        let mut new = Vec::new();
        (rule.check)(context, &mut new);
        let (Some(stored), false) = (context.old, new.is_empty()) else {
            return Self { new, old: false };
        };
        let mut before = Vec::new();
        let stored = Context {
            set: stored,
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
        let found = new.len();
        new.retain(|violation| !known.contains(violation.subject.as_str()));
        Self {
            old: new.len() < found,
            new,
        }
    }
}

/// The most that any finding on this write may do, beside what the operator says.
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

    /// What a finding does: the rule's own action, then the profile, then what the policy says of the rule, then the ceilings.
    /// `None` where there is to be no finding.
    fn action(self, rule: &Rule, violation: &Violation, context: &Context<'_>) -> Option<Action> {
        let policy = context.policy;
        let builtin = rule.builtin.holds(context);
        let own = violation.action.unwrap_or(rule.action);
        let profiled = match policy.profile {
            Profile::Strict if own == Action::Warn => Some(Action::Deny),
            Profile::Default | Profile::Strict => Some(own),
            Profile::Permissive => builtin.then_some(own),
        };
        let told = policy.rules.get(rule.id);
        let action = told.map_or(profiled, |told| told.action())?;
        let most = if rule.may_deny() {
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

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::NoCluster;
    use crate::rules::testing::{mount, mounting, web, web_spec};
    use crate::subject::Source;

    /// What a write meets on a server of 1.36.3, as `Action rule`.
    fn says(old: Option<&Value>, object: &Value, phase: Phase) -> Vec<String> {
        let (old, object) = (
            old.map(|old| to_raw_value(old).unwrap()),
            to_raw_value(object).unwrap(),
        );
        let source = Source {
            namespace: "shop",
            object: &object,
            old_object: old.as_deref(),
        };
        let cluster = NoCluster {
            version: Some("1.36.3".parse().unwrap()),
        };
        let subject = Subject::decode(source).unwrap();
        let verdict = subject.map(|subject| {
            evaluate(
                &Policy::default(),
                subject,
                &cluster,
                phase,
                Timestamp::UNIX_EPOCH,
            )
        });
        let findings = verdict.unwrap_or_default().findings.into_iter();
        findings
            .map(|finding| format!("{:?} {}", finding.action, finding.rule))
            .collect()
    }

    fn created(object: &Value) -> Vec<String> {
        says(None, object, Phase::Mutate)
    }

    fn updated(old: &Value, object: &Value) -> Vec<String> {
        says(Some(old), object, Phase::Mutate)
    }

    fn owned(mut set: Value) -> Value {
        set["metadata"]["ownerReferences"] =
            json!([{"kind": "Db", "name": "db", "controller": true}]);
        set
    }

    #[test]
    fn a_sin_of_the_stored_set_is_not_punished() {
        let duplicate = |replicas: i64| {
            let claim = json!({"metadata": {"name": "data"}, "spec": {}});
            mounting(
                &mount("data"),
                &json!({"replicas": replicas, "volumeClaimTemplates": [claim, claim]}),
            )
        };
        let validated = |old: Option<&Value>, set: &Value| says(old, set, Phase::Validate);
        assert_eq!(
            validated(None, &duplicate(3)),
            [
                "Deny claim-duplicate-name",
                "Deny claim-incomplete",
                "Deny claim-incomplete"
            ]
        );
        assert_eq!(validated(Some(&duplicate(3)), &duplicate(5)), [""; 0]);
    }

    #[test]
    fn a_sin_is_the_same_one_wherever_it_stands_in_a_list() {
        let mounts = |volumes: &[&str]| {
            let mounts: Vec<Value> = volumes
                .iter()
                .map(|volume| json!({"name": volume, "mountPath": format!("/{volume}")}))
                .collect();
            web_spec(
                &json!({"template": {"spec": {"containers": [{"name": "web", "volumeMounts": mounts}]}}}),
            )
        };
        let old = mounts(&["gone"]);
        assert_eq!(
            says(Some(&old), &mounts(&["lost", "gone"]), Phase::Validate),
            ["Deny mount-without-volume"]
        );
        let mut reordered = mounts(&["gone"]);
        reordered["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2");
        assert_eq!(says(Some(&old), &reordered, Phase::Validate), [""; 0]);
    }

    #[test]
    fn nothing_is_said_of_a_set_that_goes_or_keeps_its_spec() {
        let broken = |changes: &Value| {
            let mut set = web(changes);
            set["spec"]["podManagementPolicy"] = json!("Foo");
            set
        };
        let going = broken(
            &json!({"metadata": {"deletionTimestamp": "2026-11-21T00:00:00Z"}, "spec": {"replicas": 9}}),
        );
        assert_eq!(updated(&web(&json!({})), &going), [""; 0]);
        let labelled = broken(&json!({"metadata": {"labels": {"a": "b"}}}));
        assert_eq!(updated(&broken(&json!({})), &labelled), [""; 0]);
    }

    #[test]
    fn a_change_that_the_server_refuses_is_never_denied_by_us() {
        let old = web(&json!({}));
        let changed = web_spec(
            &json!({"podManagementPolicy": "Foo", "serviceName": "other",
            "updateStrategy": {"rollingUpdate": {"partition": -1}}}),
        );
        assert_eq!(
            updated(&old, &changed),
            [
                "Warn pod-management-policy-unknown",
                "Warn partition-negative",
                "Warn immutable-field-change",
                "Warn immutable-field-change",
            ]
        );
    }

    #[test]
    fn a_set_that_a_controller_owns_is_denied_only_what_the_server_denies() {
        let set = |policy: &str, max_unavailable: &Value| {
            web_spec(&json!({"podManagementPolicy": policy,
                "updateStrategy": {"rollingUpdate": {"maxUnavailable": max_unavailable}}}))
        };
        let bad_amount = set("Parallel", &json!(0));
        assert_eq!(created(&bad_amount), ["Deny max-unavailable-invalid"]);
        assert_eq!(
            created(&owned(bad_amount)),
            ["Warn max-unavailable-invalid"]
        );
        let bad_policy = set("parallel", &json!(1));
        assert_eq!(
            created(&owned(bad_policy)),
            ["Deny pod-management-policy-unknown"]
        );
    }

    #[test]
    fn mutate_says_only_what_validate_would_be_too_late_for() {
        let partition = web_spec(&json!({"updateStrategy": {"rollingUpdate": {"partition": 5}}}));
        assert_eq!(created(&partition), [""; 0]);
        assert_eq!(
            says(None, &partition, Phase::Validate),
            ["Warn partition-exceeds-replicas"]
        );
        let several = web_spec(
            &json!({"podManagementPolicy": "Foo", "updateStrategy": {"type": "onDelete"}}),
        );
        assert_eq!(
            created(&several),
            [
                "Deny pod-management-policy-unknown",
                "Deny update-strategy-unknown"
            ]
        );
    }

    #[test]
    fn no_message_has_the_words_that_tools_act_on() {
        for rule in rules::all() {
            let docs = [
                rule.docs.what,
                rule.docs.why,
                rule.docs.example,
                rule.docs.fix,
            ];
            for text in docs {
                assert!(
                    !text.contains("is immutable") && !text.contains("immutable field"),
                    "{}",
                    rule.id
                );
                assert!(!text.is_empty(), "{}", rule.id);
            }
        }
    }

    #[test]
    fn ids_are_different() {
        let mut ids: Vec<&str> = rules::all().iter().map(|rule| rule.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
