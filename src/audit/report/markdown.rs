//! For a comment on a pull request: a table of findings.

use std::io::{self, Write};

use super::{summary, title, word};
use crate::model::text::visible;
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
                (Place::File { path, .. }, Some((line, _))) => format!("<br>{}:{line}", cell(path)),
                _ => String::new(),
            };
            writeln!(
                out,
                "| {} | {}{} | `{}` | {}; {} | `{}` |",
                word(finding.action),
                cell(&title(row)),
                at,
                code(&finding.field()),
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
            cell(&error.path),
            error.line,
            error.column,
            cell(&error.message)
        )?;
    }
    Ok(())
}

/// A text that stays in its cell.
/// A text in a cell: neither a further cell nor HTML, whatever it holds.
fn cell(text: &str) -> String {
    let shown = visible(text).replace('&', "&amp;").replace('<', "&lt;");
    shown.replace('|', "\\|")
}

/// A text between backquotes.
fn code(text: &str) -> String {
    visible(text).replace('`', "'").replace('|', "\\|")
}
