use json_patch::patch;

use super::*;
use crate::change::Container;
use crate::statefulset::probe::Slot;

/// What the changes are in the stored set, each made of the file before the next.
fn kept(new: &[Change], file: &Value, stored: &Value) -> Vec<Change> {
    let mut file = file.clone();
    let mut kept = Vec::new();
    for change in new {
        for own in change.in_stored(&file, stored) {
            patch(&mut file, &own.operations()).unwrap();
            kept.push(own);
        }
    }
    kept
}

fn web() -> Container {
    let (index, name) = (0, "web".to_owned());
    Container { index, name }
}

#[test]
fn a_name_is_that_of_the_stored_set() {
    let name = |name: &str| Change::SetServiceName(name.to_owned());
    let file = json!({"spec": {}});
    let peers = json!({"spec": {"serviceName": "peers"}});
    assert_eq!(kept(&[name("web-pods")], &file, &peers), [name("peers")]);
    let none = json!({"spec": {"serviceName": ""}});
    assert_eq!(kept(&[name("web-pods")], &file, &none), []);
}

#[test]
fn a_probe_is_written_where_the_stored_set_has_such_a_one() {
    let set = |probe: Value| json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": probe}]}}}});
    let file = json!({"spec": {"template": {"spec": {"containers": [{"name": "web"}]}}}});
    let new = |probe: Value| Change::SetProbe {
        container: web(),
        slot: Slot::Readiness,
        probe,
    };
    let wanted = || new(json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10}));
    let defaulted =
        json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10, "failureThreshold": 3});
    assert_eq!(kept(&[wanted()], &file, &set(defaulted)), [wanted()]);
    let earlier = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 5});
    let stored = set(earlier.clone());
    assert_eq!(kept(&[wanted()], &file, &stored), [new(earlier)]);
    let other = set(json!({"httpGet": {"path": "/"}}));
    assert_eq!(kept(&[wanted()], &file, &other), []);
    assert_eq!(kept(&[wanted()], &file, &file), []);
}

#[test]
fn claims_come_at_their_old_places() {
    let claim = |name: &str| json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"]}});
    let stored = |name: &str| {
        let mut stored = claim(name);
        stored["kind"] = json!("PersistentVolumeClaim");
        stored["spec"]["volumeMode"] = json!("Filesystem");
        stored
    };
    let set = |claims: Value| json!({"spec": {"volumeClaimTemplates": claims}});
    let add = |place: In, name: &str| Change::AddClaim {
        place,
        claim: claim(name),
    };
    let new = [
        add(In::NewList, "b"),
        add(In::List(1), "a"),
        add(In::List(2), "new"),
    ];
    let both = set(json!([stored("a"), stored("b")]));
    let expected = [add(In::NewList, "b"), add(In::List(0), "a")];
    assert_eq!(kept(&new, &json!({"spec": {}}), &both), expected);
    let own = set(json!([claim("own")]));
    let both = set(json!([stored("a"), stored("own")]));
    let expected = [add(In::List(0), "a")];
    assert_eq!(kept(&[add(In::List(1), "a")], &own, &both), expected);
}

#[test]
fn what_a_claim_lacks_is_as_it_is_stored() {
    let completed = |storage: &str| Change::CompleteClaim {
        index: 0,
        added: vec![
            (Field::Resources, json!({})),
            (Field::Requests, json!({})),
            (Field::Storage, json!(storage)),
        ],
    };
    let set = |spec: Value| json!({"spec": {"volumeClaimTemplates": [{"metadata": {"name": "a"}, "spec": spec}]}});
    let (bare, stored) = (
        set(json!({})),
        set(json!({"resources": {"requests": {"storage": "5Gi"}}})),
    );
    let new = [completed("1Gi")];
    assert_eq!(kept(&new, &bare, &stored), [completed("5Gi")]);
    assert_eq!(kept(&new, &bare, &bare), []);
}

#[test]
fn a_mount_is_written_where_it_is_mounted() {
    let set = |mounts: Value| json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "volumeMounts": mounts}]}}}});
    let mount = || Change::AddMount {
        container: web(),
        place: In::NewList,
        volume: "data".to_owned(),
        path: "/data".to_owned(),
    };
    let mounted = set(json!([{"name": "data", "mountPath": "/data"}]));
    let file = set(Value::Null);
    assert_eq!(kept(&[mount()], &file, &mounted), [mount()]);
    assert_eq!(kept(&[mount()], &file, &set(json!([]))), []);
}
