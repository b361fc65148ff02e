//! What the tools see that hold a cluster against a repository: nothing of what was injected.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::{claim, template, web};
use crate::support::{Cluster, Namespace};

pub const TESTS: &[Test] = &[
    (
        "a_set_that_was_filled_in_shows_no_difference",
        a_set_that_was_filled_in_shows_no_difference,
    ),
    (
        "neither_does_one_with_a_claim_of_ours_beside_its_own",
        neither_does_one_with_a_claim_of_ours_beside_its_own,
    ),
];

fn a_set_that_was_filled_in_shows_no_difference(cluster: &Cluster) -> Result<()> {
    let mounts = json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]});
    let set = web(&json!({"replicas": 0, "template": template(&mounts)}));
    shows_no_difference(cluster, &set, 1)
}

fn neither_does_one_with_a_claim_of_ours_beside_its_own(cluster: &Cluster) -> Result<()> {
    let mounts = json!({"volumeMounts": [{"name": "own", "mountPath": "/own"}]});
    let spec = json!({"replicas": 0, "template": template(&mounts), "volumeClaimTemplates": [claim("own")]});
    let mut set = web(&spec);
    set["metadata"]["annotations"] =
        json!({"steadyset.io/claim-data": "{\"mountPath\":\"/data\"}"});
    shows_no_difference(cluster, &set, 2)
}

/// As Flux and Argo CD with its server-side diff do: the stored set against a dry run of the apply, by either apply.
fn shows_no_difference(cluster: &Cluster, set: &Value, claims: usize) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    for apply in [
        "apply --server-side --field-manager=kustomize-controller",
        "apply",
    ] {
        ns.kubectl("delete sts web --ignore-not-found")?.ok()?;
        let run = |line: &str| Ok::<_, anyhow::Error>(ns.kubectl(line)?.stdin(set.to_string()));
        run(&format!("{apply} -f -"))?.ok()?;
        let stored = without_owners(ns.get("sts/web")?);
        let found = stored["spec"]["volumeClaimTemplates"]
            .as_array()
            .map(Vec::len);
        ensure!(found == Some(claims), "{apply}: {stored}");
        run(&format!("diff {} -f -", options(apply)))?.ok()?;
        let again = run(&format!("{apply} --dry-run=server -o json -f -"))?.json()?;
        ensure!(
            without_owners(again.clone()) == stored,
            "{apply}: {stored} would become {again}"
        );
        stays(&ns, apply, set, &stored)?;
    }
    Ok(())
}

fn options(apply: &str) -> &str {
    apply.trim_start_matches("apply")
}

/// The apply itself writes nothing either.
fn stays(ns: &Namespace<'_>, apply: &str, set: &Value, stored: &Value) -> Result<()> {
    ns.kubectl(&format!("{apply} -f -"))?
        .stdin(set.to_string())
        .ok()?;
    let after = without_owners(ns.get("sts/web")?);
    ensure!(after == *stored, "{apply}: {stored} became {after}");
    Ok(())
}

/// Who owns which field, and which version it is, is no part of the comparison. The status is the controller's.
fn without_owners(mut set: Value) -> Value {
    set["status"].take();
    for field in ["managedFields", "resourceVersion"] {
        set["metadata"][field].take();
    }
    set
}
