//! Real charts: none refused that the server alone would take, and few words.

mod fixtures;
mod post_render;
mod release;
mod surfaces;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::Test;
use crate::api::Api;
use crate::support::Cluster;
use release::{Outcome, charts, read};

/// One pass over all of it, and one over what this repository has of its own.
pub const TESTS: &[Test] = &[
    (
        "real_charts_are_created_with_few_words",
        real_charts_are_created_with_few_words,
    ),
    (
        "every_surface_says_the_same_but_for_one_table",
        fixtures::every_surface_says_the_same,
    ),
];

/// The rendered charts: not part of this repository, their licences differ.
const CORPUS: &str = "../shared/corpus";

/// What may be refused: the server refuses it too, or it is of a version that is no longer served.
const REFUSED: &[(&str, &str)] = &[
    ("helm__charts__graylog.yaml", "graylog-mongodb-replicaset"),
    (
        "helm__charts__mongodb-replicaset.yaml",
        "mongodb-replicaset",
    ),
    (
        "rabbitmq__diy-kubernetes-examples__plain-kind-base.yaml",
        "rabbitmq",
    ),
];

/// Charts of which no rule says anything: what looks odd in them is meant.
const SILENT: &[&str] = &[
    // Parallel, OnDelete, a Service that selects by a label of the running pod
    "hashicorp__vault-helm__vault.yaml",
    "hashicorp__vault-helm__vault__dev.yaml",
    "hashicorp__vault-helm__vault__raft.yaml",
    // podManagementPolicy: ""
    "bitnami__charts__mysql.yaml",
    // an anti-affinity against the pods of its own tests
    "codecentric__helm-charts__keycloak.yaml",
    // liveness by scripts that accept a loading server, and by pgrep
    "bitnami__charts__valkey.yaml",
    "bitnami__charts__keydb.yaml",
    "bitnami__charts__schema-registry.yaml",
];

/// What must come of some charts: their file, and the start of a line of the table.
const INJECTED: &[(&str, &str)] = &[
    (
        "chroma-core__chroma__distributed-chroma.yaml",
        "service-name by \"policy\": \"compaction-service-pods\"",
    ),
    (
        "zilliztech__milvus-helm__tei.yaml",
        "readiness-probe/tei by \"port\": ",
    ),
    (
        "valkey-io__valkey-helm__valkey__replica.yaml",
        "readiness-probe/valkey by \"catalogue/valkey\": ",
    ),
    (
        "helm__charts__redis-ha.yaml",
        "readiness-probe/redis by \"catalogue/redis\": ",
    ),
    (
        "confluentinc__cp-helm-charts__cp-zookeeper.yaml",
        "readiness-probe/cp-zookeeper-server by \"catalogue/zookeeper\": ",
    ),
];

fn real_charts_are_created_with_few_words(cluster: &Cluster) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(CORPUS);
    if !folder.is_dir() {
        println!(
            "corpus: {} is not there, nothing is tested",
            folder.display()
        );
        return Ok(());
    }
    let webhook = cluster.webhook()?;
    let mut api = Api::new(cluster)?;
    let mut releases = charts(&folder)?
        .iter()
        .enumerate()
        .map(|(number, path)| read(path, format!("corpus-{number}")))
        .collect::<Result<Vec<_>>>()?;
    // all of it before the first set: the webhook hears of budgets by its watch alone
    for release in &mut releases {
        release.put_around(&mut api, webhook)?;
    }
    let mut outcomes = Vec::new();
    for release in releases {
        outcomes.extend(release.created(&mut api)?);
    }
    print_table(&outcomes);
    ensure!(outcomes.len() == 241, "{} sets", outcomes.len());
    none_refused(&outcomes)?;
    what_charts_say_stays(&outcomes)?;
    what_they_left_out_is_filled_in(&outcomes)?;
    nothing_is_said_of_what_is_meant(&outcomes)?;
    few_words(&outcomes)?;
    surfaces::agree(cluster, &outcomes)?.are_known()
}

/// What was injected, then one line for each warning, to be judged by reading the set.
fn print_table(outcomes: &[Outcome]) {
    for outcome in outcomes {
        println!("{} {}", outcome.file, outcome.set);
        if outcome.answer.code != 201 {
            println!("    refused: {}", outcome.answer.body["message"]);
        }
        for injected in outcome.injected() {
            println!("    {injected}");
        }
    }
    for outcome in outcomes {
        for complaint in outcome.complaints() {
            println!("warning: {} | {} | {complaint}", outcome.file, outcome.set);
        }
    }
}

fn none_refused(outcomes: &[Outcome]) -> Result<()> {
    let expected =
        |outcome: &&Outcome| REFUSED.contains(&(outcome.file.as_str(), outcome.set.as_str()));
    let refused: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.answer.code != 201)
        .collect();
    for outcome in &refused {
        ensure!(
            expected(outcome),
            "{} {}: {}",
            outcome.file,
            outcome.set,
            outcome.answer.body
        );
    }
    ensure!(
        refused.len() == REFUSED.len(),
        "only {} were refused",
        refused.len()
    );
    Ok(())
}

/// Nothing is injected where something is.
fn what_charts_say_stays(outcomes: &[Outcome]) -> Result<()> {
    for outcome in outcomes.iter().filter(|outcome| outcome.answer.code == 201) {
        let (written, stored) = (&outcome.written["spec"], &outcome.answer.body["spec"]);
        let changed =
            |field: &str| format!("{} {}: {field} has changed", outcome.file, outcome.set);
        let name = written["serviceName"].as_str().unwrap_or_default();
        ensure!(
            name.is_empty() || stored["serviceName"] == name,
            changed("serviceName")
        );
        let containers = |spec: &Value| {
            spec["template"]["spec"]["containers"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        for (own, container) in containers(written).iter().zip(containers(stored)) {
            for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
                let (own, probe) = (&own[probe], &container[probe]);
                ensure!(
                    own.is_null() || handlers(own) == handlers(probe),
                    changed(&own.to_string())
                );
            }
        }
    }
    Ok(())
}

/// Every set has a Service, and some charts a probe that is known by heart.
fn what_they_left_out_is_filled_in(outcomes: &[Outcome]) -> Result<()> {
    for (file, wanted) in INJECTED {
        let of_file = outcomes.iter().filter(|outcome| outcome.file == *file);
        let found: Vec<_> = of_file.flat_map(Outcome::injected).collect();
        ensure!(
            found.iter().any(|line| line.starts_with(wanted)),
            "{file}: not {wanted}, but {found:?}"
        );
    }
    let unlinked = |outcome: &&Outcome| {
        outcome.answer.code == 201 && outcome.answer.body["spec"]["serviceName"] == ""
    };
    let unlinked: Vec<_> = outcomes
        .iter()
        .filter(unlinked)
        .map(|outcome| &outcome.set)
        .collect();
    ensure!(unlinked.is_empty(), "linked to no Service: {unlinked:?}");
    Ok(())
}

fn handlers(probe: &Value) -> Vec<&str> {
    let kinds = ["exec", "httpGet", "tcpSocket", "grpc"];
    kinds
        .into_iter()
        .filter(|kind| !probe[kind].is_null())
        .collect()
}

fn nothing_is_said_of_what_is_meant(outcomes: &[Outcome]) -> Result<()> {
    for file in SILENT {
        let mut of_file = outcomes
            .iter()
            .filter(|outcome| outcome.file == *file)
            .peekable();
        ensure!(of_file.peek().is_some(), "{file} is not there");
        let said: Vec<_> = of_file.flat_map(Outcome::complaints).collect();
        ensure!(said.is_empty(), "{file}: {said:?}");
    }
    Ok(())
}

/// At most one file in seven hears a complaint, and none that is too long to be shown whole.
fn few_words(outcomes: &[Outcome]) -> Result<()> {
    let mut all = outcomes.iter().flat_map(Outcome::complaints);
    let cut = all.find(|text| text.contains('\u{2026}'));
    ensure!(cut.is_none(), "a warning was cut: {cut:?}");
    let mut files: BTreeMap<&str, bool> = BTreeMap::new();
    for outcome in outcomes {
        *files.entry(&outcome.file).or_default() |= outcome.complaints().next().is_some();
    }
    let complaining = files.values().filter(|complains| **complains).count();
    println!("{complaining} of {} files hear a complaint", files.len());
    ensure!(
        complaining * 7 <= files.len(),
        "{complaining} of {} files hear a complaint",
        files.len()
    );
    Ok(())
}
