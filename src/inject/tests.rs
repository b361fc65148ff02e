use serde_json::{Value, json};

use super::testing::{World, create, create_with, headless, update, web};
use super::*;
use crate::statefulset::annotations::INJECTED;

fn merged(set: &Value, changes: &Value) -> Value {
    let mut set = set.clone();
    json_patch::merge(&mut set, changes);
    set
}

fn spec(changes: &Value) -> Value {
    json!({"spec": changes})
}

fn empty_world() -> World {
    World::with(vec![])
}

#[test]
fn a_new_set_is_linked_and_probed_and_told_so() {
    let written = create(&web(&json!({})), &empty_world());
    assert_eq!(written.set["spec"]["serviceName"], "web-pods");
    assert_eq!(
        written.probe(),
        json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10, "timeoutSeconds": 3,
               "successThreshold": 1, "failureThreshold": 3})
    );
    assert_eq!(written.record("service-name")["source"], "policy");
    assert_eq!(
        written.record("readiness-probe/web")["value"],
        written.probe()
    );
    let kinds: Vec<_> = written
        .outcome
        .injections
        .iter()
        .map(|one| (one.kind, one.origin))
        .collect();
    assert_eq!(
        kinds,
        [
            (Kind::ServiceName, Origin::Policy),
            (Kind::ReadinessProbe, Origin::Port)
        ]
    );
    let says = written.says();
    assert_eq!(
        says,
        [
            "injected /spec/serviceName: set to \"web-pods\", a headless Service that steadyset keeps; write it in the manifest, it cannot change later",
            "injected /spec/template/spec/containers/0/readinessProbe: added: tcpSocket, port http; write it in the manifest, or your own",
        ]
    );
}

#[test]
fn a_service_that_hides_unready_pods_does_not_stop_a_plain_web_server() {
    let service = headless("web", &[("app", "web")]);
    let written = create(&web(&json!({})), &World::with(vec![service]));
    assert_eq!(written.set["spec"]["serviceName"], "web");
    assert_eq!(written.record("service-name")["source"], "service");
    assert!(written.probe().is_object());
}

#[test]
fn the_annotation_narrows() {
    let cases = [
        ("none", false, false),
        ("service-name", true, false),
        ("readiness-probe", false, true),
        ("readiness-probe,service-name", true, true),
        ("volume-claims", false, false),
        ("readiness", false, false),
    ];
    for (word, linked, probed) in cases {
        let set = web(&json!({"metadata": {"annotations": {"steadyset.io/inject": word}}}));
        let written = create(&set, &empty_world());
        assert_eq!(written.set["spec"]["serviceName"] != "", linked, "{word}");
        assert_eq!(written.probe().is_object(), probed, "{word}");
    }
}

#[test]
fn a_controllers_set_is_left_alone_unless_the_policy_says_otherwise() {
    let owner = json!([{"kind": "Database", "name": "db", "controller": true}]);
    let set = web(&json!({"metadata": {"ownerReferences": owner}}));
    assert_eq!(create(&set, &empty_world()).operations, 0);
    let mut policy = Policy::default();
    policy.inject.controller_owned = ControllerOwned::Inject;
    assert!(create_with(&policy, &set, &empty_world()).operations > 0);
}

#[test]
fn an_update_adds_nothing() {
    let old = web(&json!({}));
    for changes in [
        json!({"replicas": 4}),
        json!({"template": {"spec": {"containers": [{"name": "web", "image": "web:2", "ports": [{"containerPort": 80}]}]}}}),
    ] {
        let written = update(&old, &merged(&old, &spec(&changes)), &empty_world());
        assert_eq!(written.operations, 0, "{changes}");
    }
}

#[test]
fn a_replace_from_the_original_file_puts_everything_back() {
    let mut file = web(
        &json!({"metadata": {"annotations": {"steadyset.io/claim-data": "{\"mountPath\": \"/data\"}"}}}),
    );
    file["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "own"}, "spec": {}}]);
    file["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "own", "mountPath": "/own"}]);
    let stored = create(&file, &empty_world()).set;
    let names = |set: &Value| -> Vec<Value> {
        let claims = set["spec"]["volumeClaimTemplates"]
            .as_array()
            .unwrap()
            .iter();
        claims
            .map(|claim| claim["metadata"]["name"].clone())
            .collect()
    };
    assert_eq!(names(&stored), ["own", "data"]);
    let scaled = merged(&file, &spec(&json!({"replicas": 5})));
    let written = update(&stored, &scaled, &empty_world());
    assert_eq!(written.set, merged(&stored, &spec(&json!({"replicas": 5}))));
    assert!(
        written
            .outcome
            .injections
            .iter()
            .all(|one| one.origin == Origin::Record)
    );
}

#[test]
fn an_appended_claim_survives_a_reapply_of_the_file() {
    let mut file = web(
        &json!({"metadata": {"annotations": {"steadyset.io/claim-data": "{\"mountPath\": \"/data\"}"}}}),
    );
    let own = json!([{"metadata": {"name": "own"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
    file["spec"]["volumeClaimTemplates"] = own.clone();
    let stored = create(&file, &empty_world()).set;
    let mut applied = stored.clone();
    applied["spec"]["volumeClaimTemplates"] = own;
    assert_eq!(update(&stored, &applied, &empty_world()).set, stored);
}

#[test]
fn a_forged_record_puts_nothing_in() {
    let old = web(&json!({}));
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}});
    let record = json!({
        "service-name": {"state": "injected", "value": "evil", "source": "policy", "version": "1"},
        "claim/data": {"state": "injected", "value": claim, "source": "policy", "version": "1"},
        "mount/web/data": {"state": "injected", "value": {"name": "data", "mountPath": "/data"}, "source": "annotation", "version": "1"},
        "readiness-probe/web": {"state": "yielded", "value": {"exec": {"command": ["evil"]}}, "source": "port", "version": "1"},
    });
    let forged = json!({"metadata": {"annotations": {INJECTED: record.to_string()}}, "spec": {"replicas": 4}});
    for old in [old.clone(), merged(&old, &forged)] {
        let new = merged(
            &merged(&old, &forged),
            &spec(&json!({"template": {"metadata": {"labels": {"v": "2"}}}})),
        );
        let written = update(&old, &new, &empty_world());
        assert_eq!(written.set["spec"], new["spec"]);
    }
}

#[test]
fn a_copied_record_keeps_no_other_sets_service() {
    let copied = create(&web(&json!({})), &empty_world()).set;
    let renamed = merged(&copied, &json!({"metadata": {"name": "copy"}}));
    let written = create(&renamed, &empty_world());
    assert_eq!(written.state("service-name"), "adopted");
    assert_eq!(written.set["spec"], copied["spec"]);
}

#[test]
fn on_delete_is_freed_from_the_default_strategys_left_over() {
    let cases = [
        (json!({"partition": 0}), true),
        (json!({"partition": 0, "maxUnavailable": 1}), true),
        (json!({}), true),
        (json!({"partition": 1}), false),
        (json!({"maxUnavailable": 2}), false),
        (json!({"maxUnavailable": "1"}), false),
    ];
    let old = web(&spec(
        &json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}),
    ));
    for (rolling, freed) in cases {
        let strategy = json!({"type": "OnDelete", "rollingUpdate": rolling});
        let new = merged(
            &web(&json!({})),
            &spec(&json!({"updateStrategy": strategy})),
        );
        let written = update(&old, &new, &empty_world());
        assert_eq!(written.operations == 1, freed, "{rolling}");
        assert_eq!(written.says().len() == 1, freed, "{rolling}");
        let created = create(
            &merged(&new, &spec(&json!({"serviceName": "web"}))),
            &empty_world(),
        );
        assert!(
            !created.set["spec"]["updateStrategy"]["rollingUpdate"].is_null(),
            "on CREATE it is denied"
        );
    }
}
