//! Helm's releases through `steadyset post-render`: fixed before they reach the cluster, and never in a way that it would refuse.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::{has_revisions, nothing_injected, readiness_probe, record, web};
use crate::older_sets::pod_uids;
use crate::support::{App, Cluster, Helm, Namespace, Output, Run};

pub const TESTS: &[Test] = &[
    ("a_release_is_whole_with_helm_3", |cluster| {
        a_release_is_whole(cluster, Helm::V3)
    }),
    ("a_release_is_whole_with_helm_4", |cluster| {
        a_release_is_whole(cluster, Helm::V4)
    }),
    ("a_bad_chart_reaches_no_cluster_with_helm_3", |cluster| {
        a_bad_chart_reaches_no_cluster(cluster, Helm::V3)
    }),
    ("a_bad_chart_reaches_no_cluster_with_helm_4", |cluster| {
        a_bad_chart_reaches_no_cluster(cluster, Helm::V4)
    }),
    ("an_older_release_lives_on_with_helm_3", |cluster| {
        an_older_release_lives_on(cluster, Helm::V3)
    }),
    ("an_older_release_lives_on_with_helm_4", |cluster| {
        an_older_release_lives_on(cluster, Helm::V4)
    }),
    (
        "what_the_webhook_injected_comes_into_the_release_with_helm_3",
        |cluster| what_the_webhook_injected_comes_into_the_release(cluster, Helm::V3),
    ),
    (
        "what_the_webhook_injected_comes_into_the_release_with_helm_4",
        |cluster| what_the_webhook_injected_comes_into_the_release(cluster, Helm::V4),
    ),
    ("a_render_is_audited", a_render_is_audited),
    (
        "files_are_fixed_by_what_the_cluster_has",
        files_are_fixed_by_what_the_cluster_has,
    ),
    (
        "who_may_not_read_sets_adds_nothing",
        who_may_not_read_sets_adds_nothing,
    ),
];

/// A chart as `helm create` makes it, with a set: no serviceName, no probes.
const SHOP: App = App {
    chart: "webapp",
    values: None,
    release: "webapp-shop",
    set: "webapp-shop",
};

const BAD: &str = "--set updateStrategy.type=Canary";

const MINUTE: Duration = Duration::from_mins(1);

/// `helm install` or `upgrade` of the shop as a user runs it who has read docs/fix.md.
fn helm(ns: &Namespace<'_>, version: Helm, verb: &str, extra: &str) -> Result<Run> {
    let program = ns.cluster().steadyset();
    let renderer = match version {
        Helm::V3 => format!(
            "--post-renderer {} --post-renderer-args post-render",
            program.display()
        ),
        Helm::V4 => "--post-renderer steadyset".to_owned(),
    };
    let line = format!("{renderer} {extra}");
    let run = match verb {
        "install" => SHOP.install(ns, version, &line)?,
        _ => SHOP.upgrade(ns, version, &line)?,
    };
    let run = run.env("HELM_NAMESPACE", ns.name());
    if version == Helm::V3 {
        return Ok(run);
    }
    // `plugin install` writes below this folder, whatever HELM_PLUGINS says
    let cluster = ns.cluster();
    let home = cluster.plane().dir().join(format!("helm-{}", ns.name()));
    if !home.exists() {
        let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/helm-plugin");
        let install = ns.helm(version, "plugin install")?.arg(plugin);
        install.env("HELM_DATA_HOME", &home).ok()?;
    }
    Ok(run.env("HELM_DATA_HOME", home).env("PATH", path(program)?))
}

/// Where programs are found, this one first.
fn path(program: &Path) -> Result<OsString> {
    let own = program.parent().context("a program lies in a folder")?;
    let others = env::var_os("PATH").unwrap_or_default();
    let folders = [own.to_owned()]
        .into_iter()
        .chain(env::split_paths(&others));
    Ok(env::join_paths(folders)?)
}

fn set(ns: &Namespace<'_>) -> Result<Value> {
    ns.ready(SHOP.set)
}

/// What the file now says, and nobody but the file.
fn is_fixed(set: &Value) -> Result<()> {
    let port = &readiness_probe(set)["tcpSocket"]["port"];
    ensure!(port == "http", "the probe asks {port}");
    let service = &set["spec"]["serviceName"];
    ensure!(service == "webapp-shop-pods", "linked to {service}");
    ensure!(record(set).is_null(), "recorded: {set}");
    Ok(())
}

fn a_release_is_whole(cluster: &Cluster, version: Helm) -> Result<()> {
    for ns in [cluster.namespace()?, cluster.guarded_namespace()?] {
        let output = helm(&ns, version, "install", "")?.ok()?;
        ensure!(
            !output.stderr.contains("[injected]"),
            "the webhook had to: {output}"
        );
        is_fixed(&set(&ns)?)?;
        let service = ns.get("svc/webapp-shop-pods")?;
        ensure!(service["spec"]["clusterIP"] == "None", "{service}");
        let keeper = &service["metadata"]["labels"]["app.kubernetes.io/managed-by"];
        ensure!(keeper == "Helm", "it is kept by {keeper}");
        let pods = pod_uids(&ns)?;
        for _ in 0..2 {
            helm(&ns, version, "upgrade", "")?.ok()?;
            is_fixed(&set(&ns)?)?;
            ns.get("svc/webapp-shop-pods")?;
        }
        has_revisions(&ns, SHOP.set, 1)?;
        ensure!(pod_uids(&ns)? == pods, "pods restarted");
        helm(
            &ns,
            version,
            "upgrade",
            "--set image=registry.example/webapp:2.0",
        )?
        .ok()?;
        ns.rolled_out(SHOP.set)?;
        is_fixed(&set(&ns)?)?;
        has_revisions(&ns, SHOP.set, 2)?;
        ns.helm(version, &format!("uninstall {}", SHOP.release))?
            .ok()?;
        ns.await_gone("svc/webapp-shop-pods", MINUTE)?;
    }
    Ok(())
}

fn a_bad_chart_reaches_no_cluster(cluster: &Cluster, version: Helm) -> Result<()> {
    let ns = cluster.namespace()?;
    let output = helm(&ns, version, "install", BAD)?.refused()?;
    ensure!(output.status == 1, "{output}");
    for says in [
        "default/",
        "spec.updateStrategy.type: \"Canary\"",
        "[update-strategy-unknown]",
    ] {
        let says = says.replace("default", ns.name());
        ensure!(output.stderr.contains(&says), "no {says:?}: {output}");
    }
    let sets = ns.get("sts,svc")?;
    ensure!(sets["items"] == json!([]), "{sets}");
    helm(&ns, version, "install", "")?.ok()?;
    let before = set(&ns)?;
    helm(&ns, version, "upgrade", BAD)?.refused()?;
    ensure!(set(&ns)?["spec"] == before["spec"]);
    Ok(())
}

/// It was installed without the product. Its set gets no serviceName, which the server would refuse, and no probe, which would restart
/// its pods.
fn an_older_release_lives_on(cluster: &Cluster, version: Helm) -> Result<()> {
    for guarded in [false, true] {
        let ns = cluster.namespace()?;
        SHOP.install(&ns, version, "")?.ok()?;
        set(&ns)?;
        let pods = pod_uids(&ns)?;
        if guarded {
            ns.guard(cluster.webhook()?)?;
        }
        helm(&ns, version, "upgrade", "")?.ok()?;
        nothing_injected(&set(&ns)?)?;
        has_revisions(&ns, SHOP.set, 1)?;
        ensure!(pod_uids(&ns)? == pods, "pods restarted");
        helm(&ns, version, "upgrade", "--set replicaCount=3")?.ok()?;
        nothing_injected(&set(&ns)?)?;
        let now = pod_uids(&ns)?;
        ensure!(pods.iter().all(|pod| now.contains(pod)), "pods restarted");
        helm(&ns, version, "upgrade", BAD)?.refused()?;
        helm(
            &ns,
            version,
            "upgrade",
            "--set image=registry.example/webapp:2.0",
        )?
        .ok()?;
        ns.rolled_out(SHOP.set)?;
        nothing_injected(&set(&ns)?)?;
        has_revisions(&ns, SHOP.set, 2)?;
    }
    Ok(())
}

/// What the record says is put into the manifests of the release, which then no longer needs the webhook for it.
fn what_the_webhook_injected_comes_into_the_release(
    cluster: &Cluster,
    version: Helm,
) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    SHOP.install(&ns, version, "")?.ok()?;
    let before = set(&ns)?;
    let pods = pod_uids(&ns)?;
    helm(&ns, version, "upgrade", "")?.ok()?;
    let manifest = ns
        .helm(version, &format!("get manifest {}", SHOP.release))?
        .ok()?;
    for line in ["serviceName: webapp-shop-pods", "readinessProbe:"] {
        ensure!(manifest.stdout.contains(line), "{manifest}");
    }
    let is_written = manifest.stdout.contains("publishNotReadyAddresses");
    ensure!(!is_written, "the controller keeps it: {manifest}");
    let after = set(&ns)?;
    ensure!(after["spec"] == before["spec"], "changed: {after}");
    ensure!(pod_uids(&ns)? == pods, "pods restarted");
    has_revisions(&ns, SHOP.set, 1)
}

fn rendered(cluster: &Cluster, extra: &str) -> Result<String> {
    let chart = crate::support::fixture("charts/webapp");
    let run = cluster.helm(Helm::V3, &format!("template shop {extra}"))?;
    Ok(run.arg(chart).ok()?.stdout)
}

fn a_render_is_audited(cluster: &Cluster) -> Result<()> {
    let audit = |render: String| cluster.run_steadyset("audit -").stdin(render).run();
    let good = audit(rendered(cluster, "")?)?;
    ensure!(good.status == 0, "{good}");
    let counts = "1 StatefulSet: 0 deny, 0 warn, 0 audit; 2 injections\n";
    ensure!(good.stdout.ends_with(counts), "{good}");
    let bad = audit(rendered(cluster, BAD)?)?;
    ensure!(
        bad.status == 1 && bad.stdout.contains("[update-strategy-unknown]"),
        "{bad}"
    );
    Ok(())
}

fn fix(ns: &Namespace<'_>, set: &Value) -> Result<Output> {
    let line = format!("fix --live -n {} -", ns.name());
    ns.cluster()
        .run_steadyset(&line)
        .stdin(set.to_string())
        .run()
}

fn files_are_fixed_by_what_the_cluster_has(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let text = serde_json::to_string(&web(&json!({})))?;
    let new = ns
        .cluster()
        .run_steadyset(&format!("fix --live -n {} -", ns.name()));
    // YAML is a superset of JSON: a marker makes it one of several documents
    let fixed = new.stdin(format!("---\n{text}\n")).ok()?;
    ensure!(fixed.stdout.contains("kind: Service"), "{fixed}");
    let applied = ns.apply(fixed.stdout)?;
    ensure!(applied.status == 0, "{applied}");
    ns.ready("web")?;
    ns.kubectl("delete sts web --cascade=orphan")?.ok()?;
    let left = fix(&ns, &web(&json!({})))?;
    ensure!(left.status == 0, "{left}");
    let bare = cluster.namespace()?;
    bare.apply(text.clone())?;
    bare.ready("web")?;
    let same = fix(&bare, &web(&json!({})))?;
    ensure!(same.status == 0 && same.stdout == text, "{same}");
    bare.kubectl("delete sts web --cascade=orphan")?.ok()?;
    let left = fix(&bare, &web(&json!({})))?;
    ensure!(left.stdout == text, "its pods would be restarted: {left}");
    ensure!(
        left.stderr
            .contains("it would restart what an earlier set left: web-"),
        "{left}"
    );
    Ok(())
}

fn who_may_not_read_sets_adds_nothing(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let account = "nobody";
    ns.kubectl(&format!("create serviceaccount {account}"))?
        .ok()?;
    let kubeconfig = cluster.token_kubeconfig(ns.name(), account)?;
    let text = web(&json!({})).to_string();
    let run = |command: &str| {
        let line = format!(
            "{command} -n {} --kubeconfig {}",
            ns.name(),
            kubeconfig.display()
        );
        cluster.run_steadyset(&line).stdin(text.clone()).run()
    };
    let fixed = run("fix --live -")?;
    ensure!(fixed.status == 4 && fixed.stdout.is_empty(), "{fixed}");
    let says = format!(
        "steadyset: StatefulSet {}/web cannot be asked for: ",
        ns.name()
    );
    ensure!(fixed.stderr.contains(&says), "{fixed}");
    let passed = run("post-render")?;
    ensure!(passed.status == 0 && passed.stdout == text, "{passed}");
    ensure!(
        passed.stderr.contains("nothing is added to the manifests"),
        "{passed}"
    );
    Ok(())
}
