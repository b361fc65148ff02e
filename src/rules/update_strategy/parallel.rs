//! A controller whose rollouts under `Parallel` leave pods behind.

use crate::model::finding::Action;
use crate::model::version::ServerVersion;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// `Parallel` with a rolling update where the controller has a bug (kubernetes#137409, fixed in 1.35.4).
pub static ROLLOUT_BROKEN: Rule = Rule {
    id: "parallel-rollout-broken",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "On Kubernetes 1.35.0 to 1.35.3 a rollout under `Parallel` leaves pods behind that never became Ready.",
        why: "In these versions a pod that is not Ready counts against `maxUnavailable` even if it is of the old revision. A set whose first               version never became Ready does not get the corrected one: its pods stay on the old revision until somebody deletes them               (kubernetes#137409, fixed in 1.35.4).",
        at: &["spec.podManagementPolicy"],
        version: "1.35.2",
        example: "\
spec:
  podManagementPolicy: Parallel
",
        fix: "Upgrade the cluster to 1.35.4 or later. Until then delete pods that hang on the old revision:               `kubectl delete pod NAME -n NAMESPACE`.",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    let is_affected = context.cluster.version().is_some_and(is_broken)
        && spec.pod_management_policy() == "Parallel"
        && spec.update_strategy.kind() == "RollingUpdate"
        && spec.replicas() > 0;
    if is_affected {
        violations.push(Violation::new(
            "/spec/podManagementPolicy",
            "on Kubernetes 1.35.0 to 1.35.3 a pod that never became Ready stays on the old revision under Parallel",
            "upgrade to 1.35.4 or later; until then delete such pods yourself",
        ));
    }
}

fn is_broken(version: ServerVersion) -> bool {
    (version.major, version.minor) == (1, 35) && version.patch.is_some_and(|patch| patch < 4)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, web_spec};

    #[test]
    fn a_rollout_leaves_pods_behind_on_some_servers() {
        let case = || Case::create(web_spec(&json!({"podManagementPolicy": "Parallel"})));
        for version in ["1.35.0", "1.35.3"] {
            assert_eq!(
                case().on(version).says(&ROLLOUT_BROKEN),
                [
                    "spec.podManagementPolicy: on Kubernetes 1.35.0 to 1.35.3 a pod that never became Ready stays on the old revision \
                     under Parallel; upgrade to 1.35.4 or later; until then delete such pods yourself"
                ]
            );
        }
        for version in ["1.34.9", "1.35", "1.35.4", "1.36.0"] {
            assert!(
                case().on(version).says(&ROLLOUT_BROKEN).is_empty(),
                "{version}"
            );
        }
        assert!(case().says(&ROLLOUT_BROKEN).is_empty());
        for spec in [
            json!({}),
            json!({"podManagementPolicy": "Parallel", "updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}),
        ] {
            let case = Case::create(web_spec(&spec)).on("1.35.0");
            assert!(case.says(&ROLLOUT_BROKEN).is_empty(), "{spec}");
        }
    }
}
