//! What a text becomes: the parts that the surfaces share.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::cluster_view::ServiceKeeping;
use crate::cluster_view::manifests::{Kind, Manifests};
use crate::model::finding::Action;
use crate::policy::Policies;
use crate::review::report::Options;

fn options() -> Options {
    Options {
        policies: Policies::default(),
        kube_version: "1.36.3".parse().ok(),
        namespace: "default".to_owned(),
        rules: BTreeSet::new(),
        skip_rules: BTreeSet::new(),
        keep_sources: false,
        now: jiff::Timestamp::now(),
        progress: Arc::default(),
    }
}

/// The set that every text here is about, with lines of its own.
const SET: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: nginx
          ports: [{name: http, containerPort: 80}]
";

fn known(stored: Option<&Value>) -> Known {
    let key = ("default".to_owned(), "web".to_owned());
    let raw = |stored: &Value| {
        (
            key.clone(),
            serde_json::value::to_raw_value(stored).unwrap(),
        )
    };
    Known {
        stored: stored.map(raw).into_iter().collect(),
        ..Known::default()
    }
}

fn fix_with(text: &str, known: &Known, services: &[Value]) -> Fixed {
    let options = options();
    let mut around = Manifests::new(options.kube_version, ServiceKeeping::Kept).whole();
    for service in services {
        around.add(Kind::Service, service, "default").unwrap();
    }
    let judge = Judge {
        options: &options,
        around: &around,
    };
    Fixer::new(judge, known).fix("-", text)
}

fn fix(text: &str) -> Fixed {
    fix_with(text, &Known::default(), &[])
}

/// What the text says where the other says nothing.
fn added(text: &str, fixed: &Fixed) -> String {
    let diff = similar::TextDiff::from_lines(text, &fixed.text);
    let changes = diff
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal);
    changes
        .flat_map(|change| [change.tag().to_string(), change.to_string()])
        .collect()
}

const SERVICE: &str = "+---
+apiVersion: v1
+kind: Service
+metadata:
+  name: web-pods
+spec:
+  clusterIP: None
+  publishNotReadyAddresses: true
+  selector:
+    app: web
+  ports:
+    - name: http
+      port: 80
";

#[test]
fn a_new_set_gets_what_it_lacks_and_its_service_follows_it() {
    let other = "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n";
    let text = format!("# ours\n{SET}{other}");
    let fixed = fix(&text);
    let said = added(&text, &fixed);
    assert!(said.contains("+  serviceName: web-pods\n"), "{said}");
    assert!(said.contains("+          readinessProbe:\n"), "{said}");
    assert!(said.contains(SERVICE), "{said}");
    assert!(!said.contains("steadyset"), "no record in a file: {said}");
    assert!(fixed.text.ends_with(other), "{}", fixed.text);
    assert_eq!(fixed.report.rows.len(), 1);
    let service: Value = crate::yaml::values::documents(&fixed.text)
        .unwrap()
        .remove(1);
    let again = fix_with(&fixed.text, &Known::default(), &[service]);
    assert_eq!(again.text, fixed.text, "a second run changes nothing");
}

#[test]
fn a_set_that_names_its_service_gets_none() {
    let service = json!({"metadata": {"name": "peers"}, "spec": {"clusterIP": "None", "selector": {"app": "web"}}});
    let fixed = fix_with(SET, &Known::default(), &[service]);
    let said = added(SET, &fixed);
    assert!(said.contains("+  serviceName: peers\n"), "{said}");
    assert!(!said.contains("kind: Service"), "{said}");
}

#[test]
fn a_set_that_stands_twice_gets_one_service() {
    let twice = format!("{SET}---\n{SET}");
    let fixed = fix(&twice);
    assert_eq!(
        fixed.text.matches("kind: Service").count(),
        1,
        "{}",
        fixed.text
    );
    assert_eq!(fixed.text.matches("serviceName: web-pods").count(), 2);
}

#[test]
fn a_service_follows_whatever_ends_the_document() {
    let service = SERVICE.replace('+', "");
    for (text, end) in [
        (SET.trim_end().to_owned(), service.clone()),
        (format!("{SET}..."), format!("...\n{service}...\n")),
        (
            format!("{SET}...\nkind: A\napiVersion: v1\n"),
            format!("...\n{service}...\nkind: A\napiVersion: v1\n"),
        ),
        (SET.replace('\n', "\r\n"), service.replace('\n', "\r\n")),
    ] {
        let fixed = fix(&text);
        assert!(fixed.text.ends_with(&end), "{:?}", fixed.text);
        let kinds: Vec<_> = crate::yaml::read::documents(&fixed.text)
            .map(|document| document.unwrap().kind)
            .collect();
        assert_eq!(&kinds[..2], ["StatefulSet", "Service"]);
    }
}

#[test]
fn a_list_keeps_its_sets_and_the_service_follows_the_list() {
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}",
        SET.replace('\n', "\n  ")
    );
    let fixed = fix(list.trim_end());
    assert!(
        fixed.text.contains("    serviceName: web-pods\n"),
        "{}",
        fixed.text
    );
    assert!(
        fixed.text.ends_with(&SERVICE.replace('+', "")),
        "{}",
        fixed.text
    );
}

#[test]
fn json_is_not_linked_to_a_service_that_cannot_follow_it() {
    let set: Value = crate::yaml::values::documents(SET).unwrap().remove(0);
    let text = serde_json::to_string_pretty(&set).unwrap();
    let fixed = fix(&text);
    let after: Value = serde_json::from_str(&fixed.text).unwrap();
    assert_eq!(after["spec"]["serviceName"], Value::Null);
    assert_ne!(
        after["spec"]["template"]["spec"]["containers"][0]["readinessProbe"],
        Value::Null
    );
    assert_eq!(
        fixed.report.notes,
        [
            "-:7:11: spec.serviceName could not be written: its Service would have to follow it, and JSON has one document; write both"
        ]
    );
}

#[test]
fn no_yaml_follows_one_of_several_objects_in_json() {
    let set: Value = crate::yaml::values::documents(SET).unwrap().remove(0);
    let text = format!("{set}\n{set}\n");
    let fixed = fix(&text);
    let values = serde_json::Deserializer::from_str(&fixed.text).into_iter::<Value>();
    assert_eq!(values.flatten().count(), 2, "{}", fixed.text);
    assert_eq!(fixed.report.rows.len(), 2);
}

/// The set as an API server has it, with what it filled in.
fn stored(changes: &Value) -> Value {
    let mut stored: Value = crate::yaml::values::documents(SET).unwrap().remove(0);
    let server = json!({
        "metadata": {"namespace": "default", "uid": "1", "annotations": {}},
        "spec": {
            "replicas": 1,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": {"spec": {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst"}},
        },
        "status": {"replicas": 1},
    });
    json_patch::merge(&mut stored, &server);
    json_patch::merge(&mut stored, changes);
    stored
}

#[test]
fn a_set_that_runs_gets_nothing() {
    let fixed = fix_with(SET, &known(Some(&stored(&json!({})))), &[]);
    assert_eq!(fixed.text, SET);
    assert!(
        fixed.report.rows[0].findings.is_empty(),
        "{:?}",
        fixed.report.rows
    );
}

#[test]
fn what_the_record_says_is_put_into_the_file() {
    let probe = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10, "timeoutSeconds": 3, "successThreshold": 1, "failureThreshold": 3});
    let item = |value: Value, source: &str| json!({"state": "injected", "value": value, "source": source, "version": "0.1.0"});
    let record = json!({
        "service-name": item(json!("web-pods"), "policy"),
        "readiness-probe/web": item(probe.clone(), "port"),
    });
    let container = json!({"name": "web", "image": "nginx", "imagePullPolicy": "Always", "readinessProbe": probe,
        "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]});
    let stored = stored(&json!({
        "metadata": {"annotations": {crate::statefulset::annotations::INJECTED: record.to_string()}},
        "spec": {"serviceName": "web-pods", "template": {"spec": {"containers": [container]}}},
    }));
    let fixed = fix_with(SET, &known(Some(&stored)), &[]);
    let said = added(SET, &fixed);
    assert!(said.contains("+  serviceName: web-pods\n"), "{said}");
    assert!(said.contains("+          readinessProbe:\n"), "{said}");
    assert!(
        !said.contains("kind: Service"),
        "the controller keeps it: {said}"
    );
    assert!(
        fixed.report.rows[0].findings.is_empty(),
        "{:?}",
        fixed.report.rows
    );
    let again = fix_with(&fixed.text, &known(Some(&stored)), &[]);
    assert_eq!(again.text, fixed.text);
}

/// A set that was fixed when it was new, by a release of Helm.
fn fixed_before() -> Value {
    let probe = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10, "timeoutSeconds": 3, "successThreshold": 1, "failureThreshold": 3});
    let container = json!({"name": "web", "image": "nginx", "imagePullPolicy": "Always", "readinessProbe": probe,
        "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]});
    let release =
        json!({"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "default"});
    stored(&json!({
        "metadata": {"annotations": release},
        "spec": {"serviceName": "web-pods", "template": {"spec": {"containers": [container]}}},
    }))
}

#[test]
fn what_was_added_to_the_render_before_is_added_again() {
    let with_service = |release: Option<&str>| {
        let mut known = known(Some(&fixed_before()));
        let release = release.map(|name| ("default".to_owned(), name.to_owned()));
        known
            .services
            .insert(("default".to_owned(), "web-pods".to_owned()), release);
        known
    };
    let service = json!({"metadata": {"name": "web-pods"}, "spec": {"clusterIP": "None", "selector": {"app": "web"}}});
    let fixed = fix_with(
        SET,
        &with_service(Some("r")),
        std::slice::from_ref(&service),
    );
    assert_eq!(fixed.text, fix(SET).text, "as if the set were new");
    assert!(
        fixed.report.rows[0].findings.is_empty(),
        "{:?}",
        fixed.report.rows
    );
    for other in [Some("other"), None] {
        let fixed = fix_with(SET, &with_service(other), std::slice::from_ref(&service));
        assert!(fixed.text.contains("serviceName: web-pods"));
        assert!(
            !fixed.text.contains("kind: Service\n"),
            "another's: {}",
            fixed.text
        );
    }
}

#[test]
fn a_change_is_judged_as_the_webhook_would() {
    let stored =
        stored(&json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}}));
    let rules = |text: &str| -> Vec<&str> {
        let fixed = fix_with(text, &known(Some(&stored)), &[]);
        let found = fixed.report.rows[0].findings.iter();
        found.map(|located| located.finding.rule).collect()
    };
    assert_eq!(rules(SET), [] as [&str; 0]);
    assert_eq!(
        rules(&SET.replace("image: nginx", "image: nginx:2")),
        ["on-delete-template-change"]
    );
    assert_eq!(
        rules(&SET.replace(
            "spec:\n  sel",
            "spec:\n  podManagementPolicy: Parallel\n  sel"
        )),
        ["immutable-field-change"]
    );
}

#[test]
fn what_stands_in_the_wrong_place_is_moved_but_for_a_set_that_runs() {
    let text = SET.replace(
        "spec:\n  sel",
        "spec:\n  podmanagementpolicy: Parallel\n  serviceName: web\n  sel",
    );
    let fixed = fix(&text);
    assert!(
        fixed.text.contains("\n  podManagementPolicy: Parallel\n"),
        "{}",
        fixed.text
    );
    assert!(
        !fixed.text.contains("podmanagementpolicy"),
        "{}",
        fixed.text
    );
    let runs = known(Some(&stored(&json!({"spec": {"serviceName": "web"}}))));
    assert_eq!(fix_with(&text, &runs, &[]).text, text, "it cannot change");
    let same = stored(&json!({"spec": {"serviceName": "web", "podManagementPolicy": "Parallel"}}));
    let fixed = fix_with(&text, &known(Some(&same)), &[]);
    assert!(
        fixed.text.contains("\n  podManagementPolicy: Parallel\n"),
        "{}",
        fixed.text
    );
}

/// The rules that speak, each with its action.
fn said(fixed: &Fixed) -> Vec<(&str, Action)> {
    let found = fixed.report.rows[0].findings.iter();
    found
        .map(|located| (located.finding.rule, located.finding.action))
        .collect()
}

#[test]
fn what_is_judged_is_what_will_be_written() {
    let claim = |name: &str| {
        json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
            "resources": {"requests": {"storage": "1Gi"}}}, "status": {"phase": "Pending"}})
    };
    let mounts = "          volumeMounts: [{name: data, mountPath: /data}]\n";
    let text = format!("{SET}{mounts}");
    let container = json!({"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
    let stored = stored(&json!({"spec": {"volumeClaimTemplates": [claim("data")],
        "template": {"spec": {"containers": [container]}}}}));
    let fixed = fix_with(&text, &known(Some(&stored)), &[]);
    assert!(fixed.text.contains("name: data\n"), "{}", fixed.text);
    assert_eq!(said(&fixed), []);
    let bad = text.replace("labels: {app: web}", "labels: {app: wed}");
    let fixed = fix_with(&bad, &known(Some(&stored)), &[]);
    assert_eq!(said(&fixed), [("selector-mismatch", Action::Deny)]);
}

#[test]
fn an_old_slip_of_a_set_that_runs_is_a_warning_and_judged_as_it_will_be_dropped() {
    let slip = SET.replace(
        "spec:\n  sel",
        "spec:\n  podmanagementpolicy: Parallel\n  sel",
    );
    assert_eq!(said(&fix(&slip)), [("unknown-field", Action::Deny)]);
    let fixed = fix_with(&slip, &known(Some(&stored(&json!({})))), &[]);
    assert_eq!(said(&fixed), [("unknown-field", Action::Warn)]);
    let help = &fixed.report.rows[0].findings[0].finding.help;
    assert_eq!(
        help,
        "the set that is stored has come up without it, and spec.podManagementPolicy cannot change: leave it out until the set is made anew"
    );
    let mut wrong = slip.replace("labels: {app: web}", "labels: {app: wed}");
    wrong = wrong.replace("nginx", "nginx:2");
    let fixed = fix_with(&wrong, &known(Some(&stored(&json!({})))), &[]);
    assert!(
        said(&fixed).contains(&("selector-mismatch", Action::Deny)),
        "{:?}",
        said(&fixed)
    );
}

#[test]
fn nothing_is_put_in_over_what_an_earlier_set_left() {
    let mut known = Known::default();
    let key = ("default".to_owned(), "web".to_owned());
    let pod = Pod::new(
        json!({"metadata": {"name": "web-0", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}]}]}}),
    );
    known.orphans.insert(key, Lookup::Found(vec![pod]));
    let fixed = fix_with(SET, &known, &[]);
    assert_eq!(fixed.text, SET);
    assert_eq!(
        fixed.report.notes,
        ["-:1: nothing is put in: it would restart what an earlier set left: web-0"]
    );
}

#[test]
fn a_patch_of_a_set_stays_as_it_is() {
    let selector = "  selector:\n    matchLabels: {app: web}\n";
    let patch = SET
        .replace("          image: nginx\n", "")
        .replace(selector, "");
    assert!(!patch.contains("selector"));
    let fixed = fix(&patch);
    assert_eq!(fixed.text, patch);
    assert_eq!(
        fixed.report.notes,
        ["-:1: web is no whole set but a patch of one, and stays as it is"]
    );
}
