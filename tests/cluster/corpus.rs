//! Real charts: none refused that the server alone would take, and few words.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::api::{Answer, Api};
use crate::support::{Cluster, Webhook};

/// One pass over all of it.
pub const TESTS: &[Test] = &[(
    "real_charts_are_created_with_few_words",
    real_charts_are_created_with_few_words,
)];

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
        "helm__charts__horovod.yaml",
        "readiness-probe/worker by \"port\": ",
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

/// A rendered chart, in a namespace of its own.
struct Release {
    file: String,
    namespace: String,
    sets: Vec<Value>,
    /// What the sets are judged with: Services, budgets.
    around: Vec<Value>,
}

/// What came of one set.
struct Outcome {
    file: String,
    set: String,
    /// As the chart has it.
    written: Value,
    answer: Answer,
}

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
    few_words(&outcomes)
}

fn charts(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    paths.sort();
    Ok(paths)
}

/// Only what the server still knows and what is needed is parsed: the rest holds YAML that not every parser takes.
fn read(path: &Path, namespace: String) -> Result<Release> {
    let text = fs::read_to_string(path)?;
    let mut release = Release {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        namespace,
        sets: Vec::new(),
        around: Vec::new(),
    };
    for document in documents(&text) {
        let top = |key: &str| {
            document
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .map(|value| value.trim().trim_matches('"'))
        };
        let into = match (top("apiVersion:"), top("kind:")) {
            (Some("apps/v1"), Some("StatefulSet")) => &mut release.sets,
            (Some("v1"), Some("Service")) | (Some("policy/v1"), Some("PodDisruptionBudget")) => {
                &mut release.around
            }
            _ => continue,
        };
        into.push(parse(&document).with_context(|| format!("{}: {document}", path.display()))?);
    }
    Ok(release)
}

fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line.starts_with("---") {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    documents
}

fn parse(document: &str) -> Result<Value> {
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        legacy_octal_numbers: true,
    };
    Ok(serde_saphyr::from_str_with_options(document, options)?)
}

impl Release {
    /// Puts what is around the sets in place, as `helm install` does.
    fn put_around(&mut self, api: &mut Api, webhook: &Webhook) -> Result<()> {
        let object = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": self.namespace, "labels": {Webhook::LABEL: webhook.name()}}});
        let answer = api.create("/api/v1/namespaces", &object)?;
        ensure!(answer.code == 201, "{}", answer.body);
        for mut object in std::mem::take(&mut self.around) {
            at_home(&mut object);
            let answer = api.create(&collection(&object, &self.namespace), &object)?;
            ensure!(
                answer.code == 201,
                "{}: {} {object}",
                self.file,
                answer.body
            );
        }
        Ok(())
    }

    /// Dry-runs the sets.
    fn created(self, api: &mut Api) -> Result<Vec<Outcome>> {
        let create = |mut written: Value| {
            at_home(&mut written);
            let path = collection(&written, &self.namespace) + "?dryRun=All";
            Ok(Outcome {
                file: self.file.clone(),
                set: written["metadata"]["name"]
                    .as_str()
                    .unwrap_or("?")
                    .to_owned(),
                answer: api.create(&path, &written)?,
                written,
            })
        };
        self.sets.into_iter().map(create).collect()
    }
}

fn collection(object: &Value, namespace: &str) -> String {
    let (group, kinds) = match object["kind"].as_str() {
        Some("StatefulSet") => ("apis/apps/v1", "statefulsets"),
        Some("Service") => ("api/v1", "services"),
        _ => ("apis/policy/v1", "poddisruptionbudgets"),
    };
    format!("/{group}/namespaces/{namespace}/{kinds}")
}

/// Every chart is in the namespace that it is given, and two may ask for the same port of the node.
fn at_home(object: &mut Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    let ports = object["spec"]["ports"].as_array_mut();
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        port.remove("nodePort");
    }
}

impl Outcome {
    /// The lines of ours that end in a rule's id; what was injected is no complaint.
    fn complaints(&self) -> impl Iterator<Item = &str> {
        let ours = self.answer.warnings.iter().map(String::as_str);
        ours.filter(|text| text.starts_with("steadyset: ") && !text.ends_with(" [injected]"))
    }

    /// What was injected: its key in the record, where it comes from, its value.
    fn injected(&self) -> Vec<String> {
        let record = self.answer.body["metadata"]["annotations"]["steadyset.io/injected"].as_str();
        let record = record.and_then(|text| serde_json::from_str(text).ok());
        let record: BTreeMap<String, Value> = record.unwrap_or_default();
        let line = |(key, item): (&String, &Value)| {
            format!("{key} by {}: {}", item["source"], item["value"])
        };
        record.iter().map(line).collect()
    }
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

/// At most one file in seven hears a complaint, and none that is too long to be shown whole.
fn few_words(outcomes: &[Outcome]) -> Result<()> {
    let mut all = outcomes.iter().flat_map(Outcome::complaints);
    ensure!(
        !all.any(|text| text.contains('\u{2026}')),
        "a warning was cut"
    );
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
