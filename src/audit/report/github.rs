//! Workflow commands of GitHub Actions: lines that the runner turns into annotations.

use std::io::{self, Write};

use super::{summary, title};
use crate::model::finding::Action;
use crate::model::text::visible;
use crate::review::report::{Place, Report, Row};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for row in &report.rows {
        write_row(row, out)?;
    }
    for error in &report.errors {
        let (line, column) = (error.line, error.column);
        let path = property(&error.path);
        writeln!(
            out,
            "::error file={path},line={line},col={column},title=not read::{}",
            data(&error.message)
        )?;
    }
    writeln!(out, "{}", summary(report))
}

fn write_row(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    for located in &row.findings {
        let finding = &located.finding;
        let command = match finding.action {
            Action::Deny => "error",
            Action::Warn => "warning",
            Action::Audit => "notice",
        };
        let place = match (&row.place, located.position) {
            (Place::File { path, .. }, Some((line, column))) => {
                format!("file={},line={line},col={column},", property(path))
            }
            _ => String::new(),
        };
        let text = format!(
            "{}: {}: {}; {}",
            title(row),
            finding.field(),
            finding.message,
            finding.help
        );
        writeln!(
            out,
            "::{command} {place}title={}::{}",
            property(finding.rule),
            data(&text)
        )?;
    }
    Ok(())
}

/// The text of a command (`escapeData` in actions/toolkit).
fn data(text: &str) -> String {
    let kept: Vec<_> = text.split('\n').map(visible).collect();
    kept.join("\n")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a command (`escapeProperty` in actions/toolkit).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
