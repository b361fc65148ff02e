//! How long a pod has to stop.

use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// Pods that are gone from the API before their processes are.
pub static ZERO: Rule = Rule {
    id: "termination-grace-zero",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`terminationGracePeriodSeconds` of the pod template is 0.",
        why: "The field says how long a program may take to stop. With 0 a pod is deleted from the API server without waiting for its node to \
              confirm that it has stopped. The set then makes the next pod of that name while the old one may still run: two processes with \
              one identity, and often on one volume, which can destroy data. The Kubernetes documentation calls it unsafe for StatefulSets.",
        at: &["spec.template.spec.terminationGracePeriodSeconds"],
        example: "\
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 0
",
        fix: "Remove the field, which means 30 seconds, or write how long the program needs to stop.",
        fixed: "\
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 60
",
        ..Docs::BLANK
    },
    check: zero,
};

fn zero(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let pods = &context.set.spec.template.spec;
    if pods.termination_grace_period_seconds == Some(0) {
        violations.push(Violation::new(
            "/spec/template/spec/terminationGracePeriodSeconds",
            "with 0 a pod is replaced before it has surely stopped: two may run under one name, on one volume",
            "remove it (30 s), or write the seconds that the program needs to stop",
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, fires, web_spec};

    fn seconds(seconds: &Value) -> Value {
        web_spec(&json!({"template": {"spec": {"terminationGracePeriodSeconds": seconds}}}))
    }

    #[test]
    fn a_pod_has_time_to_stop() {
        assert_eq!(
            Case::create(seconds(&json!(0))).says(&ZERO),
            [
                "spec.template.spec.terminationGracePeriodSeconds: with 0 a pod is replaced before it has surely stopped: \
                 two may run under one name, on one volume; remove it (30 s), or write the seconds that the program needs to stop"
            ]
        );
        for value in [json!(1), json!(30), json!(null)] {
            assert!(!fires(&ZERO, seconds(&value)), "{value}");
        }
    }
}
