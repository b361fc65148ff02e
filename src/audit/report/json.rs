//! One object, the same as JSON and as YAML.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Each, word};
use crate::review::report::{Located, Place, Report, Row, Summary, Unreadable};

#[derive(Serialize)]
struct Document<'r, R> {
    version: u32,
    summary: Summary,
    results: R,
    errors: &'r [Unreadable],
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report))?;
    writeln!(out)
}

pub(super) fn write_yaml(report: &Report, mut out: &mut dyn Write) -> io::Result<()> {
    serde_saphyr::to_io_writer(&mut out, &document(report)).map_err(io::Error::other)
}

fn document(report: &Report) -> Document<'_, impl Serialize> {
    Document {
        version: 1,
        summary: report.summary(),
        results: Each(report.rows.iter().map(result)),
        errors: &report.errors,
    }
}

fn result(row: &Row) -> Value {
    let source = match &row.place {
        Place::File { path, line, column } => json!({"path": path, "line": line, "column": column}),
        Place::Cluster => json!({"cluster": true}),
    };
    let mut value = json!({
        "source": source,
        "namespace": row.namespace,
        "name": row.name,
        "findings": row.findings.iter().map(finding).collect::<Vec<_>>(),
        "patch": row.patch(),
    });
    if !row.exempted.is_empty() {
        insert(&mut value, "exempted", json!(row.exempted));
    }
    value
}

fn insert(value: &mut Value, key: &str, member: Value) {
    if let Value::Object(members) = value {
        members.insert(key.to_owned(), member);
    }
}

fn finding(located: &Located) -> Value {
    let finding = &located.finding;
    let mut value = json!({
        "rule": finding.rule,
        "action": word(finding.action),
        "pointer": finding.pointer,
        "message": finding.message,
        "help": finding.help,
    });
    if let Some((line, column)) = located.position {
        insert(&mut value, "line", json!(line));
        insert(&mut value, "column", json!(column));
    }
    value
}
