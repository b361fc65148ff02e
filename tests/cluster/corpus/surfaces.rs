//! A file, the webhook and the cluster: what is said of a set, and what is filled in, on each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use json_patch::Patch;
use serde_json::{Value, json};

use super::post_render;
use super::release::{Outcome, collection};
use super::table::{Differences, Surface};
use crate::api::Api;
use crate::support::{Cluster, eventually};

/// Compares them for every set; the rules may differ as the table says, what is filled in may not.
pub fn agree(cluster: &Cluster, outcomes: &[Outcome]) -> Result<Differences> {
    let rows = in_files(cluster, outcomes)?;
    let (mut differences, mut faults) = (
        Differences::default(),
        post_render::agree(cluster, outcomes, &rows)?,
    );
    // a connection that has idled since the sets were written may be gone
    let api = &mut Api::new(cluster)?;
    switch_off(api, outcomes)?;
    for (outcome, row) in outcomes.iter().zip(&rows) {
        compare_rules(outcome, row, &mut differences);
        if outcome.answer.code == 201 {
            faults.extend(compare_set(api, outcome, row)?);
        }
    }
    let stored = store(api, outcomes)?;
    let listed = in_cluster(cluster)?;
    let mut compared = 0;
    for ((outcome, file), _) in outcomes
        .iter()
        .zip(&rows)
        .zip(stored)
        .filter(|(_, stored)| *stored)
    {
        let row = listed.get(&(outcome.namespace.clone(), outcome.set.clone()));
        let row = row.with_context(|| format!("no row of {}", title(outcome)))?;
        compared += 1;
        differences.compare(
            (Surface::File, &rules(file)),
            (Surface::Cluster, &rules(row)),
            &title(outcome),
        );
        let (in_file, in_cluster) = (injected(file), &row["patch"]);
        if in_file != *in_cluster {
            faults.push(format!(
                "{}\n  file    {in_file}\n  cluster {in_cluster}",
                title(outcome)
            ));
        }
    }
    println!(
        "{} sets, {compared} of them stored with the webhook off",
        outcomes.len()
    );
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(differences)
}

pub fn title(outcome: &Outcome) -> String {
    format!("{} {}", outcome.file, outcome.set)
}

/// The row of each set in the audit of its file: one run, in which every file has a folder of its own and so is a world of its own.
fn in_files(cluster: &Cluster, outcomes: &[Outcome]) -> Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    let files: BTreeMap<&str, &Path> = outcomes
        .iter()
        .map(|outcome| (&*outcome.file, &*outcome.path))
        .collect();
    for (name, path) in files {
        let own = folder.path().join(name);
        fs::create_dir(&own)?;
        fs::copy(path, own.join(name))?;
    }
    let run = cluster.run_steadyset("audit -o json --kube-version 1.36.3 --fail-on never");
    let report = run.arg(folder.path()).json()?;
    let results = report["results"].as_array().context("no results")?;
    let of = |outcome: &Outcome| {
        let is_own = |row: &&Value| {
            let path = Path::new(row["source"]["path"].as_str().unwrap_or_default());
            path.ends_with(&outcome.file) && row["name"] == outcome.set.as_str()
        };
        let row = results.iter().find(is_own);
        Ok(row
            .with_context(|| format!("no row of {}", title(outcome)))?
            .clone())
    };
    outcomes.iter().map(of).collect()
}

/// The rules of a row that are heard at admission; what is for the operator alone is not.
fn heard(row: &Value) -> BTreeSet<String> {
    rules_of(row, |finding| finding["action"] != "audit")
}

/// The rules that a row is about.
pub fn rules(row: &Value) -> BTreeSet<String> {
    rules_of(row, |_| true)
}

fn rules_of(row: &Value, counts: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let found = row["findings"].as_array().into_iter().flatten();
    let counted = found.filter(|finding| counts(finding));
    counted
        .filter_map(|finding| Some(finding["rule"].as_str()?.to_owned()))
        .collect()
}

fn at_admission(outcome: &Outcome) -> BTreeSet<String> {
    let tag = |text: &str| Some(text.rsplit_once(" [")?.1.trim_end_matches(']').to_owned());
    let causes = outcome.answer.body["details"]["causes"].as_array();
    let ours = |reason: &str| steadyset::rules::named(reason).is_some();
    let denied = causes
        .into_iter()
        .flatten()
        .filter_map(|cause| cause["reason"].as_str());
    let denied = denied.filter(|reason| ours(reason)).map(ToOwned::to_owned);
    outcome.complaints().filter_map(tag).chain(denied).collect()
}

/// A set that is refused on `/mutate` never comes to `/validate`, where the other rules would have been heard; what the server cannot
/// read comes to neither.
fn compare_rules(outcome: &Outcome, row: &Value, differences: &mut Differences) {
    let (admitted, mut audited) = (at_admission(outcome), heard(row));
    if outcome.answer.code != 201 {
        let of_the_file = |rule: &String| {
            steadyset::rules::named(rule).is_some_and(steadyset::rules::Rule::is_of_the_file)
        };
        audited.retain(|rule| admitted.contains(rule) || of_the_file(rule));
    }
    differences.compare(
        (Surface::File, &audited),
        (Surface::Webhook, &admitted),
        &title(outcome),
    );
}

/// What the server makes of the patched file, the webhook being off, is what it made of the file with the webhook on.
fn compare_set(api: &mut Api, outcome: &Outcome, row: &Value) -> Result<Option<String>> {
    let mut patched = outcome.written.clone();
    let patch: Patch = serde_json::from_value(injected(row))?;
    json_patch::patch(&mut patched, &patch).with_context(|| row["patch"].to_string())?;
    let answer = api.create(
        &(collection(&patched, &outcome.namespace) + "?dryRun=All"),
        &patched,
    )?;
    let (file, admitted) = (&answer.body["spec"], &outcome.answer.body["spec"]);
    let differ = answer.code != 201 || file != admitted;
    Ok(differ.then(|| {
        format!(
            "{}\n  file    {} {file}\n  webhook {admitted}",
            title(outcome),
            answer.code
        )
    }))
}

/// What a row's patch fills in: what it moves the webhook never saw.
fn injected(row: &Value) -> Value {
    let operations = row["patch"].as_array().into_iter().flatten();
    operations
        .filter(|operation| operation["op"] != "move")
        .cloned()
        .collect()
}

/// Takes the sets' namespaces away from the webhook, and sees to it that nothing runs there.
fn switch_off(api: &mut Api, outcomes: &[Outcome]) -> Result<()> {
    let namespaces: BTreeSet<&str> = outcomes.iter().map(|outcome| &*outcome.namespace).collect();
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "nothing"},
        "spec": {"hard": {"pods": "0", "persistentvolumeclaims": "0"}}});
    for name in &namespaces {
        let answer = api.create(&format!("/api/v1/namespaces/{name}/resourcequotas"), &quota)?;
        ensure!(answer.code == 201, "{}", answer.body);
        let path = format!("/api/v1/namespaces/{name}");
        let mut namespace = api.get(&path)?.body;
        namespace["metadata"]["labels"] = json!({});
        let answer = api.replace(&path, &namespace)?;
        ensure!(answer.code == 200, "{}", answer.body);
    }
    // the server hears of namespaces in their order
    let last = namespaces.last().context("no namespace")?;
    let probe = crate::given::web(&json!({}));
    let path = collection(&probe, last) + "?dryRun=All";
    eventually("the webhook to be off", Duration::from_secs(20), || {
        let answer = api.create(&path, &probe)?;
        let annotations = &answer.body["metadata"]["annotations"];
        ensure!(annotations.is_null(), "{annotations}");
        Ok(())
    })
}

/// Creates the sets as they are written, and says which of them the server takes.
fn store(api: &mut Api, outcomes: &[Outcome]) -> Result<Vec<bool>> {
    let mut create = |outcome: &Outcome| {
        let answer = api.create(
            &collection(&outcome.written, &outcome.namespace),
            &outcome.written,
        )?;
        Ok(answer.code == 201)
    };
    outcomes.iter().map(&mut create).collect()
}

/// The rows of everything that is stored, by namespace and name.
fn in_cluster(cluster: &Cluster) -> Result<BTreeMap<(String, String), Value>> {
    let kubeconfig = cluster.account()?.display();
    let line = format!("audit --cluster --kubeconfig {kubeconfig} -o json --fail-on never");
    let mut report = cluster.run_steadyset(&line).json()?;
    let rows = report["results"]
        .as_array_mut()
        .map(std::mem::take)
        .unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(rows
        .into_iter()
        .map(|row| ((text(&row["namespace"]), text(&row["name"])), row))
        .collect())
}
