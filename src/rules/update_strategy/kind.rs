//! `spec.updateStrategy.type`.

use crate::model::finding::Action;
use crate::model::spelling::is_near;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// A type that no API server knows (`ValidateStatefulSetSpec`), or, for `Recreate`, that few do (KEP-3541).
pub static UNKNOWN: Rule = Rule {
    id: "update-strategy-unknown",
    action: Action::Deny,
    builtin: Builtin::Always,
    early: true,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`spec.updateStrategy.type` is neither `RollingUpdate` nor `OnDelete`.",
        why: "The type says what becomes of running pods when the pod template changes. `RollingUpdate`, the default, restarts them one after \
              the other, the highest number first, each when the one before is Ready. `OnDelete` restarts none: a pod gets the new template \
              when you delete it.\n\n\
              Every API server refuses any other word. `Recreate` is a strategy of Deployments; canary, blue-green, shadow, A/B, ramped and \
              best-effort are names that rollout tools use. From Kubernetes 1.37 a StatefulSet may have `Recreate`, behind the feature gate \
              `StatefulSetRecreateStrategy`: on such a server, and on one of unknown version, the finding is a warning and the server decides.",
        at: &["spec.updateStrategy.type"],
        version: "1.36",
        example: "\
spec:
  updateStrategy:
    type: Recreate
",
        fix: "Most of these names have a way of their own:\n\n\
              * all pods at once, as `Recreate`: `type: OnDelete`, and delete the pods after each change\n\
              * canary, ramped: `type: RollingUpdate` with `rollingUpdate.partition`, lowered step by step\n\
              * blue-green, shadow, A/B: a second StatefulSet behind the Service\n\
              * best-effort: `type: RollingUpdate` with `rollingUpdate.maxUnavailable`",
        fixed: "\
spec:
  updateStrategy:
    type: OnDelete
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    const POINTER: &str = "/spec/updateStrategy/type";
    let kind = context.set.spec.update_strategy.kind();
    if matches!(kind, "RollingUpdate" | "OnDelete") {
        return;
    }
    if kind == "Recreate" && server_takes_recreate(context) {
        return; // recreate-takes-all-down tells what it does
    }
    if kind == "Recreate" && server_may_know_recreate(context) {
        violations.push(
            Violation::new(
                POINTER,
                "Recreate exists from Kubernetes 1.37 alone, behind the gate StatefulSetRecreateStrategy",
                "elsewhere write OnDelete and delete the pods after each change, or RollingUpdate",
            )
            .warns_at_most(),
        );
        return;
    }
    violations.push(Violation::new(
        POINTER,
        format!(
            "{} is not a type for a StatefulSet, only RollingUpdate and OnDelete are",
            quoted(kind)
        ),
        way_of(kind),
    ));
}

/// Whether the server takes it unless somebody switched it off: the gate is on from 1.38.
pub(super) fn server_takes_recreate(context: &Context<'_>) -> bool {
    let version = context.cluster.version();
    version.is_some_and(|version| version.at_least(38))
}

/// Then the server decides. Exactly this spelling: no server accepts another.
fn server_may_know_recreate(context: &Context<'_>) -> bool {
    context
        .cluster
        .version()
        .is_none_or(|version| version.at_least(37))
}

/// What a StatefulSet has for a strategy of that name.
fn way_of(kind: &str) -> &'static str {
    const PARTITION: &str =
        "write RollingUpdate with rollingUpdate.partition, and lower the partition step by step";
    const SECOND_SET: &str =
        "write RollingUpdate, and run the other version as a second StatefulSet behind the Service";
    let plain: String = kind
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let has = |words: &[&str]| words.iter().any(|word| plain.contains(word));
    if is_near(kind, "OnDelete") {
        "write OnDelete"
    } else if is_near(kind, "RollingUpdate") {
        "write RollingUpdate"
    } else if has(&["recreate"]) {
        "write OnDelete and delete the pods after each change; from Kubernetes 1.37 there is Recreate, behind a gate"
    } else if has(&["canary", "ramped", "ramp"]) {
        PARTITION
    } else if plain == "ab" || has(&["bluegreen", "shadow", "abtest"]) {
        SECOND_SET
    } else if has(&["besteffort"]) {
        "write RollingUpdate with rollingUpdate.maxUnavailable"
    } else {
        "write RollingUpdate (pods restart one after the other) or OnDelete (you delete the pods)"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::finding::Phase;
    use crate::rules::testing::{Case, fires, web_spec};

    fn typed(kind: &Value) -> Value {
        web_spec(&json!({"updateStrategy": {"type": kind, "rollingUpdate": null}}))
    }

    #[test]
    fn each_name_gets_its_way() {
        for (name, help) in [
            ("onDelete", "write OnDelete"),
            ("on-delete", "write OnDelete"),
            ("rollingUpdate", "write RollingUpdate"),
            ("RollingUpdates", "write RollingUpdate"),
            (
                "Canary",
                "write RollingUpdate with rollingUpdate.partition, and lower the partition step by step",
            ),
            (
                "Ramped",
                "write RollingUpdate with rollingUpdate.partition, and lower the partition step by step",
            ),
            (
                "BlueGreen",
                "write RollingUpdate, and run the other version as a second StatefulSet behind the Service",
            ),
            (
                "blue/green",
                "write RollingUpdate, and run the other version as a second StatefulSet behind the Service",
            ),
            (
                "Shadow",
                "write RollingUpdate, and run the other version as a second StatefulSet behind the Service",
            ),
            (
                "A/B",
                "write RollingUpdate, and run the other version as a second StatefulSet behind the Service",
            ),
            (
                "best-effort",
                "write RollingUpdate with rollingUpdate.maxUnavailable",
            ),
            (
                "foo",
                "write RollingUpdate (pods restart one after the other) or OnDelete (you delete the pods)",
            ),
        ] {
            assert_eq!(
                Case::create(typed(&json!(name))).says(&UNKNOWN),
                [format!(
                    "spec.updateStrategy.type: \"{name}\" is not a type for a StatefulSet, only RollingUpdate and OnDelete are; {help}"
                )]
            );
        }
    }

    #[test]
    fn recreate_is_left_to_a_server_that_may_know_it() {
        let denied = "spec.updateStrategy.type: \"Recreate\" is not a type for a StatefulSet, only RollingUpdate and OnDelete are; \
                      write OnDelete and delete the pods after each change; from Kubernetes 1.37 there is Recreate, behind a gate";
        let warned = "Warn spec.updateStrategy.type: Recreate exists from Kubernetes 1.37 alone, behind the gate \
                      StatefulSetRecreateStrategy; elsewhere write OnDelete and delete the pods after each change, or RollingUpdate";
        let case = || Case::create(typed(&json!("Recreate"))).at(Phase::Mutate);
        assert_eq!(case().on("1.36.3").says(&UNKNOWN), [denied]);
        assert_eq!(case().on("1.37.0").says(&UNKNOWN), [warned]);
        assert!(case().on("1.38.0").says(&UNKNOWN).is_empty());
        assert_eq!(case().says(&UNKNOWN), [warned]);
        let lower = Case::create(typed(&json!("recreate"))).on("1.37.0");
        assert!(
            lower.says(&UNKNOWN)[0].starts_with("spec.updateStrategy.type: \"recreate\" is not")
        );
    }

    #[test]
    fn both_types_and_none_are_fine() {
        for kind in [
            json!("RollingUpdate"),
            json!("OnDelete"),
            json!(""),
            json!(null),
        ] {
            assert!(!fires(&UNKNOWN, typed(&kind)), "{kind}");
        }
    }
}
