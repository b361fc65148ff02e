//! The same policy in a file and in the cluster, and a cluster that learns of the kind later.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use steadyset::policy::Policy;
use steadyset::policy::compile::compile;
use steadyset::policy::document;

use super::{created, creates, denied, prepare};
use crate::Test;
use crate::given::{all_injected, readiness_probe};
use crate::support::{Cluster, Namespace, Settings, Webhook, WebhookSettings, eventually};

pub const TESTS: &[Test] = &[
    (
        "the_example_is_one_policy_in_a_file_and_in_the_cluster",
        the_example_is_one_policy,
    ),
    (
        "files_are_followed_and_objects_win",
        files_are_followed_and_objects_win,
    ),
];

/// The example that the documentation shows.
const EXAMPLE: &str = include_str!("../../fixtures/policy/platform-default.yaml");

/// How long the watch may take to see that the kind is there: it asks again after a pause that grows to half a minute.
const LATER: Duration = Duration::from_mins(1);

fn compiled(text: &str) -> Result<Policy> {
    let documents = document::read(text).map_err(|faults| anyhow!("{faults:?}"))?;
    let document = documents.into_iter().next().context("no document")?;
    document.policy.map_err(|rejected| anyhow!("{rejected:?}"))
}

/// On a control plane of its own: it is for every set.
fn the_example_is_one_policy(shared: &Cluster) -> Result<()> {
    let settings = Settings::new(shared.steadyset()).without_workloads();
    let cluster = Cluster::boot(&settings)?;
    let ns = cluster.guarded_namespace()?;
    // the kind is not there yet, and the built-in default is in force
    all_injected(&created(&ns, &json!({}))?)?;
    let partition = json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}});
    let set = crate::given::web(&partition).to_string();
    ns.kubectl("create -f -")?.stdin(set).ok()?;
    prepare(&cluster)?;
    let output = cluster.kubectl("apply -f -")?.stdin(EXAMPLE).ok()?;
    ensure!(!output.stderr.contains("Warning"), "{output}");
    let found = ns.await_object("statefulsetpolicy/platform-default", LATER, |found| {
        let condition = &found["status"]["conditions"][0];
        ensure!(condition["status"] == "True", "{condition}");
        Ok(())
    })?;
    let stored =
        compile("platform-default", &found["spec"]).map_err(|rejected| anyhow!("{rejected:?}"))?;
    ensure!(stored == compiled(EXAMPLE)?, "{stored:?}");
    let output = creates(&ns, &partition, &json!({}))?;
    ensure!(
        output.status == 1 && output.stderr.contains("[partition-exceeds-replicas]"),
        "{output}"
    );
    let line = format!(
        "audit --cluster --kubeconfig {}",
        cluster.account()?.display()
    );
    let audited = cluster.run_steadyset(&line).run()?;
    ensure!(
        audited.status == 1 && audited.stdout.contains("[partition-exceeds-replicas]"),
        "an audit of the cluster judges by the policies of the cluster: {audited}"
    );
    let listed = cluster.kubectl("get statefulsetpolicies")?.ok()?.stdout;
    let row = listed.lines().nth(1).unwrap_or_default();
    let columns: Vec<&str> = row.split_whitespace().take(5).collect();
    ensure!(
        columns == ["platform-default", "0", "Enforce", "Default", "True"],
        "{listed}"
    );
    Ok(())
}

fn period(ns: &Namespace<'_>) -> Result<Value> {
    Ok(readiness_probe(&created(ns, &json!({}))?)["periodSeconds"].clone())
}

fn files_are_followed_and_objects_win(cluster: &Cluster) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("policy.json");
    let settings =
        WebhookSettings::named("files").args(&format!("--config {}", folder.path().display()));
    let unnamed = cluster.namespace()?;
    let policy = |spec: &Value| super::policy(&unnamed, spec).to_string();
    let of_period =
        |seconds: i64| json!({"inject": {"readinessProbe": {"periodSeconds": seconds}}});
    fs::write(&file, policy(&of_period(5)))?;
    let webhook = Webhook::start(cluster, &settings)?;
    let label = format!(
        "label namespace {} {}=files",
        unnamed.name(),
        Webhook::LABEL
    );
    cluster.kubectl(&label)?.ok()?;
    let becomes = |seconds: i64| {
        eventually("the policy", super::SOON, || {
            let found = period(&unnamed)?;
            ensure!(found == seconds, "the period is {found}, not {seconds}");
            Ok(())
        })
    };
    becomes(5)?;
    fs::write(&file, policy(&of_period(6)))?;
    becomes(6)?;
    fs::write(&file, policy(&json!({"profile": "Nonsense"})))?;
    eventually("the metric", super::SOON, || {
        ensure!(
            webhook.metric_sum("steadyset_policy_reload_success", "")? < 0.5,
            "still good"
        );
        Ok(())
    })?;
    ensure!(period(&unnamed)? == 6, "the last good form");
    let output = creates(&unnamed, &denied(), &json!({}))?;
    ensure!(output.status == 1, "{output}");
    fs::write(&file, policy(&of_period(7)))?;
    becomes(7)?;
    unnamed.apply(policy(&of_period(8)))?;
    becomes(8)?;
    ensure!(
        webhook
            .log()
            .contains("a file and an object have this name"),
        "no warning"
    );
    let line = format!("delete statefulsetpolicy {}", unnamed.name());
    cluster.kubectl(&line)?.ok()?;
    becomes(7)
}
