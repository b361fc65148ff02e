//! What the product does with its rights, seen from outside.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::given::{claim, web};
use crate::support::{Namespace, Output, Webhook, eventually};

const SERVICE: &str = "svc/web-pods";

/// What somebody writes under our name.
fn headless(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"clusterIP": "None", "selector": {"app": "web"}, "ports": [{"port": 8080}]}})
}

fn create(ns: &Namespace<'_>, object: &Value) -> Result<Output> {
    ns.kubectl("create -f -")?.stdin(object.to_string()).ok()
}

/// The answer to a new set, which is not stored.
fn asked(ns: &Namespace<'_>, set: &Value) -> Result<Output> {
    let run = ns.kubectl("create --dry-run=server -o json -f -")?;
    run.stdin(set.to_string()).run()
}

fn says(output: &Output, text: &str) -> Result<()> {
    ensure!(output.stderr.contains(text), "no {text:?}: {output}");
    Ok(())
}

pub fn a_set_is_linked_to_a_service(
    ns: &Namespace<'_>,
    _: &Webhook,
    within: Duration,
) -> Result<()> {
    create(ns, &headless("given"))?;
    eventually("the link", within, || {
        let output = asked(ns, &web(&json!({})))?;
        let set: Value = serde_json::from_str(&output.stdout)?;
        ensure!(set["spec"]["serviceName"] == "given", "{}", set["spec"]);
        Ok(())
    })
}

pub fn a_set_gets_its_service(ns: &Namespace<'_>, _: &Webhook, within: Duration) -> Result<()> {
    create(ns, &web(&json!({})))?;
    ns.await_object(SERVICE, within, |_| Ok(())).map(drop)
}

pub fn a_service_deleted_by_hand_comes_back(
    ns: &Namespace<'_>,
    webhook: &Webhook,
    within: Duration,
) -> Result<()> {
    a_set_gets_its_service(ns, webhook, within)?;
    ns.kubectl("delete svc web-pods")?.ok()?;
    ns.await_object(SERVICE, within, |_| Ok(())).map(drop)
}

pub fn a_service_is_put_right(
    ns: &Namespace<'_>,
    webhook: &Webhook,
    within: Duration,
) -> Result<()> {
    a_set_gets_its_service(ns, webhook, within)?;
    ns.kubectl(
        "patch svc web-pods --type=merge -p {\"spec\":{\"publishNotReadyAddresses\":false}}",
    )?
    .ok()?;
    ns.await_object(SERVICE, within, |found| {
        ensure!(
            found["spec"]["publishNotReadyAddresses"] == true,
            "{}",
            found["spec"]
        );
        Ok(())
    })
    .map(drop)
}

pub fn an_orphaned_service_is_adopted(
    ns: &Namespace<'_>,
    webhook: &Webhook,
    within: Duration,
) -> Result<()> {
    a_set_gets_its_service(ns, webhook, within)?;
    ns.kubectl("patch svc web-pods --type=merge -p {\"metadata\":{\"ownerReferences\":null}}")?
        .ok()?;
    ns.await_object(SERVICE, within, |found| {
        let owner = &found["metadata"]["ownerReferences"][0]["name"];
        ensure!(owner == "web", "owned by {owner}");
        Ok(())
    })
    .map(drop)
}

/// The Event about the taken name, once `look` accepts it.
fn told(ns: &Namespace<'_>, within: Duration, look: impl Fn(&Value) -> Result<()>) -> Result<()> {
    eventually("the Event", within, || {
        let events = ns.kubectl("get events.events.k8s.io -o json")?.json()?;
        let events = events["items"].as_array().context("no list")?;
        let event = events
            .iter()
            .find(|event| event["reason"] == "GoverningServiceTaken");
        look(event.context("no Event")?)
    })
}

/// What has lost our label is ours no longer.
fn take(ns: &Namespace<'_>) -> Result<()> {
    ns.kubectl("label svc web-pods app.kubernetes.io/managed-by-")?
        .ok()
        .map(drop)
}

pub fn a_name_that_is_taken_is_told(
    ns: &Namespace<'_>,
    webhook: &Webhook,
    within: Duration,
) -> Result<()> {
    a_set_gets_its_service(ns, webhook, within)?;
    take(ns)?;
    told(ns, within, |_| Ok(()))
}

pub fn it_is_told_again(ns: &Namespace<'_>, webhook: &Webhook, within: Duration) -> Result<()> {
    a_name_that_is_taken_is_told(ns, webhook, within)?;
    ns.kubectl("label svc web-pods app.kubernetes.io/managed-by=steadyset")?
        .ok()?;
    eventually("it is ours again", within, || {
        let taken = webhook.metric_sum("steadyset_governing_services_taken", "")?;
        ensure!(taken < 1.0, "still taken");
        Ok(())
    })?;
    take(ns)?;
    told(ns, within, |event| {
        ensure!(!event["series"].is_null(), "told once: {event}");
        Ok(())
    })
}

pub fn a_class_is_missed_until_it_is_there(
    ns: &Namespace<'_>,
    _: &Webhook,
    within: Duration,
) -> Result<()> {
    let class = format!("class-{}", ns.name());
    let mut data = claim("data");
    data["spec"]["storageClassName"] = json!(class);
    let set = web(&json!({"volumeClaimTemplates": [data]}));
    says(&asked(ns, &set)?, "[storage-class-missing]")?;
    create(
        ns,
        &json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": class},
        "provisioner": "example.org/none"}),
    )?;
    eventually("the class", within, || {
        let output = asked(ns, &set)?;
        ensure!(
            !output.stderr.contains("[storage-class-missing]"),
            "{output}"
        );
        Ok(())
    })
}

pub fn budgets_that_block_are_seen(
    ns: &Namespace<'_>,
    _: &Webhook,
    within: Duration,
) -> Result<()> {
    for name in ["one", "other"] {
        create(
            ns,
            &json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}}),
        )?;
    }
    eventually("both budgets", within, || {
        says(&asked(ns, &web(&json!({})))?, "[disruption-budget-blocks]")
    })
}

/// Each review would ask for the labels otherwise, and wait for the answer.
pub fn namespaces_are_known(_: &Namespace<'_>, webhook: &Webhook, within: Duration) -> Result<()> {
    eventually("the namespaces", within, || {
        let known = webhook.metric_sum("steadyset_cache_ready", "kind=\"namespaces\"")?;
        ensure!(known > 0.0, "not known");
        Ok(())
    })
}

/// A policy by which the set of [`partitioned`] is refused.
fn strict(ns: &Namespace<'_>, matched: &Value) -> Value {
    json!({"apiVersion": "steadyset.io/v1alpha1", "kind": "StatefulSetPolicy", "metadata": {"name": ns.name()},
        "spec": {"match": matched, "rules": {"partition-exceeds-replicas": "Deny"}}})
}

fn partitioned() -> Value {
    web(&json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}}))
}

fn is_refused(ns: &Namespace<'_>, set: &Value, within: Duration) -> Result<()> {
    eventually("a refusal", within, || {
        let output = asked(ns, set)?;
        ensure!(output.status != 0, "taken: {output}");
        says(&output, "[partition-exceeds-replicas]")
    })
}

pub fn a_policy_is_in_force(ns: &Namespace<'_>, _: &Webhook, within: Duration) -> Result<()> {
    create(
        ns,
        &strict(ns, &json!({"namespaces": {"include": [ns.name()]}})),
    )?;
    is_refused(ns, &partitioned(), within)
}

pub fn a_policy_is_accepted(ns: &Namespace<'_>, _: &Webhook, within: Duration) -> Result<()> {
    create(ns, &strict(ns, &json!({})))?;
    let object = format!("statefulsetpolicy/{}", ns.name());
    ns.await_object(&object, within, |found| {
        let status = &found["status"]["conditions"][0]["status"];
        ensure!(status == "True", "{status}");
        Ok(())
    })
    .map(drop)
}

fn by_label() -> Value {
    json!({"namespaceSelector": {"matchLabels": {"strict": "yes"}}})
}

/// The namespace was there before the process.
pub fn a_namespace_that_gets_a_label_is_selected(
    ns: &Namespace<'_>,
    _: &Webhook,
    within: Duration,
) -> Result<()> {
    create(ns, &strict(ns, &by_label()))?;
    ns.cluster()
        .kubectl(&format!("label namespace {} strict=yes", ns.name()))?
        .ok()?;
    is_refused(ns, &partitioned(), within)
}

/// The namespace was not there before the process.
pub fn a_new_namespace_is_selected(
    ns: &Namespace<'_>,
    webhook: &Webhook,
    within: Duration,
) -> Result<()> {
    create(ns, &strict(ns, &by_label()))?;
    let new = ns.cluster().namespace_of(webhook)?;
    ns.cluster()
        .kubectl(&format!("label namespace {} strict=yes", new.name()))?
        .ok()?;
    is_refused(&new, &partitioned(), within)
}

pub fn who_holds_the_verb_may_exempt(
    ns: &Namespace<'_>,
    _: &Webhook,
    within: Duration,
) -> Result<()> {
    let mut policy = strict(ns, &json!({}));
    policy["spec"]["exemptions"] = json!({"requireVerb": true});
    create(ns, &policy)?;
    is_refused(ns, &partitioned(), within)?;
    let mut set = partitioned();
    set["metadata"]["annotations"] =
        json!({"steadyset.io/exempt": "partition-exceeds-replicas: a canary"});
    let output = asked(ns, &set)?;
    ensure!(output.status == 0, "{output}");
    says(&output, "[exempted]")
}

pub fn orphans_are_not_restarted(ns: &Namespace<'_>, _: &Webhook, _: Duration) -> Result<()> {
    create(
        ns,
        &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "registry.example/web:1",
            "ports": [{"name": "http", "containerPort": 8080}]}]}}),
    )?;
    says(&asked(ns, &web(&json!({})))?, "it would restart pod web-0")
}
