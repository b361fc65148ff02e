//! For a comment on a pull request: a table of findings.

use std::io::{self, Write};

use super::{summary, title, word};
use crate::review::report::{Place, Report};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "**steadyset**: {}", summary(report))?;
    let found = report.rows.iter().any(|row| !row.findings.is_empty());
    if found {
        writeln!(
            out,
            "\n| | set | field | what | rule |\n| --- | --- | --- | --- | --- |"
        )?;
    }
    for row in &report.rows {
        for located in &row.findings {
            let finding = &located.finding;
            let at = match (&row.place, located.position) {
                (Place::File { path, .. }, Some((line, _))) => format!("<br>{path}:{line}"),
                _ => String::new(),
            };
            writeln!(
                out,
                "| {} | {}{} | `{}` | {}; {} | `{}` |",
                word(finding.action),
                cell(&title(row)),
                cell(&at),
                cell(&finding.field()),
                cell(&finding.message),
                cell(&finding.help),
                finding.rule
            )?;
        }
    }
    for error in &report.errors {
        writeln!(
            out,
            "\nnot read: {}:{}:{}: {}",
            error.path, error.line, error.column, error.message
        )?;
    }
    Ok(())
}

/// A text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
