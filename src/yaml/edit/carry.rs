//! A member moves: a key is spelt anew, or the member's lines go where they belong.

use std::ops::Range;

use super::pieces::Edit;
use super::sheet::{Entry, Sheet};
use super::style::Style;
use super::way::Way;
use super::{block, quote};
use crate::yaml::read::Fault;
use crate::yaml::read::tree::{Content, Index};

/// The edits of a move; `None` where the value has to be taken out and written anew.
pub(super) fn carry(sheet: &Sheet<'_>, from: &Way, to: &Way) -> Result<Option<Vec<Edit>>, Fault> {
    let (source, target) = (from.container(sheet), to.container(sheet));
    let Some(index) = from.index(sheet) else {
        return Err(sheet
            .tree
            .fault(source, format!("`{}` is not written here", from.token)));
    };
    let entries = sheet.entries(source)?;
    let Some(entry) = entries.get(index) else {
        return Ok(None);
    };
    let mappings = [source, target]
        .iter()
        .all(|at| sheet.tree.content(*at) == Content::Mapping);
    let free = mappings && to.index(sheet).is_none();
    if free && sheet.find(source, &from.token).1 {
        return Err(sheet
            .tree
            .fault(entry.value, "its key stands more than once"));
    }
    if free && source == target {
        return rename(sheet, entry, from, to).map(Some);
    }
    if free
        && sheet.is_block(source)
        && let Some(home) = Home::of(sheet, to)?
    {
        let lines = Lines::of(sheet, entry, sheet.column(sheet.inner_start(source)));
        let mut edits = lines.take_out(sheet, from, (index, &entries))?;
        let written = lines.written(sheet, entry, (to, home.column))?;
        let mut placed = home.place(sheet, &to.token, &written)?;
        // The last lines of a text without a line end stay the last.
        if let Some(gone) = edits.iter_mut().find(|gone| {
            gone.range.start < placed.range.start && placed.range.start < gone.range.end
        }) {
            gone.range = lines.start..lines.end;
            let bare = placed.text.trim_end_matches(['\r', '\n']).len();
            placed.text.truncate(bare);
        }
        edits.push(placed);
        edits.extend(home.opened());
        return Ok(Some(edits));
    }
    let end = if sheet.is_block(source) {
        sheet.line_end(entry.end)
    } else {
        entry.end
    };
    if sheet.has_comment(&(entry.start..end)) {
        return Err(sheet
            .tree
            .fault(entry.value, "a comment stands in it that would be lost"));
    }
    Ok(None)
}

/// The mapping that lines go to.
#[derive(Debug)]
struct Home {
    mapping: Index,
    /// Where its keys stand.
    column: usize,
    /// Of an empty one, the braces and the blanks before them.
    braces: Option<Range<usize>>,
}

impl Home {
    /// A mapping in block style, or an empty one that can be written so.
    fn of(sheet: &Sheet<'_>, to: &Way) -> Result<Option<Self>, Fault> {
        let mapping = to.container(sheet);
        if sheet.is_block(mapping) {
            return Ok(Some(Self {
                mapping,
                column: sheet.column(sheet.inner_start(mapping)),
                braces: None,
            }));
        }
        let in_lines = to.outer().is_some_and(|outer| sheet.is_block(outer));
        let Some(holder) = to.holder(sheet)?.filter(|holder| holder.key.is_some()) else {
            return Ok(None);
        };
        let mark = sheet.after_mark(&holder);
        let range = sheet.inner_start(mapping)..sheet.end(mapping);
        let between = sheet.get(mark..range.end);
        if !in_lines || !sheet.is_empty(mapping) || between.contains(['\n', '#']) {
            return Ok(None);
        }
        let blanks = sheet.get(mark..range.start);
        Ok(Some(Self {
            mapping,
            column: sheet.column(holder.start) + Style::around(sheet, &to.chain).step,
            braces: Some(mark + blanks.trim_end().len()..range.end),
        }))
    }

    fn place(&self, sheet: &Sheet<'_>, key: &str, written: &str) -> Result<Edit, Fault> {
        if let Some(braces) = &self.braces {
            let line = format!("{}{written}", " ".repeat(self.column));
            return Ok(block::line_at(sheet, sheet.line_end(braces.end), &line));
        }
        let index = block::index_for(sheet, self.mapping, key);
        block::place(sheet, self.mapping, index, written)
    }

    /// What makes an empty one ready for lines below it.
    fn opened(self) -> Option<Edit> {
        self.braces.map(Edit::delete)
    }
}

/// Spells a key anew, in the quotes that it has.
fn rename(sheet: &Sheet<'_>, entry: &Entry, from: &Way, to: &Way) -> Result<Vec<Edit>, Fault> {
    Ok(match entry.key {
        Some(key) if from.token != to.token => {
            vec![Edit::new(sheet.tree.range(key), spelt(sheet, key, to)?)]
        }
        _ => Vec::new(),
    })
}

fn spelt(sheet: &Sheet<'_>, key: Index, to: &Way) -> Result<String, Fault> {
    if sheet.has_properties(key) || matches!(sheet.tree.content(key), Content::Alias(_)) {
        return Err(sheet
            .tree
            .fault(key, "this key has an anchor, a tag or an alias"));
    }
    let written = sheet.rest(sheet.tree.range(key).start);
    let flow = sheet.is_flow(to.container(sheet));
    Ok(match written.chars().next() {
        Some('"') => quote::double(&to.token),
        Some('\'') if !quote::scalar(&to.token, '\'', flow).starts_with('"') => {
            format!("'{}'", to.token.replace('\'', "''"))
        }
        _ => quote::scalar(&to.token, '"', flow),
    })
}

/// The lines of a member, with the comments directly above it and those below that stand deeper than its key.
#[derive(Debug)]
struct Lines {
    start: usize,
    end: usize,
    column: usize,
}

impl Lines {
    fn of(sheet: &Sheet<'_>, entry: &Entry, column: usize) -> Self {
        let start = if sheet.is_first(entry.start) {
            block::head(sheet, entry.start)
        } else {
            entry.start
        };
        Self {
            start,
            end: block::end_of(sheet, entry, column, true),
            column,
        }
    }

    /// The lines as they are to be written elsewhere: all of them as much deeper or less deep, the first one without its blanks.
    fn written(
        &self,
        sheet: &Sheet<'_>,
        entry: &Entry,
        (to, target): (&Way, usize),
    ) -> Result<String, Fault> {
        let mut text = sheet.get(self.start..self.end).to_owned();
        if let Some(key) = entry.key
            && sheet.tree.key(key).is_ok_and(|key| key != to.token)
        {
            let range = sheet.tree.range(key);
            text.replace_range(
                range.start - self.start..range.end - self.start,
                &spelt(sheet, key, to)?,
            );
        }
        let mut out = String::with_capacity(text.len());
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let bare = line.trim_start_matches(' ');
            let blanks = line.len() - bare.len();
            if number > 0 && !bare.trim_end_matches(['\r', '\n']).is_empty() {
                out.extend(std::iter::repeat_n(
                    ' ',
                    (blanks + target).saturating_sub(self.column),
                ));
            } else if number > 0 {
                out.extend(std::iter::repeat_n(' ', blanks));
            }
            out.push_str(bare);
        }
        let bare = out.strip_suffix('\n').unwrap_or(&out);
        Ok(bare.strip_suffix('\r').unwrap_or(bare).to_owned())
    }

    /// Takes the lines out of where they are.
    fn take_out(
        &self,
        sheet: &Sheet<'_>,
        from: &Way,
        (index, entries): (usize, &[Entry]),
    ) -> Result<Vec<Edit>, Fault> {
        let container = from.container(sheet);
        if sheet.is_first(self.start) {
            let lines = Edit::delete(block::lines_of(sheet, self.start, self.end));
            if entries.len() > 1 {
                return Ok(vec![lines]);
            }
            let holder = from
                .holder(sheet)?
                .filter(|_| !sheet.has_properties(container));
            let Some(holder) = holder else {
                return Err(sheet.tree.fault(container, "nothing would be left"));
            };
            return Ok(vec![Edit::insert(sheet.after_mark(&holder), " {}"), lines]);
        }
        let Some(next) = entries.get(index + 1) else {
            let line = sheet
                .get(self.start..self.end)
                .trim_end_matches(['\r', '\n']);
            return Ok(vec![Edit::new(self.start..self.start + line.len(), "{}")]);
        };
        if sheet.has_comment(&(self.end..next.start)) {
            return Err(sheet.tree.fault(
                container,
                "a comment stands where it would not fit any more",
            ));
        }
        Ok(vec![Edit::delete(self.start..next.start)])
    }
}
