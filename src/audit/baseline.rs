//! Findings that were there before: only new ones count.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::review::report::{Place, Report, Row};

/// What was found at one time. A finding is known by path, set, rule and pointer, not by its line.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// 1.
    version: u32,
    /// In order, each once.
    findings: BTreeSet<Known>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Known {
    path: String,
    namespace: String,
    name: String,
    rule: String,
    pointer: String,
}

impl Known {
    fn of(row: &Row, rule: &str, pointer: &str) -> Self {
        let path = match &row.place {
            Place::File { path, .. } => from_here(path),
            Place::Cluster => String::new(),
        };
        Self {
            path,
            namespace: row.namespace.clone(),
            name: row.name.clone(),
            rule: rule.to_owned(),
            pointer: pointer.to_owned(),
        }
    }
}

/// One file has one name, whether the path that was given is relative or not.
fn from_here(path: &str) -> String {
    let here = env::current_dir().ok();
    let below = here.and_then(|here| Path::new(path).strip_prefix(here).ok());
    below.map_or_else(|| path.to_owned(), |below| below.display().to_string())
}

impl Baseline {
    /// Everything that a report has found.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let findings = report.rows.iter().flat_map(|row| {
            let found = row.findings.iter();
            found.map(|located| Known::of(row, located.finding.rule, &located.finding.pointer))
        });
        Self {
            version: 1,
            findings: findings.collect(),
        }
    }

    /// Takes what was known away from a report.
    pub fn subtract(&self, report: &mut Report) {
        for row in &mut report.rows {
            let found = std::mem::take(&mut row.findings);
            let new = found.into_iter().filter(|located| {
                let known = Known::of(row, located.finding.rule, &located.finding.pointer);
                !self.findings.contains(&known)
            });
            row.findings = new.collect();
        }
    }

    /// Reads what [`Baseline::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// What is wrong, where it is no baseline of version 1.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let baseline: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if baseline.version == 1 {
            Ok(baseline)
        } else {
            Err(format!(
                "is of version {}; write it anew with --write-baseline",
                baseline.version
            ))
        }
    }

    /// The text of the file.
    ///
    /// # Errors
    ///
    /// Never, as far as texts can be written as JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
