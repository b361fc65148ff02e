use serde_json::{Value, json};

use super::*;
use crate::inject::testing::{World, create, web};

/// A set whose annotations ask for so many claims.
fn asking(count: usize) -> Value {
    let annotations: serde_json::Map<String, Value> = (0..count)
        .map(|index| {
            let request = json!({"mountPath": format!("/data/{index}")});
            let key = format!("steadyset.io/claim-c{index}");
            (key, json!(request.to_string()))
        })
        .collect();
    web(&json!({"metadata": {"annotations": annotations}}))
}

fn notices(set: &Value) -> (usize, Vec<String>) {
    let written = create(set, &World::default());
    let notices = written.outcome.notices.into_iter();
    let claims = written.set["spec"]["volumeClaimTemplates"].as_array();
    let messages = notices.map(|notice| notice.message);
    (claims.map_or(0, Vec::len), messages.collect())
}

#[test]
fn as_many_claims_as_fit_are_added() {
    let (claims, _) = notices(&asking(20));
    assert_eq!(claims, 20);
}

#[test]
fn a_patch_that_nobody_could_read_is_none() {
    for (count, start) in [
        (400, "nothing added: the changes would take "),
        (600, "nothing added: it would take 12"),
        (
            1_001,
            "nothing added: the set has more than 2,000 volumes, or 1,000 claims",
        ),
    ] {
        let (claims, notices) = notices(&asking(count));
        assert_eq!((claims, notices.len()), (0, 1), "{count}: {notices:?}");
        assert!(notices[0].starts_with(start), "{count}: {notices:?}");
    }
}

#[test]
fn more_work_than_the_budget_changes_nothing() {
    let mounts: Vec<Value> = (0..1_000)
        .map(
            |index| json!({"name": format!("mount{index}"), "mountPath": format!("/data/{index}")}),
        )
        .collect();
    let volumes: Vec<Value> = (0..1_000)
        .map(|index| json!({"name": format!("volume{index}"), "emptyDir": {}}))
        .collect();
    let mut set = web(&json!({"spec": {"template": {"spec": {"volumes": volumes}}}}));
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = json!(mounts);
    let (claims, notices) = notices(&set);
    assert_eq!(claims, 0);
    assert_eq!(
        notices,
        ["nothing added: the set has too many mounts and claims for it"]
    );
}

#[test]
fn nothing_is_added_to_a_set_that_is_too_large() {
    let container = |index| json!({"name": format!("c{index}"), "image": "registry.example/c:1", "ports": [{"containerPort": 80}]});
    let set = |count| {
        let containers: Vec<Value> = (0..count).map(container).collect();
        web(&json!({"spec": {"replicas": 1, "template": {"spec": {"containers": containers}}}}))
    };
    let injected = |count| {
        create(&set(count), &World::default())
            .outcome
            .injections
            .len()
    };
    assert!(injected(100) >= 100);
    assert_eq!(injected(257), 0);
}

#[test]
fn a_record_that_is_longer_than_a_patch_is_none() {
    let long = json!({"service-name": {"state": "injected", "value": "x".repeat(MAX_PATCH), "source": "policy", "version": "0"}});
    let text = web(&json!({"metadata": {"annotations": {INJECTED: long.to_string()}}})).to_string();
    let set: Set<'_> = serde_json::from_str(&text).unwrap();
    assert_eq!(crate::inject::record::Record::of(&set), None);
}
