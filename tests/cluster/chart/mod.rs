//! The Helm chart: what it renders, how it is installed and taken away, and whether it does what it says. It is for a whole
//! cluster, so it has one of its own.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::support::{Cluster, Helm, Run, manifests};

mod conditions;
mod kept;
mod life;
mod observed;
mod release;
mod render;
pub mod rights;
mod tasks;
mod values;

/// Everything about the chart.
pub const TESTS: &[&[crate::Test]] = &[
    render::TESTS,
    life::TESTS,
    conditions::TESTS,
    values::TESTS,
    observed::TESTS,
    kept::TESTS,
];

/// How long the process, or a change of the configurations, may take to be heard of.
const SOON: Duration = Duration::from_mins(1);

/// What a chart is rendered with where there is no cluster to ask; the Helm of the tests knows only an ancient one.
const VERSION: &str = "--kube-version=1.36.3";

/// The namespace of the rendered release, which Helm does not create.
pub fn prepare(cluster: &Cluster) -> Result<()> {
    let line = format!("create namespace {}", manifests::NAMESPACE);
    cluster.kubectl(&line)?.ok().map(drop)
}

/// `helm template` of the chart as the release `steadyset`, with further arguments.
fn template(cluster: &Cluster, helm: Helm, extra: &str) -> Result<Run> {
    let line = format!(
        "template steadyset -n {} {VERSION} {extra}",
        manifests::NAMESPACE
    );
    Ok(cluster.helm(helm, &line)?.arg(manifests::chart()))
}

/// What the chart renders with these values, written as YAML.
fn rendered(cluster: &Cluster, helm: Helm, values: &str) -> Result<Vec<Value>> {
    let run = template(cluster, helm, "--values=-")?;
    manifests::objects(&run.stdin(values).ok()?.stdout)
}
