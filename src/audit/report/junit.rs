//! `JUnit` XML, as CI servers read it: a set is a test case, a finding that denies is its failure, the rest its output.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{place, title, word};
use crate::model::finding::Action;
use crate::review::report::{Located, Report, Row, Unreadable};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = report
        .rows
        .iter()
        .filter(|row| denials(row).next().is_some())
        .count();
    let counts = [
        ("name", "steadyset".to_owned()),
        (
            "tests",
            (report.rows.len() + report.errors.len()).to_string(),
        ),
        ("failures", failures.to_string()),
        ("errors", report.errors.len().to_string()),
    ];
    xml.write_event(Event::Start(element("testsuites", &counts)))?;
    xml.write_event(Event::Start(element("testsuite", &counts)))?;
    for row in &report.rows {
        write_case(row, &mut xml)?;
    }
    for error in &report.errors {
        write_error(error, &mut xml)?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    writeln!(out)
}

fn write_case<W: Write>(row: &Row, xml: &mut Writer<W>) -> io::Result<()> {
    let attributes = [("classname", place(row)), ("name", title(row))];
    let case = element("testcase", &attributes);
    if row.findings.is_empty() {
        return xml.write_event(Event::Empty(case));
    }
    xml.write_event(Event::Start(case))?;
    let denied: Vec<String> = denials(row).map(sentence).collect();
    if let Some(first) = denials(row).next() {
        let failure = element(
            "failure",
            &[
                ("type", first.finding.rule.to_owned()),
                ("message", first.finding.message.clone()),
            ],
        );
        write_text(failure, &denied.join("\n"), xml)?;
    }
    let others = row
        .findings
        .iter()
        .filter(|located| located.finding.action != Action::Deny);
    let others: Vec<String> = others.map(sentence).collect();
    if !others.is_empty() {
        write_text(element("system-out", &[]), &others.join("\n"), xml)?;
    }
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

fn write_error<W: Write>(error: &Unreadable, xml: &mut Writer<W>) -> io::Result<()> {
    let place = format!("{}:{}:{}", error.path, error.line, error.column);
    xml.write_event(Event::Start(element(
        "testcase",
        &[("classname", place), ("name", error.path.clone())],
    )))?;
    let attributes = [
        ("type", "unreadable".to_owned()),
        ("message", error.message.clone()),
    ];
    xml.write_event(Event::Empty(element("error", &attributes)))?;
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

fn write_text<W: Write>(start: BytesStart<'_>, text: &str, xml: &mut Writer<W>) -> io::Result<()> {
    let end = start.to_end().into_owned();
    xml.write_event(Event::Start(start))?;
    xml.write_event(Event::Text(BytesText::new(&legible(text))))?;
    xml.write_event(Event::End(end))
}

fn element(name: &'static str, attributes: &[(&str, String)]) -> BytesStart<'static> {
    let mut element = BytesStart::new(name);
    for (key, value) in attributes {
        element.push_attribute((*key, &*legible(value)));
    }
    element
}

/// A text without the control characters that XML 1.0 does not know, not even escaped.
fn legible(text: &str) -> String {
    let known = |character: char| !character.is_control() || matches!(character, '\t' | '\n');
    text.replace(|character| !known(character), "\u{fffd}")
}

fn denials(row: &Row) -> impl Iterator<Item = &Located> {
    row.findings
        .iter()
        .filter(|located| located.finding.action == Action::Deny)
}

fn sentence(located: &Located) -> String {
    let finding = &located.finding;
    let line = located
        .position
        .map_or_else(String::new, |(line, _)| format!("line {line}: "));
    format!(
        "{} {line}{}: {}; {} [{}]",
        word(finding.action),
        finding.field(),
        finding.message,
        finding.help,
        finding.rule
    )
}
