//! What restarts, and what does not.

use serde_json::{Value, json};

use super::*;
use crate::rules::testing::{Case, web, web_spec};

const CHANGED: &str = "registry.example/web:2";

fn on_delete(image: &str, replicas: i64) -> Value {
    web_spec(
        &json!({"replicas": replicas, "updateStrategy": {"type": "OnDelete", "rollingUpdate": null},
        "template": {"spec": {"containers": [{"name": "web", "image": image}]}}}),
    )
}

#[test]
fn under_on_delete_nothing_restarts() {
    let says = |replicas| {
        Case::update(on_delete("a", replicas), on_delete(CHANGED, replicas))
            .says(&ON_DELETE_TEMPLATE_CHANGE)
    };
    assert_eq!(
        says(3),
        [
            "spec.template: OnDelete restarts nothing: a pod that fails, is evicted or added gets the new template; \
             kubectl delete pod -n shop web-2, then downwards, each once the last is Ready"
        ]
    );
    assert!(says(1)[0].ends_with("; kubectl delete pod -n shop web-0"));
    assert!(says(0).is_empty());
    let scaled = Case::update(on_delete("a", 1), on_delete("a", 2));
    assert!(scaled.says(&ON_DELETE_TEMPLATE_CHANGE).is_empty());
    assert!(
        Case::create(on_delete("a", 1))
            .says(&ON_DELETE_TEMPLATE_CHANGE)
            .is_empty()
    );
    let rolling = web_spec(
        &json!({"template": {"spec": {"containers": [{"name": "web", "image": CHANGED}]}}}),
    );
    assert!(
        Case::update(web(&json!({})), rolling)
            .says(&ON_DELETE_TEMPLATE_CHANGE)
            .is_empty()
    );
}

fn strategy(kind: &str, partition: Option<i64>, revisions: (&str, &str)) -> Value {
    let rolling = partition.map(|partition| json!({"partition": partition}));
    web(
        &json!({"spec": {"updateStrategy": {"type": kind, "rollingUpdate": rolling}},
        "status": {"currentRevision": revisions.0, "updateRevision": revisions.1}}),
    )
}

#[test]
fn a_rollout_that_waited_starts() {
    let pending = ("web-1", "web-2");
    let says = |old: Value, new: Value| Case::update(old, new).says(&ROLLOUT_STARTS);
    assert_eq!(
        says(
            strategy("OnDelete", None, pending),
            strategy("RollingUpdate", Some(1), pending)
        ),
        [
            "spec.updateStrategy.type: pods web-1 to web-2 still on an older template restart now, highest first; \
             to hold pods back, write a partition above 1"
        ]
    );
    assert_eq!(
        says(
            strategy("RollingUpdate", Some(2), pending),
            strategy("RollingUpdate", Some(1), pending)
        ),
        [
            "spec.updateStrategy.rollingUpdate.partition: pod web-1 still on an older template restart now, highest first; \
             to hold pods back, write a partition above 1"
        ]
    );
    let done = ("web-2", "web-2");
    for (old, new) in [
        (
            strategy("OnDelete", None, done),
            strategy("RollingUpdate", Some(0), done),
        ),
        (
            strategy("OnDelete", None, pending),
            strategy("RollingUpdate", Some(3), pending),
        ),
        (
            strategy("RollingUpdate", Some(1), pending),
            strategy("RollingUpdate", Some(2), pending),
        ),
        (
            strategy("RollingUpdate", Some(9), pending),
            strategy("RollingUpdate", Some(5), pending),
        ),
        (
            strategy("RollingUpdate", Some(1), pending),
            strategy("OnDelete", None, pending),
        ),
    ] {
        assert!(says(old.clone(), new.clone()).is_empty(), "{old} {new}");
    }
}

#[test]
fn nothing_starts_where_the_user_has_replaced_every_pod() {
    let set = |kind: &str, updated: i64| {
        let mut set = strategy(kind, None, ("web-1", "web-2"));
        set["status"]["updatedReplicas"] = json!(updated);
        set
    };
    let says = |updated: i64| {
        let (old, new) = (set("OnDelete", updated), set("RollingUpdate", updated));
        Case::update(old, new).says(&ROLLOUT_STARTS).len()
    };
    assert_eq!((says(2), says(3)), (1, 0));
}

#[test]
fn pods_leave_the_range() {
    let set = |start: Option<i64>, replicas: i64| {
        web_spec(&json!({"replicas": replicas, "ordinals": {"start": start}}))
    };
    let says = |old: Value, new: Value| Case::update(old, new).says(&ORDINALS_START_CHANGE);
    assert_eq!(
        says(set(None, 3), set(Some(5), 3)),
        [
            "spec.ordinals.start: pods web-0 to web-2 are deleted and pods web-5 to web-7 created; write 0 to keep them"
        ]
    );
    assert_eq!(
        says(set(Some(0), 3), set(Some(1), 2)),
        ["spec.ordinals.start: pod web-0 is deleted; write 0 to keep them"]
    );
    for (old, new) in [
        (set(Some(3), 3), set(Some(1), 5)),
        (set(None, 3), set(Some(0), 2)),
        (set(None, 0), set(Some(4), 3)),
    ] {
        assert!(says(old.clone(), new.clone()).is_empty(), "{old} {new}");
    }
}

#[test]
fn their_claims_may_go_too() {
    let set = |start: i64| {
        web_spec(
            &json!({"ordinals": {"start": start}, "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
            "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}),
        )
    };
    assert_eq!(
        Case::update(set(0), set(2)).says(&ORDINALS_START_CHANGE),
        [
            "spec.ordinals.start: pods web-0 to web-1 are deleted and pods web-3 to web-4 created; \
             whenScaled: Delete deletes the claims of the deleted ones; write 0 to keep them"
        ]
    );
}
