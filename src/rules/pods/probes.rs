//! Probes.

use crate::rules::{Action, Builtin, Context, Docs, Rule, Violation};
use crate::subject::probe::Probe;
use crate::subject::set::Container;

/// A liveness or startup probe that asks for several successes (`validateLivenessProbe`, `validateStartupProbe`).
pub static SUCCESS_THRESHOLD: Rule = Rule {
    id: "probe-success-threshold",
    action: Action::Deny,
    builtin: Builtin::Since(34),
    early: false,
    docs: Docs {
        what: "A liveness or startup probe has a `successThreshold` other than 1.",
        why: "One success is enough for these by definition. From 1.34 the API server refuses the set; before, no pod can be created.",
        example: "livenessProbe:\n  tcpSocket: {port: 5432}\n  successThreshold: 2\n",
        fix: "Remove `successThreshold`, or write 1. A readiness probe may ask for more.",
    },
    check: success_threshold,
};

fn success_threshold(context: &Context<'_>, violations: &mut Vec<Violation>) {
    for (place, container) in context.set.spec.template.spec.all_containers() {
        for (field, probe) in once_is_enough(container) {
            // The server fills in 1 for 0 (SetDefaults_Probe).
            let threshold = probe.and_then(|probe| probe.success_threshold).unwrap_or(1);
            if !matches!(threshold, 0 | 1) {
                violations.push(
                    Violation::new(
                        format!("{place}/{field}"),
                        format!("successThreshold is {threshold}, and one success is enough here by definition"),
                        "remove successThreshold, or write 1",
                    )
                    .of(format!("{}/{field}", container.name)),
                );
            }
        }
    }
}

fn once_is_enough<'s, 'a>(
    container: &'s Container<'a>,
) -> [(&'static str, Option<&'s Probe<'a>>); 2] {
    [
        ("livenessProbe", container.liveness_probe.as_ref()),
        ("startupProbe", container.startup_probe.as_ref()),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, fires, web_spec};

    fn with(kind: &str, threshold: &Value) -> Value {
        let container = json!({"name": "web", kind: {"tcpSocket": {"port": 80}, "successThreshold": threshold}});
        web_spec(&json!({"template": {"spec": {"containers": [container]}}}))
    }

    #[test]
    fn one_success_is_enough() {
        for kind in ["livenessProbe", "startupProbe"] {
            assert_eq!(
                Case::create(with(kind, &json!(2))).says(&SUCCESS_THRESHOLD),
                [format!(
                    "spec.template.spec.containers[0].{kind}: successThreshold is 2, and one success is enough here by definition; \
                     remove successThreshold, or write 1"
                )]
            );
            for threshold in [json!(1), json!(0), json!(null)] {
                assert!(
                    !fires(&SUCCESS_THRESHOLD, with(kind, &threshold)),
                    "{threshold}"
                );
            }
        }
        assert!(!fires(
            &SUCCESS_THRESHOLD,
            with("readinessProbe", &json!(2))
        ));
    }
}
