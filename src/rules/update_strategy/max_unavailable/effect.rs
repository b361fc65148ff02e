//! What a valid value does.

use super::value::{amount, pods};
use super::{Gate, POINTER, stored_set_has_it, value};
use crate::catalogue;
use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::view::IntOrString;

/// More than one pod down at once in a set that starts its pods one by one.
pub static ORDERED_READY: Rule = Rule {
    id: "max-unavailable-ordered-ready",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`maxUnavailable` allows more than one pod to be down, and the pod management policy is `OrderedReady`.",
        why: "An update deletes that many pods at once. `OrderedReady` then brings them back one at a time, the lowest number first, and each \
              waits until the one before is Ready. So more pods are down at a time, and a single one that does not get Ready halts the rest.\n\n\
              Where the server is known not to act on the field the rule is silent (see max-unavailable-ignored).",
        at: &["spec.updateStrategy.rollingUpdate.maxUnavailable"],
        example: "\
spec:
  replicas: 5
  podManagementPolicy: OrderedReady
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 2
",
        fix: "Leave `maxUnavailable` at 1, its default. Or use `podManagementPolicy: Parallel`, which an existing set can get only by being \
              made anew.",
        fixed: "\
spec:
  replicas: 5
  podManagementPolicy: OrderedReady
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 1
",
        ..Docs::BLANK
    },
    check: ordered_ready,
};

/// All pods down at once.
pub static ALL_REPLICAS: Rule = Rule {
    id: "max-unavailable-all-replicas",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`maxUnavailable` is as large as the set.",
        why: "One change of the pod template takes every pod down at the same time: the service is gone until they are back. A percentage \
              counts as the controller counts, rounded down, but at least 1.\n\n\
              Where the server is known not to act on the field the rule is silent (see max-unavailable-ignored).",
        at: &["spec.updateStrategy.rollingUpdate.maxUnavailable"],
        example: "\
spec:
  replicas: 3
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 100%
",
        fix: "Write a number below `replicas`. 1 restarts one pod after the other.",
        fixed: "\
spec:
  replicas: 3
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 1
",
        ..Docs::BLANK
    },
    check: all_replicas,
};

/// More members down at once than a quorum survives.
pub static QUORUM: Rule = Rule {
    id: "max-unavailable-quorum",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`maxUnavailable` lets an update take down so many members that no majority is left.",
        why: "Systems such as etcd, ZooKeeper, Kafka or Consul agree by majority: of 3 members 2 must be up, of 5 members 3. An update that \
              takes down more than `(replicas - 1) / 2` at once stops the whole system, not only the members that restart. The rule knows such \
              systems by their images; `steadyset explain catalogue` lists them.\n\n\
              Where the server is known not to act on the field the rule is silent (see max-unavailable-ignored).",
        at: &["spec.updateStrategy.rollingUpdate.maxUnavailable"],
        example: "\
spec:
  replicas: 3
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 2
  template:
    spec:
      containers:
        - name: etcd
          image: quay.io/coreos/etcd:v3.6.1
",
        fix: "Write 1, or at most `(replicas - 1) / 2`.",
        fixed: "\
spec:
  replicas: 3
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 1
  template:
    spec:
      containers:
        - name: etcd
          image: quay.io/coreos/etcd:v3.6.1
",
        ..Docs::BLANK
    },
    check: quorum,
};

/// A value that this server does not act on.
pub static IGNORED: Rule = Rule {
    id: "max-unavailable-ignored",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    may_deny: false,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`maxUnavailable` is set, and this server does not act on it.",
        why: "The field stands behind the feature gate `MaxUnavailableStatefulSet`. By default the gate is off up to 1.34, on in 1.35.0 to \
              1.35.3, off again from 1.35.4 and in 1.36, and on from 1.37. Where it is off the server drops the field without a word, or keeps \
              it without effect where the stored set already has it. Pods restart one at a time.",
        server: "accepts the set; drops the field, or keeps it without effect",
        at: &["spec.updateStrategy.rollingUpdate.maxUnavailable"],
        version: "1.36",
        example: "\
spec:
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 2
",
        fix: "Remove it, or switch the feature gate on in the API server and in the controller-manager.",
        fixed: "\
spec:
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
",
        ..Docs::BLANK
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
    use crate::model::finding::Phase;
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
