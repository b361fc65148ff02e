//! The shipped chart as a release of the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{MINUTE, WRITTEN, load};
use crate::support::replica::{NAME, NAMESPACE};
use crate::support::{Cluster, Helm, Run, eventually, manifests};

/// Helm 3 with the chart as it is; the script turns its Service, and nothing else, into one that leads to loopback.
pub fn helm(cluster: &Cluster, script: &Path, verb: &str, port: u16) -> Result<Run> {
    let line = format!(
        "{verb} {NAME} -n {NAMESPACE} --set webhook.failurePolicy=Fail --set service.port={port} --post-renderer"
    );
    Ok(cluster
        .helm(Helm::V3, &line)?
        .arg(script)
        .arg(manifests::chart()))
}

pub fn post_renderer(cluster: &Cluster) -> Result<PathBuf> {
    let path = cluster.plane().dir().join("lead-to-loopback");
    let script = "#!/bin/sh\nexec sed 's/^  type: ClusterIP$/  type: ExternalName\\n  externalName: localhost/'\n";
    fs::write(&path, script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// What the pods of the Deployment are started with, but for the addresses.
pub fn deployed_args(cluster: &Cluster) -> Result<String> {
    let line = format!("get deployment {NAME} -n {NAMESPACE} -o json");
    let deployment = cluster.kubectl(&line)?.json()?;
    let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array();
    let args = args
        .context("no arguments")?
        .iter()
        .filter_map(|arg| arg.as_str());
    let ours = args.filter(|arg| {
        *arg != "serve"
            && !["--listen", "--probe-listen", "--log-format"]
                .iter()
                .any(|flag| arg.starts_with(flag))
    });
    let args = ours.collect::<Vec<_>>().join(" ");
    ensure!(args.contains("--self-signed"), "{args}");
    Ok(args)
}

/// The API server asks the webhook, and hears it: it learns of a caBundle a moment later.
pub fn asked(cluster: &Cluster) -> Result<()> {
    let set = load::set("asked").to_string();
    eventually("a webhook that is asked", MINUTE, || {
        let line = format!("create -n {WRITTEN} --dry-run=server -f -");
        cluster.kubectl(&line)?.stdin(set.as_str()).ok().map(drop)
    })
}
