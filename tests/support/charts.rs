//! The applications of the five reports, as Helm charts of our own that render what the reports show.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::cluster::{Helm, Namespace};
use super::command::Run;

/// An application: its chart and values, and the names that its report shows.
#[derive(Debug, Clone, Copy)]
pub struct App {
    /// The folder below `tests/fixtures/charts`.
    pub chart: &'static str,
    /// The file below the chart's `apps`, if several applications share the chart.
    pub values: Option<&'static str>,
    /// The Helm release.
    pub release: &'static str,
    /// The StatefulSet that comes out of it.
    pub set: &'static str,
}

/// First report: a counter of visits, a file for each pod.
pub const APP_PYTHON: App = App::webapp("app-python", "app-python-release", "app-python-release");
/// First report: the same in Kotlin, started in parallel.
pub const APP_KOTLIN: App = App::webapp("app-kotlin", "app-kotlin-release", "app-kotlin-release");
/// First report: Vault beside them.
pub const VAULT: App = App {
    chart: "vault",
    values: None,
    release: "vault",
    set: "vault",
};
/// Second report: probes of its own, a serviceName whose Service is not headless.
pub const APP_PYTHON_HELM: App =
    App::webapp("app-python-helm", "app-python-helm", "app-python-helm");
/// Second report: the same in Go.
pub const APP_GO_HELM: App = App::webapp("app-go-helm", "app-go-helm", "app-go-helm");
/// Third report: behind a load balancer, started in order.
pub const APP_PYTHON_WEBAPP: App =
    App::webapp("app-python-webapp", "app-python", "app-python-webapp");
/// Third report: the same in Rust.
pub const APP_RUST_WEBAPP: App = App::webapp("app-rust-webapp", "app-rust", "app-rust-webapp");
/// Fourth report: no claims, a Redis beside it.
pub const PY_APP: App = App::webapp("py-app", "py-app", "py-app-python-app");
/// Fourth report: the same in TypeScript, started in parallel.
pub const TS_APP: App = App::webapp("ts-app", "ts-app", "ts-app");
/// Fifth report: a claim that nothing mounts, hooks that are plain Pods.
pub const HELM_PYTHON: App = App {
    chart: "helm-python",
    values: None,
    release: "python",
    set: "python-helm-python",
};

/// All of them.
pub const ALL: [App; 10] = [
    APP_PYTHON,
    APP_KOTLIN,
    VAULT,
    APP_PYTHON_HELM,
    APP_GO_HELM,
    APP_PYTHON_WEBAPP,
    APP_RUST_WEBAPP,
    PY_APP,
    TS_APP,
    HELM_PYTHON,
];

/// A file or folder below `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(path)
}

impl App {
    const fn webapp(values: &'static str, release: &'static str, set: &'static str) -> Self {
        Self {
            chart: "webapp",
            values: Some(values),
            release,
            set,
        }
    }

    /// `helm install`, with further arguments (`--set replicaCount=3`).
    ///
    /// # Errors
    /// When there is no such Helm.
    pub fn install(&self, ns: &Namespace<'_>, helm: Helm, extra: &str) -> Result<Run> {
        self.helm(ns, helm, &format!("install {} {extra}", self.release))
    }

    /// `helm upgrade`, with further arguments.
    ///
    /// # Errors
    /// When there is no such Helm.
    pub fn upgrade(&self, ns: &Namespace<'_>, helm: Helm, extra: &str) -> Result<Run> {
        self.helm(ns, helm, &format!("upgrade {} {extra}", self.release))
    }

    fn helm(&self, ns: &Namespace<'_>, helm: Helm, line: &str) -> Result<Run> {
        let chart = fixture("charts").join(self.chart);
        let mut run = ns.helm(helm, line)?.arg(&chart);
        if let Some(values) = self.values {
            run = run
                .arg("-f")
                .arg(chart.join("apps").join(format!("{values}.yaml")));
        }
        Ok(run)
    }
}
