//! What `Recreate` does where the server takes it.

use super::kind::server_takes_recreate;
use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// A strategy that deletes all pods at each change of the template (KEP-3541).
pub static TAKES_ALL_DOWN: Rule = Rule {
    id: "recreate-takes-all-down",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`updateStrategy.type: Recreate` deletes all pods at once at every change of the pod template.",
        why: "From Kubernetes 1.38 a StatefulSet may have `Recreate` (in 1.37 behind a feature gate). Every change of the pod template then               deletes all pods at the same time: neither `partition` nor `maxUnavailable` nor a PodDisruptionBudget holds any of them back, and               the service is down until enough of them are Ready again.\n\n\
              If the feature gate is switched off later, the controller leaves the set alone until its type is changed, which is always               possible.",
        at: &["spec.updateStrategy.type"],
        version: "1.38",
        example: "\
spec:
  updateStrategy:
    type: Recreate
",
        fix: "Write `RollingUpdate`, with `maxUnavailable` where it should be faster. Where old and new pods must never run side by side               `Recreate` is right: then exempt the set from this rule.",
        fixed: "\
spec:
  updateStrategy:
    type: RollingUpdate
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    if context.set.spec.update_strategy.kind() == "Recreate" && server_takes_recreate(context) {
        violations.push(Violation::new(
            "/spec/updateStrategy/type",
            "Recreate deletes all pods at once at every change of the template: no partition, maxUnavailable or budget holds them back",
            "write RollingUpdate",
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, web_spec};

    #[test]
    fn recreate_takes_all_pods_down_where_it_is_taken() {
        let case = |kind: &str| {
            Case::create(web_spec(
                &json!({"updateStrategy": {"type": kind, "rollingUpdate": null}}),
            ))
        };
        assert_eq!(
            case("Recreate").on("1.38.0").says(&TAKES_ALL_DOWN),
            [
                "spec.updateStrategy.type: Recreate deletes all pods at once at every change of the template: \
                 no partition, maxUnavailable or budget holds them back; write RollingUpdate"
            ]
        );
        for version in ["1.36.3", "1.37.0"] {
            assert!(
                case("Recreate")
                    .on(version)
                    .says(&TAKES_ALL_DOWN)
                    .is_empty()
            );
        }
        assert!(case("Recreate").says(&TAKES_ALL_DOWN).is_empty());
        assert!(
            case("OnDelete")
                .on("1.38.0")
                .says(&TAKES_ALL_DOWN)
                .is_empty()
        );
    }
}
