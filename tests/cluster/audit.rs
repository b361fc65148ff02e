//! `steadyset audit --cluster`: what is stored, judged as if it were created now.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::web;
use crate::support::{Cluster, Namespace, Output};

pub const TESTS: &[Test] = &[
    (
        "a_cluster_is_judged_as_it_stands",
        a_cluster_is_judged_as_it_stands,
    ),
    (
        "more_sets_than_a_page_are_all_judged",
        more_sets_than_a_page,
    ),
    (
        "what_may_not_be_listed_is_unknown",
        what_may_not_be_listed_is_unknown,
    ),
    (
        "a_cluster_that_cannot_be_asked_is_exit_code_4",
        a_cluster_that_cannot_be_asked,
    ),
];

fn audit(cluster: &Cluster, line: &str) -> Result<Output> {
    let kubeconfig = cluster.account()?.display();
    cluster
        .run_steadyset(&format!("audit --cluster --kubeconfig {kubeconfig} {line}"))
        .run()
}

fn report(output: &Output) -> Result<Value> {
    serde_json::from_str(&output.stdout).with_context(|| output.to_string())
}

/// What was found of a set, as `action rule`.
fn findings(report: &Value, ns: &Namespace<'_>, name: &str) -> Result<Vec<String>> {
    let rows = report["results"].as_array().context("no results")?;
    let row = rows
        .iter()
        .find(|row| row["namespace"] == ns.name() && row["name"] == name);
    let row = row.with_context(|| format!("no row of {name}"))?;
    ensure!(row["source"] == json!({"cluster": true}), "{row}");
    let found = row["findings"].as_array().context("no findings")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(found
        .iter()
        .map(|found| text(&found["action"]) + " " + &text(&found["rule"]))
        .collect())
}

/// Written while no webhook was there.
fn a_cluster_is_judged_as_it_stands(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let mut block = crate::given::claim("data");
    block["spec"]["volumeMode"] = json!("Block");
    let mounted =
        crate::given::template(&json!({"volumeMounts": [{"name": "data", "mountPath": "/data"}]}));
    let mut bad =
        web(&json!({"replicas": 0, "volumeClaimTemplates": [block], "template": mounted}));
    bad["metadata"]["name"] = json!("bad");
    let mut good = web(&json!({"replicas": 0}));
    good["metadata"]["name"] = json!("good");
    for set in [&bad, &good] {
        ns.kubectl("create -f -")?.stdin(set.to_string()).ok()?;
    }
    let output = audit(cluster, &format!("-n {} -o json", ns.name()))?;
    ensure!(output.status == 1, "a finding denies: {output}");
    let report = report(&output)?;
    ensure!(report["summary"]["statefulsets"] == 2, "{report}");
    ensure!(
        findings(&report, &ns, "bad")?.contains(&"deny claim-mode-mismatch".to_owned()),
        "{report}"
    );
    ensure!(findings(&report, &ns, "good")?.is_empty(), "{report}");
    let good = report["results"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row["name"] == "good");
    let patch = good.map(|row| row["patch"].to_string()).unwrap_or_default();
    ensure!(
        patch.contains("readinessProbe") && !patch.contains("steadyset.io"),
        "{patch}"
    );
    let output = audit(
        cluster,
        &format!("-n {} --fail-on never --mutations", ns.name()),
    )?;
    ensure!(output.status == 0, "{output}");
    for words in [
        "/bad\n  deny ",
        "[claim-mode-mismatch]",
        "  inject  spec.serviceName: \"good-pods\"",
        "2 StatefulSets: 1 deny",
    ] {
        ensure!(output.stdout.contains(words), "no {words:?}: {output}");
    }
    Ok(())
}

fn more_sets_than_a_page(cluster: &Cluster) -> Result<()> {
    const SETS: usize = 501;
    let ns = cluster.namespace()?;
    let items = (0..SETS).map(|number| {
        let mut set = web(&json!({"replicas": 0}));
        set["metadata"]["name"] = json!(format!("web-{number}"));
        set
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items.collect::<Vec<_>>()});
    ns.kubectl("create --validate=false -f -")?
        .stdin(list.to_string())
        .ok()?;
    let output = audit(cluster, &format!("-n {} -o json", ns.name()))?;
    ensure!(output.status == 0, "{output}");
    let count = report(&output)?["summary"]["statefulsets"].clone();
    ensure!(count == SETS, "{count} of {SETS}");
    let all = audit(cluster, "-o json --fail-on never")?;
    let all = report(&all)?["summary"]["statefulsets"]
        .as_u64()
        .unwrap_or_default();
    ensure!(all >= SETS as u64, "{all}");
    Ok(())
}

/// An account that may list sets and nothing else.
fn what_may_not_be_listed_is_unknown(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let set = web(&json!({"serviceName": "gone"}));
    ns.kubectl("create -f -")?.stdin(set.to_string()).ok()?;
    ns.kubectl("create serviceaccount auditor")?.ok()?;
    let name = format!("auditor-{}", ns.name());
    let role = format!("create clusterrole {name} --verb=list --resource=statefulsets.apps");
    cluster.kubectl(&role)?.ok()?;
    let bind = format!(
        "create clusterrolebinding {name} --clusterrole={name} --serviceaccount={}:auditor",
        ns.name()
    );
    cluster.kubectl(&bind)?.ok()?;
    let kubeconfig = cluster.token_kubeconfig(ns.name(), "auditor")?;
    let line = format!(
        "audit --cluster --kubeconfig {} -n {} -o json",
        kubeconfig.display(),
        ns.name()
    );
    let output = cluster.run_steadyset(&line).ok()?;
    let found = findings(&report(&output)?, &ns, "web")?;
    ensure!(
        !found.iter().any(|found| found.contains("service-missing")),
        "{found:?}"
    );
    ensure!(
        output.stderr.contains("/services may not be listed"),
        "{output}"
    );
    Ok(())
}

fn a_cluster_that_cannot_be_asked(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    ns.kubectl("create serviceaccount nobody")?.ok()?;
    let nobody = cluster.token_kubeconfig(ns.name(), "nobody")?;
    let gone = cluster.plane().dir().join("gone.kubeconfig");
    for (kubeconfig, words) in [(&nobody, "cannot be listed"), (&gone, "gone.kubeconfig")] {
        let line = format!("audit --cluster --kubeconfig {}", kubeconfig.display());
        let output = cluster.run_steadyset(&line).run()?;
        ensure!(
            output.status == 4 && output.stderr.contains(words),
            "{output}"
        );
    }
    Ok(())
}
