//! What the rules of the pods say of the server, against the server: that it accepts what can never work, and how it counts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use steadyset::cluster_view::ServiceKeeping;
use steadyset::cluster_view::manifests::{Kind, Manifests};
use steadyset::model::finding::Phase;
use steadyset::policy::Policies;
use steadyset::review::review;
use steadyset::strict::{Source, Subject};

use crate::Test;
use crate::api::Api;
use crate::given::{template, warnings, web};
use crate::support::{Cluster, Namespace, eventually};

/// Where no server says the same, only a server can say that.
pub const TESTS: &[Test] = &[
    (
        "the_server_accepts_what_can_never_work",
        the_server_accepts_what_can_never_work,
    ),
    (
        "budgets_are_counted_as_the_server_counts",
        budgets_are_counted_as_the_server_counts,
    ),
    (
        "two_budgets_make_every_eviction_fail",
        two_budgets_make_every_eviction_fail,
    ),
    (
        "a_budget_is_heard_of_while_it_is_there",
        a_budget_is_heard_of_while_it_is_there,
    ),
];

const WITHIN: Duration = Duration::from_mins(1);

fn the_server_accepts_what_can_never_work(cluster: &Cluster) -> Result<()> {
    let unknown_port = json!({"readinessProbe": {"httpGet": {"path": "/", "port": "htp"}}});
    let mut too_long = web(&json!({}));
    too_long["metadata"]["name"] = json!("n".repeat(63));
    for (set, denial) in [
        (
            web(&json!({"template": template(&unknown_port)})),
            "steadyset: spec.template.spec.containers[0].readinessProbe.httpGet.port: \"web\" declares no port \"htp\", \
             so the probe can never pass; did you mean \"http\"? [probe-port-unknown]",
        ),
        (
            too_long,
            "steadyset: metadata.name: with 63 characters no template gets pods: their label controller-revision-hash adds up to 11 \
             and has 63 at most; use at most 52 [name-too-long]",
        ),
    ] {
        let create = |ns: Namespace<'_>| {
            let create = ns.kubectl("create --dry-run=server -f -")?;
            anyhow::Ok(create.stdin(set.to_string()))
        };
        create(cluster.namespace()?)?.ok()?;
        let refused = create(cluster.guarded_namespace()?)?.refused()?;
        ensure!(refused.stderr.trim_end().ends_with(denial), "{refused}");
    }
    Ok(())
}

/// A field of a budget and its value, for three pods.
const BUDGETS: &[(&str, &str)] = &[
    ("maxUnavailable", "0"),
    ("maxUnavailable", "1"),
    ("maxUnavailable", "\"0%\""),
    ("maxUnavailable", "\"1%\""),
    ("minAvailable", "0"),
    ("minAvailable", "2"),
    ("minAvailable", "3"),
    ("minAvailable", "4"),
    ("minAvailable", "\"0%\""),
    ("minAvailable", "\"66%\""),
    ("minAvailable", "\"67%\""),
    ("minAvailable", "\"100%\""),
];

fn budgets_are_counted_as_the_server_counts(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let set = running(ns)?;
    for (index, (field, value)) in BUDGETS.iter().enumerate() {
        let budget = budget(&format!("b{index}"), field, &serde_json::from_str(value)?);
        ns.kubectl("create -f -")?.stdin(budget.to_string()).ok()?;
        let counted = |found: &Value| {
            let status = &found["status"];
            ensure!(
                status["expectedPods"] == 3 && status["currentHealthy"] == 3,
                "{status}"
            );
            Ok(())
        };
        let found = ns.await_object(&format!("pdb/b{index}"), WITHIN, counted)?;
        let allowed = &found["status"]["disruptionsAllowed"];
        println!("budgets: {field} {value} of 3 pods allows {allowed} evictions");
        ensure!(
            said(&set, &budget)? == (*allowed == 0),
            "{field} {value}: the server allows {allowed}"
        );
    }
    Ok(())
}

/// Whether the rule fires for a set with that budget alone.
fn said(set: &Value, budget: &Value) -> Result<bool> {
    let object = to_raw_value(set)?;
    let source = Source {
        namespace: "default",
        object: &object,
        old_object: None,
    };
    let mut world = Manifests::new(None, ServiceKeeping::Nobody);
    world.add(Kind::PodDisruptionBudget, budget, source.namespace)?;
    let subject = Subject::decode(source)?.context("nothing to judge")?;
    let now = Timestamp::UNIX_EPOCH;
    let verdict =
        review(&Policies::default(), subject, &world, Phase::File, now).unwrap_or_default();
    let mut findings = verdict.findings.iter();
    Ok(findings.any(|finding| finding.rule == "disruption-budget-blocks"))
}

fn two_budgets_make_every_eviction_fail(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    running(ns)?;
    let mut api = Api::new(cluster)?;
    let path = format!(
        "/api/v1/namespaces/{}/pods/web-0/eviction?dryRun=All",
        ns.name()
    );
    let eviction =
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-0"}});
    let allows_one = |name: &str| {
        let budget = budget(name, "maxUnavailable", &json!(1));
        ns.kubectl("create -f -")?.stdin(budget.to_string()).ok()?;
        ns.await_object(&format!("pdb/{name}"), WITHIN, |found| {
            let allowed = &found["status"]["disruptionsAllowed"];
            ensure!(*allowed == 1, "allows {allowed}");
            Ok(())
        })
    };
    allows_one("one")?;
    let alone = api.create(&path, &eviction)?;
    ensure!(alone.code == 201, "{}", alone.body);
    allows_one("other")?;
    let refused = api.create(&path, &eviction)?;
    let message = refused.body["message"].as_str().unwrap_or_default();
    ensure!(
        refused.code == 500 && message.contains("more than one PodDisruptionBudget"),
        "{}",
        refused.body
    );
    Ok(())
}

fn a_budget_is_heard_of_while_it_is_there(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let strict = budget("strict", "minAvailable", &json!("90%"));
    ns.kubectl("create -f -")?.stdin(strict.to_string()).ok()?;
    let dry_run = || {
        let create = ns.kubectl("create --dry-run=server -f -")?;
        create.stdin(web(&json!({"replicas": 3})).to_string()).ok()
    };
    let warning = "steadyset: spec.replicas: PodDisruptionBudget \"strict\" (minAvailable 90% of 3) allows no eviction: \
                   a drain of the pods' nodes never ends; write maxUnavailable: 1 there [disruption-budget-blocks]";
    eventually("a warning of the budget", WITHIN, || {
        let output = dry_run()?;
        ensure!(warnings(&output).contains(&warning), "{output}");
        Ok(())
    })?;
    ns.kubectl("delete pdb strict")?.ok()?;
    eventually("no warning any more", WITHIN, || {
        let output = dry_run()?;
        let still = output.stderr.contains("disruption-budget-blocks");
        ensure!(!still, "{output}");
        Ok(())
    })
}

/// Three pods that are Ready, and their set.
fn running(ns: Namespace<'_>) -> Result<Value> {
    let set = web(&json!({"replicas": 3, "podManagementPolicy": "Parallel"}));
    ns.kubectl("create -f -")?.stdin(set.to_string()).ok()?;
    ns.ready("web")?;
    Ok(set)
}

fn budget(name: &str, field: &str, value: &Value) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, field: value}})
}
