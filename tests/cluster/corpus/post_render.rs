//! What Helm would send on: the same findings as those of the file, and the same patch carried out in its text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use json_patch::Patch;
use serde_json::Value;
use steadyset::yaml::read::documents;

use super::release::Outcome;
use super::surfaces::{rules, title};
use crate::support::{Cluster, Output};

/// What is not as it is in the audit of the file, a line each. `rows` are its rows, one for each set.
pub fn agree(cluster: &Cluster, outcomes: &[Outcome], rows: &[Value]) -> Result<Vec<String>> {
    let mut runs: BTreeMap<&Path, (Output, Sets, Sets)> = BTreeMap::new();
    let (mut faults, mut patched) = (Vec::new(), 0);
    for (outcome, row) in outcomes.iter().zip(rows) {
        if !runs.contains_key(&*outcome.path) {
            let text = fs::read_to_string(&outcome.path)?;
            let run = cluster.run_steadyset("post-render --new -n default --kube-version 1.36.3");
            let output = run.stdin(text.as_str()).run()?;
            let after = sets(&output.stdout)?;
            runs.insert(&outcome.path, (output, sets(&text)?, after));
        }
        let (output, before, after) = &runs[&*outcome.path];
        let (said, expected) = (said(&output.stderr, &outcome.set), rules(row));
        if said != expected {
            faults.push(format!(
                "{}\n  file        {expected:?}\n  post-render {said:?}",
                title(outcome)
            ));
        }
        if output.status != 0 {
            ensure!(
                output.status == 1 && output.stdout.is_empty(),
                "{}: {output}",
                title(outcome)
            );
            continue;
        }
        let mut expected = before
            .get(&outcome.set)
            .with_context(|| title(outcome))?
            .clone();
        let patch: Patch = serde_json::from_value(row["patch"].clone())?;
        json_patch::patch(&mut expected, &patch).with_context(|| title(outcome))?;
        let rendered = after.get(&outcome.set);
        patched += usize::from(!patch.is_empty());
        if rendered != Some(&expected) {
            faults.push(format!(
                "{}\n  patched     {expected}\n  post-render {rendered:?}",
                title(outcome)
            ));
        }
    }
    println!("{patched} sets are patched on their way through Helm");
    ensure!(patched > 0, "nothing was patched");
    Ok(faults)
}

/// The sets of a text by name, as kubectl reads them.
type Sets = BTreeMap<String, Value>;

fn sets(text: &str) -> Result<Sets> {
    let sets = documents(text)
        .flatten()
        .filter(|document| document.kind == "StatefulSet");
    let read = |json: &str| serde_json::from_str(json);
    sets.map(|document| Ok((document.name.clone(), read(document.read()?.json()?.get())?)))
        .collect()
}

/// The rules that are heard of a set: below its name, each at the end of its line.
fn said(stderr: &str, set: &str) -> BTreeSet<String> {
    let is_title = |line: &&str| !line.is_empty() && !line.starts_with(' ');
    let mut lines = stderr
        .lines()
        .skip_while(|line| !(is_title(line) && line.ends_with(&format!("/{set}"))));
    lines.next();
    let own = lines.take_while(|line| !is_title(line));
    own.filter_map(|line| Some(line.strip_suffix(']')?.rsplit_once(" [")?.1.to_owned()))
        .collect()
}
