//! For people: what is wrong, set by set; sets without a finding are only counted.

use std::io::{self, Write};

use json_patch::PatchOperation;

use super::{Style, place, summary, title, word};
use crate::admission::dotted;
use crate::audit::{Located, Place, Report, Row};
use crate::rules::Action;

pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for row in &report.rows {
        let shown = !row.findings.is_empty() || style.mutations && !row.patch.is_empty();
        if shown {
            write_row(row, style, out)?;
        }
    }
    for error in &report.errors {
        let (path, line, column) = (&error.path, error.line, error.column);
        writeln!(
            out,
            "{path}:{line}:{column}  {}",
            paint("not read", RED, style)
        )?;
        writeln!(out, "  {}\n", error.message)?;
    }
    writeln!(out, "{}", summary(report))
}

fn write_row(row: &Row, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}  {}", place(row), paint(&title(row), BOLD, style))?;
    for located in &row.findings {
        write_finding(row, located, style, out)?;
    }
    if style.mutations {
        for operation in &row.patch {
            writeln!(
                out,
                "  {}  {}",
                paint("inject", GREEN, style),
                described(operation)
            )?;
        }
    }
    writeln!(out)
}

fn write_finding(
    row: &Row,
    located: &Located,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let finding = &located.finding;
    let colour = match finding.action {
        Action::Deny => RED,
        Action::Warn => YELLOW,
        Action::Audit => DIM,
    };
    let action = paint(&format!("{:<5}", word(finding.action)), colour, style);
    let line = match (&row.place, located.position) {
        (Place::File { .. }, Some((line, _))) => format!("line {line}: "),
        _ => String::new(),
    };
    let field = dotted(&finding.pointer);
    writeln!(
        out,
        "  {action}  {line}{field}: {} [{}]",
        finding.message, finding.rule
    )?;
    writeln!(out, "         {}", finding.help)
}

/// One operation in one line.
fn described(operation: &PatchOperation) -> String {
    let field = dotted(operation.path().as_str());
    match operation {
        PatchOperation::Add(add) => format!("{field}: {}", add.value),
        PatchOperation::Replace(replace) => format!("{field}: {}", replace.value),
        _ => field,
    }
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BOLD: &str = "1";
const DIM: &str = "2";

/// A text in a colour (ECMA-48, SGR), where colours are wanted.
fn paint(text: &str, code: &str, style: Style) -> String {
    if style.colour {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
