use serde_json::{Value, json};

use super::*;
use crate::cluster_view::Lookup;
use crate::inject::testing::{World, Written, create, web};

fn merged(set: &Value, changes: &Value) -> Value {
    let mut set = set.clone();
    json_patch::merge(&mut set, changes);
    set
}

fn empty_world() -> World {
    World::with(vec![])
}

/// A pod of the set as it is written, with changes to its `spec` (RFC 7396).
fn pod(changes: &Value) -> Pod {
    let mut spec = web(&json!({}))["spec"]["template"]["spec"].take();
    json_patch::merge(&mut spec, changes);
    Pod::new(
        json!({"metadata": {"name": "web-0", "labels": {"app": "web", "x": "y"}}, "spec": spec}),
    )
}

#[test]
fn nothing_is_injected_over_orphaned_pods() {
    let orphans = |orphans| World {
        orphans,
        ..empty_world()
    };
    let written = create(
        &web(&json!({})),
        &orphans(Lookup::Found(vec![pod(&json!({}))])),
    );
    assert_eq!(written.operations, 0);
    assert_eq!(
        written.says(),
        [
            "injected /metadata/name: nothing injected: it would restart pod web-0, left by an earlier set"
        ]
    );
    assert_eq!(
        create(&web(&json!({})), &orphans(Lookup::Unknown)).operations,
        0
    );
    let copied = create(&web(&json!({})), &empty_world()).set;
    let refusing = merged(
        &copied,
        &json!({"metadata": {"annotations": {"steadyset.io/inject": "none"}}}),
    );
    assert!(create(&refusing, &empty_world()).probe().is_null());
    let alike = pod(&refusing["spec"]["template"]["spec"]);
    let written = create(&refusing, &orphans(Lookup::Found(vec![alike])));
    assert_eq!(written.set, refusing);
    assert_eq!(
        written.says(),
        [
            "injected /metadata/name: nothing taken out: it would restart pod web-0, left by an earlier set"
        ]
    );
    let complete =
        web(&json!({"spec": {"serviceName": "web", "template": {"spec": {"containers": []}}}}));
    let written = create(&complete, &orphans(Lookup::Found(vec![pod(&json!({}))])));
    assert_eq!(written.says(), Vec::<String>::new());
}

/// What becomes of the set over pods with these changes to their `spec`.
fn over(set: &Value, pods: &[Value]) -> Written {
    let orphans = Lookup::Found(pods.iter().map(pod).collect());
    let world = World {
        orphans,
        ..empty_world()
    };
    create(set, &world)
}

const PROBE: &str = "/spec/template/spec/containers/0/readinessProbe";

#[test]
fn what_every_pod_has_is_injected_and_what_one_lacks_is_not() {
    let set = web(&json!({}));
    let linked = json!({"subdomain": "web-pods"});
    let whole = create(&set, &empty_world()).set;
    let injected = merged(&whole["spec"]["template"]["spec"], &linked);
    let written = over(&set, std::slice::from_ref(&injected));
    assert_eq!(written.set, whole);
    let written = over(&set, &[injected.clone(), linked]);
    assert_eq!(written.set["spec"]["serviceName"], "web-pods");
    assert!(written.probe().is_null());
    assert!(written.record("readiness-probe/web").is_null());
    assert_eq!(
        written.says().last().unwrap(),
        &format!(
            "injected {PROBE}: not injected: it would restart pod web-0, left by an earlier set"
        )
    );
    let mut unlinked = injected;
    unlinked["subdomain"] = Value::Null;
    let written = over(&set, &[unlinked]);
    assert_eq!(written.set["spec"]["serviceName"], "");
}

#[test]
fn pods_that_are_restarted_anyway_hold_back_claims_alone() {
    let asking = json!({"metadata": {"annotations": {"steadyset.io/claim-data": "{\"mountPath\": \"/data\"}"}}});
    let set = web(&asking);
    let older = merged(
        &set["spec"]["template"]["spec"],
        &json!({"containers": [{"name": "web", "image": "registry.example/web:0"}]}),
    );
    let written = over(&set, std::slice::from_ref(&older));
    assert!(!written.probe().is_null());
    assert_eq!(written.set["spec"]["serviceName"], "web-pods");
    assert!(written.set["spec"]["volumeClaimTemplates"].is_null());
    let container = &written.set["spec"]["template"]["spec"]["containers"][0];
    assert!(container["volumeMounts"].is_null(), "{container}");
    assert_eq!(
        written.says().last().unwrap(),
        "injected /spec/volumeClaimTemplates/0: not injected: pod web-0, left by an earlier set, has no such claim, and would block the set"
    );
    let claim = json!({"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}});
    let with_claim = merged(&older, &json!({"volumes": [claim]}));
    let written = over(&set, &[with_claim]);
    assert_eq!(
        written.set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"],
        "data"
    );
    assert!(!written.set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"].is_null());
}

#[test]
fn one_pod_that_stays_holds_back_what_would_restart_it() {
    let set = web(&json!({}));
    let older = json!({"containers": [{"name": "web", "image": "registry.example/web:0"}]});
    let written = over(&set, &[older, json!({})]);
    assert!(written.probe().is_null());
    assert_eq!(
        written.says(),
        [
            "injected /metadata/name: nothing injected: it would restart pod web-0, left by an earlier set"
        ]
    );
}
