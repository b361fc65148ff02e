//! The events of one document, and what is wrong where there are no more.

use std::io::{self, BufRead, Read};
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};

use libyaml_safer::{Encoding, ErrorKind, Event, Mark, Parser};

use super::Fault;

/// How much of a text the parser takes at a time; it keeps four bytes for each character.
const WINDOW: usize = 4096;

/// The events of a text.
pub(super) struct Events<'t> {
    parser: Parser<Window<'t>>,
    text: &'t str,
    /// The end of the last event, in bytes.
    end: usize,
}

impl<'t> Events<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut parser = Parser::new();
        parser.set_encoding(Encoding::Utf8);
        parser.set_input(Window {
            rest: text.as_bytes(),
            ends_line: text.ends_with('\n'),
        });
        Self {
            parser,
            text,
            end: 0,
        }
    }

    /// The next event. After a fault there are no more.
    pub(super) fn next(&mut self) -> Result<Event, Fault> {
        let event = match catch_unwind(AssertUnwindSafe(|| self.parser.parse())) {
            Ok(event) => event.map_err(|error| explain(&error, self.text))?,
            Err(_) => return Err(self.bare_tag()),
        };
        self.end = offset(event.end_mark);
        Ok(event)
    }

    /// The parser panics at a tag with a comma right after it, `[!a, b]`, where go-yaml gives an error.
    fn bare_tag(&self) -> Fault {
        let rest = self.text.get(self.end..).unwrap_or_default();
        let at = self.end + rest.find('!').unwrap_or_default();
        Fault::new(
            at,
            "did not find expected whitespace or line break while scanning a tag",
        )
    }
}

/// Whether a panic is one that [`Events`] turns into a fault: nobody need hear of it.
pub(super) fn is_expected(panic: &PanicHookInfo<'_>) -> bool {
    let file = panic.location().map(Location::file);
    file.is_some_and(|file| file.contains("libyaml-safer"))
}

/// The byte of a mark.
pub(super) fn offset(mark: Mark) -> usize {
    usize::try_from(mark.index).unwrap_or(usize::MAX)
}

fn explain(error: &libyaml_safer::Error, text: &str) -> Fault {
    if error.kind() == ErrorKind::Reader {
        let (offset, character) = forbidden(text).unwrap_or((0, ' '));
        let message = format!("the control character {character:?} is not allowed in YAML");
        return Fault::new(offset, message);
    }
    let at = error
        .problem_mark()
        .map_or(0, offset)
        .min(text.trim_end().len());
    if text.get(at..).is_some_and(|rest| rest.starts_with('\t')) {
        return Fault::new(at, "a tab cannot indent YAML; write spaces");
    }
    let mut message = error.problem().to_owned();
    if let Some(context) = error.context() {
        message = format!("{message} {context}");
    }
    if text.contains("{{") {
        message.push_str("; a Helm template has to be rendered first (`helm template`)");
    }
    Fault::new(at, message)
}

/// The first character that YAML does not allow (YAML 1.1, section 5.1).
fn forbidden(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, character)| {
        !matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
    })
}

/// A text in small pieces that always ends its last line, as kubectl does it too.
struct Window<'t> {
    rest: &'t [u8],
    ends_line: bool,
}

impl BufRead for Window<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest.is_empty() && !self.ends_line {
            return Ok(b"\n");
        }
        Ok(self.rest.get(..WINDOW).unwrap_or(self.rest))
    }

    fn consume(&mut self, amount: usize) {
        if self.rest.is_empty() && amount > 0 {
            self.ends_line = true;
        }
        self.rest = self.rest.get(amount..).unwrap_or_default();
    }
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let amount = available.read(buffer)?;
        self.consume(amount);
        Ok(amount)
    }
}
