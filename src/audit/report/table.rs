//! For people: what is wrong, set by set; sets without a finding are only counted.

use std::borrow::Cow;
use std::io::{self, Write};

use json_patch::PatchOperation;

use super::excerpt::{Excerpts, Spot};
use super::{Style, place, summary, title, word};
use crate::model::field_path::dotted;
use crate::model::finding::Action;
use crate::model::text::visible;
use crate::review::report::{Located, Place, Report, Row, Unreadable};

pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let excerpts = style.excerpts.then(|| Excerpts::of(report, style));
    for row in &report.rows {
        let shown = !row.findings.is_empty()
            || !row.exempted.is_empty()
            || style.mutations && !row.patch().is_empty();
        if shown {
            write_row(row, style, excerpts.as_ref(), out)?;
        }
    }
    for error in &report.errors {
        let excerpt = excerpts.as_ref().and_then(|found| found.unreadable(error));
        match excerpt {
            Some(excerpt) => writeln!(out, "{excerpt}\n")?,
            None => write_error(error, style, out)?,
        }
    }
    writeln!(out, "{}", summary(report))
}

fn write_error(error: &Unreadable, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (path, line, column) = (first(&error.path), error.line, error.column);
    let what = paint("not read", RED, style);
    let message = visible(&error.message);
    writeln!(out, "{path}:{line}:{column}  {what}\n  {message}\n")
}

fn write_row(
    row: &Row,
    style: Style,
    excerpts: Option<&Excerpts<'_>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (at, title) = (place(row), title(row));
    writeln!(
        out,
        "{}  {}",
        first(&at),
        paint(&visible(&title), BOLD, style)
    )?;
    for located in &row.findings {
        match excerpts.and_then(|excerpts| excerpt(row, located, excerpts)) {
            Some(excerpt) => writeln!(out, "{excerpt}")?,
            None => write_finding(row, located, style, out)?,
        }
    }
    if !row.exempted.is_empty() {
        let rules = row.exempted.join(", ");
        writeln!(out, "  {}  {rules}", paint("exempt", DIM, style))?;
    }
    if style.mutations {
        for operation in &row.patch() {
            let word = match operation {
                PatchOperation::Move(_) => "move  ",
                _ => "inject",
            };
            writeln!(
                out,
                "  {}  {}",
                paint(word, GREEN, style),
                visible(&described(operation))
            )?;
        }
    }
    writeln!(out)
}

fn excerpt(row: &Row, located: &Located, excerpts: &Excerpts<'_>) -> Option<String> {
    let (Place::File { path, .. }, Some((line, column))) = (&row.place, located.position) else {
        return None;
    };
    let spot = Spot { path, line, column };
    excerpts.finding(located, spot)
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
    let field = finding.field();
    writeln!(
        out,
        "  {action}  {line}{}: {} [{}]",
        visible(&field),
        visible(&finding.message),
        finding.rule
    )?;
    writeln!(out, "         {}", visible(&finding.help))
}

/// A text at the beginning of a line: a runner of GitHub Actions takes a line that begins with `::` for a command.
fn first(text: &str) -> Cow<'_, str> {
    let shown = visible(text);
    if shown.trim_start().starts_with("::") {
        Cow::Owned(format!("./{shown}"))
    } else {
        shown
    }
}

/// One operation in one line.
fn described(operation: &PatchOperation) -> String {
    let field = dotted(operation.path().as_str());
    match operation {
        PatchOperation::Add(add) => format!("{field}: {}", add.value),
        PatchOperation::Replace(replace) => format!("{field}: {}", replace.value),
        PatchOperation::Move(moved) => format!("{} to {field}", dotted(moved.from.as_str())),
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
