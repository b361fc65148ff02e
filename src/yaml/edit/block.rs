//! Edits in block style: whole lines.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use super::order;
use super::pieces::Edit;
use super::sheet::{Entry, Sheet};
use super::style::Style;
use super::write::Block;
use crate::yaml::read::Fault;
use crate::yaml::read::tree::{Content, Index};

/// Puts an entry before the one at `index`, or at the end.
pub(super) fn insert(
    sheet: &Sheet<'_>,
    chain: &[Index],
    index: usize,
    (key, value): (Option<&str>, &Value),
) -> Result<Vec<Edit>, Fault> {
    let at = chain.last().copied().unwrap_or(sheet.root);
    let style = Style::around(sheet, chain);
    let column = sheet.column(sheet.inner_start(at));
    let write = Block::new(&style);
    let written = if let Some(key) = key {
        write.member(key, value, column)
    } else {
        let beside = index.min(sheet.tree.children(at).count().saturating_sub(1));
        let like = keys(sheet, sheet.tree.children(at).nth(beside));
        write.like(like).item(value, column)
    };
    Ok(vec![place(sheet, at, index, &written)?])
}

/// The keys of a mapping, in their order.
fn keys(sheet: &Sheet<'_>, mapping: Option<Index>) -> Vec<String> {
    let mapping = mapping.filter(|at| sheet.tree.content(*at) == Content::Mapping);
    let pairs = mapping.into_iter().flat_map(|at| sheet.tree.pairs(at));
    let keys = pairs.filter_map(|(key, _)| sheet.tree.key(key).ok());
    keys.map(Cow::into_owned).collect()
}

/// Puts lines, the first of them without its indentation, before the entry at `index`.
pub(super) fn place(
    sheet: &Sheet<'_>,
    container: Index,
    index: usize,
    written: &str,
) -> Result<Edit, Fault> {
    let entries = sheet.entries(container)?;
    let column = sheet.column(sheet.inner_start(container));
    let blanks = " ".repeat(column);
    let newline = sheet.newline();
    if let Some(before) = index.checked_sub(1).and_then(|before| entries.get(before)) {
        let at = end_of(sheet, before, column, entries.get(index).is_some());
        return Ok(line_at(sheet, at, &format!("{blanks}{written}")));
    }
    let Some(next) = entries.first() else {
        return Err(sheet
            .tree
            .fault(container, "there is nothing beside which it could stand"));
    };
    if sheet.is_first(next.start) {
        let at = head(sheet, next.start);
        return Ok(Edit::insert(at, format!("{blanks}{written}{newline}")));
    }
    Ok(Edit::insert(
        next.start,
        format!("{written}{newline}{blanks}"),
    ))
}

/// A line of its own, also after a last line without an end.
pub(super) fn line_at(sheet: &Sheet<'_>, at: usize, line: &str) -> Edit {
    let newline = sheet.newline();
    if at == 0 || sheet.get(0..at).ends_with('\n') {
        Edit::insert(at, format!("{line}{newline}"))
    } else {
        Edit::insert(at, format!("{newline}{line}"))
    }
}

/// Where the lines of an entry end: the comments that follow it and stand too deep for what comes next are its own.
///
/// The last entry of a container has those at its own column too.
pub(super) fn end_of(sheet: &Sheet<'_>, entry: &Entry, column: usize, followed: bool) -> usize {
    let end = sheet.line_end(entry.end);
    let next = following_column(sheet, end);
    let least = if followed { column + 1 } else { column };
    let mut at = end;
    let mut own = end;
    for line in sheet.rest(end).split_inclusive('\n') {
        let text = line.trim_start_matches(' ');
        let indentation = line.len() - text.len();
        if !text.starts_with('#') || indentation < least || indentation <= next {
            break;
        }
        at += line.len();
        own = at;
    }
    own
}

/// The column of the next line that has content; 0 where there is none.
fn following_column(sheet: &Sheet<'_>, from: usize) -> usize {
    let mut lines = sheet.rest(from).lines();
    let content = lines.find(|line| !matches!(line.trim_start().chars().next(), None | Some('#')));
    content.map_or(0, |line| line.len() - line.trim_start_matches(' ').len())
}

/// Where the comments begin that stand directly above an entry, at its column; else its own line.
pub(super) fn head(sheet: &Sheet<'_>, start: usize) -> usize {
    let own = sheet.line_start(start);
    let column = sheet.column(start);
    let mut at = own;
    for line in sheet.get(0..own).split_inclusive('\n').rev() {
        let text = line.trim_start_matches(' ');
        if !text.starts_with('#') || line.len() - text.len() != column {
            break;
        }
        at -= line.len();
    }
    at
}

/// Fills an empty `{}` or `[]` that stands in block style.
pub(super) fn fill(
    sheet: &Sheet<'_>,
    chain: &[Index],
    holder: &Entry,
    value: &Value,
) -> Result<Vec<Edit>, Fault> {
    let style = Style::around(sheet, chain);
    let start = sheet.inner_start(holder.value);
    let range = start..sheet.end(holder.value).max(start);
    if sheet.has_comment(&range) {
        return Err(sheet
            .tree
            .fault(holder.value, "a comment stands in it that would be lost"));
    }
    let mark = sheet.after_mark(holder);
    let between = sheet.get(mark..range.start);
    let blank = if between.is_empty() { " " } else { "" };
    let column = sheet.column(holder.start);
    if holder.key.is_none() || between.contains('\n') {
        let inner = sheet.column(range.start) + blank.len();
        let written = Block::new(&style).behind_dash(value, inner);
        return Ok(beside_comment(sheet, range, &format!("{blank}{written}")));
    }
    let written = Block::new(&style).value(value, column);
    if written.starts_with(style.newline) {
        let range = mark + between.trim_end().len()..range.end;
        return Ok(beside_comment(sheet, range, &written));
    }
    let written = written.strip_prefix(' ').unwrap_or(&written);
    Ok(beside_comment(sheet, range, &format!("{blank}{written}")))
}

/// Puts lines in the place of what has one: what ends that line stays at the first.
fn beside_comment(sheet: &Sheet<'_>, range: Range<usize>, written: &str) -> Vec<Edit> {
    let Some((first, lines)) = written.split_once(sheet.newline()) else {
        return vec![Edit::new(range, written)];
    };
    let end = sheet.line_end(range.end);
    vec![Edit::new(range, first), line_at(sheet, end, lines)]
}

/// Puts another value in the place of one.
pub(super) fn replace(
    sheet: &Sheet<'_>,
    chain: &[Index],
    holder: &Entry,
    value: &Value,
) -> Result<Vec<Edit>, Fault> {
    let old = sheet.get(sheet.inner_start(holder.value)..sheet.end(holder.value));
    if !sheet.is_block(holder.value) && !old.contains('\n') {
        return fill(sheet, chain, holder, value);
    }
    let range = sheet.after_mark(holder)..holder.end;
    if sheet.has_comment(&(range.start..sheet.line_end(range.end))) {
        return Err(sheet
            .tree
            .fault(holder.value, "a comment stands in it that would be lost"));
    }
    let style = Style::around(sheet, chain);
    let column = sheet.column(holder.start);
    let written = if holder.key.is_some() {
        Block::new(&style).value(value, column)
    } else {
        format!(" {}", Block::new(&style).behind_dash(value, column + 2))
    };
    let ended = sheet.get(range.clone()).ends_with('\n');
    let newline = if ended { style.newline } else { "" };
    Ok(vec![Edit::new(range, format!("{written}{newline}"))])
}

/// Takes out an entry, with the comment that ends its line. What it leaves empty becomes `{}` or `[]`.
pub(super) fn remove(
    sheet: &Sheet<'_>,
    container: Index,
    holder: Option<&Entry>,
    index: usize,
) -> Result<Vec<Edit>, Fault> {
    let entries = sheet.entries(container)?;
    let Some(entry) = entries.get(index) else {
        return Ok(Vec::new());
    };
    if entries.len() == 1 {
        let Some(holder) = holder else {
            return Err(sheet.tree.fault(container, "nothing would be left"));
        };
        return empty(sheet, container, holder, entry);
    }
    if sheet.is_first(entry.start) {
        return Ok(vec![Edit::delete(lines_of(
            sheet,
            sheet.line_start(entry.start),
            sheet.line_end(entry.end),
        ))]);
    }
    let Some(next) = entries.get(index + 1) else {
        return Err(sheet
            .tree
            .fault(entry.value, "this is written in an unusual way"));
    };
    if !sheet.has_comment(&(sheet.line_end(entry.end)..next.start)) {
        return Ok(vec![Edit::delete(entry.start..next.start)]);
    }
    let before = sheet.get(0..entry.start).trim_end_matches(' ').len();
    let line = sheet
        .get(entry.end..sheet.line_end(entry.end))
        .trim_end_matches(['\r', '\n']);
    Ok(vec![Edit::delete(before..entry.end + line.len())])
}

/// Whole lines; at the end of a text that has no last line end, with the line end before them.
pub(super) fn lines_of(sheet: &Sheet<'_>, start: usize, end: usize) -> Range<usize> {
    if end == sheet.text.len() && !sheet.text.ends_with('\n') && start > 0 {
        let before = sheet.get(0..start);
        let before = before.strip_suffix('\n').unwrap_or(before);
        return before.strip_suffix('\r').unwrap_or(before).len()..end;
    }
    start..end
}

/// Takes out the only entry of a container.
fn empty(
    sheet: &Sheet<'_>,
    container: Index,
    holder: &Entry,
    entry: &Entry,
) -> Result<Vec<Edit>, Fault> {
    let braces = if sheet.tree.content(container) == Content::Mapping {
        "{}"
    } else {
        "[]"
    };
    if sheet.has_properties(container) {
        return Err(sheet
            .tree
            .fault(container, "it has an anchor or a tag and would be empty"));
    }
    if !sheet.is_first(entry.start) {
        return Ok(vec![Edit::new(entry.start..entry.end, braces)]);
    }
    let mark = sheet.after_mark(holder);
    let lines = lines_of(
        sheet,
        sheet.line_start(entry.start),
        sheet.line_end(entry.end),
    );
    Ok(vec![
        Edit::insert(mark, format!(" {braces}")),
        Edit::delete(lines),
    ])
}

/// Where a new member belongs among the others.
pub(super) fn index_for(sheet: &Sheet<'_>, mapping: Index, key: &str) -> usize {
    let keys = sheet
        .tree
        .pairs(mapping)
        .map(|(own, _)| sheet.tree.key(own).unwrap_or_default());
    let keys: Vec<_> = keys.collect();
    order::index(&keys, key)
}
