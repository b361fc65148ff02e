//! `app-python-helm` and `app-go-helm`: everything written by hand, and one promise that does not hold.

use anyhow::Result;
use serde_json::json;

use super::{Report, Stage, container};
use crate::support::charts::{APP_GO_HELM, APP_PYTHON_HELM};

pub const REPORT: Report = (
    "probes and serviceName of their own, peers looked up by name",
    play,
);

fn play(stage: &Stage<'_>) -> Result<()> {
    own_probes_stay(stage)?;
    one_replica_needs_no_names(stage)?;
    recreate_is_explained(stage)?;
    stage.overview()
}

fn own_probes_stay(stage: &Stage<'_>) -> Result<()> {
    stage.tell("app-python-helm looks its peers up by name, but the Service it names is not headless: no such names.");
    let output = stage.admitted(APP_PYTHON_HELM.install(&stage.ns, stage.helm, "")?)?;
    stage.says(&output, &["app-python-helm", "[service-not-headless]"])?;
    let found = stage.ns.get("sts/app-python-helm")?;
    stage.holds(
        "serviceName",
        &found["spec"]["serviceName"],
        &json!("app-python-helm"),
    )?;
    for probe in ["livenessProbe", "readinessProbe"] {
        let seen = &container(&found)?[probe]["httpGet"];
        stage.holds(
            probe,
            seen,
            &json!({"path": "/", "port": "http", "scheme": "HTTP"}),
        )?;
    }
    stage.holds(
        "steadyset's record",
        &found["metadata"]["annotations"]["steadyset.io/injected"],
        &json!(null),
    )?;
    stage.runs(APP_PYTHON_HELM.set, Some(("app-python-visits", "2Gi")))
}

fn one_replica_needs_no_names(stage: &Stage<'_>) -> Result<()> {
    stage.tell("app-go-helm does the same with one replica, which has no peers to look up.");
    let output = stage.admitted(APP_GO_HELM.install(&stage.ns, stage.helm, "")?)?;
    stage.is_silent(&output)?;
    stage.runs(APP_GO_HELM.set, Some(("app-go-visits", "2Gi")))
}

fn recreate_is_explained(stage: &Stage<'_>) -> Result<()> {
    stage.tell("The report compares OnDelete and RollingUpdate with Recreate, which a StatefulSet does not have.");
    let upgrade =
        APP_PYTHON_HELM.upgrade(&stage.ns, stage.helm, "--set updateStrategy.type=Recreate")?;
    stage.refused(
        upgrade,
        &["Recreate", "write OnDelete", "[update-strategy-unknown]"],
    )?;
    stage.tell("OnDelete is admitted, although the default's left-over lies beside it, which the API server would refuse.");
    stage.admitted(APP_PYTHON_HELM.upgrade(
        &stage.ns,
        stage.helm,
        "--set updateStrategy.type=OnDelete",
    )?)?;
    let found = stage.ns.get("sts/app-python-helm")?;
    stage.holds(
        "updateStrategy",
        &found["spec"]["updateStrategy"],
        &json!({"type": "OnDelete"}),
    )
}
