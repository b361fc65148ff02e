//! What the shipped configurations leave out of the calls, and that they leave out no more.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::release::Release;
use crate::Test;
use crate::given::{claim, template, web};
use crate::support::{Cluster, Helm};

pub const TESTS: &[Test] = &[(
    "only_a_write_that_changes_the_spec_is_a_call",
    only_a_write_that_changes_the_spec_is_a_call,
)];

/// Writes of a stored set that have no say.
const NO_CALL: &[&str] = &[
    "label sts web team=shop",
    "annotate sts web steadyset.io/inject=none",
    "annotate sts web steadyset.io/injected-",
    "scale sts web --replicas=2",
    "patch sts web --subresource=status --type=merge -p {\"status\":{\"replicas\":0}}",
    "patch sts web --type=merge -p {\"metadata\":{\"finalizers\":[\"example.org/held\"]}}",
    "delete sts web --wait=false",
    // it is going away: nothing is said of it any more
    "patch sts web --type=merge -p {\"spec\":{\"replicas\":0}}",
    "patch sts web --type=merge -p {\"spec\":{\"updateStrategy\":{\"type\":\"OnDelete\",\"rollingUpdate\":null}}}",
    "patch sts web --type=merge -p {\"metadata\":{\"finalizers\":null}}",
];

/// Writes that change a spec.
const CALL: &[&str] = &[
    "set image sts/called web=registry.example/web:2",
    "rollout restart sts/called",
    "patch sts called --type=merge -p {\"spec\":{\"replicas\":1}}",
    "patch sts called --type=merge -p {\"spec\":{\"minReadySeconds\":5}}",
];

fn only_a_write_that_changes_the_spec_is_a_call(cluster: &Cluster) -> Result<()> {
    let release = Release::install(cluster, Helm::V4, "calls-steadyset", &json!({}))?;
    let _program = release.start()?;
    for name in ["web", "called"] {
        counts(&release, [1.0; 2], &format!("create {name}"), || {
            let created = release.create(name, "")?;
            ensure!(created.status == 0, "{created}");
            Ok(())
        })?;
    }
    for line in NO_CALL {
        counts(&release, [0.0; 2], line, || {
            release.user(line)?.ok().map(drop)
        })?;
    }
    for line in CALL {
        counts(&release, [1.0; 2], line, || {
            release.user(line)?.ok().map(drop)
        })?;
    }
    the_same_file_again(&release)?;
    a_set_as_big_as_they_come(&release)?;
    release.run_helm_plain("uninstall").map(drop)
}

/// Each endpoint is called that often by what is done.
fn counts(
    release: &Release<'_>,
    wanted: [f64; 2],
    what: &str,
    act: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let calls = || -> Result<[f64; 2]> {
        Ok([
            release.calls("endpoint=\"mutate\"")?,
            release.calls("endpoint=\"validate\"")?,
        ])
    };
    let before = calls()?;
    act()?;
    let after = calls()?;
    let made = [after[0] - before[0], after[1] - before[1]];
    #[allow(clippy::float_cmp, reason = "counts of a few are whole numbers")]
    let right = made == wanted;
    ensure!(right, "{what}: {made:?} calls of mutate and validate");
    Ok(())
}

/// A claim of ours beside one of the user's: a replace drops it, the webhook is asked and puts it back.
fn the_same_file_again(release: &Release<'_>) -> Result<()> {
    let mounts = json!([{"name": "own", "mountPath": "/own"}]);
    let mut set = web(
        &json!({"replicas": 0, "volumeClaimTemplates": [claim("own")],
        "template": template(&json!({"volumeMounts": mounts}))}),
    );
    set["metadata"]["name"] = json!("claims");
    set["metadata"]["annotations"] =
        json!({"steadyset.io/claim-data": "{\"mountPath\":\"/data\"}"});
    // what is put back makes the spec what it was: then there is nothing to validate
    for (line, calls) in [
        ("create -f -", [1.0, 1.0]),
        ("apply --server-side --force-conflicts -f -", [1.0, 0.0]),
        ("apply -f -", [1.0, 0.0]),
        ("replace -f -", [1.0, 0.0]),
    ] {
        let act = || release.user(line)?.stdin(set.to_string()).ok().map(drop);
        counts(release, calls, line, act)?;
        let stored = release.user("get sts claims -o json")?.json()?;
        let claims = stored["spec"]["volumeClaimTemplates"]
            .as_array()
            .map(Vec::len);
        ensure!(claims == Some(2), "{line}: {stored}");
    }
    Ok(())
}

/// The comparison costs no more than the API server grants: it would go on without us, and nobody would hear of it.
fn a_set_as_big_as_they_come(release: &Release<'_>) -> Result<()> {
    let variables: Vec<Value> = (0..4000)
        .map(|number| json!({"name": format!("VARIABLE_{number}"), "value": "v".repeat(120)}))
        .collect();
    let mut set = web(&json!({"replicas": 0, "template": template(&json!({"env": variables}))}));
    set["metadata"]["name"] = json!("big");
    counts(release, [1.0; 2], "create big", || {
        release
            .user("create -f -")?
            .stdin(set.to_string())
            .ok()
            .map(drop)
    })?;
    for (line, calls) in [
        ("label sts big team=shop", 0.0),
        ("set image sts/big web=registry.example/web:2", 1.0),
    ] {
        counts(release, [calls; 2], line, || {
            release.user(line)?.ok().map(drop)
        })?;
    }
    Ok(())
}
