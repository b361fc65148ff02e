//! What is said of sets that were reviewed: rows, findings with their places, and what could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use json_patch::PatchOperation;
use serde::Serialize;

use crate::change::{Change, operations};
use crate::cluster_view::manifests::Manifests;
use crate::model::finding::{Action, Finding, Phase};
use crate::policy::Policies;
use crate::review::progress::Progress;
use crate::review::{Spared, Verdict, review};
use crate::strict::Subject;
use crate::yaml::read::Broken;

/// How sets are judged.
#[derive(Debug)]
pub struct Options {
    /// What the operator decided.
    pub policies: Policies,
    /// The version of Kubernetes that the rules assume; `None` where it is not known.
    pub kube_version: Option<crate::model::version::ServerVersion>,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// The rules whose findings are shown; empty means all.
    pub rules: BTreeSet<&'static str>,
    /// The rules whose findings are not shown.
    pub skip_rules: BTreeSet<&'static str>,
    /// Whether the report keeps the texts that its findings stand in, to be shown beside them.
    pub keep_sources: bool,
    /// When exemptions are held against the clock.
    pub now: Timestamp,
    /// How far the audit is.
    pub progress: Arc<Progress>,
}

impl Options {
    /// What is to be said of a set if it were created now; nothing where no policy is for it.
    pub(crate) fn verdict(&self, subject: Subject<'_>, around: &Manifests) -> Verdict {
        self.progress.judge();
        let verdict = review(&self.policies, subject, around, Phase::File, self.now);
        verdict.unwrap_or_default()
    }

    fn shows(&self, rule: &str) -> bool {
        (self.rules.is_empty() || self.rules.contains(rule)) && !self.skip_rules.contains(rule)
    }
}

/// Everything that an audit found.
#[derive(Debug, Default)]
pub struct Report {
    /// Every `StatefulSet`, clean ones too, in the order of the input.
    pub rows: Vec<Row>,
    /// Input that could not be read or parsed.
    pub errors: Vec<Unreadable>,
    /// What the user should know of how the audit was made.
    pub notes: Vec<String>,
    /// The texts by path, where they are kept.
    pub sources: BTreeMap<String, String>,
}

/// One set.
#[derive(Debug)]
pub struct Row {
    /// Where it was found.
    pub place: Place,
    /// Its namespace.
    pub namespace: String,
    /// Its name; empty where it has only `generateName`.
    pub name: String,
    /// What is wrong with it.
    pub findings: Vec<Located>,
    /// What is misplaced, moved where it belongs.
    pub moves: Vec<PatchOperation>,
    /// What would be injected, without the record: in files the author owns what is added.
    pub changes: Vec<Change>,
    /// How many probes, links and claims that is.
    pub injections: usize,
    /// The rules that it breaks and is exempted from.
    pub exempted: Vec<&'static str>,
    /// What would deny, did the set not name a controller as its owner.
    pub spared: Option<Spared>,
    /// Fields that a later tool fills in, in the server's own form.
    pub unfilled: Vec<String>,
}

/// Where a set was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file, whose document begins there (counted from 1).
    File {
        /// The path as it was given, or `-` for standard input.
        path: String,
        /// The first line of the document's content.
        line: usize,
        /// Its column.
        column: usize,
    },
    /// In the cluster.
    Cluster,
}

/// A finding and where its value stands in the file: the nearest parent that exists counts.
#[derive(Debug)]
pub struct Located {
    /// What is wrong.
    pub finding: Finding,
    /// Line and column, counted from 1; `None` in a cluster.
    pub position: Option<(usize, usize)>,
}

/// Input that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The path as it was given.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
    /// Why.
    pub message: String,
}

/// How often what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Sets.
    #[serde(rename = "statefulsets")]
    pub stateful_sets: usize,
    /// Findings that deny.
    pub deny: usize,
    /// Findings that warn.
    pub warn: usize,
    /// Findings for the operator alone.
    pub audit: usize,
    /// Probes, links and claims that would be injected.
    pub injections: usize,
    /// Input that could not be read.
    pub errors: usize,
}

impl Unreadable {
    /// What is broken in the input that is called `path`.
    #[must_use]
    pub fn new(path: &str, broken: Broken) -> Self {
        Self {
            path: path.to_owned(),
            line: broken.line,
            column: broken.column,
            message: broken.message,
        }
    }
}

impl Report {
    /// Takes over what another found after it.
    pub(crate) fn append(&mut self, after: Self) {
        self.rows.extend(after.rows);
        self.errors.extend(after.errors);
        self.notes.extend(after.notes);
        self.sources.extend(after.sources);
    }

    /// Notes which sets are believed to have an owner: a webhook knows who writes a set, an audit does not.
    pub(crate) fn note_owners(&mut self) {
        let spared = self.rows.iter().filter_map(|row| {
            let spared = row.spared.as_ref()?;
            let (namespace, name) = (&row.namespace, &row.name);
            Some(format!(
                "{namespace}/{name}: only warned, {spared}: an audit has no author, and believes the owner reference"
            ))
        });
        self.notes.extend(spared);
    }

    /// Notes which values are not filled in yet, once for each file.
    pub(crate) fn note_unfilled(&mut self) {
        let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in &self.rows {
            if let Place::File { path, .. } = &row.place
                && !row.unfilled.is_empty()
            {
                let own = row.unfilled.iter().map(String::as_str);
                fields.entry(path).or_default().extend(own);
            }
        }
        let notes: Vec<String> = fields
            .into_iter()
            .map(|(path, fields)| unfilled(path, &fields))
            .collect();
        self.notes.extend(notes);
    }

    /// How often what was found.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |action: Action| {
            self.findings()
                .filter(|located| located.finding.action == action)
                .count()
        };
        Summary {
            stateful_sets: self.rows.len(),
            deny: count(Action::Deny),
            warn: count(Action::Warn),
            audit: count(Action::Audit),
            injections: self.rows.iter().map(|row| row.injections).sum(),
            errors: self.errors.len(),
        }
    }

    /// How many findings a baseline of it knows, in words.
    #[must_use]
    pub fn known(&self) -> String {
        match self.findings().count() {
            1 => "1 finding".to_owned(),
            count => format!("{count} findings"),
        }
    }

    /// Whether a finding does at least that.
    #[must_use]
    pub fn reaches(&self, threshold: Action) -> bool {
        self.findings()
            .any(|located| located.finding.action >= threshold)
    }

    pub(crate) fn says_something(&self) -> bool {
        !self.errors.is_empty() || self.findings().next().is_some()
    }

    fn findings(&self) -> impl Iterator<Item = &Located> {
        self.rows.iter().flat_map(|row| &row.findings)
    }
}

impl Row {
    /// The row of a verdict. `locate` gives the position of a pointer.
    pub(crate) fn of(
        (place, namespace, name): (Place, String, String),
        verdict: Verdict,
        options: &Options,
        locate: impl Fn(&str) -> Option<(usize, usize)>,
    ) -> Self {
        let shown = verdict
            .findings
            .into_iter()
            .filter(|finding| options.shows(finding.rule));
        let findings = shown.map(|finding| Located {
            position: locate(&finding.pointer),
            finding,
        });
        let counted = verdict
            .injections
            .iter()
            .filter(|injection| !injection.key.starts_with("mount/"));
        Self {
            place,
            namespace,
            name,
            findings: findings.collect(),
            injections: counted.count(),
            exempted: verdict.exempted,
            spared: verdict.spared,
            unfilled: Vec::new(),
            moves: verdict.moves,
            changes: verdict
                .changes
                .into_iter()
                .filter(|change| !change.is_record())
                .collect(),
        }
    }

    /// The JSON Patch of the moves and the changes.
    pub(crate) fn patch(&self) -> Vec<PatchOperation> {
        let moves = self.moves.iter().cloned();
        moves.chain(operations(&self.changes)).collect()
    }
}

fn unfilled(path: &str, fields: &[&str]) -> String {
    const NAMED: usize = 3;
    let names: Vec<&str> = fields.iter().take(NAMED).copied().collect();
    let more = match fields.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{path}: variables are not filled in: {}{more} not checked; fill them in first: envsubst < FILE | steadyset audit -, or helm template for a chart",
        names.join(", ")
    )
}
