//! A text and its tree: lines, columns, and the entries of mappings and lists as they are written.

use std::ops::Range;

use crate::yaml::read::Fault;
use crate::yaml::read::members::is_merge;
use crate::yaml::read::tree::{Content, Index, Tree};

/// Blanks and line ends.
const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A text that is to be edited.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    pub(super) text: &'a str,
    pub(super) tree: &'a Tree<'a>,
    pub(super) root: Index,
}

/// A member of a mapping or an item of a list.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key of a member.
    pub(super) key: Option<Index>,
    pub(super) value: Index,
    /// Where it begins: the key, the dash, or in flow style the item.
    pub(super) start: usize,
    /// Where its last character ends; of a block scalar that keeps its blank lines, after them.
    pub(super) end: usize,
}

impl<'a> Sheet<'a> {
    /// Bytes of the text.
    pub(super) fn get(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    pub(super) fn rest(&self, from: usize) -> &'a str {
        self.text.get(from..).unwrap_or_default()
    }

    /// Where the line begins that a byte stands in.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.get(0..at).rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Where the next line begins; the end of the text in the last one. What ends with a line end has no more line to it.
    pub(super) fn line_end(&self, at: usize) -> usize {
        if self.get(0..at).ends_with('\n') {
            return at;
        }
        let rest = self.rest(at);
        at + rest.find('\n').map_or(rest.len(), |newline| newline + 1)
    }

    /// How many characters stand before a byte in its line.
    pub(super) fn column(&self, at: usize) -> usize {
        self.get(self.line_start(at)..at).chars().count()
    }

    /// The blanks at the beginning of a byte's line.
    pub(super) fn indentation(&self, at: usize) -> &'a str {
        let line = self.rest(self.line_start(at));
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        line.get(..blanks).unwrap_or_default()
    }

    /// Whether nothing but blanks stands before a byte in its line.
    pub(super) fn is_first(&self, at: usize) -> bool {
        self.get(self.line_start(at)..at)
            .trim_start_matches(' ')
            .is_empty()
    }

    /// The line end of the text.
    pub(super) fn newline(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.get(0..at).ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// Whether the text is JSON.
    pub(super) fn is_json(&self) -> bool {
        self.tree.is_json()
    }

    /// Where a node begins behind its anchor and its tag.
    pub(super) fn inner_start(&self, at: Index) -> usize {
        let range = self.tree.range(at);
        let mut start = range.start;
        loop {
            let rest = self.get(start..range.end);
            if !rest.starts_with(['&', '!']) {
                return start;
            }
            start += rest.find(WHITE).unwrap_or(rest.len());
            start = self.skip_blank(start, range.end);
        }
    }

    /// The next byte that belongs neither to a blank nor to a comment.
    fn skip_blank(&self, mut at: usize, end: usize) -> usize {
        loop {
            let rest = self.get(at..end);
            at += rest.len() - rest.trim_start_matches(WHITE).len();
            if !self.get(at..end).starts_with('#') {
                return at;
            }
            at = self.line_end(at + 1).min(end);
        }
    }

    /// Whether a node has an anchor or a tag.
    pub(super) fn has_properties(&self, at: Index) -> bool {
        self.inner_start(at) != self.tree.range(at).start
    }

    /// Whether a mapping or list stands in braces or brackets.
    pub(super) fn is_flow(&self, at: Index) -> bool {
        self.is_container(at) && self.rest(self.inner_start(at)).starts_with(['{', '['])
    }

    pub(super) fn is_container(&self, at: Index) -> bool {
        matches!(self.tree.content(at), Content::Mapping | Content::Sequence)
    }

    pub(super) fn is_block(&self, at: Index) -> bool {
        self.is_container(at) && !self.is_flow(at)
    }

    pub(super) fn is_empty(&self, at: Index) -> bool {
        self.tree.children(at).next().is_none()
    }

    /// The block scalar that a node ends with, if it does: where its header begins.
    fn block_scalar(&self, at: Index) -> Option<Index> {
        let last = self.tree.after(at).saturating_sub(1);
        let scalar = matches!(self.tree.content(last), Content::Scalar { .. });
        (scalar && self.rest(self.inner_start(last)).starts_with(['|', '>']) && !self.is_json())
            .then_some(last)
    }

    /// Where the last character of a node ends.
    pub(super) fn end(&self, at: Index) -> usize {
        let range = self.tree.range(at);
        let keeps = self.block_scalar(at).is_some_and(|scalar| {
            let written = self.get(self.inner_start(scalar)..range.end);
            let header = written.lines().next().unwrap_or_default();
            header
                .split('#')
                .next()
                .is_some_and(|header| header.contains('+'))
        });
        if keeps {
            return range.end;
        }
        let written = self.get(range.clone()).trim_end_matches(WHITE);
        range.start + written.len()
    }

    /// The entries of a mapping or list in the order in which they are written.
    pub(super) fn entries(&self, of: Index) -> Result<Vec<Entry>, Fault> {
        let flow = self.is_flow(of);
        if self.tree.content(of) == Content::Mapping {
            let pairs = self.tree.pairs(of);
            return pairs
                .map(|(key, value)| self.member(key, value, flow))
                .collect();
        }
        let mut after = self.inner_start(of);
        let column = self.column(after);
        let mut found = Vec::new();
        for value in self.tree.children(of) {
            let end = self.end(value);
            let start = if flow {
                self.tree.range(value).start
            } else {
                let dash = self.dash(after..self.tree.range(value).start, column);
                dash.ok_or_else(|| {
                    self.tree
                        .fault(value, "this item is written in an unusual way")
                })?
            };
            after = end;
            found.push(Entry {
                key: None,
                value,
                start,
                end,
            });
        }
        Ok(found)
    }

    fn member(&self, key: Index, value: Index, flow: bool) -> Result<Entry, Fault> {
        let start = self.tree.range(key).start;
        let before = self.get(self.line_start(start)..start);
        if !flow
            && !before
                .chars()
                .all(|character| matches!(character, ' ' | '-'))
        {
            return Err(self
                .tree
                .fault(key, "this key is written in an unusual way"));
        }
        let end = self.end(value).max(self.tree.range(key).end);
        Ok(Entry {
            key: Some(key),
            value,
            start,
            end,
        })
    }

    /// The dash of an item, between the item before it and its value.
    fn dash(&self, between: Range<usize>, column: usize) -> Option<usize> {
        let mut at = between.start;
        while at < between.end {
            let next = self.skip_blank(at, between.end);
            let dash = self.rest(next).starts_with('-');
            if dash && next < between.end && self.column(next) == column {
                return Some(next);
            }
            at = next + 1;
        }
        None
    }

    /// The own member of a mapping with a key: the last one, and whether there are more.
    pub(super) fn find(&self, mapping: Index, key: &str) -> (Option<(Index, Index)>, bool) {
        let pairs = self.tree.pairs(mapping);
        let mut same = pairs.filter(|(at, _)| {
            !is_merge(self.tree, *at) && self.tree.key(*at).is_ok_and(|own| own == key)
        });
        let first = same.next();
        let last = same.last();
        (last.or(first), last.is_some())
    }

    /// The byte after the colon of a member, or after the dash of an item.
    pub(super) fn after_mark(&self, entry: &Entry) -> usize {
        let Some(key) = entry.key else {
            return entry.start + 1;
        };
        let end = self.tree.range(key).end;
        let rest = self.rest(end);
        end + rest.find(':').map_or(0, |colon| colon + 1)
    }

    /// The comments that begin in a range, each from its `#` to the end of its line.
    pub(super) fn comments(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.is_json() {
            return found;
        }
        let mut from = 0;
        for leaf in 0..self.tree.after(0) {
            let own = self.tree.range(leaf);
            if self.is_container(leaf) || own.start >= range.end {
                continue;
            }
            self.comments_between(from..own.start, &mut found);
            if self.block_scalar(leaf).is_some() {
                let header = self.line_end(own.start + 1).min(own.end);
                self.comments_between(self.inner_start(leaf) + 1..header, &mut found);
            }
            from = own.end;
        }
        self.comments_between(from..range.end, &mut found);
        found.retain(|comment| range.contains(&comment.start));
        found
    }

    fn comments_between(&self, gap: Range<usize>, found: &mut Vec<Range<usize>>) {
        let mut at = gap.start;
        while let Some(hash) = self.get(at..gap.end).find('#') {
            let start = at + hash;
            if start == 0 || self.get(0..start).ends_with(WHITE) {
                let line = self.rest(start).lines().next().unwrap_or_default();
                found.push(start..start + line.len());
                at = start + line.len();
            } else {
                at = start + 1;
            }
        }
    }

    /// Whether a comment begins in a range.
    pub(super) fn has_comment(&self, range: &Range<usize>) -> bool {
        !self.comments(range).is_empty()
    }
}
