//! `py-app` and `ts-app`: what must last is in Redis.

use anyhow::Result;
use serde_json::json;

use super::{Report, Stage};
use crate::support::charts::{PY_APP, TS_APP};

pub const REPORT: Report = ("no claims at all: what must last is in Redis", play);

fn play(stage: &Stage<'_>) -> Result<()> {
    stage.tell(
        "No claim is written, so none is invented. The Redis is a Deployment: not our business.",
    );
    for (app, policy) in [(PY_APP, "OrderedReady"), (TS_APP, "Parallel")] {
        stage.admitted(app.install(&stage.ns, stage.helm, "")?)?;
        let found = stage.ns.get(&format!("sts/{}", app.set))?;
        stage.holds(
            "podManagementPolicy",
            &found["spec"]["podManagementPolicy"],
            &json!(policy),
        )?;
        stage.holds(
            "claims",
            &found["spec"]["volumeClaimTemplates"],
            &json!(null),
        )?;
        stage.has_probe_of_ours(app.set, &json!("http"))?;
        stage.has_service_of_ours(app.set)?;
        stage.runs(app.set, None)?;
        let redis = stage.ns.get(&format!("deploy/{}-redis", app.release))?;
        let probe = &redis["spec"]["template"]["spec"]["containers"][0]["readinessProbe"];
        stage.holds("probe of the Redis", probe, &json!(null))?;
    }
    stage.tell("The report writes onDelete; the field wants OnDelete.");
    let upgrade = PY_APP.upgrade(&stage.ns, stage.helm, "--set updateStrategy.type=onDelete")?;
    stage.refused(upgrade, &["write OnDelete", "[update-strategy-unknown]"])?;
    stage.overview()
}
