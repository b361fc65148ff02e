//! Policies that change under load: no request fails, and no answer is half of one and half of the other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use super::{SOON, denied, put, under, warned};
use crate::Test;
use crate::given::web;
use crate::support::{Cluster, Namespace, Webhook, eventually};

pub const TESTS: &[Test] = &[(
    "no_request_fails_and_no_answer_is_mixed",
    no_answer_is_mixed,
)];

/// Requests a second that are asked; a busy machine may answer fewer, and how many is printed.
const RATE: u32 = 1200;
/// How many connections share them.
const CONNECTIONS: u32 = 8;
/// How often the policy changes.
const CHANGES: usize = 12;

/// The two forms of the policy: each has one rule deny and the other warn.
const RULES: [&str; 2] = ["claim-mode-mismatch", "partition-exceeds-replicas"];

fn no_answer_is_mixed(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &form(0))?;
    serve_peers(&ns, cluster.webhook()?)?;
    let (review, webhook) = (review(&ns), cluster.webhook()?);
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let started = Instant::now();
    thread::scope(|scope| {
        let loads: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| load(webhook, &review, &stop, &seen)))
            .collect();
        let changed = (1..=CHANGES).try_for_each(|number| put(&ns, &form(number)));
        stop.store(true, Ordering::Relaxed);
        for load in loads {
            load.join().map_err(|_| anyhow!("a load panicked"))??;
        }
        changed
    })?;
    let elapsed = started.elapsed();
    let seen = seen.into_inner().map_err(|_| anyhow!("poisoned"))?;
    let rate = f64::from(u32::try_from(seen.len())?) / elapsed.as_secs_f64();
    println!(
        "{} answers in {elapsed:.1?}, {rate:.0} a second, {CHANGES} policies",
        seen.len()
    );
    ensure!(
        seen.len() > CHANGES * 20,
        "too few to mean anything: {}",
        seen.len()
    );
    ensure!(
        RULES.iter().all(|rule| seen.contains(&(*rule).to_owned())),
        "only one form was seen"
    );
    Ok(())
}

fn form(number: usize) -> Value {
    let [first, second] = RULES;
    let (denies, warns) = if number.is_multiple_of(2) {
        (first, second)
    } else {
        (second, first)
    };
    json!({"rules": {denies: "Deny", warns: "Warn"}})
}

/// The Service that the set names, once the webhook has heard of it: then every request is answered from memory.
fn serve_peers(ns: &Namespace<'_>, webhook: &Webhook) -> Result<()> {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "peers"},
        "spec": {"clusterIP": "None", "selector": {"app": "web"}}});
    ns.kubectl("create -f -")?.stdin(service.to_string()).ok()?;
    eventually("the Service in the cache", SOON, || {
        let review = webhook.review("/validate", &review(ns))?;
        let answer: Value = serde_json::from_slice(&review.body)?;
        ensure!(!answer.to_string().contains("service-missing"), "{answer}");
        Ok(())
    })
}

fn review(ns: &Namespace<'_>) -> Value {
    let mut spec = denied();
    json_patch::merge(&mut spec, &warned());
    json_patch::merge(&mut spec, &json!({"serviceName": "peers"}));
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": "CREATE", "namespace": ns.name(), "name": "web",
        "kind": {"group": "apps", "version": "v1", "kind": "StatefulSet"}, "dryRun": true, "object": web(&spec),
        "userInfo": {"username": "load"},
    }})
}

/// Asks at its part of the rate until it is told to stop.
fn load(
    webhook: &Webhook,
    review: &Value,
    stop: &AtomicBool,
    seen: &Mutex<Vec<String>>,
) -> Result<()> {
    let mut connection = webhook.client().open()?;
    let body = review.to_string();
    let pause = Duration::from_secs(1) * CONNECTIONS / RATE;
    let mut next = Instant::now();
    let mut own = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let headers = [("content-type", "application/json")];
        let response =
            connection.request("POST", "/validate?timeout=5s", &headers, body.as_bytes())?;
        ensure!(
            response.status == 200,
            "{}: {}",
            response.status,
            response.text()
        );
        own.push(shown(&serde_json::from_slice(&response.body)?)?);
        next += pause;
        // the rate is kept, whatever one answer took
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    seen.lock()
        .map_err(|_| anyhow!("poisoned"))?
        .append(&mut own);
    Ok(())
}

/// The rule that denies; the other one must warn.
fn shown(answer: &Value) -> Result<String> {
    let response = &answer["response"];
    let (status, warnings) = (
        response["status"].to_string(),
        response["warnings"].to_string(),
    );
    let [first, second] = RULES.map(|rule| (status.contains(rule), warnings.contains(rule)));
    match (first, second) {
        ((true, false), (false, true)) => Ok(RULES[0].to_owned()),
        ((false, true), (true, false)) => Ok(RULES[1].to_owned()),
        _ => bail!("half of one policy, half of the other: {answer}"),
    }
}
