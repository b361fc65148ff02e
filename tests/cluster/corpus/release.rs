//! A rendered chart: read from its file, and put into the cluster.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::support::Webhook;

/// A rendered chart, in a namespace of its own.
pub struct Release {
    path: PathBuf,
    file: String,
    namespace: String,
    sets: Vec<Value>,
    /// What the sets are judged with: Services, budgets.
    around: Vec<Value>,
}

/// What came of one set.
pub struct Outcome {
    /// The chart's file.
    pub file: String,
    /// The same with its folder.
    pub path: PathBuf,
    /// Where it was written to.
    pub namespace: String,
    /// The set's name.
    pub set: String,
    /// As the chart has it.
    pub written: Value,
    /// What the API server said.
    pub answer: Answer,
}

/// The files of a folder, by name.
pub fn charts(folder: &Path) -> Result<Vec<PathBuf>> {
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
pub fn read(path: &Path, namespace: String) -> Result<Release> {
    let text = fs::read_to_string(path)?;
    let mut release = Release {
        path: path.to_owned(),
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
    pub fn put_around(&mut self, api: &mut Api, webhook: &Webhook) -> Result<()> {
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
    pub fn created(self, api: &mut Api) -> Result<Vec<Outcome>> {
        let create = |mut written: Value| {
            at_home(&mut written);
            let path = collection(&written, &self.namespace) + "?dryRun=All";
            Ok(Outcome {
                file: self.file.clone(),
                path: self.path.clone(),
                namespace: self.namespace.clone(),
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

pub(super) fn collection(object: &Value, namespace: &str) -> String {
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
    pub fn complaints(&self) -> impl Iterator<Item = &str> {
        let ours = self.answer.warnings.iter().map(String::as_str);
        ours.filter(|text| text.starts_with("steadyset: ") && !text.ends_with(" [injected]"))
    }

    /// What was injected: its key in the record, where it comes from, its value.
    pub fn injected(&self) -> Vec<String> {
        let record = self.answer.body["metadata"]["annotations"]["steadyset.io/injected"].as_str();
        let record = record.and_then(|text| serde_json::from_str(text).ok());
        let record: BTreeMap<String, Value> = record.unwrap_or_default();
        let line = |(key, item): (&String, &Value)| {
            format!("{key} by {}: {}", item["source"], item["value"])
        };
        record.iter().map(line).collect()
    }
}
