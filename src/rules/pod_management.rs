//! `spec.podManagementPolicy`.

use super::near::is_near;
use super::{Action, Builtin, Context, Docs, Rule, Violation, quoted};

/// A policy that no API server knows (`ValidateStatefulSetSpec`).
pub static UNKNOWN: Rule = Rule {
    id: "pod-management-policy-unknown",
    action: Action::Deny,
    builtin: Builtin::Always,
    early: false,
    docs: Docs {
        what: "`spec.podManagementPolicy` is neither `OrderedReady` nor `Parallel`.",
        why: "Every API server refuses the set. The two words are case-sensitive; empty and null mean `OrderedReady`.",
        example: "spec:\n  podManagementPolicy: parallel\n",
        fix: "Write `OrderedReady` (each pod waits until the one before is Ready; the default) or `Parallel` (all pods start and stop at once). \
              The field cannot be changed later.",
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    const POLICIES: [&str; 2] = ["OrderedReady", "Parallel"];
    let policy = context.set.spec.pod_management_policy();
    if POLICIES.contains(&policy) {
        return;
    }
    let meant = POLICIES.into_iter().find(|known| is_near(policy, known));
    let help = meant.map_or_else(
        || {
            "write OrderedReady (pods start one after the other) or Parallel (all at once)"
                .to_owned()
        },
        |meant| format!("write {meant}"),
    );
    violations.push(Violation::new(
        "/spec/podManagementPolicy",
        format!(
            "{} is not a policy, only OrderedReady and Parallel are",
            quoted(policy)
        ),
        help,
    ));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Case, fires, web_spec};
    use super::*;

    #[test]
    fn says_the_right_spelling() {
        for (written, help) in [
            ("parallel", "write Parallel"),
            ("PARALLEL", "write Parallel"),
            ("Paralel", "write Parallel"),
            ("ordered-ready", "write OrderedReady"),
            (
                "Foo",
                "write OrderedReady (pods start one after the other) or Parallel (all at once)",
            ),
        ] {
            let case = Case::create(web_spec(&json!({"podManagementPolicy": written})));
            assert_eq!(
                case.says(&UNKNOWN),
                [format!(
                    "spec.podManagementPolicy: \"{written}\" is not a policy, only OrderedReady and Parallel are; {help}"
                )]
            );
        }
    }

    #[test]
    fn both_policies_and_none_are_fine() {
        for written in [
            json!("OrderedReady"),
            json!("Parallel"),
            json!(""),
            json!(null),
        ] {
            assert!(
                !fires(&UNKNOWN, web_spec(&json!({"podManagementPolicy": written}))),
                "{written}"
            );
        }
    }
}
