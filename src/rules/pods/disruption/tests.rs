//! Budgets that are too tight, too many or too wide.

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
        let spec = json!({"replicas": replicas, "template": {"spec": {"containers": [container]}}});
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
