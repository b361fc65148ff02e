//! Each thing that an operator can change, changed.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{SOON, created, creates, denied, policy, put, under, warned};
use crate::Test;
use crate::given::{
    claim, no_warning_of_ours, nothing_injected, readiness_probe, record, template, warning,
};
use crate::support::{Cluster, Namespace, eventually};

pub const TESTS: &[Test] = &[
    ("enforcement_is_a_ceiling", enforcement_is_a_ceiling),
    (
        "a_profile_is_stricter_or_milder",
        a_profile_is_stricter_or_milder,
    ),
    ("a_rule_has_another_action", a_rule_has_another_action),
    (
        "namespaces_are_included_and_excluded",
        namespaces_are_included_and_excluded,
    ),
    (
        "namespaces_are_selected_by_label",
        namespaces_are_selected_by_label,
    ),
    ("sets_are_selected_by_label", sets_are_selected_by_label),
    ("the_highest_priority_counts", the_highest_priority_counts),
    (
        "readiness_probes_are_injected_never_or_always",
        readiness_probes_never_or_always,
    ),
    (
        "serviceName_is_linked_created_or_left",
        service_name_is_linked_created_or_left,
    ),
    (
        "claims_are_injected_as_told_or_never",
        claims_as_told_or_never,
    ),
    (
        "sets_of_a_controller_are_injected_where_told",
        sets_of_a_controller,
    ),
    (
        "what_a_policy_changes_holds_from_then_on",
        what_a_policy_changes_holds,
    ),
];

const RULE: &str = "claim-mode-mismatch";

fn refuses(ns: &Namespace<'_>, spec: &Value, rule: &str) -> Result<()> {
    let output = creates(ns, spec, &json!({}))?;
    ensure!(
        output.status == 1 && output.stderr.contains("admission webhook"),
        "{output}"
    );
    ensure!(output.stderr.contains(&format!("[{rule}]")), "{output}");
    Ok(())
}

fn warns(ns: &Namespace<'_>, spec: &Value, rule: &str) -> Result<()> {
    let output = creates(ns, spec, &json!({}))?;
    ensure!(output.status == 0, "{output}");
    warning(&output, rule).map(drop)
}

fn says_nothing_of(ns: &Namespace<'_>, spec: &Value, rule: &str) -> Result<()> {
    let output = creates(ns, spec, &json!({}))?;
    ensure!(
        output.status == 0 && !output.stderr.contains(&format!("[{rule}]")),
        "{output}"
    );
    Ok(())
}

fn enforcement_is_a_ceiling(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({"enforcement": "Enforce"}))?;
    refuses(&ns, &denied(), RULE)?;
    put(&ns, &json!({"enforcement": "Warn"}))?;
    warns(&ns, &denied(), RULE)?;
    put(&ns, &json!({"enforcement": "Audit"}))?;
    says_nothing_of(&ns, &denied(), RULE)?;
    let counted = cluster.webhook()?.log();
    ensure!(counted.contains(&format!("{RULE}=audit")), "not in the log");
    Ok(())
}

fn a_profile_is_stricter_or_milder(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({"profile": "Strict"}))?;
    refuses(&ns, &warned(), "partition-exceeds-replicas")?;
    put(&ns, &json!({"profile": "Default"}))?;
    warns(&ns, &warned(), "partition-exceeds-replicas")?;
    put(&ns, &json!({"profile": "Permissive"}))?;
    says_nothing_of(&ns, &warned(), "partition-exceeds-replicas")?;
    says_nothing_of(&ns, &denied(), RULE)?;
    let builtin = json!({"podManagementPolicy": "parallel"});
    refuses(&ns, &builtin, "pod-management-policy-unknown")
}

fn a_rule_has_another_action(cluster: &Cluster) -> Result<()> {
    let rules =
        |action: &str| json!({"rules": {RULE: action, "partition-exceeds-replicas": "Deny"}});
    let ns = under(cluster, &rules("Warn"))?;
    warns(&ns, &denied(), RULE)?;
    refuses(&ns, &warned(), "partition-exceeds-replicas")?;
    put(&ns, &rules("Ignore"))?;
    says_nothing_of(&ns, &denied(), RULE)
}

fn namespaces_are_included_and_excluded(cluster: &Cluster) -> Result<()> {
    let (inside, outside) = (cluster.guarded_namespace()?, cluster.guarded_namespace()?);
    // a glob of one namespace: `test-1*` would be for the namespaces of other tests, too
    let glob = |ns: &Namespace<'_>| format!("?{}", ns.name().get(1..).unwrap_or_default());
    let names = json!({"include": [glob(&inside), glob(&outside)], "exclude": [outside.name()]});
    put(&inside, &json!({"match": {"namespaces": names}}))?;
    refuses(&inside, &denied(), RULE)?;
    says_nothing_of(&outside, &denied(), RULE)?;
    nothing_injected(&created(&outside, &json!({}))?)
}

fn namespaces_are_selected_by_label(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let labels = json!({"matchLabels": {"team": ns.name()}});
    put(&ns, &json!({"match": {"namespaceSelector": labels}}))?;
    nothing_injected(&created(&ns, &json!({}))?)?;
    let line = format!("label namespace {0} team={0}", ns.name());
    cluster.kubectl(&line)?.ok()?;
    eventually("the label", SOON, || {
        let set = created(&ns, &json!({}))?;
        ensure!(!record(&set).is_null(), "not yet selected");
        Ok(())
    })
}

fn sets_are_selected_by_label(cluster: &Cluster) -> Result<()> {
    let gold = json!({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["gold"]}]});
    let ns = under(cluster, &json!({"match": {"objectSelector": gold}}))?;
    nothing_injected(&created(&ns, &json!({}))?)?;
    let mut set = crate::given::web(&denied());
    set["metadata"]["labels"] = json!({"tier": "gold"});
    let create = ns.kubectl("create --dry-run=server -f -")?;
    let output = create.stdin(set.to_string()).refused()?;
    ensure!(output.stderr.contains(RULE), "{output}");
    Ok(())
}

/// Nothing is merged: the other policy says nothing any more.
fn the_highest_priority_counts(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({"rules": {RULE: "Ignore"}}))?;
    says_nothing_of(&ns, &denied(), RULE)?;
    let mut higher = policy(&ns, &json!({"priority": 1}));
    higher["metadata"]["name"] = json!(format!("{}-high", ns.name()));
    ns.apply(higher.to_string())?;
    eventually("the other policy", SOON, || refuses(&ns, &denied(), RULE))
}

/// A set whose pods could wait for each other: ordered, with two ports and a word of its peers.
fn ordered() -> Value {
    let container = json!({"env": [{"name": "SEEDS", "value": "web-0.web"}]});
    json!({"serviceName": "web", "podManagementPolicy": "OrderedReady", "template": template(&container)})
}

fn readiness_probes_never_or_always(cluster: &Cluster) -> Result<()> {
    let mode =
        |mode: &str| json!({"inject": {"readinessProbe": {"mode": mode, "periodSeconds": 7}}});
    let ns = under(cluster, &mode("Safe"))?;
    ensure!(
        readiness_probe(&created(&ns, &ordered())?).is_null(),
        "held back"
    );
    ensure!(readiness_probe(&created(&ns, &json!({}))?)["periodSeconds"] == 7);
    put(&ns, &mode("Always"))?;
    ensure!(readiness_probe(&created(&ns, &ordered())?)["tcpSocket"]["port"] == "http");
    put(&ns, &mode("Never"))?;
    ensure!(readiness_probe(&created(&ns, &json!({}))?).is_null());
    warns(&ns, &json!({}), "readiness-probe-missing")
}

fn service_name_is_linked_created_or_left(cluster: &Cluster) -> Result<()> {
    let mode = |mode: &str| json!({"inject": {"serviceName": {"mode": mode}}});
    let ns = under(cluster, &mode("Link"))?;
    warns(&ns, &json!({}), "service-name-empty")?;
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "peers"},
        "spec": {"clusterIP": "None", "selector": {"app": "web"}}});
    put(&ns, &mode("Never"))?;
    ns.kubectl("create -f -")?.stdin(service.to_string()).ok()?;
    let left = created(&ns, &json!({}))?;
    let name = left["spec"]["serviceName"].as_str().unwrap_or_default();
    ensure!(name.is_empty(), "told never to, and linked to {name}");
    put(&ns, &mode("Link"))?;
    ensure!(created(&ns, &json!({}))?["spec"]["serviceName"] == "peers");
    ns.kubectl("delete service peers")?.ok()?;
    put(&ns, &mode("LinkOrCreate"))?;
    eventually("the Service is gone from the cache", SOON, || {
        let name = &created(&ns, &json!({}))?["spec"]["serviceName"];
        ensure!(name == "web-pods", "{name}");
        Ok(())
    })
}

fn claims_as_told_or_never(cluster: &Cluster) -> Result<()> {
    let dangling = json!({"template": template(&json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]}))});
    let claims =
        json!({"storage": "3Gi", "accessModes": ["ReadWriteOncePod"], "storageClassName": "fast"});
    let ns = under(cluster, &json!({"inject": {"volumeClaims": claims}}))?;
    let spec = &created(&ns, &dangling)?["spec"]["volumeClaimTemplates"][0]["spec"];
    ensure!(spec["resources"]["requests"]["storage"] == "3Gi", "{spec}");
    ensure!(
        spec["accessModes"] == json!(["ReadWriteOncePod"]) && spec["storageClassName"] == "fast",
        "{spec}"
    );
    put(&ns, &json!({"inject": {"volumeClaims": {"mode": "Never"}}}))?;
    let output = creates(&ns, &dangling, &json!({}))?;
    ensure!(
        output.status == 1 && output.stderr.contains("[mount-without-volume]"),
        "{output}"
    );
    // one that the user wrote is not touched either
    let mut bare = claim("data");
    bare["spec"] = json!({"resources": {"requests": {"storage": "1Gi"}}});
    let output = creates(&ns, &json!({"volumeClaimTemplates": [bare]}), &json!({}))?;
    ensure!(
        output.status == 1 && output.stderr.contains("[claim-incomplete]"),
        "{output}"
    );
    Ok(())
}

fn sets_of_a_controller(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({"inject": {"controllerOwned": "Skip"}}))?;
    let create = || -> Result<Value> {
        let mut set = crate::given::web(&json!({}));
        set["metadata"]["ownerReferences"] = json!([{"apiVersion": "shop.example/v1", "kind": "Shop", "name": "shop",
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "controller": true}]);
        let create = ns.kubectl("create --dry-run=server -o json -f -")?;
        create.stdin(set.to_string()).json()
    };
    nothing_injected(&create()?)?;
    put(&ns, &json!({"inject": {"controllerOwned": "Inject"}}))?;
    ensure!(!record(&create()?).is_null(), "told to");
    Ok(())
}

/// A policy that is deleted leaves the sets it was for to nobody.
fn what_a_policy_changes_holds(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({}))?;
    refuses(&ns, &denied(), RULE)?;
    let line = format!("delete statefulsetpolicy {}", ns.name());
    cluster.kubectl(&line)?.ok()?;
    let other = under(cluster, &json!({}))?;
    eventually("the policy is gone", SOON, || {
        says_nothing_of(&ns, &denied(), RULE)
    })?;
    let output = creates(&ns, &json!({}), &json!({}))?;
    no_warning_of_ours(&output)?;
    refuses(&other, &denied(), RULE)
}
