//! Manifests: the sets of a folder are judged with the Services and budgets that are beside them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::value::RawValue;

use super::sources::{Input, Inputs};
use super::{Options, Place, Report, Row, Unreadable};
use crate::cluster::ServiceKeeping;
use crate::cluster::manifests::{Kind, Manifests};
use crate::evaluate::Verdict;
use crate::manifest::{Broken, Document, documents};
use crate::subject::{Source, Subject, Undecodable};

/// Audits files, folders and standard input (`-`).
#[must_use]
pub fn audit(paths: &[PathBuf], options: &Options) -> Report {
    let inputs = Inputs::of(paths);
    let mut report = Report {
        errors: inputs.errors,
        notes: inputs.notes,
        ..Report::default()
    };
    let namespaces = namespaces(&inputs.worlds, options);
    for files in inputs.worlds.into_values() {
        let mut world = World::new(options, &mut report);
        for namespace in &namespaces {
            world.know_namespace(namespace);
        }
        world.audit(&files);
    }
    report
}

/// The namespaces of the whole input, where a policy selects by their labels: unlike Services they seldom stand beside the sets.
fn namespaces(worlds: &BTreeMap<PathBuf, Vec<Input>>, options: &Options) -> Vec<Value> {
    if !options.policies.read_namespace_labels() {
        return Vec::new();
    }
    let files = worlds
        .values()
        .flatten()
        .filter(|file| file.can_be_read_again());
    let texts = files.filter_map(|file| file.read().ok());
    texts
        .flat_map(|text| {
            documents(&text)
                .flatten()
                .filter_map(|document| namespace(&document))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn namespace(document: &Document<'_>) -> Option<Value> {
    let kind = Kind::served(&document.api_version, &document.kind)?;
    let json = (kind == Kind::Namespace).then(|| document.read().ok()?.json().ok())??;
    serde_json::from_str(json.get()).ok()
}

/// What is beside each other.
struct World<'r> {
    options: &'r Options,
    report: &'r mut Report,
    around: Manifests,
}

impl<'r> World<'r> {
    fn new(options: &'r Options, report: &'r mut Report) -> Self {
        Self {
            options,
            report,
            around: Manifests::new(options.kube_version, ServiceKeeping::Kept).whole(),
        }
    }

    fn know_namespace(&mut self, namespace: &Value) {
        if let Err(reason) = self.around.add(Kind::Namespace, namespace, "") {
            self.report.notes.push(format!("passed over: {reason}"));
        }
    }

    /// A Service may follow its set, so all are looked up before any set is judged.
    fn audit(mut self, files: &[Input]) {
        let mut texts = Vec::new();
        for file in files {
            match file.read() {
                Ok(text) => {
                    if text.trim().is_empty() {
                        self.report.notes.push(format!("{}: is empty", file.path));
                    }
                    texts.push((file, text));
                }
                Err(error) => self.report.errors.push(error),
            }
        }
        for (file, text) in &texts {
            self.gather(file, text);
        }
        for (file, text) in &texts {
            self.judge_all(file, text);
        }
    }

    fn gather(&mut self, file: &Input, text: &str) {
        for document in documents(text) {
            match document {
                Ok(document) => self.take_up(file, &document),
                Err(broken) => self.report.errors.push(unreadable(file, broken)),
            }
        }
    }

    /// What a rule looks up. One that is not as its kind asks for is passed over: the audit is about sets.
    fn take_up(&mut self, file: &Input, document: &Document<'_>) {
        let Some(kind) = Kind::served(&document.api_version, &document.kind) else {
            return;
        };
        // A class that is not among the manifests may well be in the cluster.
        if kind == Kind::StorageClass {
            return;
        }
        if let Err(reason) = self.add(kind, document) {
            let line = document.line;
            self.report
                .notes
                .push(format!("{}:{line}: passed over: {reason}", file.path));
        }
    }

    fn add(&mut self, kind: Kind, document: &Document<'_>) -> Result<(), String> {
        let json = document.read().and_then(|body| body.json());
        let json = json.map_err(|broken| broken.message)?;
        let value: Value = serde_json::from_str(json.get()).map_err(|error| error.to_string())?;
        let added = self.around.add(kind, &value, &self.options.namespace);
        added.map_err(|error| error.to_string())
    }

    fn judge_all(&mut self, file: &Input, text: &str) {
        for document in documents(text).flatten() {
            if document.kind != "StatefulSet" || document.api_version != "apps/v1" {
                continue;
            }
            match self.row(file, &document) {
                Ok(Some(row)) => self.report.rows.push(row),
                Ok(None) => self.report.notes.push(format!(
                    "{}:{}: {} is no whole set but a patch of one, and is not judged",
                    file.path, document.line, document.name
                )),
                Err(broken) => self.report.errors.push(unreadable(file, broken)),
            }
        }
    }

    fn row(&self, file: &Input, document: &Document<'_>) -> Result<Option<Row>, Broken> {
        let body = document.read()?;
        let namespace = if document.namespace.is_empty() {
            &self.options.namespace
        } else {
            &*document.namespace
        };
        let json = body.json()?;
        let judged = self.judge(namespace, &json).map_err(|error| Broken {
            line: document.line,
            column: document.column,
            message: without_place(&error.to_string()),
        })?;
        let place = Place::File {
            path: file.path.clone(),
            line: document.line,
            column: document.column,
        };
        let identity = (place, namespace.to_owned(), document.name.clone());
        Ok(judged.map(|verdict| {
            Row::of(identity, verdict, self.options, |pointer| {
                let position = body.position(pointer);
                Some((position.line, position.column))
            })
        }))
    }

    /// `None` for a patch of a set, as kustomize has them: it has no selector, or a container without an image.
    fn judge(&self, namespace: &str, json: &RawValue) -> Result<Option<Verdict>, Undecodable> {
        let source = Source {
            namespace,
            object: json,
            old_object: None,
        };
        let Some(subject) = Subject::decode(source)? else {
            return Ok(Some(Verdict::default()));
        };
        let spec = &subject.set.spec;
        let containers = &spec.template.spec.containers;
        if spec.selector.is_none()
            || containers
                .iter()
                .any(|container| container.image.is_empty())
        {
            return Ok(None);
        }
        Ok(Some(self.options.verdict(subject, &self.around)))
    }
}

fn unreadable(file: &Input, broken: Broken) -> Unreadable {
    Unreadable {
        path: file.path.clone(),
        line: broken.line,
        column: broken.column,
        message: broken.message,
    }
}

/// What serde says without where: it means the JSON that the document was turned into.
fn without_place(message: &str) -> String {
    let (what, _) = message.rsplit_once(" at line ").unwrap_or((message, ""));
    what.to_owned()
}
