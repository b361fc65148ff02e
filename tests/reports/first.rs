//! `app-python` and `app-kotlin`, with Vault beside them.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{Report, Stage};
use crate::support::charts::{APP_KOTLIN, APP_PYTHON, VAULT};

pub const REPORT: Report = (
    "two counters of visits, Vault beside them, and eight deployment strategies",
    play,
);

/// The report's list, written as an update strategy, and the words that lead to the StatefulSet way.
const STRATEGIES: [(&str, &[&str]); 8] = [
    ("Rolling", &["write RollingUpdate"]),
    ("Recreate", &["write OnDelete"]),
    (
        "Ramped",
        &["write RollingUpdate with rollingUpdate.partition"],
    ),
    (
        "BestEffort",
        &["write RollingUpdate with rollingUpdate.maxUnavailable"],
    ),
    ("BlueGreen", &["second StatefulSet"]),
    (
        "Canary",
        &["write RollingUpdate with rollingUpdate.partition"],
    ),
    ("Shadow", &["second StatefulSet"]),
    ("A/B", &["second StatefulSet"]),
];

fn play(stage: &Stage<'_>) -> Result<()> {
    vault_is_left_alone(stage)?;
    app_python(stage)?;
    app_kotlin(stage)?;
    parallel_later(stage)?;
    strategies(stage)?;
    stage.overview()
}

fn vault_is_left_alone(stage: &Stage<'_>) -> Result<()> {
    stage.tell("Vault knows what it does: headless Service, Parallel, OnDelete. Nothing to add, nothing to say.");
    let output = stage.admitted(VAULT.install(&stage.ns, stage.helm, "")?)?;
    stage.is_silent(&output)?;
    let found = stage.ns.get("sts/vault")?;
    stage.holds(
        "serviceName",
        &found["spec"]["serviceName"],
        &json!("vault-internal"),
    )?;
    stage.holds(
        "steadyset's record",
        &found["metadata"]["annotations"]["steadyset.io/injected"],
        &json!(null),
    )?;
    stage.runs(VAULT.set, Some(("data", "10Gi")))
}

fn app_python(stage: &Stage<'_>) -> Result<()> {
    stage.tell("app-python: no readiness probe, no serviceName, and its Service has a cluster IP.");
    let output = stage.admitted(APP_PYTHON.install(&stage.ns, stage.helm, "")?)?;
    stage.says(&output, &["[injected]"])?;
    stage.has_probe_of_ours(APP_PYTHON.set, &json!("http"))?;
    stage.has_service_of_ours(APP_PYTHON.set)?;
    stage.runs(APP_PYTHON.set, Some(("visits", "1Mi")))?;
    let own = stage.ns.get("svc/app-python-release")?;
    stage.holds(
        "its own Service, type and port",
        &json!([own["spec"]["type"], own["spec"]["ports"][0]["port"]]),
        &json!(["ClusterIP", 8080]),
    )
}

fn app_kotlin(stage: &Stage<'_>) -> Result<()> {
    stage.tell("app-kotlin: the same, with podManagementPolicy Parallel.");
    stage.admitted(APP_KOTLIN.install(&stage.ns, stage.helm, "")?)?;
    stage.has_probe_of_ours(APP_KOTLIN.set, &json!("http"))?;
    stage.has_service_of_ours(APP_KOTLIN.set)?;
    stage.runs(APP_KOTLIN.set, Some(("visits", "1Mi")))
}

fn parallel_later(stage: &Stage<'_>) -> Result<()> {
    stage.tell("Later app-python wants Parallel too. The API server never changes that field; the warning says the way.");
    let parallel = "--set podManagementPolicy=Parallel";
    let words = [
        "podManagementPolicy",
        "--cascade=orphan",
        "[immutable-field-change]",
    ];
    stage.refused(APP_PYTHON.upgrade(&stage.ns, stage.helm, parallel)?, &words)?;
    stage.tell(
        "Installed anew it has it. Our Service goes with the old set and comes with the new one.",
    );
    stage.admitted(
        stage
            .ns
            .helm(stage.helm, "uninstall app-python-release --wait")?,
    )?;
    stage
        .ns
        .await_gone("svc/app-python-release-pods", Duration::from_secs(30))?;
    stage.admitted(APP_PYTHON.install(&stage.ns, stage.helm, parallel)?)?;
    let found = stage.ns.get("sts/app-python-release")?;
    stage.holds(
        "podManagementPolicy",
        &found["spec"]["podManagementPolicy"],
        &json!("Parallel"),
    )?;
    stage.has_service_of_ours(APP_PYTHON.set)?;
    stage.runs(APP_PYTHON.set, Some(("visits", "1Mi")))
}

fn strategies(stage: &Stage<'_>) -> Result<()> {
    stage.tell("The eight deployment strategies of the report's list, tried as updateStrategy: each is told the StatefulSet way.");
    for (strategy, words) in STRATEGIES {
        let extra = format!("--set updateStrategy.type={strategy}");
        let mut words = words.to_vec();
        words.push("[update-strategy-unknown]");
        stage.refused(APP_KOTLIN.upgrade(&stage.ns, stage.helm, &extra)?, &words)?;
    }
    Ok(())
}
