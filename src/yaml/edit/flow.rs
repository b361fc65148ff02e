//! Edits in braces and brackets: JSON, and flow style within YAML.

use serde_json::Value;

use super::pieces::Edit;
use super::sheet::{Entry, Sheet};
use super::style::{FlowStyle, Style};
use super::write::Flow;
use crate::yaml::read::Fault;
use crate::yaml::read::tree::Index;

/// Puts an entry before the one at `index`, or at the end.
pub(super) fn insert(
    sheet: &Sheet<'_>,
    chain: &[Index],
    index: usize,
    (key, value): (Option<&str>, &Value),
) -> Result<Vec<Edit>, Fault> {
    let at = chain.last().copied().unwrap_or(sheet.root);
    let style = Style::around(sheet, chain);
    let flow = FlowStyle::around(sheet, chain);
    let entries = sheet.entries(at)?;
    let write = |indentation: &str| Flow::new(&style, flow.clone()).entry(key, value, indentation);
    let Some(before) = index.checked_sub(1).and_then(|before| entries.get(before)) else {
        return Ok(vec![first(
            sheet,
            at,
            entries.first(),
            (&style, &flow),
            write,
        )]);
    };
    let own_line = stands_apart(sheet, at, before);
    if own_line {
        let indentation = sheet.indentation(before.start);
        let text = format!("{}{indentation}{}", style.newline, write(indentation));
        return after_line(sheet, at, (before, entries.get(index)), text);
    }
    let text = format!(",{}{}", flow.comma, write(sheet.indentation(before.start)));
    Ok(vec![Edit::insert(before.end, text)])
}

/// Whether an entry begins its line.
fn stands_apart(sheet: &Sheet<'_>, container: Index, entry: &Entry) -> bool {
    let open = sheet.inner_start(container);
    let line = sheet.line_start(entry.start);
    line > open && sheet.indentation(entry.start).len() == entry.start - line
}

/// Puts a line after the line of an entry; the comma stands before a comment that may end it.
fn after_line(
    sheet: &Sheet<'_>,
    container: Index,
    (before, next): (&Entry, Option<&Entry>),
    text: String,
) -> Result<Vec<Edit>, Fault> {
    let close = sheet.tree.range(container).end.saturating_sub(1);
    let until = next.map_or(close, |next| next.start);
    let gap = before.end..until;
    let comments = sheet.comments(&gap);
    let on_line = comments
        .iter()
        .find(|comment| sheet.line_start(comment.start) <= before.end);
    let written = sheet.get(gap.start..comments.first().map_or(until, |comment| comment.start));
    let comma = written.find(',').map(|comma| before.end + comma);
    let end = on_line.map(|comment| comment.end);
    let trimmed = |at: usize| {
        if sheet.get(0..at).ends_with('\r') {
            at - 1
        } else {
            at
        }
    };
    Ok(match (comma, next) {
        (Some(comma), _) => vec![Edit::insert(
            end.map_or(comma + 1, trimmed),
            format!("{text},"),
        )],
        (None, None) => match end {
            Some(end) => vec![
                Edit::insert(before.end, ","),
                Edit::insert(trimmed(end), text),
            ],
            None => vec![Edit::insert(before.end, format!(",{text}"))],
        },
        (None, Some(_)) => {
            let message = "a comment stands before the comma";
            return Err(sheet.tree.fault(before.value, message));
        }
    })
}

/// Puts an entry where none is before it.
fn first(
    sheet: &Sheet<'_>,
    at: Index,
    next: Option<&Entry>,
    (style, flow): (&Style, &FlowStyle),
    write: impl Fn(&str) -> String,
) -> Edit {
    let open = sheet.inner_start(at);
    let outer = sheet.indentation(open);
    if let Some(next) = next {
        if stands_apart(sheet, at, next) {
            let indentation = sheet.indentation(next.start);
            let text = format!("{},{}{indentation}", write(indentation), style.newline);
            return Edit::insert(next.start, text);
        }
        let text = format!("{},{}", write(outer), flow.comma);
        return Edit::insert(next.start, text);
    }
    let mapping = sheet.rest(open).starts_with('{');
    let (begin, end) = match &flow.step {
        Some(step) => (
            format!("{}{outer}{step}", style.newline),
            format!("{}{outer}", style.newline),
        ),
        None if mapping => (flow.padding.to_owned(), flow.padding.to_owned()),
        None => (String::new(), String::new()),
    };
    let inner = format!("{outer}{}", flow.step.as_deref().unwrap_or_default());
    let close = sheet.tree.range(at).end.saturating_sub(1);
    Edit::new(open + 1..close, format!("{begin}{}{end}", write(&inner)))
}

/// Takes out an entry.
pub(super) fn remove(
    sheet: &Sheet<'_>,
    container: Index,
    index: usize,
) -> Result<Vec<Edit>, Fault> {
    let entries = sheet.entries(container)?;
    let close = sheet.tree.range(container).end.saturating_sub(1);
    let Some(entry) = entries.get(index) else {
        return Ok(Vec::new());
    };
    let before = index.checked_sub(1).and_then(|before| entries.get(before));
    let range = match (entries.get(index + 1), before) {
        (Some(next), _) => entry.start..next.start,
        (None, Some(before)) => before.end..entry.end,
        (None, None) => sheet.inner_start(container) + 1..close,
    };
    if sheet.has_comment(&range) {
        return Err(sheet
            .tree
            .fault(entry.value, "a comment stands beside it that would be lost"));
    }
    Ok(vec![Edit::delete(range)])
}

/// Puts another value in the place of one.
pub(super) fn replace(
    sheet: &Sheet<'_>,
    chain: &[Index],
    old: Index,
    value: &Value,
) -> Result<Vec<Edit>, Fault> {
    let range = sheet.inner_start(old)..sheet.tree.range(old).end;
    if sheet.has_comment(&range) {
        return Err(sheet
            .tree
            .fault(old, "a comment stands in it that would be lost"));
    }
    let style = Style::around(sheet, chain);
    let flow = FlowStyle::around(sheet, chain);
    let written = Flow::new(&style, flow).entry(None, value, sheet.indentation(range.start));
    let blank = if range.is_empty() && sheet.get(0..range.start).ends_with(':') {
        " "
    } else {
        ""
    };
    Ok(vec![Edit::new(range, format!("{blank}{written}"))])
}
