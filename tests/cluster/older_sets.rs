//! Sets that were there before the product: they live on as they were made.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::{
    claim, has_revisions, no_warning_of_ours, nothing_injected, revisions, template, warning, web,
};
use crate::support::{App, Cluster, Helm, Namespace};

/// Everything that is done to a set in its later life.
pub const TESTS: &[Test] = &[
    (
        "scaling_labels_and_annotations_go_through",
        scaling_labels_and_annotations_go_through,
    ),
    (
        "a_restart_makes_the_one_revision_asked_for",
        a_restart_makes_the_one_revision_asked_for,
    ),
    (
        "the_users_own_new_template_is_all_that_changes",
        the_users_own_new_template_is_all_that_changes,
    ),
    ("helm_3_upgrades_it", |cluster| {
        helm_upgrades_it(cluster, Helm::V3)
    }),
    ("helm_4_upgrades_it", |cluster| {
        helm_upgrades_it(cluster, Helm::V4)
    }),
    (
        "it_is_deleted_in_the_foreground",
        it_is_deleted_in_the_foreground,
    ),
    (
        "it_is_deleted_without_its_pods",
        it_is_deleted_without_its_pods,
    ),
    (
        "a_finalizer_goes_while_it_is_being_deleted",
        a_finalizer_goes_while_it_is_being_deleted,
    ),
    (
        "its_old_sins_are_not_punished_but_new_ones_are",
        its_old_sins_are_not_punished_but_new_ones_are,
    ),
];

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

/// What no set may be created with today: two claims of one name, one of which is lost.
fn sinner() -> Value {
    web(&json!({"volumeClaimTemplates": [claim("data"), claim("data")]}))
}

/// The set, created and Ready before its namespace came under the webhook.
fn older<'c>(cluster: &'c Cluster, set: &Value) -> Result<Namespace<'c>> {
    let ns = cluster.namespace()?;
    ns.kubectl("apply -f -")?.stdin(set.to_string()).ok()?;
    ns.ready("web")?;
    ns.guard(cluster.webhook()?)?;
    Ok(ns)
}

/// No pod was restarted, no template was made, nothing was filled in.
fn untouched(ns: &Namespace<'_>, pods: &[String]) -> Result<()> {
    nothing_injected(&ns.ready("web")?)?;
    has_revisions(ns, "web", 1)?;
    let now = pod_uids(ns)?;
    let gone: Vec<_> = pods.iter().filter(|uid| !now.contains(uid)).collect();
    ensure!(gone.is_empty(), "pods restarted: {gone:?}");
    Ok(())
}

/// The uids of the pods of a namespace.
pub fn pod_uids(ns: &Namespace<'_>) -> Result<Vec<String>> {
    let pods = ns.get("pods")?;
    let items = pods["items"].as_array().context("no list")?;
    let uid = |pod: &Value| {
        pod["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    Ok(items.iter().map(uid).collect())
}

fn scaling_labels_and_annotations_go_through(cluster: &Cluster) -> Result<()> {
    let ns = older(cluster, &sinner())?;
    let pods = pod_uids(&ns)?;
    let replicas = json!({"spec": {"replicas": 4}}).to_string();
    let mut applied = sinner();
    applied["metadata"]["labels"] = json!({"team": "shop"});
    for (line, last, stdin) in [
        ("scale sts web --replicas=3", None, None),
        ("patch sts web --type=merge -p", Some(&replicas), None),
        ("label sts web tier=front", None, None),
        ("annotate sts web note=seen", None, None),
        ("apply -f -", None, Some(applied.to_string())),
        ("replace -f -", None, Some(applied.to_string())),
    ] {
        let mut run = ns.kubectl(line)?.stdin(stdin.unwrap_or_default());
        if let Some(last) = last {
            run = run.arg(last);
        }
        no_warning_of_ours(&run.ok()?)?;
        // while pods come and go, a replace meets the controller's writes of the status
        ns.ready("web")?;
    }
    untouched(&ns, &pods[..2])
}

/// A restart changes the template, so a probe could be added without a further restart. It must not: the next
/// `rollout undo` would bring back a template without it, and so on.
fn a_restart_makes_the_one_revision_asked_for(cluster: &Cluster) -> Result<()> {
    let ns = older(cluster, &web(&json!({})))?;
    let first = revisions(&ns, "web")?.remove(0);
    ns.kubectl("rollout restart sts web")?.ok()?;
    ns.rolled_out("web")?;
    nothing_injected(&ns.get("sts/web")?)?;
    ns.kubectl("rollout undo sts web")?.ok()?;
    ns.rolled_out("web")?;
    nothing_injected(&ns.get("sts/web")?)?;
    has_revisions(&ns, "web", 2)?;
    let current = &ns.ready("web")?["status"]["currentRevision"];
    ensure!(
        *current == first["metadata"]["name"],
        "the undo ended in {current}"
    );
    Ok(())
}

fn the_users_own_new_template_is_all_that_changes(cluster: &Cluster) -> Result<()> {
    let ns = older(cluster, &web(&json!({})))?;
    let newer = template(&json!({"image": "registry.example/web:2"}));
    let output = ns.apply(web(&json!({"template": newer})).to_string())?;
    ensure!(output.status == 0, "{output}");
    ns.rolled_out("web")?;
    nothing_injected(&ns.get("sts/web")?)?;
    has_revisions(&ns, "web", 2)
}

const SHOP: App = App {
    chart: "webapp",
    values: None,
    release: "web",
    set: "web-webapp",
};

fn helm_upgrades_it(cluster: &Cluster, helm: Helm) -> Result<()> {
    let ns = cluster.namespace()?;
    SHOP.install(&ns, helm, "")?.ok()?;
    ns.ready(SHOP.set)?;
    ns.guard(cluster.webhook()?)?;
    for (values, revisions) in [
        ("", 1),
        ("--set replicaCount=3", 1),
        (
            "--set replicaCount=3 --set image=registry.example/webapp:2.0",
            2,
        ),
    ] {
        let output = SHOP.upgrade(&ns, helm, values)?.ok()?;
        ensure!(!output.stderr.contains("[injected]"), "{output}");
        ns.rolled_out(SHOP.set)?;
        nothing_injected(&ns.get(&format!("sts/{}", SHOP.set))?)?;
        has_revisions(&ns, SHOP.set, revisions)?;
    }
    ns.helm(helm, &format!("uninstall {}", SHOP.release))?
        .ok()?;
    ns.await_gone(&format!("sts/{}", SHOP.set), HALF_A_MINUTE)
}

fn it_is_deleted_in_the_foreground(cluster: &Cluster) -> Result<()> {
    let ns = older(cluster, &sinner())?;
    ns.kubectl("delete sts web --cascade=foreground --timeout=60s")?
        .ok()?;
    for pod in ["pod/web-0", "pod/web-1"] {
        ns.await_gone(pod, HALF_A_MINUTE)?;
    }
    Ok(())
}

fn it_is_deleted_without_its_pods(cluster: &Cluster) -> Result<()> {
    let ns = older(cluster, &sinner())?;
    let before = pod_uids(&ns)?;
    ns.kubectl("delete sts web --cascade=orphan --timeout=60s")?
        .ok()?;
    let after = pod_uids(&ns)?;
    ensure!(
        before == after,
        "the pods were {before:?}, they are {after:?}"
    );
    Ok(())
}

fn a_finalizer_goes_while_it_is_being_deleted(cluster: &Cluster) -> Result<()> {
    let ns = older(cluster, &sinner())?;
    let patch = |finalizers: Value| {
        let body = json!({"metadata": {"finalizers": finalizers}}).to_string();
        ns.kubectl("patch sts web --type=merge -p")?.arg(body).ok()
    };
    patch(json!(["example.com/hold"]))?;
    ns.kubectl("delete sts web --wait=false")?.ok()?;
    let held = ns.get("sts/web")?;
    ensure!(
        !held["metadata"]["deletionTimestamp"].is_null(),
        "not being deleted: {held}"
    );
    // nobody may create or change a set to this, but this one is on its way out
    let wrong = json!({"replicas": 0, "updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}});
    let patched = ns
        .kubectl("patch sts web --type=merge -p")?
        .arg(json!({"spec": wrong}).to_string())
        .ok()?;
    no_warning_of_ours(&patched)?;
    no_warning_of_ours(&patch(Value::Null)?)?;
    ns.await_gone("sts/web", HALF_A_MINUTE)
}

fn its_old_sins_are_not_punished_but_new_ones_are(cluster: &Cluster) -> Result<()> {
    let ns = older(cluster, &sinner())?;
    let patch = |spec: Value| {
        let body = json!({"spec": spec}).to_string();
        ns.kubectl("patch sts web --type=merge -p")
            .map(|run| run.arg(body))
    };
    no_warning_of_ours(&patch(json!({"minReadySeconds": 1}))?.ok()?)?;
    let partition =
        |partition: i32| json!({"updateStrategy": {"rollingUpdate": {"partition": partition}}});
    warning(&patch(partition(2))?.ok()?, "partition-exceeds-replicas")?;
    no_warning_of_ours(&patch(json!({"minReadySeconds": 2}))?.ok()?)?;
    let refused = patch(partition(-1))?.refused()?;
    ensure!(
        refused.stderr.contains(" [partition-negative]"),
        "{refused}"
    );
    ensure!(
        !refused.stderr.contains("[claim-duplicate-name]"),
        "{refused}"
    );
    Ok(())
}
