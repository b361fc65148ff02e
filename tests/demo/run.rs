//! `make run`: a control plane with the webhook in force, until Ctrl-C.

#[path = "../support/mod.rs"]
mod support;

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

use support::{Cluster, Settings, Webhook};

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // asked for first, so that an early Ctrl-C also stops things in order
    let stop = runtime.block_on(async {
        Ok::<_, std::io::Error>((
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ))
    });
    let (mut interrupt, mut terminate) = stop?;
    let cluster = Cluster::boot(&Settings::beside_example()?)?;
    let webhook = cluster.webhook()?;
    let label = format!(
        "label namespace default {}={}",
        Webhook::LABEL,
        webhook.name()
    );
    cluster.kubectl(&label)?.ok()?;
    print_summary(&cluster, &programs(&cluster)?);
    runtime.block_on(async {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    });
    println!("\nstopping");
    Ok(())
}

/// A folder with the programs under the names one types.
fn programs(cluster: &Cluster) -> Result<PathBuf> {
    let bin = cluster.plane().dir().join("bin");
    std::fs::create_dir(&bin)?;
    for (name, program) in [
        ("kubectl", "kubectl"),
        ("helm", "helm4"),
        ("helm3", "helm3"),
        ("helm4", "helm4"),
    ] {
        symlink(cluster.plane().tools().path(program)?, bin.join(name))?;
    }
    symlink(cluster.steadyset(), bin.join("steadyset"))?;
    Ok(bin)
}

fn print_summary(cluster: &Cluster, bin: &std::path::Path) {
    println!(
        r#"
A Kubernetes 1.36.3 control plane runs at {server}, with steadyset in force in the namespace "default".
In another terminal, in this folder:

  export KUBECONFIG={kubeconfig} PATH="{bin}:$PATH"

Three things to try:

  kubectl apply -f tests/fixtures/try/forgetful.yaml
      A set without readiness probe, serviceName and claim. It is admitted; the warnings say what was added.
      Then: kubectl get po,sts,svc,pvc

  kubectl apply -f tests/fixtures/try/refused.yaml
      Three mistakes that would fail one after the other. One answer names them all, each with the way out.

  helm install app-python-release tests/fixtures/charts/webapp -f tests/fixtures/charts/webapp/apps/app-python.yaml
      A chart that was a Deployment yesterday. Its pods become Ready; its peers get names.

Another namespace comes under it by `kubectl label namespace NAME {label}=on`. To try policies:
`steadyset crd | kubectl apply --server-side -f -`, then docs/policy.md; a policy is in force within a minute of the first, at once later.

Ctrl-C stops everything and leaves nothing behind."#,
        label = Webhook::LABEL,
        server = cluster.plane().server(),
        kubeconfig = cluster.plane().admin_kubeconfig().display(),
        bin = bin.display(),
    );
}
