//! The Services that the controller keeps. The sets here are written as the webhook leaves them, in namespaces that no
//! webhook guards: the controller acts on what is stored, wherever it comes from.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::{Cluster, Namespace, Webhook, WebhookSettings, eventually};

/// What the controller does, and what it never does.
pub const TESTS: &[Test] = &[
    (
        "it_appears_and_vanishes_with_the_set",
        it_appears_and_vanishes_with_the_set,
    ),
    (
        "its_coming_is_told_on_the_set",
        its_coming_is_told_on_the_set,
    ),
    (
        "deleted_by_hand_it_comes_back",
        deleted_by_hand_it_comes_back,
    ),
    (
        "what_was_changed_by_hand_is_put_right",
        what_was_changed_by_hand_is_put_right,
    ),
    (
        "it_follows_the_ports_of_the_template",
        it_follows_the_ports_of_the_template,
    ),
    (
        "an_orphaned_one_is_adopted_again",
        an_orphaned_one_is_adopted_again,
    ),
    (
        "a_set_made_anew_at_once_keeps_its_service",
        a_set_made_anew_at_once_keeps_its_service,
    ),
    (
        "it_is_not_remade_for_a_set_that_goes",
        it_is_not_remade_for_a_set_that_goes,
    ),
    (
        "a_users_service_of_that_name_is_left_alone",
        a_users_service_of_that_name_is_left_alone,
    ),
    (
        "a_users_service_that_looks_like_ours_is_left_alone",
        a_users_service_that_looks_like_ours_is_left_alone,
    ),
    (
        "two_replicas_keep_the_same_services",
        two_replicas_keep_the_same_services,
    ),
    (
        "a_namespace_that_goes_takes_it_along",
        a_namespace_that_goes_takes_it_along,
    ),
    (
        "a_set_without_a_record_gets_none",
        a_set_without_a_record_gets_none,
    ),
];

/// How long the controller may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

const SERVICE: &str = "svc/web-pods";

/// A set as the webhook leaves one that it has linked to a Service of ours.
fn linked(name: &str) -> Value {
    let service = format!("{name}-pods");
    let record = json!({"service-name": {"state": "injected", "value": service, "source": "policy", "version": "0.1.0"}});
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "annotations": {"steadyset.io/injected": record.to_string()}},
        "spec": {
            "serviceName": service,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name, "tier": "front"}},
                "spec": {"containers": [{"name": "c", "image": "registry.example/web:1", "ports": [
                    {"containerPort": 8080, "name": "http"}, {"containerPort": 9090}, {"containerPort": 53, "protocol": "UDP"},
                ]}]},
            },
        },
    })
}

/// A namespace with a set called `web` and its Service, watched by the shared webhook's controller.
fn served(cluster: &Cluster) -> Result<(Namespace<'_>, Value)> {
    cluster.webhook()?;
    let ns = cluster.namespace()?;
    apply(&ns, &linked("web"))?;
    let service = ns.await_object(SERVICE, SOON, |_| Ok(()))?;
    Ok((ns, service))
}

fn apply(ns: &Namespace<'_>, object: &Value) -> Result<Value> {
    ns.kubectl("apply -o json -f -")?
        .stdin(object.to_string())
        .json()
}

fn uid(object: &Value) -> &Value {
    &object["metadata"]["uid"]
}

/// The Service once it is owned by the set of this uid, and by nobody else.
fn await_owner(ns: &Namespace<'_>, set: &Value) -> Result<Value> {
    let owner = json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": uid(set), "blockOwnerDeletion": false}]);
    ns.await_object(SERVICE, SOON, |service| {
        let owners = &service["metadata"]["ownerReferences"];
        ensure!(*owners == owner, "its owners are {owners}");
        Ok(())
    })
}

fn it_appears_and_vanishes_with_the_set(cluster: &Cluster) -> Result<()> {
    let (ns, service) = served(cluster)?;
    let spec = &service["spec"];
    ensure!(spec["clusterIP"] == "None", "{spec}");
    ensure!(spec["selector"] == json!({"app": "web"}), "{spec}");
    ensure!(spec["publishNotReadyAddresses"] == true, "{spec}");
    let ports = json!([
        {"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080},
        {"name": "tcp-9090", "port": 9090, "protocol": "TCP", "targetPort": 9090},
        {"name": "udp-53", "port": 53, "protocol": "UDP", "targetPort": 53},
    ]);
    ensure!(spec["ports"] == ports, "{spec}");
    let labels =
        json!({"app.kubernetes.io/managed-by": "steadyset", "steadyset.io/statefulset": "web"});
    ensure!(service["metadata"]["labels"] == labels, "{service}");
    await_owner(&ns, &ns.get("sts/web")?)?;
    ns.rolled_out("web")?;
    ns.kubectl("delete sts web")?.ok()?;
    ns.await_gone(SERVICE, SOON)
}

fn deleted_by_hand_it_comes_back(cluster: &Cluster) -> Result<()> {
    let (ns, service) = served(cluster)?;
    ns.kubectl("delete svc web-pods")?.ok()?;
    ns.await_object(SERVICE, SOON, |found| {
        ensure!(uid(found) != uid(&service), "still the old one");
        Ok(())
    })?;
    Ok(())
}

fn what_was_changed_by_hand_is_put_right(cluster: &Cluster) -> Result<()> {
    let (ns, service) = served(cluster)?;
    ns.kubectl("label svc web-pods team=shop")?.ok()?;
    let change = json!({"spec": {"selector": {"app": "other", "more": "labels"}, "publishNotReadyAddresses": false}});
    ns.kubectl("patch svc web-pods --type=merge -p")?
        .arg(change.to_string())
        .ok()?;
    let found = ns.await_object(SERVICE, SOON, |found| {
        ensure!(
            found["spec"] == service["spec"],
            "its spec is {}",
            found["spec"]
        );
        Ok(())
    })?;
    ensure!(uid(&found) == uid(&service), "it is another one");
    ensure!(
        found["metadata"]["labels"]["team"] == "shop",
        "what a user added stays: {found}"
    );
    Ok(())
}

fn it_follows_the_ports_of_the_template(cluster: &Cluster) -> Result<()> {
    let (ns, _) = served(cluster)?;
    let mut set = linked("web");
    let ports = &mut set["spec"]["template"]["spec"]["containers"][0]["ports"];
    *ports = json!([{"containerPort": 8081, "name": "http"}]);
    apply(&ns, &set)?;
    let expected = json!([{"name": "http", "port": 8081, "protocol": "TCP", "targetPort": 8081}]);
    ns.await_object(SERVICE, SOON, |found| {
        ensure!(
            found["spec"]["ports"] == expected,
            "its ports are {}",
            found["spec"]["ports"]
        );
        Ok(())
    })?;
    set["spec"]["template"]["spec"]["containers"][0]["ports"] = json!(null);
    ns.kubectl("replace -f -")?.stdin(set.to_string()).ok()?;
    ns.await_object(SERVICE, SOON, |found| {
        ensure!(
            found["spec"]["ports"].is_null(),
            "its ports are {}",
            found["spec"]["ports"]
        );
        Ok(())
    })?;
    Ok(())
}

fn an_orphaned_one_is_adopted_again(cluster: &Cluster) -> Result<()> {
    let (ns, service) = served(cluster)?;
    ns.kubectl("delete sts web --cascade=orphan")?.ok()?;
    ns.await_object(SERVICE, SOON, |found| {
        ensure!(
            found["metadata"]["ownerReferences"].is_null(),
            "not orphaned: {found}"
        );
        Ok(())
    })?;
    let set = apply(&ns, &linked("web"))?;
    let adopted = await_owner(&ns, &set)?;
    ensure!(uid(&adopted) == uid(&service), "it was made anew");
    ns.kubectl("delete sts web")?.ok()?;
    ns.await_gone(SERVICE, SOON)
}

fn a_set_made_anew_at_once_keeps_its_service(cluster: &Cluster) -> Result<()> {
    let (ns, _) = served(cluster)?;
    for _ in 0..3 {
        ns.kubectl("delete sts web")?.ok()?;
        let set = apply(&ns, &linked("web"))?;
        // the garbage collector may have been faster; then it is made again
        await_owner(&ns, &set)?;
    }
    Ok(())
}

fn it_is_not_remade_for_a_set_that_goes(cluster: &Cluster) -> Result<()> {
    let (ns, _) = served(cluster)?;
    let held = json!({"metadata": {"finalizers": ["example.org/held"]}});
    ns.kubectl("patch sts web --type=merge -p")?
        .arg(held.to_string())
        .ok()?;
    ns.kubectl("delete sts web --cascade=foreground --wait=false")?
        .ok()?;
    ns.await_gone(SERVICE, SOON)?;
    // a second set tells that the controller has seen what came before
    apply(&ns, &linked("next"))?;
    ns.await_object("svc/next-pods", SOON, |_| Ok(()))?;
    ns.kubectl("get svc web-pods")?.refused()?;
    let released = json!({"metadata": {"finalizers": null}});
    ns.kubectl("patch sts web --type=merge -p")?
        .arg(released.to_string())
        .ok()?;
    ns.await_gone("sts/web", SOON)?;
    ns.kubectl("get svc web-pods")?.refused().map(drop)
}

/// What a user could have written himself, alike in selector and ports.
fn users_service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web-pods"},
        "spec": {
            "clusterIP": "None", "selector": {"app": "web"}, "publishNotReadyAddresses": true,
            "ports": [
                {"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080},
                {"name": "tcp-9090", "port": 9090, "protocol": "TCP", "targetPort": 9090},
                {"name": "udp-53", "port": 53, "protocol": "UDP", "targetPort": 53},
            ],
        },
    })
}

fn a_users_service_of_that_name_is_left_alone(cluster: &Cluster) -> Result<()> {
    stays_the_users(cluster, &users_service())
}

fn a_users_service_that_looks_like_ours_is_left_alone(cluster: &Cluster) -> Result<()> {
    let mut service = users_service();
    service["metadata"]["labels"] =
        json!({"app.kubernetes.io/managed-by": "steadyset", "steadyset.io/statefulset": "web"});
    stays_the_users(cluster, &service)
}

/// It is reported, not touched, and outlives the set; once the user deletes it, ours takes its place.
fn stays_the_users(cluster: &Cluster, service: &Value) -> Result<()> {
    let webhook = cluster.webhook()?;
    let ns = cluster.namespace()?;
    let created = ns
        .kubectl("create -o json -f -")?
        .stdin(service.to_string())
        .json()?;
    apply(&ns, &linked("web"))?;
    await_event(&ns, "GoverningServiceTaken")?;
    ensure!(
        webhook.metric_sum("steadyset_governing_services_taken", "")? > 0.0,
        "not counted"
    );
    let found = ns.get(SERVICE)?;
    ensure!(found == created, "it was changed:\n{created}\n{found}");
    ns.kubectl("delete sts web --cascade=foreground")?.ok()?;
    ns.await_gone("sts/web", SOON)?;
    ensure!(ns.get(SERVICE)? == created, "it was changed with the set");

    let set = apply(&ns, &linked("web"))?;
    ns.kubectl("delete svc web-pods")?.ok()?;
    await_owner(&ns, &set).map(drop)
}

fn its_coming_is_told_on_the_set(cluster: &Cluster) -> Result<()> {
    let (ns, _) = served(cluster)?;
    await_event(&ns, "GoverningServiceCreated")
}

fn await_event(ns: &Namespace<'_>, reason: &str) -> Result<()> {
    let line =
        format!("get events --field-selector involvedObject.name=web,reason={reason} -o json");
    eventually(reason, SOON, || {
        let events = ns.kubectl(&line)?.json()?;
        ensure!(
            events["items"]
                .as_array()
                .is_some_and(|items| !items.is_empty()),
            "no such Event"
        );
        Ok(())
    })
}

fn two_replicas_keep_the_same_services(cluster: &Cluster) -> Result<()> {
    let first = cluster.webhook()?;
    let second = Webhook::start_unregistered(cluster, &WebhookSettings::named("second"))?;
    let ns = cluster.namespace()?;
    let names: Vec<_> = (0..5).map(|n| format!("web{n}")).collect();
    let sets: Vec<_> = names.iter().map(|name| linked(name)).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": sets});
    ns.kubectl("create -f -")?.stdin(list.to_string()).ok()?;
    for name in &names {
        ns.await_object(&format!("svc/{name}-pods"), SOON, |_| Ok(()))?;
    }
    ns.kubectl("delete svc --all")?.ok()?;
    for name in &names {
        ns.await_object(&format!("svc/{name}-pods"), SOON, |_| Ok(()))?;
    }
    for webhook in [first, &second] {
        let counted = || webhook.metric_sum("steadyset_governing_services", "");
        eventually("both count them", SOON, || {
            ensure!(counted()? >= 5.0, "counts {}", counted()?);
            Ok(())
        })?;
    }
    Ok(())
}

fn a_set_without_a_record_gets_none(cluster: &Cluster) -> Result<()> {
    let (ns, _) = served(cluster)?;
    let mut unmarked = linked("plain");
    unmarked["metadata"]["annotations"] = json!({});
    apply(&ns, &unmarked)?;
    // a set that comes later is served, so the earlier one has been seen
    apply(&ns, &linked("later"))?;
    ns.await_object("svc/later-pods", SOON, |_| Ok(()))?;
    ns.kubectl("get svc plain-pods")?.refused().map(drop)
}

fn a_namespace_that_goes_takes_it_along(cluster: &Cluster) -> Result<()> {
    let webhook = cluster.webhook()?;
    let (ns, _) = served(cluster)?;
    cluster
        .kubectl(&format!("delete namespace {} --timeout=90s", ns.name()))?
        .ok()?;
    let log = webhook.log();
    let mut lines = log
        .lines()
        .filter(|line| line.contains(&format!("\"{}\"", ns.name())));
    let complaint = lines.find(|line| line.contains("\"WARN\""));
    ensure!(complaint.is_none(), "{complaint:?}");
    Ok(())
}
