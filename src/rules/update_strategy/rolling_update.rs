//! `spec.updateStrategy.rollingUpdate` and its `partition`.

use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::RollingUpdate;

/// `rollingUpdate` under `OnDelete` (`ValidateStatefulSetSpec`: "only allowed for updateStrategy 'RollingUpdate'").
pub static WITH_ON_DELETE: Rule = Rule {
    id: "rolling-update-with-on-delete",
    action: Action::Deny,
    builtin: Builtin::Always,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`spec.updateStrategy.rollingUpdate` stands beside `type: OnDelete`, even if it is empty.",
        why: "`rollingUpdate` holds the settings of the type `RollingUpdate`. Every API server refuses it beside `OnDelete`. It would have no \
              effect there: under `OnDelete` a partition holds no pod back, whatever is deleted comes up with the new template.\n\n\
              One case is put right for you. A set that was made with the default type carries `rollingUpdate: {partition: 0}`, which the \
              server wrote, and `kubectl apply` and `helm upgrade` merge it into a manifest that says `OnDelete`. On an update such a \
              left-over is removed, with a warning.",
        at: &["spec.updateStrategy.rollingUpdate"],
        example: "\
spec:
  updateStrategy:
    type: OnDelete
    rollingUpdate:
      partition: 2
",
        fix: "Remove `rollingUpdate`; in a patch write `rollingUpdate: null`. Or write `type: RollingUpdate`, if the partition is what you \
              want.",
        fixed: "\
spec:
  updateStrategy:
    type: OnDelete
",
        ..Docs::BLANK
    },
    check: with_on_delete,
};

fn with_on_delete(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let strategy = &context.set.spec.update_strategy;
    if strategy.kind() != "OnDelete" || strategy.rolling_update.is_none() {
        return;
    }
    let message = if strategy.partition() > 0 {
        "OnDelete takes no rollingUpdate, and under it a partition holds no pod back: each deleted pod gets the new template"
    } else {
        "rollingUpdate belongs to the type RollingUpdate, and the type is OnDelete"
    };
    violations.push(Violation::new(
        "/spec/updateStrategy/rollingUpdate",
        message,
        "remove rollingUpdate, or write type: RollingUpdate",
    ));
}

/// A negative partition (`ValidateStatefulSetSpec`).
pub static PARTITION_NEGATIVE: Rule = Rule {
    id: "partition-negative",
    action: Action::Deny,
    builtin: Builtin::Always,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`spec.updateStrategy.rollingUpdate.partition` is below 0.",
        why: "A partition holds pods back from an update: the first so many pods of the set keep the old template, the others get the new one. \
              With 2, `web-0` and `web-1` keep theirs. Every API server refuses a negative number.",
        at: &["spec.updateStrategy.rollingUpdate.partition"],
        example: "\
spec:
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      partition: -1
",
        fix: "Write 0 to update every pod, or the number of pods to hold back.",
        fixed: "\
spec:
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      partition: 0
",
        ..Docs::BLANK
    },
    check: partition_negative,
};

const PARTITION: &str = "/spec/updateStrategy/rollingUpdate/partition";

fn partition_negative(context: &Context<'_>, violations: &mut Vec<Violation>) {
    if rolling_update(context).is_none() {
        return;
    }
    let partition = context.set.spec.update_strategy.partition();
    if partition < 0 {
        violations.push(Violation::new(
            PARTITION,
            format!("{partition} is below 0"),
            "write 0 to update every pod, or the number of the first pod to update",
        ));
    }
}

/// A partition at or above the number of replicas: allowed, and no pod will ever get the new template.
pub static PARTITION_EXCEEDS_REPLICAS: Rule = Rule {
    id: "partition-exceeds-replicas",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`spec.updateStrategy.rollingUpdate.partition` is at or above `spec.replicas`.",
        why: "A partition holds pods back from an update: the first so many pods of the set keep the old template. Here that is all of them. A \
              new template is stored, and no pod ever gets it, without any event or error. A pod that is deleted or fails comes back with the \
              old template too.\n\n\
              Some operators freeze a set on purpose this way.",
        at: &["spec.updateStrategy.rollingUpdate.partition"],
        example: "\
spec:
  replicas: 3
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      partition: 3
",
        fix: "Write a partition below `replicas`: `replicas - 1` updates the last pod alone, as a canary; then lower it step by step to 0.",
        fixed: "\
spec:
  replicas: 3
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      partition: 2
",
        ..Docs::BLANK
    },
    check: partition_exceeds_replicas,
};

fn partition_exceeds_replicas(context: &Context<'_>, violations: &mut Vec<Violation>) {
    if rolling_update(context).is_none() {
        return;
    }
    let spec = &context.set.spec;
    let (partition, replicas) = (spec.update_strategy.partition(), spec.replicas());
    if replicas > 0 && partition >= replicas {
        violations.push(Violation::new(
            PARTITION,
            format!("{partition} with {replicas} replicas holds back every pod: none will get a new template"),
            format!(
                "write {} to update one pod first, 0 to update all",
                replicas - 1
            ),
        ));
    }
}

/// The block, where the type is the one that it belongs to: elsewhere the type is what is wrong.
pub(super) fn rolling_update<'c>(context: &Context<'c>) -> Option<&'c RollingUpdate<'c>> {
    let strategy = &context.set.spec.update_strategy;
    if strategy.kind() == "RollingUpdate" {
        strategy.rolling_update.as_ref()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, fires, web_spec};

    fn strategy(strategy: &Value) -> Value {
        web_spec(&json!({"updateStrategy": strategy}))
    }

    #[test]
    fn on_delete_takes_no_rolling_update() {
        let says = |rolling: Value| {
            Case::create(strategy(
                &json!({"type": "OnDelete", "rollingUpdate": rolling}),
            ))
            .says(&WITH_ON_DELETE)
        };
        let plain = "spec.updateStrategy.rollingUpdate: rollingUpdate belongs to the type RollingUpdate, and the type is OnDelete; \
                     remove rollingUpdate, or write type: RollingUpdate";
        assert_eq!(says(json!({})), [plain]);
        assert_eq!(says(json!({"partition": 0, "maxUnavailable": 2})), [plain]);
        assert_eq!(
            says(json!({"partition": 1})),
            [
                "spec.updateStrategy.rollingUpdate: OnDelete takes no rollingUpdate, and under it a partition holds no pod back: \
                 each deleted pod gets the new template; remove rollingUpdate, or write type: RollingUpdate"
            ]
        );
        assert!(says(json!(null)).is_empty());
    }

    #[test]
    fn other_types_are_not_its_business() {
        for kind in ["RollingUpdate", "", "Recreate"] {
            let set = strategy(&json!({"type": kind, "rollingUpdate": {"partition": 1}}));
            assert!(!fires(&WITH_ON_DELETE, set), "{kind}");
        }
    }

    #[test]
    fn a_partition_is_not_negative() {
        assert_eq!(
            Case::create(strategy(&json!({"rollingUpdate": {"partition": -1}})))
                .says(&PARTITION_NEGATIVE),
            [
                "spec.updateStrategy.rollingUpdate.partition: -1 is below 0; write 0 to update every pod, or the number of the first pod to update"
            ]
        );
        assert!(!fires(
            &PARTITION_NEGATIVE,
            strategy(&json!({"rollingUpdate": {"partition": 0}}))
        ));
        let other_type = strategy(&json!({"type": "OnDelete", "rollingUpdate": {"partition": -1}}));
        assert!(!fires(&PARTITION_NEGATIVE, other_type));
    }

    #[test]
    fn a_partition_lets_some_pod_through() {
        let says = |replicas: i64, partition: i64| {
            Case::create(web_spec(&json!({"replicas": replicas,
                "updateStrategy": {"rollingUpdate": {"partition": partition}}})))
            .says(&PARTITION_EXCEEDS_REPLICAS)
        };
        assert_eq!(
            says(3, 3),
            [
                "spec.updateStrategy.rollingUpdate.partition: 3 with 3 replicas holds back every pod: none will get a new template; \
                 write 2 to update one pod first, 0 to update all"
            ]
        );
        for (replicas, partition) in [(3, 2), (3, 0), (0, 5)] {
            assert!(
                says(replicas, partition).is_empty(),
                "{partition} of {replicas}"
            );
        }
    }
}
