//! The audit of a file says what the webhook says of the sets in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use json_patch::Patch;
use serde_json::{Value, json};

use super::release::Outcome;
use crate::support::Cluster;

/// Rules that need more of the cluster than a file tells.
const CLUSTER_ONLY: &[&str] = &["storage-class-missing"];

/// What was said of a set, and what was filled in.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    rules: BTreeSet<String>,
    service: Value,
    probes: Vec<Value>,
    claims: usize,
}

/// Compares the two for every set.
pub fn agree(cluster: &Cluster, folder: &Path, outcomes: &[Outcome]) -> Result<()> {
    let mut files: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        files.entry(&outcome.file).or_default().push(outcome);
    }
    let mut differences = Vec::new();
    for (file, outcomes) in files {
        let rows = audit(cluster, &folder.join(file))?;
        for outcome in outcomes {
            let row = rows.iter().find(|row| row["name"] == outcome.set.as_str());
            let row = row.with_context(|| format!("{file}: no row of {}", outcome.set))?;
            let (admitted, audited) = (at_admission(outcome), in_file(outcome, row)?);
            if !agrees(outcome, &admitted, &audited) {
                differences.push(format!(
                    "{file} {}:\n  webhook {admitted:?}\n  audit   {audited:?}",
                    outcome.set
                ));
            }
        }
    }
    println!(
        "{} of {} sets are judged alike in their file",
        outcomes.len() - differences.len(),
        outcomes.len()
    );
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

/// A set that is refused on `/mutate` never comes to `/validate`, where the other rules would have been heard.
fn agrees(outcome: &Outcome, admitted: &Said, audited: &Said) -> bool {
    if outcome.answer.code == 201 {
        admitted == audited
    } else {
        admitted.rules.is_subset(&audited.rules)
    }
}

/// The rows of the sets that the server still knows, in the order of the file.
fn audit(cluster: &Cluster, path: &Path) -> Result<Vec<Value>> {
    let run = cluster.run_steadyset("audit -o json --kube-version 1.36.3 --fail-on never");
    let output = run.arg(path).ok()?;
    let mut report: Value =
        serde_json::from_str(&output.stdout).with_context(|| output.to_string())?;
    Ok(report["results"]
        .as_array_mut()
        .map(std::mem::take)
        .unwrap_or_default())
}

fn at_admission(outcome: &Outcome) -> Said {
    let tag = |text: &str| Some(text.rsplit_once(" [")?.1.trim_end_matches(']').to_owned());
    let causes = outcome.answer.body["details"]["causes"].as_array();
    let denied = causes
        .into_iter()
        .flatten()
        .filter_map(|cause| Some(cause["reason"].as_str()?.to_owned()));
    let stored = if outcome.answer.code == 201 {
        &outcome.answer.body
    } else {
        &outcome.written
    };
    said(outcome.complaints().filter_map(tag).chain(denied), stored)
}

fn in_file(outcome: &Outcome, row: &Value) -> Result<Said> {
    let found = row["findings"].as_array().into_iter().flatten();
    let heard = found.filter(|finding| finding["action"] != "audit");
    let rules = heard.filter_map(|finding| Some(finding["rule"].as_str()?.to_owned()));
    let mut filled = outcome.written.clone();
    if outcome.answer.code == 201 {
        let patch: Patch = serde_json::from_value(row["patch"].clone())?;
        json_patch::patch(&mut filled, &patch).with_context(|| row["patch"].to_string())?;
    }
    Ok(said(rules, &filled))
}

fn said(rules: impl Iterator<Item = String>, set: &Value) -> Said {
    let containers = set["spec"]["template"]["spec"]["containers"].as_array();
    let handler = |container: &Value| {
        let probe = &container["readinessProbe"];
        json!([
            probe["exec"],
            probe["tcpSocket"]["port"],
            probe["httpGet"]["path"],
            probe["periodSeconds"].as_i64().unwrap_or(10)
        ])
    };
    Said {
        rules: rules
            .filter(|rule| !CLUSTER_ONLY.contains(&rule.as_str()))
            .collect(),
        service: json!(set["spec"]["serviceName"].as_str().unwrap_or_default()),
        probes: containers.into_iter().flatten().map(handler).collect(),
        claims: set["spec"]["volumeClaimTemplates"]
            .as_array()
            .map_or(0, Vec::len),
    }
}
