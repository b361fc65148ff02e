//! How a text is laid out, told from what stands nearby.

use super::sheet::Sheet;
use crate::yaml::read::members::plain_text;
use crate::yaml::read::tree::{Content, Index};

/// The layout of what is written in block style.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// How much deeper the members of a mapping stand than its key.
    pub(super) step: usize,
    /// How much deeper the dashes of a list stand than its key.
    pub(super) dash: usize,
    /// From a dash to its item.
    pub(super) gap: usize,
    /// The quote that texts are put into.
    pub(super) quote: char,
    /// The line end.
    pub(super) newline: &'static str,
}

impl Style {
    /// The style around the last of a chain of containers, from the outermost to the innermost.
    ///
    /// Steps are what most of the text has; of the rest the nearest examples count, for rendered charts are put together from
    /// parts with different habits.
    pub(super) fn around(sheet: &Sheet<'_>, chain: &[Index]) -> Self {
        let whole = Examples::of(sheet, 0);
        let mut near: Vec<Examples> = Vec::new();
        for at in chain.iter().rev() {
            let found = Examples::of(sheet, *at);
            let complete = found.is_complete();
            near.push(found);
            if complete {
                break;
            }
        }
        near.push(whole);
        let nearest =
            |of: fn(&Examples) -> &Vec<usize>| near.iter().find_map(|found| most(of(found)));
        Self {
            step: near
                .last()
                .and_then(|whole| most(&whole.steps))
                .unwrap_or(2),
            dash: nearest(|found| &found.dashes).unwrap_or(0),
            gap: nearest(|found| &found.gaps).unwrap_or(2),
            quote: near.iter().find_map(|found| found.quote).unwrap_or('"'),
            newline: sheet.newline(),
        }
    }
}

/// The most frequent of some numbers; of several the least.
fn most(numbers: &[usize]) -> Option<usize> {
    let count = |number: &usize| numbers.iter().filter(|other| *other == number).count();
    numbers
        .iter()
        .copied()
        .max_by_key(|number| (count(number), std::cmp::Reverse(*number)))
}

/// What a part of the text shows.
#[derive(Default)]
struct Examples {
    steps: Vec<usize>,
    dashes: Vec<usize>,
    gaps: Vec<usize>,
    quote: Option<char>,
}

/// So many examples show a habit.
const ENOUGH: usize = 64;

impl Examples {
    fn of(sheet: &Sheet<'_>, root: Index) -> Self {
        let mut found = Self::default();
        for at in root..sheet.tree.after(root) {
            match sheet.tree.content(at) {
                Content::Mapping if found.steps.len() < ENOUGH && sheet.is_block(at) => {
                    found.mapping(sheet, at);
                }
                Content::Sequence if found.gaps.len() < ENOUGH && sheet.is_block(at) => {
                    found.sequence(sheet, at);
                }
                Content::Scalar { .. } if found.quote.is_none() => {
                    let first = sheet.rest(sheet.tree.range(at).start).chars().next();
                    found.quote = first.filter(|first| matches!(first, '"' | '\''));
                }
                _ => {}
            }
        }
        found
    }

    fn is_complete(&self) -> bool {
        !self.dashes.is_empty() && !self.gaps.is_empty() && self.quote.is_some()
    }

    fn mapping(&mut self, sheet: &Sheet<'_>, at: Index) {
        let own = sheet.column(sheet.inner_start(at));
        for (_, value) in sheet.tree.pairs(at) {
            if !sheet.is_block(value) {
                continue;
            }
            let deeper = sheet.column(sheet.inner_start(value)).checked_sub(own);
            match sheet.tree.content(value) {
                Content::Mapping => self.steps.extend(deeper.filter(|step| *step > 0)),
                _ => self.dashes.extend(deeper),
            }
        }
    }

    fn sequence(&mut self, sheet: &Sheet<'_>, at: Index) {
        let dash = sheet.inner_start(at);
        let first = sheet.tree.children(at).next();
        let first = first.map(|first| sheet.tree.range(first));
        if let Some(first) = first
            && sheet.line_start(first.start) == sheet.line_start(dash)
            && !first.is_empty()
        {
            self.gaps.push(first.start - dash);
        }
    }
}

/// How what stands in braces and brackets is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlowStyle {
    /// Keys are quoted as in JSON.
    pub(super) keys: bool,
    /// Texts are quoted as in JSON.
    pub(super) texts: bool,
    /// What follows a colon: a blank or nothing.
    pub(super) colon: &'static str,
    /// What follows a comma.
    pub(super) comma: &'static str,
    /// What stands within braces beside them.
    pub(super) padding: &'static str,
    /// Each entry has a line of its own, with so many more blanks than the bracket's line; `None`: all on one line.
    pub(super) step: Option<String>,
}

impl FlowStyle {
    /// The style around the last of a chain of containers, from the outermost to the innermost: the nearest example counts.
    pub(super) fn around(sheet: &Sheet<'_>, chain: &[Index]) -> Self {
        let mut examples = FlowExamples::default();
        for at in chain.iter().rev() {
            if sheet.is_flow(*at) {
                examples.look_in(sheet, *at);
            }
        }
        let json = sheet.is_json();
        Self {
            keys: json || examples.keys.unwrap_or(false),
            texts: json || examples.texts.or(examples.keys).unwrap_or(false),
            colon: if examples.colon.unwrap_or(true) {
                " "
            } else {
                ""
            },
            comma: if examples.comma.unwrap_or(true) {
                " "
            } else {
                ""
            },
            padding: if examples.padding.unwrap_or(false) {
                " "
            } else {
                ""
            },
            step: examples.step.filter(|_| examples.lines == Some(true)),
        }
    }
}

#[derive(Default)]
struct FlowExamples {
    keys: Option<bool>,
    texts: Option<bool>,
    colon: Option<bool>,
    comma: Option<bool>,
    padding: Option<bool>,
    lines: Option<bool>,
    step: Option<String>,
}

impl FlowExamples {
    fn look_in(&mut self, sheet: &Sheet<'_>, root: Index) {
        for at in root..sheet.tree.after(root) {
            if sheet.is_flow(at) {
                self.container(sheet, at);
            }
        }
    }

    fn container(&mut self, sheet: &Sheet<'_>, at: Index) {
        let Some(first) = sheet.tree.children(at).next() else {
            return;
        };
        let open = sheet.inner_start(at);
        let start = sheet.tree.range(first).start;
        let before = sheet.get(open + 1..start);
        let lines = before.contains('\n');
        if self.lines.is_none() {
            let (outer, inner) = (sheet.indentation(open), sheet.indentation(start));
            self.step = Some(inner.strip_prefix(outer).unwrap_or("  ").to_owned());
            self.lines = Some(lines);
        }
        let blank = |at: usize| sheet.rest(at).starts_with([' ', '\t', '\r', '\n']);
        if !lines && sheet.tree.content(at) == Content::Mapping {
            self.padding = self.padding.or(Some(blank(open + 1)));
        }
        let mut previous: Option<usize> = None;
        for entry in sheet.entries(at).unwrap_or_default() {
            if let Some(key) = entry.key {
                self.keys = self.keys.or(Some(sheet.rest(entry.start).starts_with('"')));
                if sheet.tree.range(key).end < entry.end {
                    self.colon = self.colon.or(Some(blank(sheet.after_mark(&entry))));
                }
            }
            if plain_text(sheet.tree, entry.value).is_some() {
                let quoted = sheet.rest(sheet.inner_start(entry.value)).starts_with('"');
                self.texts = self.texts.or(Some(quoted));
            }
            if let Some(end) = previous {
                let comma = sheet
                    .get(end..entry.start)
                    .find(',')
                    .map(|comma| end + comma + 1);
                self.comma = self.comma.or(comma.map(blank));
            }
            previous = Some(entry.end);
        }
    }
}
