//! A set that an operator owns, and what the garbage collector writes to it.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::{claim, template, web};
use crate::support::{Cluster, Namespace};

/// What becomes of a set when its owner goes.
pub const TESTS: &[Test] = &[
    (
        "the_garbage_collector_is_never_denied",
        the_garbage_collector_is_never_denied,
    ),
    (
        "the_groups_of_the_server_are_none_of_custom_resources",
        the_groups_of_the_server_are_none_of_custom_resources,
    ),
];

const SOON: Duration = Duration::from_mins(1);

/// A kind of custom resource, as an operator brings one.
fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "stores.trust.example.com"},
        "spec": {"group": "trust.example.com", "scope": "Namespaced", "names": {"plural": "stores", "kind": "Store"}, "versions": [
            {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ]},
    })
}

/// A namespace with a resource of that kind, and a set that breaks a rule and is owned by it, written by an operator's account.
fn owned(cluster: &Cluster) -> Result<Namespace<'_>> {
    let ns = cluster.guarded_namespace()?;
    let store = json!({"apiVersion": "trust.example.com/v1", "kind": "Store", "metadata": {"name": "main"}});
    ns.kubectl("create -f -")?.stdin(store.to_string()).ok()?;
    let uid = ns.get("store/main")?["metadata"]["uid"].take();
    let mut claim = claim("data");
    claim["spec"]["volumeMode"] = json!("Block");
    let mut set = web(&json!({
        "replicas": 0, "volumeClaimTemplates": [claim],
        "template": template(&json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]})),
    }));
    set["metadata"]["ownerReferences"] = json!([{"apiVersion": "trust.example.com/v1", "kind": "Store", "name": "main",
        "uid": uid, "controller": true, "blockOwnerDeletion": true}]);
    let refused = ns.kubectl("create -f -")?.stdin(set.to_string()).run()?;
    ensure!(
        refused.status == 1 && refused.stderr.contains("[claim-mode-mismatch]"),
        "a person who writes for an operator: {refused}"
    );
    let line = format!(
        "create -f - --as=system:serviceaccount:{}:operator --as-group=system:masters",
        ns.name()
    );
    ns.kubectl(&line)?.stdin(set.to_string()).ok()?;
    Ok(ns)
}

fn the_garbage_collector_is_never_denied(cluster: &Cluster) -> Result<()> {
    cluster
        .kubectl("apply -f -")?
        .stdin(definition().to_string())
        .ok()?;
    cluster
        .kubectl("wait --for=condition=Established crd/stores.trust.example.com --timeout=30s")?
        .ok()?;
    let ns = owned(cluster)?;
    ns.kubectl("delete store main --cascade=orphan --timeout=60s")?
        .ok()?;
    let set = ns.await_object("sts/web", SOON, |found| {
        let owners = &found["metadata"]["ownerReferences"];
        ensure!(owners.is_null(), "still owned: {owners}");
        Ok(())
    })?;
    ensure!(set["metadata"]["generation"] == 1, "its spec has changed");
    Ok(())
}

/// Every group that a server without custom resources serves is known as one of Kubernetes itself.
fn the_groups_of_the_server_are_none_of_custom_resources(cluster: &Cluster) -> Result<()> {
    let served = cluster.kubectl("get --raw /apis")?.json()?;
    let groups = served["groups"].as_array().cloned().unwrap_or_default();
    ensure!(groups.len() > 15, "{served}");
    let custom = cluster.kubectl("get crd -o json")?.json()?;
    let custom: Vec<&Value> = custom["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|definition| &definition["spec"]["group"])
        .collect();
    for group in groups.iter().map(|group| &group["name"]) {
        let name = group.as_str().unwrap_or_default();
        ensure!(
            custom.contains(&group) || steadyset::policy::trust::is_of_kubernetes(name),
            "{name}"
        );
    }
    Ok(())
}
