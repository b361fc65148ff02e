//! A set made anew over the pods of one that was deleted with `--cascade=orphan`, which is how people change what cannot
//! be changed.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::{has_revisions, nothing_injected, readiness_probe, template, warnings, web};
use crate::older_sets::pod_uids;
use crate::support::{Cluster, Namespace, Output};

/// What becomes of the pods.
pub const TESTS: &[Test] = &[
    (
        "pods_of_an_older_set_are_not_restarted",
        pods_of_an_older_set_are_not_restarted,
    ),
    (
        "pods_of_an_older_set_block_nothing",
        pods_of_an_older_set_block_nothing,
    ),
    (
        "pods_of_an_injected_set_are_not_restarted",
        pods_of_an_injected_set_are_not_restarted,
    ),
    (
        "pods_with_an_injected_claim_are_not_restarted",
        pods_with_an_injected_claim_are_not_restarted,
    ),
    (
        "what_older_pods_have_is_injected_and_what_they_lack_is_not",
        what_older_pods_have_is_injected_and_what_they_lack_is_not,
    ),
    (
        "pods_that_are_restarted_anyway_get_everything",
        pods_that_are_restarted_anyway_get_everything,
    ),
    (
        "a_set_made_anew_at_once_again_and_again_restarts_nothing",
        a_set_made_anew_at_once_again_and_again_restarts_nothing,
    ),
];

const SOON: Duration = Duration::from_secs(30);

fn apply(ns: &Namespace<'_>, set: &Value) -> Result<Output> {
    ns.kubectl("apply -f -")?.stdin(set.to_string()).ok()
}

/// The pods of this set, orphaned, in a namespace that is now under the webhook.
fn orphaned_older<'c>(cluster: &'c Cluster, set: &Value) -> Result<Namespace<'c>> {
    let ns = cluster.namespace()?;
    apply(&ns, set)?;
    ns.ready("web")?;
    ns.guard(cluster.webhook()?)?;
    ns.kubectl("delete sts web --cascade=orphan --timeout=60s")?
        .ok()?;
    Ok(ns)
}

/// Every pod of before is still there, adopted by the new set, which has come to rest.
fn adopted(ns: &Namespace<'_>, before: &[String]) -> Result<Value> {
    ns.rolled_out("web")?;
    has_revisions(ns, "web", 1)?;
    let after = pod_uids(ns)?;
    ensure!(
        before == after,
        "the pods were {before:?}, they are {after:?}"
    );
    let set = ns.ready("web")?;
    for name in ["web-0", "web-1"] {
        let pod = ns.get(&format!("pod/{name}"))?;
        let owner = &pod["metadata"]["ownerReferences"][0]["uid"];
        ensure!(
            *owner == set["metadata"]["uid"],
            "{name} is not adopted: {pod}"
        );
    }
    Ok(set)
}

fn pods_of_an_older_set_are_not_restarted(cluster: &Cluster) -> Result<()> {
    let ns = orphaned_older(cluster, &web(&json!({})))?;
    let before = pod_uids(&ns)?;
    let output = apply(&ns, &web(&json!({})))?;
    let told = warnings(&output).iter().any(|text| text.contains("web-0"));
    ensure!(told, "no warning names a pod: {output}");
    nothing_injected(&adopted(&ns, &before)?)
}

fn pods_of_an_older_set_block_nothing(cluster: &Cluster) -> Result<()> {
    let set = web(&json!({}));
    let ns = orphaned_older(cluster, &set)?;
    let before = pod_uids(&ns)?;
    let mut asking = set;
    asking["metadata"]["annotations"] =
        json!({"steadyset.io/claim-data": "{\"mountPath\": \"/data\"}"});
    apply(&ns, &asking)?;
    let adopted = adopted(&ns, &before)?;
    ensure!(
        adopted["spec"]["volumeClaimTemplates"].is_null(),
        "a claim: {adopted}"
    );
    nothing_injected(&adopted)
}

fn pods_of_an_injected_set_are_not_restarted(cluster: &Cluster) -> Result<()> {
    made_anew_alike(cluster, &web(&json!({})))
}

/// Without the claim the server would refuse the set, and with another one its pods would be stuck.
fn pods_with_an_injected_claim_are_not_restarted(cluster: &Cluster) -> Result<()> {
    let mounts = json!({"volumeMounts": [{"name": "data", "mountPath": "/var/lib/web"}]});
    let mut set = web(&json!({"template": template(&mounts)}));
    made_anew_alike(cluster, &set)?;
    set = web(&json!({}));
    set["metadata"]["annotations"] =
        json!({"steadyset.io/claim-data": "{\"mountPath\": \"/data\"}"});
    made_anew_alike(cluster, &set)
}

/// They come from a set whose author wrote its name, and no probe.
fn what_older_pods_have_is_injected_and_what_they_lack_is_not(cluster: &Cluster) -> Result<()> {
    let ns = orphaned_older(cluster, &web(&json!({"serviceName": "web-pods"})))?;
    let before = pod_uids(&ns)?;
    let output = apply(&ns, &web(&json!({})))?;
    let probe = "readinessProbe: not injected: it would restart pod web-";
    let told = warnings(&output).iter().any(|text| text.contains(probe));
    ensure!(told, "no warning names a pod: {output}");
    let adopted = adopted(&ns, &before)?;
    ensure!(
        adopted["spec"]["serviceName"] == "web-pods" && readiness_probe(&adopted).is_null(),
        "not field by field: {adopted}"
    );
    Ok(())
}

fn pods_that_are_restarted_anyway_get_everything(cluster: &Cluster) -> Result<()> {
    let ns = orphaned_older(cluster, &web(&json!({})))?;
    let newer = json!({"image": "registry.example/web:2"});
    apply(&ns, &web(&json!({"template": template(&newer)})))?;
    ns.rolled_out("web")?;
    let set = ns.ready("web")?;
    ensure!(
        set["spec"]["serviceName"] == "web-pods" && !readiness_probe(&set).is_null(),
        "not everything was injected: {set}"
    );
    Ok(())
}

/// As often as it can be done in a minute: what is known of the pods may be late every time.
fn a_set_made_anew_at_once_again_and_again_restarts_nothing(cluster: &Cluster) -> Result<()> {
    const TIMES: usize = 100;
    const MINUTE: Duration = Duration::from_mins(1);
    let ns = cluster.guarded_namespace()?;
    let set = web(&json!({}));
    apply(&ns, &set)?;
    let first = ns.ready("web")?;
    let before = pod_uids(&ns)?;
    let started = Instant::now();
    let mut rounds = 0;
    while rounds < TIMES && started.elapsed() < MINUTE {
        ns.kubectl("delete sts web --cascade=orphan --timeout=60s")?
            .ok()?;
        apply(&ns, &set)?;
        let again = adopted(&ns, &before)?;
        ensure!(
            first["spec"] == again["spec"],
            "made anew, the set differs: {again}"
        );
        rounds += 1;
    }
    println!("made anew {rounds} times");
    Ok(())
}

/// The set is injected, orphans its pods, and is made anew from the same file: the same is injected, for the same pods.
fn made_anew_alike(cluster: &Cluster, set: &Value) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    apply(&ns, set)?;
    let first = ns.ready("web")?;
    ensure!(
        !readiness_probe(&first).is_null(),
        "nothing was injected: {first}"
    );
    let service = ns.await_object("svc/web-pods", SOON, |_| Ok(()))?;
    let before = pod_uids(&ns)?;
    ns.kubectl("delete sts web --cascade=orphan --timeout=60s")?
        .ok()?;
    apply(&ns, set)?;
    let second = adopted(&ns, &before)?;
    ensure!(
        first["spec"] == second["spec"],
        "made anew, the set differs: {second}"
    );
    let uid = &second["metadata"]["uid"];
    let kept = ns.await_object("svc/web-pods", SOON, |found| {
        let owner = &found["metadata"]["ownerReferences"][0]["uid"];
        ensure!(owner == uid, "owned by {owner}");
        Ok(())
    })?;
    ensure!(
        kept["metadata"]["uid"] == service["metadata"]["uid"],
        "the Service was made anew"
    );
    Ok(())
}
