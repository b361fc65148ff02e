//! Alerts and dashboard: Prometheus can read them, and every series that they ask for is exposed, with the labels that they
//! ask by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::release::Release;
use super::rendered;
use crate::Test;
use crate::support::tools::Tools;
use crate::support::{Cluster, Helm, Run, eventually, manifests};

pub const TESTS: &[Test] = &[
    (
        "alerts_and_dashboard_ask_for_what_is_exposed",
        alerts_and_dashboard_ask_for_what_is_exposed,
    ),
    ("alerts_say_what_to_do", alerts_say_what_to_do),
];

/// What is exposed whatever happens.
const ALWAYS: &[&str] = &[
    "admission_requests_total",
    "admission_duration_seconds_bucket",
    "findings_total",
    "injections_total",
    "exemptions_total",
    "tls_handshake_failures_total",
    "connections",
    "in_flight",
    "policy_reload_success",
    "policies",
    "cache_ready",
    "certificate_expiry_timestamp_seconds",
    "ca_bundle_in_sync",
    "governing_services",
    "governing_services_taken",
    "build_info",
];

/// What an expression selects.
#[derive(Debug, Deserialize)]
struct Selector {
    metric: String,
    labels: BTreeSet<String>,
}

/// The labels of each metric.
type Exposed = BTreeMap<String, BTreeSet<String>>;

fn rules(cluster: &Cluster) -> Result<Vec<Value>> {
    let objects = rendered(cluster, Helm::V4, "{prometheusRule: {enabled: true}}")?;
    let mut rule = manifests::of_kind(&objects, "PrometheusRule")?;
    let rules = rule["spec"]["groups"][0]["rules"].take();
    serde_json::from_value(rules).context("no rules")
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str().map(str::to_owned);
    text.with_context(|| format!("no text: {value}"))
}

/// Every expression, the dashboard's with its variables filled in.
fn expressions(cluster: &Cluster) -> Result<Vec<String>> {
    let alerts = rules(cluster)?.into_iter().map(|rule| text(&rule["expr"]));
    let mut expressions: Vec<_> = alerts.collect::<Result<_>>()?;
    let dashboard = fs::read_to_string(manifests::chart().join("dashboards/steadyset.json"))?;
    let dashboard: Value = serde_json::from_str(&dashboard)?;
    for panel in dashboard["panels"].as_array().context("no panels")? {
        for target in panel["targets"].as_array().context("no targets")? {
            let expression = text(&target["expr"])?;
            expressions.push(
                expression
                    .replace("$__rate_interval", "5m")
                    .replace("$__range", "1h"),
            );
        }
    }
    Ok(expressions)
}

fn selectors(expressions: &[String]) -> Result<Vec<Selector>> {
    let read = Run::new(&Tools::promql()?, "")
        .stdin(expressions.join("\n"))
        .ok()?;
    let lines = read.stdout.lines();
    lines.map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// What a page of metrics holds.
fn exposed(page: &str) -> Exposed {
    let mut exposed = Exposed::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).unwrap_or_default();
        let labels = rest.split("=\"").filter_map(|before| {
            before
                .rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .next()
        });
        let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned);
        exposed.entry(name.to_owned()).or_default().extend(labels);
    }
    exposed
}

/// What the API server counts is there once it has happened: a call that could not be made, with either policy.
fn provoke(cluster: &Cluster, release: &mut Release<'_>) -> Result<()> {
    let created = release.create("unseen", "--dry-run=server")?;
    ensure!(created.status == 0, "{created}");
    release.upgrade(&json!({"webhook": {"failurePolicy": "Fail"}}))?;
    let page = || cluster.kubectl("get --raw /metrics")?.ok();
    let counted = "apiserver_admission_webhook_rejection_count{error_type=\"calling_webhook_error\",name=\"mutate-create.steadyset.io\"";
    eventually("a refusal", super::SOON, || {
        release.create("unseen", "--dry-run=server")?;
        ensure!(page()?.stdout.contains(counted), "not counted");
        Ok(())
    })?;
    release.upgrade(&json!({"webhook": {"failurePolicy": "Ignore"}}))
}

fn alerts_and_dashboard_ask_for_what_is_exposed(cluster: &Cluster) -> Result<()> {
    let mut release = Release::install(cluster, Helm::V4, "seen-steadyset", &json!({}))?;
    provoke(cluster, &mut release)?;
    let _program = release.start()?;
    let mut known = exposed(&release.metrics()?);
    for name in ALWAYS {
        let name = format!("steadyset_{name}");
        ensure!(known.contains_key(&name), "{name} is not exposed");
    }
    known.extend(exposed(
        &cluster.kubectl("get --raw /metrics")?.ok()?.stdout,
    ));
    let expressions = expressions(cluster)?;
    let selectors = selectors(&expressions)?;
    ensure!(selectors.len() >= expressions.len(), "{selectors:?}");
    for Selector { metric, labels } in &selectors {
        let has = known.get(metric);
        let has = has.with_context(|| format!("nobody exposes {metric}"))?;
        let lacks: Vec<_> = labels.difference(has).collect();
        ensure!(lacks.is_empty(), "{metric} has no {lacks:?}, but {has:?}");
    }
    release.run_helm_plain("uninstall").map(drop)
}

fn alerts_say_what_to_do(cluster: &Cluster) -> Result<()> {
    for rule in rules(cluster)? {
        for text in ["summary", "description"] {
            let said = rule["annotations"][text].as_str().unwrap_or_default();
            ensure!(said.len() > 30, "{} says {said:?}", rule["alert"]);
        }
        let severity = &rule["labels"]["severity"];
        ensure!(severity == "critical" || severity == "warning", "{rule}");
    }
    Ok(())
}
