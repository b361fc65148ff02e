//! `spec.podManagementPolicy`.

use crate::model::finding::Action;
use crate::model::spelling::is_near;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// A policy that no API server knows (`ValidateStatefulSetSpec`).
pub static UNKNOWN: Rule = Rule {
    id: "pod-management-policy-unknown",
    action: Action::Deny,
    builtin: Builtin::Always,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`spec.podManagementPolicy` is neither `OrderedReady` nor `Parallel`.",
        why: "The field says how pods start and stop when the set is created, scaled or deleted. There are two ways. `OrderedReady`, the \
              default, starts `web-0`, waits until it is Ready, then starts `web-1`, and so on; it stops them in the reverse order. `Parallel` \
              starts and stops all of them at once.\n\n\
              Every API server refuses any other word. Upper and lower case matter; empty and null mean `OrderedReady`.",
        at: &["spec.podManagementPolicy"],
        example: "\
spec:
  podManagementPolicy: parallel
",
        fix: "Write `OrderedReady` where a member must find the earlier ones running when it starts, else `Parallel`. A set keeps the policy \
              for life: another one needs the set made anew (see immutable-field-change).",
        fixed: "\
spec:
  podManagementPolicy: Parallel
",
        ..Docs::BLANK
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
