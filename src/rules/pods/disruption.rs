//! `PodDisruptionBudget`s that let nobody drain a node.

use std::sync::Arc;

use crate::catalogue;
use crate::cluster_view::DisruptionBudget;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::view::IntOrString;

/// A budget that allows no eviction even while every pod is healthy, or two for the same pods (`trySync` in the disruption
/// controller; `EvictionREST` for two).
pub static BUDGET_BLOCKS: Rule = Rule {
    id: "disruption-budget-blocks",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "PodDisruptionBudgets let no pod of the set be evicted, so no node can be drained.",
        why: "`kubectl drain`, the cluster autoscaler and upgrades of nodes evict pods, and a PodDisruptionBudget says how many may be evicted \
              at a time. Here that is none even while all pods are well: `maxUnavailable: 0`, `minAvailable: 100%`, or a `minAvailable` that \
              reaches `replicas` (a percentage is rounded up: 90 % of 3 pods are 3). The drain waits for ever. Where two budgets select the \
              same pods, every eviction fails with an error. Of a set that an autoscaler scales its `minReplicas` count.\n\n\
              The opposite is reported too: a budget that lets a system which goes by majority lose it, such as `maxUnavailable: 2` for an etcd \
              of four.\n\n\
              With one replica or none only the operator's audit log has the finding.",
        at: &["spec.replicas", "spec.template.metadata.labels"],
        cluster: "\
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  minAvailable: 3
  selector:
    matchLabels: {app: web}
",
        example: "\
spec:
  replicas: 3
",
        fix: "Keep one budget for the set, and write `maxUnavailable: 1`: it stays right whatever `replicas` becomes.",
        fixed: "\
spec:
  replicas: 3
",
        fixed_cluster: "\
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {app: web}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let action = if fewest(context) > 1 || context.set.spec.replicas() > 1 {
        Action::Warn
    } else {
        Action::Audit
    };
    let budgets = selecting(context);
    if let [first, second, ..] = &*budgets {
        let (first, second) = (quoted(&first.name), quoted(&second.name));
        let message = format!(
            "PodDisruptionBudgets {first} and {second} select these pods, and with two every eviction fails"
        );
        violations.push(
            Violation::new(
                "/spec/template/metadata/labels",
                message,
                "keep one of them",
            )
            .with(action),
        );
        return; // an eviction does not get so far that either counts
    }
    for budget in &budgets {
        let name = quoted(&budget.name);
        let message = if let Some(why) = blocks(budget, context) {
            format!(
                "PodDisruptionBudget {name} ({why}) allows no eviction: a drain of the pods' nodes never ends"
            )
        } else if let Some((system, why)) = breaks_majority(budget, context) {
            format!(
                "PodDisruptionBudget {name} ({why}) lets drains take more pods than {system} can lose: it stops without a majority"
            )
        } else {
            continue;
        };
        violations.push(
            Violation::new("/spec/replicas", message, "write maxUnavailable: 1 there")
                .of(&*budget.name)
                .with(action),
        );
    }
}

/// The system that goes by majority, and the field of the budget that lets too many of its members be evicted.
fn breaks_majority(
    budget: &DisruptionBudget,
    context: &Context<'_>,
) -> Option<(&'static str, String)> {
    let replicas = context.set.spec.replicas();
    if replicas < 3 || !is_for_this_set_alone(budget, context) {
        return None;
    }
    let mut containers = context.set.spec.template.spec.containers.iter();
    let system = containers
        .find_map(|container| catalogue::running(container).filter(|system| system.quorum))?;
    let (field, value) = budget
        .max_unavailable
        .as_ref()
        .map(|value| ("maxUnavailable", value))
        .or_else(|| Some(("minAvailable", budget.min_available.as_ref()?)))?;
    let pods = match value {
        IntOrString::Int(pods) => *pods,
        IntOrString::String(text) => share_of(replicas, percent(text)?),
    };
    let gone = if field == "maxUnavailable" {
        pods
    } else {
        replicas.saturating_sub(pods)
    };
    let tolerated = (replicas - 1) / 2;
    (gone > tolerated).then(|| (system.name, format!("{field} {value} of {replicas}")))
}

/// The budgets that select the set's pods, by name.
fn selecting(context: &Context<'_>) -> Vec<Arc<DisruptionBudget>> {
    let known = context.cluster.disruption_budgets(context.namespace);
    let mut budgets = known.found().unwrap_or_default();
    let labels = &context.set.spec.template.metadata.labels;
    budgets.retain(|budget| {
        let selector = budget.selector.as_ref();
        selector
            .is_some_and(|selector| selector.selects(|key| labels.get(key).map(|value| &**value)))
    });
    budgets
}

/// The field of the budget that leaves no room while every pod is healthy.
fn blocks(budget: &DisruptionBudget, context: &Context<'_>) -> Option<String> {
    if let Some(value) = &budget.max_unavailable {
        return is_none(value).then(|| format!("maxUnavailable {value}"));
    }
    let replicas = fewest(context).max(1);
    let value = budget.min_available.as_ref()?;
    let wanted = match value {
        IntOrString::String(text) if percent(text)? >= 100 => replicas,
        // a share of all pods that it selects, which are known only where those are this set's and no others
        _ if !is_for_this_set_alone(budget, context) => return None,
        IntOrString::String(text) => share_of(replicas, percent(text)?),
        IntOrString::Int(pods) => *pods,
    };
    (wanted >= replicas).then(|| format!("minAvailable {value} of {replicas}"))
}

/// The fewest pods that the set may have: those that an autoscaler leaves it, if there is one.
fn fewest(context: &Context<'_>) -> i64 {
    let set = &*context.set.metadata.name;
    let scaled = context.cluster.min_replicas(context.namespace, set);
    scaled.found().unwrap_or(context.set.spec.replicas())
}

fn is_none(value: &IntOrString<'_>) -> bool {
    match value {
        IntOrString::Int(pods) => *pods == 0,
        IntOrString::String(text) => percent(text) == Some(0),
    }
}

fn percent(text: &str) -> Option<i64> {
    text.strip_suffix('%')?.parse().ok()
}

/// Rounded up, as the disruption controller does (`GetScaledValueFromIntOrPercent`).
fn share_of(replicas: i64, percent: i64) -> i64 {
    replicas.saturating_mul(percent).saturating_add(99) / 100
}

/// Whether the budget asks for all that the set's own selector asks for: no other set has pods like that.
fn is_for_this_set_alone(budget: &DisruptionBudget, context: &Context<'_>) -> bool {
    let own = context.set.spec.selector.as_ref();
    let asked = budget.selector.as_ref();
    own.zip(asked).is_some_and(|(own, asked)| {
        let mut pairs = own.match_labels.iter();
        own.match_expressions.is_empty()
            && pairs.all(|(key, value)| asked.match_labels.get(key) == Some(value))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, World, manifests, web_spec};
    use crate::statefulset::set::Selector;
    use crate::statefulset::view::Text;

    fn amount(value: &Value) -> Option<IntOrString<'static>> {
        let text = value.as_str().map(str::to_owned);
        let text = text.map(|text| IntOrString::String(Text::from(text)));
        text.or_else(|| value.as_i64().map(IntOrString::Int))
    }

    /// A budget for pods with these labels.
    fn budget(
        name: &str,
        field: &str,
        value: &Value,
        labels: &[(&'static str, &'static str)],
    ) -> DisruptionBudget {
        let labels = labels
            .iter()
            .map(|(key, value)| (Text::from(*key), Text::from(*value)));
        let value_of = |wanted| amount(value).filter(|_| field == wanted);
        DisruptionBudget {
            name: name.to_owned(),
            selector: Some(Selector {
                match_labels: labels.collect(),
                match_expressions: Vec::new(),
            }),
            min_available: value_of("minAvailable"),
            max_unavailable: value_of("maxUnavailable"),
        }
    }

    fn says(budgets: Vec<DisruptionBudget>, spec: &Value) -> Vec<String> {
        let world = World {
            budgets: Some(budgets),
            ..World::default()
        };
        Case::create(web_spec(spec))
            .among(world)
            .says(&BUDGET_BLOCKS)
    }

    const OWN: &[(&str, &str)] = &[("app", "web")];

    fn says_of_one(field: &str, value: &Value, replicas: i64) -> Vec<String> {
        says(
            vec![budget("web", field, value, OWN)],
            &json!({"replicas": replicas}),
        )
    }

    #[test]
    fn a_budget_leaves_room_for_an_eviction() {
        for (field, value, why) in [
            ("maxUnavailable", json!(0), "maxUnavailable 0"),
            ("maxUnavailable", json!("0%"), "maxUnavailable 0%"),
            ("minAvailable", json!(3), "minAvailable 3 of 3"),
            ("minAvailable", json!("100%"), "minAvailable 100% of 3"),
            ("minAvailable", json!("67%"), "minAvailable 67% of 3"),
        ] {
            assert_eq!(
                says_of_one(field, &value, 3),
                [format!(
                    "Warn spec.replicas: PodDisruptionBudget \"web\" ({why}) allows no eviction: a drain of the pods' nodes never ends; \
                     write maxUnavailable: 1 there"
                )]
            );
        }
        for (field, value) in [
            ("maxUnavailable", json!(1)),
            ("maxUnavailable", json!("1%")),
            ("minAvailable", json!(2)),
            ("minAvailable", json!("66%")),
            ("minAvailable", json!(0)),
            ("neither", json!(0)),
        ] {
            assert!(says_of_one(field, &value, 3).is_empty(), "{field} {value}");
        }
    }

    #[test]
    fn an_autoscaler_may_leave_fewer_pods() {
        let scaled = |least: i64| {
            let autoscaler = json!({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
                "spec": {"minReplicas": least, "maxReplicas": 9, "scaleTargetRef": {"kind": "StatefulSet", "name": "web"}}});
            World {
                budgets: Some(vec![budget("web", "minAvailable", &json!(2), OWN)]),
                ..manifests(&[autoscaler])
            }
        };
        let says = |least: i64| {
            Case::create(web_spec(&json!({"replicas": 5})))
                .among(scaled(least))
                .says(&BUDGET_BLOCKS)
        };
        assert!(says(2)[0].contains("(minAvailable 2 of 2) allows no eviction"));
        assert!(says(3).is_empty());
    }

    #[test]
    fn a_budget_leaves_a_majority() {
        let etcd = |field: &str, value: &Value, replicas: i64| {
            let container = json!({"name": "etcd", "image": "quay.io/coreos/etcd:v3.6.1"});
            let spec =
                json!({"replicas": replicas, "template": {"spec": {"containers": [container]}}});
            says(vec![budget("web", field, value, OWN)], &spec)
        };
        assert_eq!(
            etcd("maxUnavailable", &json!(2), 4),
            [
                "Warn spec.replicas: PodDisruptionBudget \"web\" (maxUnavailable 2 of 4) lets drains take more pods than etcd can lose: \
                 it stops without a majority; write maxUnavailable: 1 there"
            ]
        );
        for (field, value, replicas) in [
            ("maxUnavailable", json!("50%"), 3),
            ("minAvailable", json!(1), 3),
            ("minAvailable", json!("40%"), 5),
        ] {
            assert_eq!(etcd(field, &value, replicas).len(), 1, "{field} {value}");
        }
        for (field, value, replicas) in [
            ("maxUnavailable", json!(1), 3),
            ("maxUnavailable", json!(2), 5),
            ("minAvailable", json!(2), 3),
            ("minAvailable", json!("51%"), 3),
            ("maxUnavailable", json!(1), 2),
        ] {
            assert!(etcd(field, &value, replicas).is_empty(), "{field} {value}");
        }
        assert!(
            says_of_one("maxUnavailable", &json!(2), 3).is_empty(),
            "no quorum"
        );
    }

    #[test]
    fn with_one_replica_only_the_operator_is_told() {
        for replicas in [0, 1] {
            let found = says_of_one("minAvailable", &json!("1%"), replicas);
            assert!(
                found[0].starts_with(
                    "Audit spec.replicas: PodDisruptionBudget \"web\" (minAvailable 1% of 1)"
                ),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_budget_for_more_pods_counts_them_too() {
        let shared = |value: &Value| budget("all", "minAvailable", value, &[("app", "web")]);
        let narrower = json!({"selector": {"matchLabels": {"app": "web", "tier": "a"}},
            "template": {"metadata": {"labels": {"tier": "a"}}}});
        assert!(says(vec![shared(&json!(3))], &narrower).is_empty());
        assert!(says(vec![shared(&json!("90%"))], &narrower).is_empty());
        assert_eq!(says(vec![shared(&json!("100%"))], &narrower).len(), 1);
        let none = budget("all", "maxUnavailable", &json!(0), &[]);
        assert_eq!(
            says(vec![none], &narrower).len(),
            1,
            "an empty selector selects all"
        );
    }

    #[test]
    fn two_budgets_for_one_pod_are_one_too_many() {
        let one = |name: &str, labels| budget(name, "maxUnavailable", &json!(1), labels);
        assert_eq!(
            says(vec![one("a", OWN), one("b", &[])], &json!({})),
            [
                "Warn spec.template.metadata.labels: PodDisruptionBudgets \"a\" and \"b\" select these pods, \
                 and with two every eviction fails; keep one of them"
            ]
        );
        assert!(says(vec![one("a", OWN), one("b", &[("app", "db")])], &json!({})).is_empty());
        let alone = says(vec![one("a", OWN), one("b", OWN)], &json!({"replicas": 1}));
        assert!(alone[0].starts_with("Audit "), "{alone:?}");
    }

    #[test]
    fn what_is_not_known_is_not_judged() {
        let mut without = budget("web", "maxUnavailable", &json!(0), OWN);
        without.selector = None;
        assert!(
            says(vec![without], &json!({})).is_empty(),
            "no selector selects nothing"
        );
        assert!(says(Vec::new(), &json!({})).is_empty());
        let unknown = Case::create(web_spec(&json!({})));
        assert!(unknown.says(&BUDGET_BLOCKS).is_empty());
    }

    #[test]
    fn an_old_sin_is_known_by_the_budget() {
        let world = World {
            budgets: Some(vec![budget("web", "minAvailable", &json!(2), OWN)]),
            ..World::default()
        };
        let set = |replicas: i64| web_spec(&json!({"replicas": replicas}));
        let found = Case::update(set(3), set(2)).among(world);
        let found = found.violations(&BUDGET_BLOCKS);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].subject, "web");
    }
}
