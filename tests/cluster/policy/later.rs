//! Sets that were made under one policy and are written again under another: none restarts, none becomes unchangeable.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{policy, put, under};
use crate::Test;
use crate::given::{claim, readiness_probe, template, web};
use crate::support::{Cluster, Namespace, eventually};

pub const TESTS: &[Test] = &[
    (
        "a_set_stays_changeable_where_nothing_is_injected_any_more",
        where_nothing_is_injected_any_more,
    ),
    (
        "a_set_stays_changeable_where_no_policy_is_for_it_any_more",
        where_no_policy_is_for_it_any_more,
    ),
    ("strict_lets_a_set_be_changed", strict_lets_a_set_be_changed),
];

/// A set that gets a serviceName, a claim beside its own, and all three probes.
fn file() -> Value {
    let mounts = json!([{"name": "own", "mountPath": "/own"}]);
    let mut set = web(
        &json!({"replicas": 0, "volumeClaimTemplates": [claim("own")],
        "template": template(&json!({"volumeMounts": mounts}))}),
    );
    set["metadata"]["annotations"] =
        json!({"steadyset.io/claim-data": "{\"mountPath\":\"/data\"}"});
    set
}

fn created(cluster: &Cluster) -> Result<Namespace<'_>> {
    let ns = under(
        cluster,
        &json!({"inject": {"livenessProbe": {"mode": "Always"}}}),
    )?;
    ns.kubectl("apply -f -")?.stdin(file().to_string()).ok()?;
    let set = ns.get("sts/web")?;
    let claims = set["spec"]["volumeClaimTemplates"].as_array().map(Vec::len);
    ensure!(claims == Some(2), "{set}");
    Ok(ns)
}

/// The same file in every way, then a probe of the user's own: all is taken, and the template stays until he changes it.
fn stays_changeable(ns: &Namespace<'_>) -> Result<()> {
    let before = ns.get("sts/web")?["spec"].clone();
    let mut scaled = file();
    scaled["metadata"]["labels"] = json!({"touched": "yes"});
    for line in [
        "apply -f -",
        "apply --server-side --force-conflicts -f -",
        "replace -f -",
    ] {
        ns.kubectl(line)?.stdin(scaled.to_string()).ok()?;
        let after = ns.get("sts/web")?["spec"].clone();
        ensure!(after == before, "{line}: {before} became {after}");
    }
    let mut own = file();
    own["spec"]["template"] = template(&json!({
        "volumeMounts": file()["spec"]["template"]["spec"]["containers"][0]["volumeMounts"],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}},
    }));
    ns.kubectl("apply --server-side --force-conflicts -f -")?
        .stdin(own.to_string())
        .ok()?;
    let set = ns.get("sts/web")?;
    let probe = readiness_probe(&set);
    ensure!(
        probe["httpGet"]["path"] == "/ready" && probe["tcpSocket"].is_null(),
        "{probe}"
    );
    let claims = set["spec"]["volumeClaimTemplates"].as_array().map(Vec::len);
    ensure!(claims == Some(2), "{set}");
    Ok(())
}

fn where_nothing_is_injected_any_more(cluster: &Cluster) -> Result<()> {
    let ns = created(cluster)?;
    let never = json!({"mode": "Never"});
    put(
        &ns,
        &json!({"inject": {"readinessProbe": never, "livenessProbe": never, "startupProbe": never,
        "serviceName": never, "volumeClaims": never}}),
    )?;
    stays_changeable(&ns)
}

fn where_no_policy_is_for_it_any_more(cluster: &Cluster) -> Result<()> {
    let ns = created(cluster)?;
    put(
        &ns,
        &json!({"match": {"namespaces": {"include": ["elsewhere"]}}}),
    )?;
    let other = crate::given::web(&json!({"replicas": 0}));
    eventually("nothing new is injected", super::SOON, || {
        let create = ns.kubectl("create --dry-run=server -o json -f -")?;
        let mut other = other.clone();
        other["metadata"]["name"] = json!("other");
        crate::given::nothing_injected(&create.stdin(other.to_string()).json()?)
    })?;
    stays_changeable(&ns)
}

fn strict_lets_a_set_be_changed(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({"profile": "Strict"}))?;
    let with = |image: &str, strategy: &Value| {
        let mut set = web(&json!({"replicas": 2, "updateStrategy": strategy,
            "template": template(&json!({"image": image}))}));
        set["spec"]["serviceName"] = json!("peers");
        set
    };
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "peers"},
        "spec": {"clusterIP": "None", "selector": {"app": "web"}}});
    ns.kubectl("create -f -")?.stdin(service.to_string()).ok()?;
    let on_delete = json!({"type": "OnDelete"});
    for image in ["registry.example/web:1", "registry.example/web:2"] {
        let output = ns
            .kubectl("apply -f -")?
            .stdin(with(image, &on_delete).to_string())
            .run()?;
        ensure!(output.status == 0, "{output}");
    }
    // an operator who names the rule means it
    let denies = policy(
        &ns,
        &json!({"rules": {"on-delete-template-change": "Deny"}}),
    );
    put(&ns, &denies["spec"])?;
    let change = with("registry.example/web:3", &on_delete).to_string();
    let output = ns.kubectl("apply -f -")?.stdin(change).refused()?;
    ensure!(
        output.stderr.contains("[on-delete-template-change]"),
        "{output}"
    );
    Ok(())
}
