//! The shipped manifests: the Helm chart, and `install.yaml`, which is rendered from it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

/// What is for the shared webhook of the tests is made from this release.
pub const NAMESPACE: &str = "steadyset-system";

/// The folder of the chart.
pub fn chart() -> PathBuf {
    folder().join("steadyset")
}

/// The definitions that the chart brings.
pub fn definitions() -> PathBuf {
    chart().join("crds")
}

/// The chart rendered with its own values, for those who have no Helm.
pub fn install() -> PathBuf {
    folder().join("install.yaml")
}

/// Every object of `install.yaml`.
///
/// # Errors
/// When it is not there, or no YAML.
pub fn installed() -> Result<Vec<Value>> {
    let path = install();
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    objects(&text)
}

/// The objects of a rendered chart. A key that is written twice is an error.
///
/// # Errors
/// When it is no YAML.
pub fn objects(text: &str) -> Result<Vec<Value>> {
    steadyset::yaml::values::documents(text).map_err(|error| anyhow!("{error} in:\n{text}"))
}

/// The one object of a kind.
///
/// # Errors
/// When there is none.
pub fn of_kind(objects: &[Value], kind: &str) -> Result<Value> {
    let found = objects.iter().find(|object| object["kind"] == kind);
    found.cloned().with_context(|| format!("no {kind}"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests")
}
