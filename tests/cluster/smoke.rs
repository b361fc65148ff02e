//! The control plane itself: what the other tests rely on.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Test;
use crate::support::{Cluster, Helm, Webhook, WebhookSettings, charts};

/// What must hold before a test of the product can say anything.
pub const TESTS: &[Test] = &[
    (
        "the_server_is_the_pinned_version",
        the_server_is_the_pinned_version,
    ),
    ("access_is_judged_by_rbac", access_is_judged_by_rbac),
    (
        "a_set_becomes_ready_and_its_claims_bound",
        a_set_becomes_ready_and_its_claims_bound,
    ),
    (
        "both_helms_are_the_pinned_versions",
        both_helms_are_the_pinned_versions,
    ),
    (
        "the_webhook_judges_its_namespaces_alone",
        the_webhook_judges_its_namespaces_alone,
    ),
    (
        "the_reports_charts_run_with_helm_3",
        the_reports_charts_run_with_helm_3,
    ),
    (
        "the_reports_charts_run_with_helm_4",
        the_reports_charts_run_with_helm_4,
    ),
];

const SET: &str = r"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 2
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
";

fn the_server_is_the_pinned_version(cluster: &Cluster) -> Result<()> {
    let version = cluster.kubectl("version -o json")?.json()?;
    for side in ["clientVersion", "serverVersion"] {
        ensure!(
            version[side]["gitVersion"] == "v1.36.3",
            "{side} is {version}"
        );
    }
    Ok(())
}

fn access_is_judged_by_rbac(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    ns.kubectl("create serviceaccount nobody")?.ok()?;
    let kubeconfig = cluster.token_kubeconfig(ns.name(), "nobody")?;
    let refused = cluster
        .kubectl_as(&kubeconfig, "get statefulsets -A")?
        .refused()?;
    let user = format!("\"system:serviceaccount:{}:nobody\" cannot list", ns.name());
    ensure!(refused.stderr.contains(&user), "{refused}");
    Ok(())
}

fn a_set_becomes_ready_and_its_claims_bound(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    ns.kubectl("apply -f -")?.stdin(SET).ok()?;
    ns.rolled_out("web")?;
    for claim in ["pvc/data-web-0", "pvc/data-web-1"] {
        let found = ns.get(claim)?;
        ensure!(
            found["status"]["phase"] == "Bound",
            "{claim}: {}",
            found["status"]
        );
        ensure!(
            found["status"]["capacity"]["storage"] == "1Mi",
            "{claim}: {}",
            found["status"]
        );
    }
    ns.kubectl("delete sts web --cascade=foreground")?.ok()?;
    ns.await_gone("pod/web-0", Duration::from_secs(30))
}

fn both_helms_are_the_pinned_versions(cluster: &Cluster) -> Result<()> {
    for (helm, version) in [(Helm::V3, "v3.22.0"), (Helm::V4, "v4.3.1")] {
        let output = cluster
            .helm(helm, "version --template {{.Version}}")?
            .ok()?;
        ensure!(output.stdout.trim() == version, "{output}");
    }
    Ok(())
}

fn the_webhook_judges_its_namespaces_alone(cluster: &Cluster) -> Result<()> {
    let webhook = Webhook::start(cluster, &WebhookSettings::named("smoke").offline())?;
    let calls = || webhook.metric_sum("steadyset_admission_requests_total", "dry_run=\"false\"");
    cluster
        .namespace()?
        .kubectl("create -f -")?
        .stdin(SET)
        .ok()?;
    ensure!(calls()? == 0.0, "called for another namespace");
    let guarded = cluster.namespace_of(&webhook)?;
    guarded.kubectl("create -f -")?.stdin(SET).ok()?;
    guarded.ready("web")?;
    ensure!(calls()? >= 2.0, "called {} times", calls()?);
    Ok(())
}

fn the_reports_charts_run_with_helm_3(cluster: &Cluster) -> Result<()> {
    the_reports_charts_run(cluster, Helm::V3)
}

fn the_reports_charts_run_with_helm_4(cluster: &Cluster) -> Result<()> {
    the_reports_charts_run(cluster, Helm::V4)
}

fn the_reports_charts_run(cluster: &Cluster, helm: Helm) -> Result<()> {
    let ns = cluster.namespace()?;
    for app in charts::ALL {
        app.install(&ns, helm, "")?.ok()?;
    }
    for app in charts::ALL {
        ns.ready(app.set)?;
    }
    Ok(())
}
