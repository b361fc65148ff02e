//! The formats of a report, one file each.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::model::finding::Action;
use crate::review::report::{Place, Report, Row};

mod excerpt;
mod github;
mod json;
mod junit;
mod markdown;
mod sarif;
mod table;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One object; its form is stable.
    Json,
    /// The same object as YAML.
    Yaml,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// `JUnit` XML: a set is a test case.
    Junit,
    /// For a comment on a pull request.
    Markdown,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With colours.
    pub colour: bool,
    /// With what would be injected.
    pub mutations: bool,
    /// With the lines that the findings are about, where the report has kept them.
    pub excerpts: bool,
}

/// Writes a report.
///
/// # Errors
///
/// What the writer says.
pub fn write(report: &Report, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, style, out),
        Format::Json => json::write(report, out),
        Format::Yaml => json::write_yaml(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Junit => junit::write(report, out),
        Format::Markdown => markdown::write(report, out),
        Format::Github => github::write(report, out),
    }
}

/// Items that are made one by one as they are written: a long report never stands in memory a second time.
struct Each<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Each<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// The word of an action.
fn word(action: Action) -> &'static str {
    match action {
        Action::Deny => "deny",
        Action::Warn => "warn",
        Action::Audit => "audit",
    }
}

/// `namespace/name`.
fn title(row: &Row) -> String {
    let name = if row.name.is_empty() {
        "(no name yet)"
    } else {
        &row.name
    };
    format!("{}/{name}", row.namespace)
}

/// `path:line:column`, or where else the set was found.
fn place(row: &Row) -> String {
    match &row.place {
        Place::File { path, line, column } => format!("{path}:{line}:{column}"),
        Place::Cluster => "cluster".to_owned(),
    }
}

/// `3 sets: 1 deny, 2 warn, 0 audit; 4 injections`, and what could not be read.
fn summary(report: &Report) -> String {
    let summary = report.summary();
    let plural = |count: usize, one: &str| {
        let end = if count == 1 { "" } else { "s" };
        format!("{count} {one}{end}")
    };
    let unread = match summary.errors {
        0 => String::new(),
        errors => format!("; {} not read", plural(errors, "input")),
    };
    format!(
        "{}: {} deny, {} warn, {} audit; {}{unread}",
        plural(summary.stateful_sets, "StatefulSet"),
        summary.deny,
        summary.warn,
        summary.audit,
        plural(summary.injections, "injection"),
    )
}

#[cfg(test)]
mod tests;
