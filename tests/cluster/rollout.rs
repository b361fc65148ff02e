//! What was filled in must not keep a set from coming up.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::{all_injected, has_revisions, template, web};
use crate::support::{App, Cluster, Helm, Namespace};

/// From nothing to Ready, one pod after the other.
pub const TESTS: &[Test] = &[
    (
        "pods_come_up_in_order_and_the_rollout_ends",
        pods_come_up_in_order_and_the_rollout_ends,
    ),
    (
        "a_new_template_rolls_out_with_the_probe",
        a_new_template_rolls_out_with_the_probe,
    ),
    ("helm_3_waits_until_it_is_up", |cluster| {
        helm_waits_until_it_is_up(cluster, Helm::V3)
    }),
    ("helm_4_waits_until_it_is_up", |cluster| {
        helm_waits_until_it_is_up(cluster, Helm::V4)
    }),
];

const MINUTE: Duration = Duration::from_mins(1);

fn pods_come_up_in_order_and_the_rollout_ends(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    ns.kubectl("apply -f -")?
        .stdin(web(&json!({"replicas": 3})).to_string())
        .ok()?;
    ns.rolled_out("web")?;
    let set = ns.ready("web")?;
    all_injected(&set)?;
    ensure!(
        set["spec"]["podManagementPolicy"] == "OrderedReady",
        "{set}"
    );
    runs_with_probe_and_service(&ns, "web", 3)
}

fn a_new_template_rolls_out_with_the_probe(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    ns.kubectl("apply -f -")?
        .stdin(web(&json!({})).to_string())
        .ok()?;
    ns.rolled_out("web")?;
    let newer = template(&json!({"image": "registry.example/web:2"}));
    ns.kubectl("apply -f -")?
        .stdin(web(&json!({"template": newer})).to_string())
        .ok()?;
    ns.rolled_out("web")?;
    all_injected(&ns.ready("web")?)?;
    has_revisions(&ns, "web", 2)?;
    runs_with_probe_and_service(&ns, "web", 2)
}

const SHOP: App = App {
    chart: "webapp",
    values: None,
    release: "web",
    set: "web-webapp",
};

fn helm_waits_until_it_is_up(cluster: &Cluster, helm: Helm) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    SHOP.install(&ns, helm, "--wait --timeout 90s")?.ok()?;
    runs_with_probe_and_service(&ns, SHOP.set, 2)
}

/// Every pod is Ready with the probe, and has its name in the Service that the set is linked to.
fn runs_with_probe_and_service(ns: &Namespace<'_>, set: &str, pods: usize) -> Result<()> {
    for ordinal in 0..pods {
        let pod = ns.get(&format!("pod/{set}-{ordinal}"))?;
        let probe = &pod["spec"]["containers"][0]["readinessProbe"];
        ensure!(
            probe["tcpSocket"]["port"] == "http",
            "pod {ordinal} has the probe {probe}"
        );
        ensure!(is_ready(&pod), "pod {ordinal}: {}", pod["status"]);
    }
    let line = format!("endpointslices -l kubernetes.io/service-name={set}-pods");
    ns.await_object(&line, MINUTE, |slices| {
        let named = endpoint_names(slices).context("no endpoints")?;
        ensure!(named.len() == pods, "{pods} pods, endpoints for {named:?}");
        Ok(())
    })?;
    Ok(())
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True")
    })
}

/// The host names of the endpoints: a pod has one only in the Service that its set names.
fn endpoint_names(slices: &Value) -> Option<Vec<&str>> {
    let endpoints = slices["items"][0]["endpoints"].as_array()?;
    Some(
        endpoints
            .iter()
            .filter_map(|endpoint| endpoint["hostname"].as_str())
            .collect(),
    )
}
