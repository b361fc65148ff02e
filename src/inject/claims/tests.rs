use serde_json::{Value, json};

use super::*;
use crate::inject::testing::{World, create, create_with, update, web};
use crate::policy::Policy;

fn mounting(mounts: &Value, more: &Value) -> Value {
    let mut set = web(more);
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = mounts.clone();
    set
}

fn claims(set: &Value) -> Vec<String> {
    let claims = set["spec"]["volumeClaimTemplates"].as_array();
    let names = claims
        .into_iter()
        .flatten()
        .map(|claim| claim["metadata"]["name"].as_str());
    names.flatten().map(ToOwned::to_owned).collect()
}

#[test]
fn a_dangling_mount_of_data_gets_a_claim() {
    let set = mounting(&json!([{"name": "data", "mountPath": "/data"}]), &json!({}));
    let written = create(&set, &World::default());
    assert_eq!(
        written.set["spec"]["volumeClaimTemplates"],
        json!([{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}])
    );
    assert_eq!(written.state("claim/data"), "injected");
    let mut policy = Policy::default();
    policy.inject.volume_claims.mode = ClaimMode::Never;
    assert_eq!(
        claims(&create_with(&policy, &set, &World::default()).set),
        Vec::<String>::new()
    );
}

#[test]
fn what_could_mean_something_else_gets_none() {
    let mount = |name: &str, path: &str| json!([{"name": name, "mountPath": path}]);
    let with = |more: Value| {
        let mut mounts = mount("data", "/data");
        mounts[0]
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        mounts
    };
    let spec = |more: Value| json!({"spec": more});
    let pod = |more: Value| spec(json!({"template": {"spec": more}}));
    let cases = [
        ("no label", mount("Data", "/data"), json!({})),
        ("root", mount("data", "/"), json!({})),
        ("a file", mount("data", "/app/config.yaml"), json!({})),
        ("etc", mount("data", "/etc/app"), json!({})),
        ("run", mount("data", "/var/run/"), json!({})),
        (
            "tmp, written otherwise",
            mount("data", "//tmp/./x"),
            json!({}),
        ),
        ("relative", mount("data", "data"), json!({})),
        ("read-only", with(json!({"readOnly": true})), json!({})),
        ("sub-path", with(json!({"subPath": "a"})), json!({})),
        (
            "sub-path by variable",
            with(json!({"subPathExpr": "$(A)"})),
            json!({}),
        ),
        (
            "near volume",
            mount("data", "/data"),
            pod(json!({"volumes": [{"name": "Data-", "emptyDir": {}}]})),
        ),
        (
            "prefix",
            mount("data", "/data"),
            pod(json!({"volumes": [{"name": "database", "emptyDir": {}}]})),
        ),
        (
            "one letter",
            mount("app", "/data"),
            pod(json!({"volumes": [{"name": "apq", "emptyDir": {}}]})),
        ),
        (
            "declared",
            mount("data", "/data"),
            pod(json!({"volumes": [{"name": "data", "emptyDir": {}}]})),
        ),
        (
            "a claim of the author's",
            json!([{"name": "data", "mountPath": "/data"}, {"name": "logs", "mountPath": "/logs"}]),
            spec(json!({"volumeClaimTemplates": [{"metadata": {"name": "logs"}}]})),
        ),
        (
            "two names",
            json!([{"name": "data", "mountPath": "/data"}, {"name": "wal", "mountPath": "/wal"}]),
            json!({}),
        ),
        (
            "another name in an init container",
            mount("data", "/data"),
            pod(
                json!({"initContainers": [{"name": "i", "volumeMounts": [{"name": "seed", "mountPath": "/seed"}]}]}),
            ),
        ),
        (
            "file in an init container",
            mount("data", "/data"),
            pod(
                json!({"initContainers": [{"name": "i", "volumeMounts": [{"name": "data", "mountPath": "/a.conf"}]}]}),
            ),
        ),
        (
            "device",
            mount("data", "/data"),
            pod(
                json!({"initContainers": [{"name": "i", "volumeDevices": [{"name": "data", "devicePath": "/dev/x"}]}]}),
            ),
        ),
    ];
    for (why, mounts, more) in cases {
        let written = create(&mounting(&mounts, &more), &World::default());
        assert!(!claims(&written.set).contains(&"data".to_owned()), "{why}");
        assert!(written.record("claim/data").is_null(), "{why}");
    }
    let init = json!([{"name": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]);
    let only_init = web(&pod(json!({"initContainers": init})));
    assert!(claims(&create(&only_init, &World::default()).set).is_empty());
}

#[test]
fn a_name_or_a_path_that_says_something_else_gets_none() {
    let mount = |name: &str, path: &str| json!([{"name": name, "mountPath": path}]);
    for (why, mounts, more) in [
        (
            "no word of data",
            mount("html", "/usr/share/nginx/html"),
            json!({}),
        ),
        ("settings", mount("config", "/var/lib/app"), json!({})),
        (
            "settings in a folder for data",
            mount("app", "/data/config"),
            json!({}),
        ),
        ("a JDK", mount("jdk", "/srv/jdk"), json!({})),
        ("credentials", mount("db-secret", "/srv/db"), json!({})),
        ("a keystore", mount("keystore", "/var/lib/app"), json!({})),
        (
            "metadata",
            mount("metadata", "/opt/app/metadata"),
            json!({}),
        ),
        ("datadog", mount("datadog", "/opt/datadog"), json!({})),
        ("a store of keys", mount("tls-store", "/data"), json!({})),
    ] {
        let written = create(&mounting(&mounts, &more), &World::default());
        assert!(claims(&written.set).is_empty(), "{why}");
    }
}

#[test]
fn the_name_or_the_path_says_data() {
    for (name, path) in [
        ("data", "/anywhere"),
        ("web-data", "/opt/web"),
        ("mysql-persistent-storage", "/opt/mysql"),
        ("persistence", "/opt/app"),
        ("redis-db", "/opt/redis"),
        ("state", "/opt/app"),
        ("app", "/opt/app/wal"),
        ("app", "/opt/app/journal/"),
        ("mysql", "/var/lib/mysql"),
        ("pgdata", "/home/pg"),
        ("app", "/bitnami/app"),
        ("app", "/data/"),
        ("files", "/srv/files"),
    ] {
        let set = mounting(&json!([{"name": name, "mountPath": path}]), &json!({}));
        assert_eq!(
            claims(&create(&set, &World::default()).set),
            [name],
            "{path}"
        );
    }
}

#[test]
fn the_image_says_where_its_data_is() {
    let mut found = 0;
    for entry in crate::catalogue::all() {
        for folder in entry.data {
            let image = folder.images.first().unwrap();
            let mut set = mounting(
                &json!([{"name": "it", "mountPath": folder.path}]),
                &json!({}),
            );
            set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
            assert_eq!(
                claims(&create(&set, &World::default()).set),
                ["it"],
                "{image}"
            );
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn one_mount_that_writes_is_enough() {
    let mut set = mounting(&json!([{"name": "data", "mountPath": "/data"}]), &json!({}));
    let pods = &mut set["spec"]["template"]["spec"];
    pods["initContainers"] =
        json!([{"name": "own", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]);
    let read = json!({"name": "read", "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": true}]});
    pods["containers"].as_array_mut().unwrap().push(read);
    assert_eq!(claims(&create(&set, &World::default()).set), ["data"]);
}

#[test]
fn an_annotation_asks_for_a_claim_and_its_mount() {
    let asked = json!({"mountPath": "/data", "storage": "10Gi", "storageClassName": "fast", "accessModes": ["ReadWriteMany"]});
    let set =
        web(&json!({"metadata": {"annotations": {"steadyset.io/claim-data": asked.to_string()}}}));
    let written = create(&set, &World::default());
    assert_eq!(
        written.set["spec"]["volumeClaimTemplates"],
        json!([{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteMany"], "storageClassName": "fast",
                "resources": {"requests": {"storage": "10Gi"}}}}])
    );
    let mounts = &written.set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"];
    assert_eq!(*mounts, json!([{"name": "data", "mountPath": "/data"}]));
    assert_eq!(written.state("mount/web/data"), "injected");
}

#[test]
fn a_request_that_cannot_be_met_adds_nothing() {
    let cases = [
        (
            json!({"mountPath": "/data", "container": "other"}),
            json!({}),
            1,
        ),
        (
            json!({"mountPath": "/own/"}),
            json!([{"name": "own", "mountPath": "/own"}]),
            1,
        ),
        (json!({"mountPath": "data"}), json!({}), 0),
        (json!({"path": "/data"}), json!({}), 0),
    ];
    for (asked, mounts, notices) in cases {
        let set = mounting(
            &mounts,
            &json!({"metadata": {"annotations": {"steadyset.io/claim-data": asked.to_string()}},
                    "spec": {"serviceName": "web", "template": {"spec": {"volumes": [{"name": "own", "emptyDir": {}}]}}}}),
        );
        if mounts.is_object() {
            continue;
        }
        let written = create(&set, &World::default());
        assert!(claims(&written.set).is_empty(), "{asked}");
        let refused = written
            .says()
            .iter()
            .filter(|line| line.starts_with("annotation-invalid"))
            .count();
        assert_eq!(refused, notices, "{asked}");
    }
}

#[test]
fn what_a_claim_lacks_is_filled_in_and_put_back() {
    let set = mounting(
        &json!([{"name": "data", "mountPath": "/data"}]),
        &json!({"spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "5Gi"}}}}]}}),
    );
    let stored = create(&set, &World::default()).set;
    assert_eq!(
        stored["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"],
        json!(["ReadWriteOnce"])
    );
    let mut applied = stored.clone();
    applied["spec"]["volumeClaimTemplates"] = set["spec"]["volumeClaimTemplates"].clone();
    applied["spec"]["replicas"] = json!(9);
    let written = update(&stored, &applied, &World::default());
    assert_eq!(
        written.set["spec"]["volumeClaimTemplates"],
        stored["spec"]["volumeClaimTemplates"]
    );
}

#[test]
fn paths_that_mean_the_same_are_the_same() {
    for path in ["/data", "/data/", "//data", "/./data", "/x/../data", "data"] {
        assert_eq!(clean_path(path), "/data", "{path}");
    }
    assert_eq!(clean_path("/../.."), "/");
}

fn asking() -> Value {
    let set = web(
        &json!({"metadata": {"annotations": {"steadyset.io/claim-data": "{\"mountPath\": \"/data\"}"}}}),
    );
    create(&set, &World::default()).set
}

fn with_mounts(set: &Value, mounts: &Value) -> Value {
    let mut set = set.clone();
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = mounts.clone();
    set
}

#[test]
fn our_mount_makes_way_and_comes_back() {
    let stored = asking();
    let ours = json!({"name": "data", "mountPath": "/data"});
    for own in [
        json!({"name": "data", "mountPath": "/var/lib/data"}),
        json!({"name": "data", "mountPath": "/data/"}),
    ] {
        let merged = with_mounts(&stored, &json!([ours, own]));
        let written = update(&stored, &merged, &World::default());
        assert_eq!(
            written.set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"],
            json!([own])
        );
        assert_eq!(written.state("mount/web/data"), "yielded");

        let reverted = with_mounts(&written.set, &json!([]));
        let back = update(&written.set, &reverted, &World::default());
        assert_eq!(
            back.set["spec"], stored["spec"],
            "a revert leads to the very template"
        );

        let undone = with_mounts(&written.set, &json!([ours]));
        let undone = update(&written.set, &undone, &World::default());
        assert_eq!(undone.operations, 0, "an undo is left alone");
        let again = with_mounts(&undone.set, &json!([ours, own]));
        let again = update(&undone.set, &again, &World::default());
        assert_eq!(again.set["spec"], written.set["spec"]);
    }
}

#[test]
fn the_users_volume_at_our_path_wins() {
    let stored = asking();
    let mut new = with_mounts(&stored, &json!([{"name": "cache", "mountPath": "/data"}]));
    new["spec"]["template"]["spec"]["volumes"] = json!([{"name": "cache", "emptyDir": {}}]);
    let written = update(&stored, &new, &World::default());
    assert_eq!(written.set["spec"], new["spec"]);
    assert_eq!(written.state("mount/web/data"), "yielded");
    assert_eq!(written.says().len(), 1);
}

#[test]
fn a_size_that_is_no_quantity_is_refused_before_the_server_fails_on_it() {
    for storage in ["lots", "", "10 Gi", "1GiB", "ten"] {
        let text = json!({"mountPath": "/data", "storage": storage}).to_string();
        let set = web(&json!({"metadata": {"annotations": {"steadyset.io/claim-data": text}}}));
        let written = create(&set, &World::default());
        assert!(claims(&written.set).is_empty(), "{storage}");
        assert!(
            written.says().iter().any(|line| line.starts_with(
                "annotation-invalid /metadata/annotations/steadyset.io~1claim-data: "
            ) && line.contains("is no size")),
            "{storage}: {:?}",
            written.says()
        );
    }
}
