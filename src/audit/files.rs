//! Manifests: the sets of a folder are judged with the Services and budgets that are beside them.

use std::path::PathBuf;

use rayon::prelude::*;
use serde_json::Value;

use super::sources::{Input, Inputs};
use crate::cluster_view::ServiceKeeping;
use crate::cluster_view::manifests::{Kind, Manifests, Object};
use crate::review::manifest_row::{Judge, is_set};
use crate::review::report::{Options, Report, Row, Unreadable};
use crate::yaml::read::{Broken, Document, Part, documents, parts};

/// Audits files, folders and standard input (`-`), on every core; the report is in the order of the input.
#[must_use]
pub fn audit(paths: &[PathBuf], options: &Options) -> Report {
    let inputs = Inputs::of(paths);
    let mut report = Report {
        errors: inputs.errors,
        notes: inputs.notes,
        ..Report::default()
    };
    let mut around = Manifests::new(options.kube_version, ServiceKeeping::Kept).whole();
    around.know(Kind::Endpoints);
    for namespace in namespaces(&inputs.worlds, options) {
        around.put(namespace);
    }
    let worlds = inputs.worlds.into_par_iter();
    let reports: Vec<Report> = worlds
        .map(|files| {
            let around = around.clone();
            World { options, around }.audit(files)
        })
        .collect();
    for part in reports {
        report.append(part);
    }
    report.note_owners();
    report
}

/// The namespaces of the whole input, where a policy selects by their labels: unlike Services they seldom stand beside the sets.
pub(crate) fn namespaces(worlds: &[Vec<Input>], options: &Options) -> Vec<Object> {
    if !options.policies.read_namespace_labels() {
        return Vec::new();
    }
    let files = worlds.par_iter().flatten();
    files
        .filter(|file| file.can_be_read_again())
        .filter_map(|file| file.read().ok())
        .flat_map_iter(|text| {
            documents(&text)
                .flatten()
                .filter(|found| served(found) == Some(Kind::Namespace))
                .filter_map(|found| object(Kind::Namespace, &found, "").ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn served(document: &Document<'_>) -> Option<Kind> {
    Kind::served(&document.api_version, &document.kind)
}

/// Whether objects of that kind have their controller make Secrets: `SealedSecret`, `ExternalSecret`, `VaultStaticSecret`, the
/// `Certificate` of cert-manager.
fn makes_secrets(kind: &str) -> bool {
    kind == "Certificate" || kind != "Secret" && kind.ends_with("Secret")
}

fn object(kind: Kind, document: &Document<'_>, namespace: &str) -> Result<Object, String> {
    let json = document.read().and_then(|body| body.json());
    let json = json.map_err(|broken| broken.message)?;
    let value: Value = serde_json::from_str(json.get()).map_err(|error| error.to_string())?;
    Object::read(kind, &value, namespace).map_err(|error| error.to_string())
}

/// What is beside each other.
pub(crate) struct World<'r> {
    /// How its sets are judged.
    pub(crate) options: &'r Options,
    /// What is looked up.
    pub(crate) around: Manifests,
}

/// What a document brings along before any set is judged.
#[derive(Default)]
struct Gathered {
    objects: Vec<Object>,
    makes_secrets: bool,
    sets: usize,
    said: Report,
}

impl World<'_> {
    fn audit(mut self, files: Vec<Input>) -> Report {
        let mut report = Report::default();
        let texts = read(files, &mut report);
        let with_sets = self.look_around(&texts, &mut report);
        let judged: Vec<Report> = with_sets
            .par_iter()
            .map(|(file, part)| self.judge_all(file, part))
            .collect();
        for part in judged {
            report.append(part);
        }
        if self.options.keep_sources && report.says_something() {
            let texts = texts.into_iter().map(|(file, text)| (file.path, text));
            report.sources.extend(texts);
        }
        report
    }

    /// Takes up what the rules look up, and tells which documents hold sets. A Service may follow its set, so all are looked up before
    /// any set is judged.
    pub(crate) fn look_around<'t>(
        &mut self,
        texts: &'t [(Input, String)],
        report: &mut Report,
    ) -> Vec<(&'t Input, Part<'t>)> {
        let parts: Vec<(&Input, Part<'_>)> = texts
            .par_iter()
            .flat_map_iter(|(file, text)| parts(text).map(move |part| (file, part)))
            .collect();
        let gathered: Vec<Gathered> = parts
            .par_iter()
            .map(|(file, part)| self.gather(file, part))
            .collect();
        let mut with_sets = Vec::new();
        for (part, gathered) in parts.into_iter().zip(gathered) {
            for object in gathered.objects {
                self.around.put(object);
            }
            if gathered.makes_secrets {
                self.around.note_makers_of_secrets();
            }
            report.append(gathered.said);
            self.options.progress.find(gathered.sets);
            with_sets.extend((gathered.sets > 0).then_some(part));
        }
        with_sets
    }

    fn gather(&self, file: &Input, part: &Part<'_>) -> Gathered {
        let mut gathered = Gathered::default();
        for document in part.documents() {
            match document {
                Ok(document) if is_set(&document) => gathered.sets += 1,
                Ok(document) => self.take_up(file, &document, &mut gathered),
                Err(broken) => gathered
                    .said
                    .errors
                    .push(Unreadable::new(&file.path, broken)),
            }
        }
        gathered
    }

    /// What a rule looks up. One that is not as its kind asks for is passed over: the audit is about sets.
    fn take_up(&self, file: &Input, document: &Document<'_>, gathered: &mut Gathered) {
        gathered.makes_secrets |= makes_secrets(&document.kind);
        // A class that is not among the manifests may well be in the cluster.
        let Some(kind) = served(document).filter(|kind| *kind != Kind::StorageClass) else {
            return;
        };
        let own = &document.namespace;
        let namespace = if own.is_empty() {
            &self.options.namespace
        } else {
            own
        };
        if let Some(object) = Object::named(kind, namespace, &document.name) {
            gathered.objects.push(object);
            return;
        }
        match object(kind, document, &self.options.namespace) {
            Ok(object) => gathered.objects.push(object),
            Err(reason) => gathered.said.notes.push(format!(
                "{}:{}: passed over: {reason}",
                file.path, document.line
            )),
        }
    }

    fn judge_all(&self, file: &Input, part: &Part<'_>) -> Report {
        let mut report = Report::default();
        for document in part.documents().into_iter().flatten().filter(is_set) {
            match self.row(file, &document) {
                Ok(Some(row)) => report.rows.push(row),
                Ok(None) => report.notes.push(format!(
                    "{}:{}: {} is no whole set but a patch of one, and is not judged",
                    file.path, document.line, document.name
                )),
                Err(broken) => report.errors.push(Unreadable::new(&file.path, broken)),
            }
        }
        report
    }

    fn row(&self, file: &Input, document: &Document<'_>) -> Result<Option<Row>, Broken> {
        let judge = Judge {
            options: self.options,
            around: &self.around,
        };
        judge.row(&file.path, document, &document.read()?, None)
    }
}

/// The texts of the files that can be read.
pub(crate) fn read(files: Vec<Input>, report: &mut Report) -> Vec<(Input, String)> {
    let read: Vec<_> = files
        .into_par_iter()
        .map(|file| file.read().map(|text| (file, text)))
        .collect();
    let mut texts = Vec::new();
    for read in read {
        match read {
            Ok((file, text)) => {
                if text.trim().is_empty() {
                    report.notes.push(format!("{}: is empty", file.path));
                }
                texts.push((file, text));
            }
            Err(error) => report.errors.push(error),
        }
    }
    texts
}
