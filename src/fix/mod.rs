//! The injections, and what stands in the wrong place, written into the manifests themselves.
//!
//! [`Fixer`] is pure: a text, how its sets are judged, and what a cluster has of them. [`run`] reads the input, [`live`] asks the
//! cluster, [`file`] writes.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::PatchOperation;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::change::holds;
use crate::cluster_view::{Lookup, Pod};
use crate::model::field_path::dotted;
use crate::review::manifest_row::{Judge, is_set};
use crate::review::report::{Located, Report, Row, Unreadable};
use crate::yaml::edit::{Edit, apply};
use crate::yaml::read::{Body, Broken, Document, Part, parts};
use place::Placed;
pub(crate) use promise::keep_writable;
pub use service::Release;
use service::Services;

mod ground;
mod place;
mod promise;
pub(crate) mod service;
mod standing;

/// A namespace and the name of an object in it.
pub type Key = (String, String);

/// What a cluster has of the sets that are to be fixed. A set of which it says nothing is new.
#[derive(Debug, Default)]
pub struct Known {
    /// The sets that are stored.
    pub stored: BTreeMap<Key, Box<RawValue>>,
    /// The Services that are stored, each with the release of Helm that it is of.
    pub services: BTreeMap<Key, Option<Release>>,
    /// The Services of the input.
    pub own_services: BTreeSet<Key>,
    /// The pods that an earlier set left where a new one is to be: an injection would restart them.
    pub orphans: BTreeMap<Key, Lookup<Vec<Pod>>>,
}

/// Writes what is missing into texts, one after the other.
#[derive(Debug)]
pub struct Fixer<'a> {
    judge: Judge<'a>,
    known: &'a Known,
    /// The Services that were added so far.
    added: BTreeSet<Key>,
}

/// What became of a text.
#[derive(Debug, Default)]
pub struct Fixed {
    /// The text, with everything in it that could be written.
    pub text: String,
    /// What was found, what could not be read, and what could not be written.
    pub report: Report,
}

/// What becomes of one set.
struct Change {
    row: Row,
    placed: Placed,
    /// The document to be added after it.
    service: Option<String>,
}

/// A set of a text.
struct Written<'t> {
    path: &'t str,
    part: &'t Part<'t>,
    document: &'t Document<'t>,
}

impl<'a> Fixer<'a> {
    /// Judges by `judge`, and knows of the cluster what `known` says.
    #[must_use]
    pub fn new(judge: Judge<'a>, known: &'a Known) -> Self {
        Self {
            judge,
            known,
            added: BTreeSet::new(),
        }
    }

    /// Fixes a text, which is called `path` in what is said of it.
    #[must_use]
    pub fn fix(&mut self, path: &str, text: &str) -> Fixed {
        let mut report = Report::default();
        let mut edits = Vec::<Edit>::new();
        let mut services = BTreeMap::<usize, Vec<String>>::new();
        for (index, part) in parts(text).enumerate() {
            for document in part.documents().iter().flatten().filter(|it| is_set(it)) {
                let written = Written {
                    path,
                    part: &part,
                    document,
                };
                let Some(change) = self.told(&written, &mut report) else {
                    continue;
                };
                edits.extend(change.placed.edits);
                services.entry(index).or_default().extend(change.service);
                report.rows.push(change.row);
            }
        }
        Fixed {
            text: service::added(&apply(text, edits), &services),
            report,
        }
    }

    /// What becomes of a set, and in the report what cannot become of it.
    fn told(&mut self, written: &Written<'_>, report: &mut Report) -> Option<Change> {
        let (path, document) = (written.path, written.document);
        match self.change(written) {
            Ok(Some(change)) => {
                let lost = change.placed.lost.iter();
                report.notes.extend(lost.map(|lost| {
                    let (line, column) = (lost.position.line, lost.position.column);
                    let field = dotted(&lost.pointer);
                    format!(
                        "{path}:{line}:{column}: {field} could not be written: {}",
                        lost.reason
                    )
                }));
                report.notes.extend(self.left_alone(written, &change.row));
                Some(change)
            }
            Ok(None) => {
                report.notes.push(format!(
                    "{path}:{}: {} is no whole set but a patch of one, and stays as it is",
                    document.line, document.name
                ));
                None
            }
            Err(broken) => {
                report.errors.push(Unreadable::new(path, broken));
                None
            }
        }
    }

    /// What is not put into a new set, and why.
    fn left_alone(&self, written: &Written<'_>, row: &Row) -> Option<String> {
        let place = format!("{}:{}", written.path, written.document.line);
        let what = if row.changes.is_empty() {
            "nothing is put in: it would restart what an earlier set left"
        } else {
            "not everything is put in: it would restart what an earlier set left"
        };
        match self.known.orphans.get(&self.key(written.document))? {
            Lookup::Absent => None,
            Lookup::Found(pods) => {
                let names: Vec<_> = pods.iter().map(Pod::name).collect();
                Some(format!("{place}: {what}: {}", names.join(", ")))
            }
            Lookup::Unknown => Some(format!(
                "{place}: nothing is put in: whether an earlier set left pods may not be asked"
            )),
        }
    }

    fn key(&self, document: &Document<'_>) -> Key {
        key(document, &self.judge.options.namespace)
    }

    fn change(&mut self, written: &Written<'_>) -> Result<Option<Change>, Broken> {
        let body = written.document.read()?;
        let Some(mut row) = self.row(written, &body)? else {
            return Ok(None);
        };
        let json: Value = serde_json::from_str(body.json()?.get()).unwrap_or_default();
        let key = self.key(written.document);
        let stored = self.known.stored.get(&key).map(|stored| parsed(stored));
        if let Some(stored) = &stored {
            let (path, document) = (written.path, written.document);
            let new = self.judge.row(path, document, &body, None)?;
            over(&mut row, new, &json, stored);
        }
        let (operations, after) = ground::ground(json, &row.patch());
        let findings = self.findings_after(written, &body, &after)?;
        let governing = self.services().governing(&row, &after, stored.as_ref());
        let no_place = governing
            .as_ref()
            .filter(|_| service::cannot_follow(written.part))
            .map(|_| (service::POINTER, service::CANNOT_FOLLOW));
        let placed = Placed::of(&body, operations, no_place);
        if let Some(findings) = findings.filter(|_| placed.lost.is_empty()) {
            row.findings = findings;
        }
        let linked = placed.holds(service::POINTER);
        let governing =
            governing.filter(|service| linked && self.added.insert(service.key.clone()));
        Ok(Some(Change {
            row,
            placed,
            service: governing.map(|service| service.document),
        }))
    }

    /// What is wrong with a set as it will be written over the stored one: of a file that leaves out what was injected once, the rest
    /// would be judged as a change of what cannot change.
    fn findings_after(
        &self,
        written: &Written<'_>,
        body: &Body<'_>,
        after: &Value,
    ) -> Result<Option<Vec<Located>>, Broken> {
        let Written { path, document, .. } = written;
        let stored = self.known.stored.get(&self.key(document));
        let Some((stored, Ok(after))) = stored.zip(Some(to_raw_value(after))) else {
            return Ok(None);
        };
        let row = self
            .judge
            .row_after(path, (document, body), after, stored)?;
        Ok(row.map(|row| row.findings))
    }

    fn services(&self) -> Services<'_> {
        Services {
            own: &self.known.own_services,
            of_cluster: &self.known.services,
            around: self.judge.around,
        }
    }

    fn row(&self, written: &Written<'_>, body: &Body<'_>) -> Result<Option<Row>, Broken> {
        let Written { path, document, .. } = written;
        let key = self.key(document);
        let stored = self.known.stored.get(&key).map(AsRef::as_ref);
        let Some(orphans) = self.known.orphans.get(&key) else {
            return self.judge.row(path, document, body, stored);
        };
        let around = self
            .judge
            .around
            .clone()
            .with_orphaned_pods(orphans.clone());
        let judge = Judge {
            around: &around,
            ..self.judge
        };
        judge.row(path, document, body, stored)
    }
}

/// The namespace and the name of a set. `namespace` is that of one that names none.
pub(crate) fn key(document: &Document<'_>, namespace: &str) -> Key {
    let own = Some(&*document.namespace).filter(|own| !own.is_empty());
    (own.unwrap_or(namespace).to_owned(), document.name.clone())
}

pub(crate) fn parsed(object: &RawValue) -> Value {
    serde_json::from_str(object.get()).unwrap_or_default()
}

/// Leaves of a row what a file may be given whose set is stored: what the record says, and what the stored set has of that which it
/// would get if it were `new`.
fn over(row: &mut Row, new: Option<Row>, file: &Value, stored: &Value) {
    let (moves, mut new) = new.map(|new| (new.moves, new.changes)).unwrap_or_default();
    row.moves = moves;
    row.moves
        .retain(|operation| has_meant(operation, file, stored));
    let (_, file) = ground::ground(file.clone(), &row.patch());
    new.retain(|change| !row.changes.iter().any(|own| own.shares_field_with(change)));
    row.changes.extend(standing::standing(&new, &file, stored));
}

/// Whether the stored set has in the right place what stands in the wrong one of its file. Anything else would restart its pods, or
/// be refused.
fn has_meant(operation: &PatchOperation, file: &Value, stored: &Value) -> bool {
    let PatchOperation::Move(misplaced) = operation else {
        return false;
    };
    let meant = misplaced.from.resolve(file).ok();
    let there = misplaced.path.resolve(stored).ok();
    meant
        .zip(there)
        .is_some_and(|(meant, there)| holds(there, meant))
}

#[cfg(test)]
mod tests;
