//! What a valid value does.

use super::value::{amount, pods};
use super::{Gate, POINTER, stored_set_has_it, value};
use crate::inject::catalogue;
use crate::rules::{Action, Builtin, Context, Docs, Rule, Violation};
use crate::subject::view::IntOrString;

/// More than one pod down at once in a set that starts its pods one by one.
pub static ORDERED_READY: Rule = Rule {
    id: "max-unavailable-ordered-ready",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    docs: Docs {
        what: "`maxUnavailable` allows more than one pod to be down, and the pod management policy is `OrderedReady`.",
        why: "That many pods go down at once, but they come back one at a time, and a pod that does not get Ready halts the rest.",
        example: "spec:\n  replicas: 5\n  podManagementPolicy: OrderedReady\n  updateStrategy:\n    rollingUpdate:\n      maxUnavailable: 2\n",
        fix: "Leave `maxUnavailable` at 1, or use `podManagementPolicy: Parallel` (which only a new set can have).",
    },
    check: ordered_ready,
};

/// All pods down at once.
pub static ALL_REPLICAS: Rule = Rule {
    id: "max-unavailable-all-replicas",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    docs: Docs {
        what: "`maxUnavailable` is as large as the set.",
        why: "One change of the template takes every pod down at the same time.",
        example: "spec:\n  replicas: 3\n  updateStrategy:\n    rollingUpdate:\n      maxUnavailable: 100%\n",
        fix: "Write a number below `replicas`; 1 restarts one pod after the other.",
    },
    check: all_replicas,
};

/// More members down at once than a quorum survives.
pub static QUORUM: Rule = Rule {
    id: "max-unavailable-quorum",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    docs: Docs {
        what: "`maxUnavailable` allows half of the members or more of a system that needs a majority (etcd, ZooKeeper, Kafka, ...) to be down.",
        why: "During an update too few members are left to agree, and the whole system stops.",
        example: "spec:\n  replicas: 3\n  updateStrategy:\n    rollingUpdate:\n      maxUnavailable: 2\n  # an etcd image\n",
        fix: "Write 1, or at most `(replicas - 1) / 2`.",
    },
    check: quorum,
};

/// A value that this server does not act on.
pub static IGNORED: Rule = Rule {
    id: "max-unavailable-ignored",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    docs: Docs {
        what: "`maxUnavailable` is set, and this server does not act on it.",
        why: "The field is behind the feature gate `MaxUnavailableStatefulSet`: off up to 1.34, from 1.35.4 and in 1.36. The server drops the field, \
              or keeps it where the stored set already has it, and restarts one pod at a time.",
        example: "spec:\n  updateStrategy:\n    rollingUpdate:\n      maxUnavailable: 2\n",
        fix: "Remove it, or switch the feature gate on in the API server and the controller-manager.",
    },
    check: ignored,
};
/// How many pods may be down, where the value is valid and the server may act on it.
fn pods_down(context: &Context<'_>) -> Option<i64> {
    let amount = amount(value(context)?).ok()?;
    (Gate::of(context) != Gate::Off).then(|| pods(&amount, context.set.spec.replicas()))
}

fn ordered_ready(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(down) = pods_down(context) else {
        return;
    };
    let spec = &context.set.spec;
    if down > 1 && spec.replicas() > 1 && spec.is_ordered_ready() {
        let down = down.min(spec.replicas());
        violations.push(Violation::new(
            POINTER,
            format!("with OrderedReady {down} pods go down at once and come back one at a time; one that stays unready halts the rest"),
            "write 1",
        ));
    }
}

fn all_replicas(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(down) = pods_down(context) else {
        return;
    };
    let replicas = context.set.spec.replicas();
    if replicas > 1 && down >= replicas {
        violations.push(Violation::new(
            POINTER,
            format!("one update takes all {replicas} pods down at once"),
            format!("write a number below {replicas}; 1 restarts one pod after the other"),
        ));
    }
}

fn quorum(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(down) = pods_down(context) else {
        return;
    };
    let replicas = context.set.spec.replicas();
    let spare = (replicas - 1) / 2;
    // One is the least that can be written, and all of them is max-unavailable-all-replicas.
    if down <= spare.max(1) || down >= replicas {
        return;
    }
    let containers = &context.set.spec.template.spec.containers;
    let mut systems = containers.iter().filter_map(catalogue::running);
    if let Some(system) = systems.find(|system| system.quorum) {
        violations.push(Violation::new(
            POINTER,
            format!(
                "{down} of {replicas} members of {} down at once leave no majority",
                system.name
            ),
            format!("write {}", spare.max(1)),
        ));
    }
}

fn ignored(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let (Some(value), Some(version)) = (value(context), context.cluster.version()) else {
        return;
    };
    if amount(value).is_err() || *value == IntOrString::Int(1) || Gate::of(context) != Gate::Off {
        return;
    }
    let does = if stored_set_has_it(context) {
        "keeps it without acting on it"
    } else {
        "drops it"
    };
    violations.push(Violation::new(
        POINTER,
        format!("Kubernetes {version} {does}: pods restart one at a time"),
        "remove it, or switch on the feature gate MaxUnavailableStatefulSet",
    ));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::Phase;
    use crate::rules::testing::{Case, max_unavailable as case};

    #[test]
    fn ordered_pods_go_down_together_and_come_back_alone() {
        assert_eq!(
            case(&json!(2), &json!({})).says(&ORDERED_READY),
            [
                "spec.updateStrategy.rollingUpdate.maxUnavailable: with OrderedReady 2 pods go down at once and come back one at a time; \
                 one that stays unready halts the rest; write 1"
            ]
        );
        for (value, spec) in [
            (json!(1), json!({})),
            (json!("50%"), json!({})),
            (json!(2), json!({"podManagementPolicy": "Parallel"})),
            (json!(2), json!({"replicas": 1})),
            (json!("2"), json!({})),
        ] {
            assert!(
                case(&value, &spec).says(&ORDERED_READY).is_empty(),
                "{value} {spec}"
            );
        }
        assert_eq!(
            case(&json!("70%"), &json!({})).says(&ORDERED_READY).len(),
            1
        );
        assert!(
            case(&json!(2), &json!({}))
                .on("1.36.3")
                .says(&ORDERED_READY)
                .is_empty()
        );
    }

    #[test]
    fn not_every_pod_at_once() {
        assert_eq!(
            case(&json!("100%"), &json!({})).says(&ALL_REPLICAS),
            [
                "spec.updateStrategy.rollingUpdate.maxUnavailable: one update takes all 3 pods down at once; \
                 write a number below 3; 1 restarts one pod after the other"
            ]
        );
        for (value, replicas) in [
            (json!(2), 3),
            (json!("99%"), 3),
            (json!(5), 1),
            (json!(5), 0),
        ] {
            let case = case(&value, &json!({"replicas": replicas}));
            assert!(case.says(&ALL_REPLICAS).is_empty(), "{value} {replicas}");
        }
    }

    #[test]
    fn a_majority_stays_up() {
        let image = |image: &str| json!({"podManagementPolicy": "Parallel", "template": {"spec": {"containers": [{"name": "web", "image": image}]}}});
        assert_eq!(
            case(&json!(2), &image("quay.io/coreos/etcd:v3.6")).says(&QUORUM),
            [
                "spec.updateStrategy.rollingUpdate.maxUnavailable: 2 of 3 members of etcd down at once leave no majority; write 1"
            ]
        );
        for (value, spec) in [(1, image("etcd")), (3, image("etcd")), (2, image("nginx"))] {
            assert!(
                case(&json!(value), &spec).says(&QUORUM).is_empty(),
                "{value} {spec}"
            );
        }
    }

    #[test]
    fn a_server_that_does_not_act_on_it_is_named() {
        let says = |version: &str| case(&json!(2), &json!({})).on(version).says(&IGNORED);
        assert_eq!(
            says("1.36.3"),
            [
                "spec.updateStrategy.rollingUpdate.maxUnavailable: Kubernetes 1.36.3 drops it: pods restart one at a time; \
                 remove it, or switch on the feature gate MaxUnavailableStatefulSet"
            ]
        );
        for version in ["1.35.0", "1.35", "1.37.1"] {
            assert!(says(version).is_empty(), "{version}");
        }
        assert_eq!((says("1.34.0").len(), says("1.35.4").len()), (1, 1));
        assert!(
            case(&json!(1), &json!({}))
                .on("1.36.3")
                .says(&IGNORED)
                .is_empty()
        );
        assert!(case(&json!(2), &json!({})).says(&IGNORED).is_empty());
        let stored = Case::update(
            case(&json!(2), &json!({})).object,
            case(&json!(3), &json!({})).object,
        );
        assert!(
            stored.at(Phase::Mutate).on("1.36.3").says(&IGNORED)[0]
                .contains("keeps it without acting on it")
        );
    }

    #[test]
    fn what_reaches_validate_has_been_let_through() {
        let case = || case(&json!(3), &json!({})).at(Phase::Validate).on("1.36.3");
        assert!(case().says(&IGNORED).is_empty());
        assert_eq!(case().says(&ALL_REPLICAS).len(), 1);
    }
}
