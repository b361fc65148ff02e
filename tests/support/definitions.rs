//! Definitions of kinds that the chart can render and no API server knows by itself, out of the Go modules that carry them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Deserializer, Value};

/// A module, the hash of its content, and the files in it.
struct Module {
    version: &'static str,
    sum: &'static str,
    files: &'static [&'static str],
}

const MODULES: [Module; 2] = [
    Module {
        version: "github.com/cert-manager/cert-manager@v1.20.0",
        sum: "h1:czZamsFJ1YdKPhpv+SopJZN9t3W68vQBnFYUevSHGqY=",
        files: &[
            "deploy/crds/cert-manager.io_certificates.yaml",
            "deploy/crds/cert-manager.io_issuers.yaml",
        ],
    },
    Module {
        version: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        sum: "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        files: &[
            "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        ],
    },
];

/// The files, each with one definition.
///
/// # Errors
/// Without Go, or when a module cannot be had.
pub fn definitions() -> Result<Vec<PathBuf>> {
    let output = Command::new("go")
        .args(["mod", "download", "-json"])
        .args(MODULES.map(|module| module.version))
        .current_dir(std::env::temp_dir())
        .env("GOWORK", "off")
        .output()
        .context("no Go")?;
    let mut found = Vec::new();
    let answers = Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    for (answer, module) in answers.zip(&MODULES) {
        let answer = answer?;
        ensure!(answer["Sum"] == module.sum, "{answer}");
        let folder = Path::new(answer["Dir"].as_str().context("no folder")?);
        found.extend(module.files.iter().map(|file| folder.join(file)));
    }
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "go mod download: {error}");
    Ok(found)
}
