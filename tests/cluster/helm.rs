//! A release through its life, with Helm 3 and Helm 4.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::Test;
use crate::given::{all_injected, has_revisions, readiness_probe, warning};
use crate::support::{App, Cluster, Helm, Namespace};

/// Each part of the life with each Helm.
pub const TESTS: &[Test] = &[
    (
        "replicas_are_upgraded_without_a_new_template_with_helm_3",
        |cluster| replicas_are_upgraded_without_a_new_template(cluster, Helm::V3),
    ),
    (
        "replicas_are_upgraded_without_a_new_template_with_helm_4",
        |cluster| replicas_are_upgraded_without_a_new_template(cluster, Helm::V4),
    ),
    (
        "a_refused_upgrade_leaves_the_set_and_can_be_rolled_back_with_helm_3",
        |cluster| a_refused_upgrade_leaves_the_set_and_can_be_rolled_back(cluster, Helm::V3),
    ),
    (
        "a_refused_upgrade_leaves_the_set_and_can_be_rolled_back_with_helm_4",
        |cluster| a_refused_upgrade_leaves_the_set_and_can_be_rolled_back(cluster, Helm::V4),
    ),
    (
        "the_charts_own_probe_takes_the_place_of_ours_with_helm_3",
        |cluster| the_charts_own_probe_takes_the_place_of_ours(cluster, Helm::V3),
    ),
    (
        "the_charts_own_probe_takes_the_place_of_ours_with_helm_4",
        |cluster| the_charts_own_probe_takes_the_place_of_ours(cluster, Helm::V4),
    ),
    (
        "a_rollback_ends_in_the_template_of_before_with_helm_3",
        |cluster| a_rollback_ends_in_the_template_of_before(cluster, Helm::V3),
    ),
    (
        "a_rollback_ends_in_the_template_of_before_with_helm_4",
        |cluster| a_rollback_ends_in_the_template_of_before(cluster, Helm::V4),
    ),
    (
        "uninstalling_takes_our_service_along_with_helm_3",
        |cluster| uninstalling_takes_our_service_along(cluster, Helm::V3),
    ),
    (
        "uninstalling_takes_our_service_along_with_helm_4",
        |cluster| uninstalling_takes_our_service_along(cluster, Helm::V4),
    ),
];

/// A chart as `helm create` makes it, with a set: no serviceName, no probes.
const SHOP: App = App {
    chart: "webapp",
    values: None,
    release: "webapp-shop",
    set: "webapp-shop",
};

/// The values by which the chart brings a probe of its own.
const OWN_PROBE: &str = "--set readinessProbe.httpGet.path=/ready,readinessProbe.httpGet.port=http";

const MINUTE: Duration = Duration::from_mins(1);

fn installed(cluster: &Cluster, helm: Helm) -> Result<Namespace<'_>> {
    let ns = cluster.guarded_namespace()?;
    let output = SHOP.install(&ns, helm, "")?.ok()?;
    ensure!(output.stderr.contains("[injected]"), "{output}");
    all_injected(&ns.ready(SHOP.set)?)?;
    Ok(ns)
}

fn replicas_are_upgraded_without_a_new_template(cluster: &Cluster, helm: Helm) -> Result<()> {
    let ns = installed(cluster, helm)?;
    SHOP.upgrade(&ns, helm, "--set replicaCount=3")?.ok()?;
    let set = ns.ready(SHOP.set)?;
    ensure!(set["spec"]["replicas"] == 3, "{}", set["spec"]["replicas"]);
    all_injected(&set)?;
    SHOP.upgrade(&ns, helm, "--set replicaCount=3")?.ok()?;
    has_revisions(&ns, SHOP.set, 1)
}

fn a_refused_upgrade_leaves_the_set_and_can_be_rolled_back(
    cluster: &Cluster,
    helm: Helm,
) -> Result<()> {
    let ns = installed(cluster, helm)?;
    let object = format!("sts/{}", SHOP.set);
    let before = ns.get(&object)?;
    let refused = SHOP
        .upgrade(&ns, helm, "--set updateStrategy.type=Canary")?
        .refused()?;
    let says = "denied the request: steadyset: spec.updateStrategy.type: ";
    ensure!(refused.stderr.contains(says), "{refused}");
    ensure!(
        refused.stderr.contains("[update-strategy-unknown]"),
        "{refused}"
    );
    let after = ns.get(&object)?;
    ensure!(after["spec"] == before["spec"], "changed to {after}");
    ns.helm(helm, &format!("rollback {} 1", SHOP.release))?
        .ok()?;
    let status = ns
        .helm(helm, &format!("status {} -o json", SHOP.release))?
        .json()?;
    ensure!(status["info"]["status"] == "deployed", "{status}");
    all_injected(&ns.get(&object)?)?;
    has_revisions(&ns, SHOP.set, 1)
}

fn the_charts_own_probe_takes_the_place_of_ours(cluster: &Cluster, helm: Helm) -> Result<()> {
    let ns = installed(cluster, helm)?;
    let output = SHOP.upgrade(&ns, helm, OWN_PROBE)?.ok()?;
    warning(&output, "yielded")?;
    ns.rolled_out(SHOP.set)?;
    has_the_charts_probe(&ns)?;
    SHOP.upgrade(&ns, helm, OWN_PROBE)?.ok()?;
    has_the_charts_probe(&ns)?;
    has_revisions(&ns, SHOP.set, 2)
}

fn has_the_charts_probe(ns: &Namespace<'_>) -> Result<()> {
    let set = ns.get(&format!("sts/{}", SHOP.set))?;
    let probe = readiness_probe(&set);
    ensure!(probe["httpGet"]["path"] == "/ready", "{probe}");
    ensure!(probe["tcpSocket"].is_null(), "ours is still there: {probe}");
    // what we wrote beside the handler goes too: these are the server's defaults
    ensure!(probe["timeoutSeconds"] == 1, "{probe}");
    Ok(())
}

/// The very template: pods that never left the first revision must not be restarted into a third.
fn a_rollback_ends_in_the_template_of_before(cluster: &Cluster, helm: Helm) -> Result<()> {
    let ns = installed(cluster, helm)?;
    let first = ns.get(&format!("sts/{}", SHOP.set))?;
    SHOP.upgrade(&ns, helm, OWN_PROBE)?.ok()?;
    ns.rolled_out(SHOP.set)?;
    ns.helm(helm, &format!("rollback {} 1", SHOP.release))?
        .ok()?;
    ns.rolled_out(SHOP.set)?;
    let set = ns.ready(SHOP.set)?;
    all_injected(&set)?;
    let revision = |set: &Value| set["status"]["updateRevision"].clone();
    ensure!(revision(&set) == revision(&first), "{}", set["status"]);
    SHOP.upgrade(&ns, helm, OWN_PROBE)?.ok()?;
    has_the_charts_probe(&ns)?;
    has_revisions(&ns, SHOP.set, 2)
}

fn uninstalling_takes_our_service_along(cluster: &Cluster, helm: Helm) -> Result<()> {
    let ns = installed(cluster, helm)?;
    let service = format!("svc/{}-pods", SHOP.set);
    ns.await_object(&service, MINUTE, |_| Ok(()))?;
    ns.helm(helm, &format!("uninstall {}", SHOP.release))?
        .ok()?;
    for gone in [format!("sts/{}", SHOP.set), service] {
        ns.await_gone(&gone, MINUTE)?;
    }
    Ok(())
}
