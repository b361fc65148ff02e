//! `app-python-webapp` and `app-rust-webapp`: behind load balancers, started in order.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Report, Stage};
use crate::support::charts::{APP_PYTHON_WEBAPP, APP_RUST_WEBAPP};

pub const REPORT: Report = (
    "behind load balancers, started in order, and a canary",
    play,
);

fn play(stage: &Stage<'_>) -> Result<()> {
    stage.tell("Both apps have a LoadBalancer Service of the set's own name. It balances; it never governs.");
    for (app, claim) in [
        (APP_PYTHON_WEBAPP, "app-python-webapp-volume"),
        (APP_RUST_WEBAPP, "app-rust-webapp-volume"),
    ] {
        stage.admitted(app.install(&stage.ns, stage.helm, "")?)?;
        stage.has_service_of_ours(app.set)?;
        let own = stage.ns.get(&format!("svc/{}", app.set))?;
        stage.holds(
            "its own Service",
            &own["spec"]["type"],
            &json!("LoadBalancer"),
        )?;
        stage.has_probe_of_ours(app.set, &json!("http"))?;
        stage.runs(app.set, Some((claim, "64Mi")))?;
    }
    started_in_order(stage)?;
    canary(stage)?;
    stage.overview()
}

fn started_in_order(stage: &Stage<'_>) -> Result<()> {
    let born = |ordinal: u8| -> Result<Value> {
        Ok(stage.ns.get(&format!("pod/app-rust-webapp-{ordinal}"))?["status"]["startTime"].clone())
    };
    let times =
        [born(0)?, born(1)?, born(2)?].map(|time| time.as_str().unwrap_or_default().to_owned());
    ensure!(
        times.is_sorted() && !times[0].is_empty(),
        "not started in order: {times:?}"
    );
    Ok(())
}

fn canary(stage: &Stage<'_>) -> Result<()> {
    stage.tell("A canary is a partition: only the pods from ordinal 2 up get the new image.");
    let upgrade = |image: &str, partition: u8| {
        let extra =
            format!("--set image={image} --set updateStrategy.rollingUpdate.partition={partition}");
        APP_PYTHON_WEBAPP.upgrade(&stage.ns, stage.helm, &extra)
    };
    stage.admitted(upgrade("registry.example/python-webapp:2.0", 2)?)?;
    stage.ns.rolled_out(APP_PYTHON_WEBAPP.set)?;
    for (ordinal, image) in [
        (0, "python-webapp:1.0"),
        (1, "python-webapp:1.0"),
        (2, "python-webapp:2.0"),
    ] {
        let pod = stage.ns.get(&format!("pod/app-python-webapp-{ordinal}"))?;
        let wanted = json!(format!("registry.example/{image}"));
        stage.holds(
            &format!("image of pod {ordinal}"),
            &pod["spec"]["containers"][0]["image"],
            &wanted,
        )?;
    }
    stage.tell("A partition of 3 with 3 replicas would keep every pod as it is.");
    let output = stage.admitted(upgrade("registry.example/python-webapp:3.0", 3)?)?;
    stage.says(&output, &["[partition-exceeds-replicas]"])
}
