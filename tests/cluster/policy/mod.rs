//! What the operator decides, on a control plane of its own: where a policy exists, a set that none is for is left alone.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::given::web;
use crate::support::{Cluster, Namespace, Output, manifests};

mod broken;
mod exempt;
mod knobs;
mod later;
mod probes;
mod reload;
mod trust;
mod written;

/// Everything about policies.
pub const TESTS: &[&[crate::Test]] = &[
    knobs::TESTS,
    probes::TESTS,
    exempt::TESTS,
    later::TESTS,
    broken::TESTS,
    written::TESTS,
    reload::TESTS,
    trust::TESTS,
];

/// How long a policy may take to be in force.
const SOON: Duration = Duration::from_secs(20);

/// Puts the kind in place before the first webhook looks for it.
pub fn prepare(cluster: &Cluster) -> Result<()> {
    cluster
        .kubectl("apply --server-side -f")?
        .arg(manifests::definitions())
        .ok()?;
    let established =
        "wait --for=condition=Established crd/statefulsetpolicies.steadyset.io --timeout=30s";
    cluster.kubectl(established)?.ok()?;
    cluster.webhook().map(drop)
}

/// A policy named like the namespace and for its sets alone, `spec` merged over that.
fn policy(ns: &Namespace<'_>, spec: &Value) -> Value {
    let mut policy = json!({
        "apiVersion": "steadyset.io/v1alpha1", "kind": "StatefulSetPolicy", "metadata": {"name": ns.name()},
        "spec": {"match": {"namespaces": {"include": [ns.name()]}}},
    });
    json_patch::merge(&mut policy["spec"], spec);
    policy
}

/// A new namespace of the shared webhook with a policy of its own in force.
fn under<'c>(cluster: &'c Cluster, spec: &Value) -> Result<Namespace<'c>> {
    let ns = cluster.guarded_namespace()?;
    put(&ns, spec)?;
    Ok(ns)
}

/// Writes the policy of a namespace, and waits until the webhook says that it is in force.
fn put(ns: &Namespace<'_>, spec: &Value) -> Result<()> {
    let written = ns.apply(policy(ns, spec).to_string())?;
    ensure!(written.status == 0, "{written}");
    accepted(ns, "True").map(drop)
}

/// Waits until the webhook has said of the newest form of the policy that it is accepted, or not; gives the message.
fn accepted(ns: &Namespace<'_>, status: &str) -> Result<String> {
    let object = format!("statefulsetpolicy/{}", ns.name());
    let found = ns.await_object(&object, SOON, |found| {
        let condition = &found["status"]["conditions"][0];
        ensure!(
            condition["observedGeneration"] == found["metadata"]["generation"],
            "not yet seen: {condition}"
        );
        ensure!(
            condition["type"] == "Accepted" && condition["status"] == status,
            "{condition}"
        );
        Ok(())
    })?;
    let message = &found["status"]["conditions"][0]["message"];
    Ok(message.as_str().unwrap_or_default().to_owned())
}

/// Creates the set `web` with this spec and these annotations by dry run; refused or not.
fn creates(ns: &Namespace<'_>, spec: &Value, annotations: &Value) -> Result<Output> {
    let mut set = web(spec);
    set["metadata"]["annotations"] = annotations.clone();
    ns.kubectl("create --dry-run=server -o json -f -")?
        .stdin(set.to_string())
        .run()
}

/// The set as the server would store it.
fn created(ns: &Namespace<'_>, spec: &Value) -> Result<Value> {
    let output = creates(ns, spec, &json!({}))?;
    ensure!(output.status == 0, "{output}");
    Ok(serde_json::from_str(&output.stdout)?)
}

/// What no API server refuses and the Default profile denies: a claim of mode Block that is mounted as a folder.
fn denied() -> Value {
    let mut claim = crate::given::claim("data");
    claim["spec"]["volumeMode"] = json!("Block");
    json!({
        "volumeClaimTemplates": [claim],
        "template": crate::given::template(&json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]})),
    })
}

/// What the Default profile warns of.
fn warned() -> Value {
    json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}})
}
