//! What no rule says anything about: shapes of maintained charts that are as they should be, and what a stored set did already.

use jiff::Timestamp;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::testing::{Case, World, headless, web, web_spec};
use super::*;
use crate::cluster_view::{DisruptionBudget, Service};
use crate::explain::example;
use crate::policy::Policies;
use crate::review::review;
use crate::statefulset::set::Selector;
use crate::statefulset::view::IntOrString;
use crate::strict::{Source, Subject};

/// The cluster around all of them: their Services, a budget, the default storage class.
fn world(version: &str) -> World {
    let names_pods = headless("web", &[("app", "web")]);
    let at_run_time = Service {
        publish_not_ready_addresses: true,
        ..headless("leader", &[("app", "web"), ("vault-active", "true")])
    };
    let budget = DisruptionBudget {
        name: "web".to_owned(),
        selector: Some(Selector {
            match_labels: [("app".into(), "web".into())].into(),
            match_expressions: Vec::new(),
        }),
        max_unavailable: Some(IntOrString::Int(1)),
        ..DisruptionBudget::default()
    };
    World {
        version: version.parse().ok(),
        services: Some(vec![names_pods, at_run_time, headless("bare", &[])]),
        classes: Some(vec!["slow"]),
        default_class: Some(true),
        budgets: Some(vec![budget]),
        others: None,
    }
}

/// What every rule says of a new set, as `rule: line`, where it is judged and on whatever server.
fn said(object: &Value) -> Vec<String> {
    let mut said = Vec::new();
    for version in ["unknown", "1.33.0", "1.36.3", "1.37.0"] {
        for phase in [Phase::Mutate, Phase::Validate, Phase::File] {
            let case = Case::create(object.clone()).among(world(version)).at(phase);
            said.extend(all().iter().flat_map(|rule| {
                let lines = case.says(rule).into_iter();
                lines.map(|line| format!("{}: {line} ({phase:?} of {version})", rule.id))
            }));
        }
    }
    said
}

fn silent(object: &Value) {
    assert_eq!(said(object), [""; 0], "{object}");
}

fn container(container: &Value) -> Value {
    let mut whole = json!({"name": "web", "image": "registry.example/web:1"});
    json_patch::merge(&mut whole, container);
    web_spec(&json!({"template": {"spec": {"containers": [whole]}}}))
}

#[test]
fn the_base_of_all_cases_is_clean() {
    silent(&web(&json!({})));
    let broken = said(&web_spec(&json!({"podManagementPolicy": "parallel"})));
    assert_eq!(broken.len(), 4 * 3, "{broken:?}");
}

#[test]
fn every_way_to_manage_and_update_pods_is_fine() {
    let on_delete = json!({"type": "OnDelete", "rollingUpdate": null});
    for spec in [
        // hashicorp/vault-helm
        json!({"podManagementPolicy": "Parallel", "updateStrategy": on_delete, "serviceName": "leader"}),
        json!({"podManagementPolicy": "OrderedReady", "updateStrategy": {"type": "RollingUpdate"}}),
        json!({"podManagementPolicy": "Parallel", "updateStrategy": null}),
        json!({"updateStrategy": on_delete}),
        // bitnami/mysql
        json!({"podManagementPolicy": ""}),
        json!({"podManagementPolicy": null}),
        // staged rollouts
        json!({"updateStrategy": {"rollingUpdate": {"partition": 1}}}),
        json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}}),
        json!({"replicas": 0, "updateStrategy": {"rollingUpdate": {"partition": 2}}}),
        json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}}),
    ] {
        silent(&web_spec(&spec));
    }
}

#[test]
fn a_service_may_ask_for_labels_that_come_later_or_for_none() {
    silent(&web_spec(&json!({"serviceName": "leader"})));
    silent(&web_spec(&json!({"serviceName": "bare"})));
}

#[test]
fn claims_and_volumes_may_be_as_they_are() {
    let claim = |spec: &Value| {
        let mut whole = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        json_patch::merge(&mut whole, spec);
        json!([{"metadata": {"name": "data"}, "spec": whole}])
    };
    let set = |claims: Value, volumes: Value| {
        let mut set = container(&json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]}));
        set["spec"]["volumeClaimTemplates"] = claims;
        set["spec"]["template"]["spec"]["volumes"] = volumes;
        set
    };
    for claims in [
        claim(&json!({})),
        // provisioned by hand
        claim(&json!({"storageClassName": ""})),
        claim(&json!({"storageClassName": "slow", "accessModes": ["ReadWriteMany"]})),
    ] {
        silent(&set(claims, json!(null)));
    }
    // both behind one flag of the chart; the claim is meant
    silent(&set(
        claim(&json!({})),
        json!([{"name": "data", "emptyDir": {}}]),
    ));
    silent(&set(
        json!(null),
        json!([{"name": "data", "configMap": {"name": "web"}}]),
    ));
}

#[test]
fn probes_may_ask_numbers_and_side_containers_have_none() {
    let port = json!([{"name": "http", "containerPort": 8080}]);
    for probe in [
        json!({"tcpSocket": {"port": 9999}}),
        json!({"httpGet": {"path": "/", "port": "http"}, "successThreshold": 3}),
        json!({"exec": {"command": ["pg_isready"]}}),
    ] {
        silent(&container(&json!({"ports": port, "readinessProbe": probe})));
    }
    let exporter = json!({"name": "metrics", "image": "oliver006/redis_exporter", "ports": [{"containerPort": 9121}]});
    let program = json!({"name": "web", "image": "registry.example/web:1"});
    let pods = json!({"containers": [program, exporter]});
    silent(&web_spec(&json!({"template": {"spec": pods}})));
    let patient = json!({"tcpSocket": {"port": 3306}, "initialDelaySeconds": 300});
    let ready = json!({"tcpSocket": {"port": 3306}});
    silent(&container(
        &json!({"image": "mysql:9", "livenessProbe": patient, "readinessProbe": ready}),
    ));
}

#[test]
fn pods_may_be_kept_apart_from_others_and_stop_soon() {
    // codecentric/helm-charts:charts/keycloak: apart from each other, but not from the pods of `helm test`
    let own = json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "test", "operator": "NotIn", "values": ["yes"]}]});
    let term = json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": own});
    let apart =
        json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    silent(&web_spec(
        &json!({"template": {"spec": {"affinity": apart, "terminationGracePeriodSeconds": 1}}}),
    ));
}

#[test]
fn a_name_of_52_characters_is_short_enough() {
    silent(&web(&json!({"metadata": {"name": "n".repeat(52)}})));
}

#[test]
fn what_a_stored_set_did_already_is_not_said_again() {
    // those that are told by comparison have a stored set in their example, and no set is stored as it was written
    let alone = |rule: &&&Rule| {
        rule.docs.stored.is_empty() && !rule.is_of_the_file() && rule.id != ALWAYS_WARNS
    };
    for rule in all().iter().filter(alone) {
        let stored = example::set(rule.docs.example).unwrap();
        let mut written = stored.clone();
        written["spec"]["minReadySeconds"] = json!(7);
        // what was the first container is the second now, and the same one all the same
        let containers = &mut written["spec"]["template"]["spec"]["containers"];
        let first = json!({"name": "first", "image": "registry.example/first:1"});
        containers.as_array_mut().unwrap().insert(0, first);
        for phase in [Phase::Mutate, Phase::Validate, Phase::File] {
            let said = said_on_update(rule, &stored, &written, phase);
            assert_eq!(said, [""; 0], "{} at {phase:?}", rule.id);
        }
        let clean = example::set("").unwrap();
        let new_sin = said_on_update(rule, &clean, &written, Phase::File);
        // what stands beside an example may be wrong for the clean set, too
        if rule.docs.cluster.is_empty() {
            let is_said = !ON_CREATE.contains(&rule.id);
            assert_eq!(!new_sin.is_empty(), is_said, "{}: {new_sin:?}", rule.id);
        }
    }
}

/// Of a stored set it warns: nothing is added to such a set, and the user is to know why.
const ALWAYS_WARNS: &str = "set-too-large";

/// A set that exists keeps its name.
const ON_CREATE: [&str; 2] = ["name-too-long", "name-near-limit"];

fn said_on_update(rule: &Rule, stored: &Value, written: &Value, phase: Phase) -> Vec<String> {
    let (stored, written) = (
        to_raw_value(stored).unwrap(),
        to_raw_value(written).unwrap(),
    );
    let source = Source {
        namespace: "default",
        object: &written,
        old_object: Some(&stored),
    };
    let world = example::world(&rule.docs, rule.docs.cluster).unwrap();
    let subject = Subject::decode(source).unwrap().unwrap();
    let now = Timestamp::UNIX_EPOCH;
    let verdict = review(&Policies::default(), subject, &world, phase, now).unwrap();
    let findings = verdict
        .findings
        .into_iter()
        .filter(|finding| finding.rule == rule.id);
    findings.map(|finding| finding.message).collect()
}

#[test]
fn a_policy_knows_every_rule_and_what_it_may_do() {
    let checked = all().iter().map(|rule| (rule.id, rule.may_deny));
    let named = crate::model::rules::RULES
        .iter()
        .map(|rule| (rule.id, rule.may_deny));
    assert!(checked.eq(named));
}
