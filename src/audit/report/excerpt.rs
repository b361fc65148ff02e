//! A finding with the line that it is about, as compilers show it.

use std::collections::HashMap;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Style, word};
use crate::model::finding::Action;
use crate::review::report::{Located, Report, Unreadable};

/// The texts of a report, cut into lines.
pub(super) struct Excerpts<'r> {
    lines: HashMap<&'r str, Vec<&'r str>>,
    renderer: Renderer,
}

/// A place in a file.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) path: &'a str,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl<'r> Excerpts<'r> {
    pub(super) fn of(report: &'r Report, style: Style) -> Self {
        let lines = report.sources.iter().map(|(path, text)| {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            (path.as_str(), text.lines().collect())
        });
        Self {
            lines: lines.collect(),
            renderer: if style.colour {
                Renderer::styled()
            } else {
                Renderer::plain()
            },
        }
    }

    /// A finding with its line; `None` where that is not at hand.
    pub(super) fn finding(&self, located: &Located, spot: Spot<'_>) -> Option<String> {
        let finding = &located.finding;
        let level = match finding.action {
            Action::Deny => Level::ERROR,
            Action::Warn => Level::WARNING,
            Action::Audit => Level::NOTE,
        };
        let title = format!("{}: {}", finding.field(), finding.message);
        let named = level.with_name(word(finding.action));
        let group = named
            .primary_title(title)
            .id(finding.rule)
            .element(self.snippet(spot)?)
            .element(Level::HELP.message(&finding.help));
        Some(self.renderer.render(&[group]))
    }

    /// What could not be read, with the line where it goes wrong; `None` where that is not at hand.
    pub(super) fn unreadable(&self, error: &Unreadable) -> Option<String> {
        let spot = Spot {
            path: &error.path,
            line: error.line,
            column: error.column,
        };
        let level = Level::ERROR.with_name("not read");
        let group: Group<'_> = level
            .primary_title(&error.message)
            .element(self.snippet(spot)?);
        Some(self.renderer.render(&[group]))
    }

    fn snippet<'a>(
        &'a self,
        spot: Spot<'a>,
    ) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let line = *self.lines.get(spot.path)?.get(spot.line.checked_sub(1)?)?;
        let annotation = AnnotationKind::Primary.span(word_at(line, spot.column)?);
        let snippet = Snippet::source(line).line_start(spot.line).path(spot.path);
        Some(snippet.annotation(annotation))
    }
}

/// The bytes of the word that begins at a column; of the end of the line where none does.
fn word_at(line: &str, column: usize) -> Option<Range<usize>> {
    let mut starts = line.char_indices().map(|(start, _)| start);
    let start = starts.nth(column.checked_sub(1)?).unwrap_or(line.len());
    let rest = line.get(start..)?;
    let ends = |character: char| character.is_whitespace() || matches!(character, ',' | '}' | ']');
    let length = match rest.find(ends) {
        Some(0) => rest.chars().next().map_or(0, char::len_utf8),
        Some(length) => length,
        None => rest.len(),
    };
    Some(start..start + length)
}
