//! `helm-python`: the whole rendered manifest of the report, with its own bug.

use anyhow::Result;
use serde_json::json;

use super::{Report, Stage};
use crate::support::charts::HELM_PYTHON;

pub const REPORT: Report = (
    "a claim that nothing mounts, and hooks that are plain Pods",
    play,
);

fn play(stage: &Stage<'_>) -> Result<()> {
    stage.tell("Policy null, no serviceName, no probes, and a claim that nothing mounts: each pod lost its count.");
    let output = stage.admitted(HELM_PYTHON.install(&stage.ns, stage.helm, "")?)?;
    stage.says(
        &output,
        &["python-stateful-volume", "[claim-unmounted]", "[injected]"],
    )?;
    let found = stage.ns.get("sts/python-helm-python")?;
    stage.holds(
        "podManagementPolicy",
        &found["spec"]["podManagementPolicy"],
        &json!("OrderedReady"),
    )?;
    stage.has_probe_of_ours(HELM_PYTHON.set, &json!("http"))?;
    stage.has_service_of_ours(HELM_PYTHON.set)?;
    stage.runs(HELM_PYTHON.set, Some(("python-stateful-volume", "50Mi")))?;
    stage.tell("Three replicas and Parallel in one upgrade: the API server refuses, the warning says the way.");
    let both = "--set replicaCount=3 --set podManagementPolicy=Parallel";
    let words = [
        "podManagementPolicy",
        "--cascade=orphan",
        "[immutable-field-change]",
    ];
    stage.refused(HELM_PYTHON.upgrade(&stage.ns, stage.helm, both)?, &words)?;
    stage.tell("Three replicas alone are an upgrade like any other.");
    stage.admitted(HELM_PYTHON.upgrade(&stage.ns, stage.helm, "--set replicaCount=3")?)?;
    stage.runs(HELM_PYTHON.set, Some(("python-stateful-volume", "50Mi")))?;
    stage.overview()
}
