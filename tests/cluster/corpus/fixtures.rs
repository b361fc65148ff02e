//! The sets of this repository as files: the examples of the rules, what the README has a reader apply, and the charts of the reports.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use steadyset::explain::example;
use steadyset::rules::{self, Rule};
use tempfile::TempDir;

use super::release::{charts, read};
use super::surfaces;
use super::table::Surface;
use crate::api::Api;
use crate::support::{Cluster, Helm};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

pub fn every_surface_says_the_same(cluster: &Cluster) -> Result<()> {
    let folder = tempfile::tempdir()?;
    write_examples(&folder)?;
    for name in ["forgetful", "refused"] {
        fs::copy(
            format!("{FIXTURES}/try/{name}.yaml"),
            folder.path().join(format!("try-{name}.yaml")),
        )?;
    }
    write_cases(&folder)?;
    render(cluster, &folder)?;
    let mut releases = charts(folder.path())?
        .iter()
        .enumerate()
        .map(|(number, path)| read(path, format!("fixture-{number}")))
        .collect::<Result<Vec<_>>>()?;
    let mut api = Api::new(cluster)?;
    for release in &mut releases {
        release.put_around(&mut api, cluster.webhook()?)?;
    }
    let mut outcomes = Vec::new();
    for release in releases {
        outcomes.extend(release.created(&mut api)?);
    }
    ensure!(
        outcomes.len() > rules::all().len(),
        "{} sets",
        outcomes.len()
    );
    let differences = surfaces::agree(cluster, &outcomes)?;
    // no server has a path for the one, nor can it read the other
    differences.are_all_that_is_known(&[
        ("api-version-removed", Surface::Webhook),
        ("api-version-removed", Surface::Cluster),
        ("field-type-wrong", Surface::Cluster),
        ("field-invalid", Surface::Cluster),
        // seen over the charts: its example has what it names in the same input
        ("reference-missing", Surface::Webhook),
        ("reference-missing", Surface::Cluster),
    ])
}

/// A file for each rule, with what is around its example; one that tells of a change is written as the set that it is changed to.
fn write_examples(folder: &TempDir) -> Result<()> {
    // what no server takes for a set never reaches one
    let reaches = |rule: &&&Rule| !["kind-unknown", "patch-replaces-list"].contains(&rule.id);
    for rule in rules::all().iter().filter(reaches) {
        let text = format!("{}\n---\n{}", rule.docs.cluster.trim_end(), manifest(rule)?);
        fs::write(folder.path().join(format!("rule-{}.yaml", rule.id)), text)?;
    }
    Ok(())
}

fn manifest(rule: &Rule) -> Result<String> {
    // the text of one that is whole says more than the set does: a key that stands in it twice
    if rule.docs.example.contains("kind: StatefulSet") {
        return Ok(rule.docs.example.to_owned());
    }
    Ok(yaml(&example::set(rule.docs.example)?))
}

/// A field to a line, each in flow style.
fn yaml(set: &Value) -> String {
    let fields = set.as_object().into_iter().flatten();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned)
    };
    let lines = fields.map(|(name, value)| [name, ": ", &text(value), "\n"].concat());
    lines.collect()
}

/// The sets of the policy cases.
fn write_cases(folder: &TempDir) -> Result<()> {
    let text = fs::read_to_string(format!("{FIXTURES}/cases/failing.yaml"))?;
    for (number, case) in steadyset::yaml::values::documents(&text)
        .map_err(anyhow::Error::msg)?
        .iter()
        .enumerate()
    {
        fs::write(
            folder.path().join(format!("case-{number}.yaml")),
            yaml(&case["object"]),
        )?;
    }
    Ok(())
}

/// The charts of the reports, each application of them.
fn render(cluster: &Cluster, folder: &TempDir) -> Result<()> {
    for chart in ["vault", "helm-python", "webapp"] {
        let path = format!("{FIXTURES}/charts/{chart}");
        let apps = Path::new(&path).join("apps");
        let mut values = vec![String::new()];
        if apps.is_dir() {
            values = fs::read_dir(apps)?
                .map(|entry| Ok(format!("-f {}", entry?.path().display())))
                .collect::<Result<Vec<_>>>()?;
        }
        for (number, values) in values.iter().enumerate() {
            let line = format!("template {chart} {path} {values}");
            let rendered = cluster
                .helm(Helm::V3, &line)?
                .ok()
                .with_context(|| chart.to_owned())?;
            fs::write(
                folder.path().join(format!("chart-{chart}-{number}.yaml")),
                rendered.stdout,
            )?;
        }
    }
    Ok(())
}
