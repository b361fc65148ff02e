//! SARIF 2.1.0 (OASIS), as code scanning reads it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Each, title};
use crate::model::finding::Action;
use crate::review::report::{Located, Place, Report, Row, Unreadable};
use crate::rules;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let results = report
        .rows
        .iter()
        .flat_map(|row| row.findings.iter().map(move |located| result(row, located)));
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: json!({"driver": {
                "name": "steadyset",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": found_rules(report),
            }}),
            column_kind: "unicodeCodePoints",
            results: Each(results),
            invocations: json!([{
                "executionSuccessful": report.errors.is_empty(),
                "toolExecutionNotifications": report.errors.iter().map(notification).collect::<Vec<_>>(),
            }]),
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// `sarifLog`
#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<R>; 1],
}

/// `run`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<R> {
    tool: Value,
    column_kind: &'static str,
    results: R,
    invocations: Value,
}

/// The rules that found something, each once.
fn found_rules(report: &Report) -> Vec<Value> {
    let found: BTreeSet<&str> = report
        .rows
        .iter()
        .flat_map(|row| &row.findings)
        .map(|located| located.finding.rule)
        .collect();
    let known = rules::all().iter().filter(|rule| found.contains(rule.id));
    known
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": {"text": rule.docs.what},
                "fullDescription": {"text": rule.docs.why},
                "defaultConfiguration": {"level": level(rule.action)},
            })
        })
        .collect()
}

fn result(row: &Row, located: &Located) -> Value {
    let finding = &located.finding;
    let text = format!(
        "{}: {}: {}; {}",
        title(row),
        finding.field(),
        finding.message,
        finding.help
    );
    let logical = json!([{"fullyQualifiedName": format!("{}{}", title(row), finding.pointer)}]);
    let location = match (&row.place, located.position) {
        (Place::File { path, .. }, Some((line, column))) => {
            json!({"logicalLocations": logical, "physicalLocation": physical(path, line, column)})
        }
        _ => json!({"logicalLocations": logical}),
    };
    json!({
        "ruleId": finding.rule,
        "level": level(finding.action),
        "message": {"text": text},
        "locations": [location],
    })
}

fn notification(error: &Unreadable) -> Value {
    json!({
        "level": "error",
        "message": {"text": error.message},
        "locations": [{"physicalLocation": physical(&error.path, error.line, error.column)}],
    })
}

fn physical(path: &str, line: usize, column: usize) -> Value {
    json!({
        "artifactLocation": {"uri": uri(path)},
        "region": {"startLine": line, "startColumn": column},
    })
}

/// A path as a relative reference (RFC 3986): what is no plain character of a path is written as its bytes.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn level(action: Action) -> &'static str {
    match action {
        Action::Deny => "error",
        Action::Warn => "warning",
        Action::Audit => "note",
    }
}
