//! The events of one document, and what is wrong where there are no more.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};

use libyaml_safer::{Encoding, ErrorKind, Event, EventData, Mark, Parser};

use super::Fault;

/// How much of a text the parser takes at a time; it keeps four bytes for each character.
const WINDOW: usize = 4096;

/// How many texts in quotes may hold `\\'`: each is read anew from the start.
const ESCAPED: usize = 100;

/// What stands for `\\'` while a text is read, two bytes as well: an escape that no manifest has, and what the parser makes of it.
const STAND_IN: (&str, char) = ("\\v", '\u{b}');

/// The events of a text.
///
/// go-yaml takes `\'` in double quotes for a quote, which the parser here refuses: where it does, the escape is read as another one,
/// of the same length, so that every place stays where it is.
pub(super) struct Events<'t> {
    parser: Parser<Window<'t>>,
    text: &'t str,
    /// The end of the last event, in bytes.
    end: usize,
    /// How many events there were.
    given: usize,
    /// The bytes at which `\\'` stands, in order.
    escaped: Vec<usize>,
    /// In how many texts that is.
    quoted: usize,
}

impl<'t> Events<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            parser: parser(text.into(), text.ends_with('\n')),
            text,
            end: 0,
            given: 0,
            escaped: Vec::new(),
            quoted: 0,
        }
    }

    /// The next event. After a fault there are no more.
    pub(super) fn next(&mut self) -> Result<Event, Fault> {
        loop {
            let event = match catch_unwind(AssertUnwindSafe(|| self.parser.parse())) {
                Ok(Ok(event)) => event,
                Ok(Err(error)) if self.reads_escaped(&error) => continue,
                Ok(Err(error)) => return Err(explain(&error, self.text)),
                Err(_) => return Err(self.bare_tag()),
            };
            self.end = offset(event.end_mark);
            self.given += 1;
            return Ok(self.unescaped(event));
        }
    }

    /// Begins anew where the fault is an escaped `'` in double quotes, and passes over what was given already.
    fn reads_escaped(&mut self, error: &libyaml_safer::Error) -> bool {
        let Some(first) = self.escaped_at(error).filter(|_| self.quoted < ESCAPED) else {
            return false;
        };
        self.quoted += 1;
        let rest = self.text.get(first..).unwrap_or_default();
        let mut bytes = rest.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => break,
                b'\\' if bytes.next().is_some_and(|(_, next)| next == b'\'') => {
                    self.escaped.push(first + at);
                }
                _ => {}
            }
        }
        let mut text = self.text.to_owned();
        for at in &self.escaped {
            text.replace_range(*at..at + 2, STAND_IN.0);
        }
        self.parser = parser(text.into(), self.text.ends_with('\n'));
        (0..self.given).all(|_| self.parser.parse().is_ok())
    }

    /// Where `\\'` stands that the parser has stopped at.
    fn escaped_at(&self, error: &libyaml_safer::Error) -> Option<usize> {
        let near = error.problem_mark().map(offset)?;
        let from = self
            .text
            .get(..near)
            .map_or(0, |before| before.len().saturating_sub(2));
        let from = (from..=near).find(|at| self.text.is_char_boundary(*at))?;
        let at = from + self.text.get(from..)?.find("\\'")?;
        (at <= near + 2 && !self.escaped.contains(&at)).then_some(at)
    }

    /// The event as it is written: with a quote where another escape was read.
    fn unescaped(&self, mut event: Event) -> Event {
        let range = offset(event.start_mark)..offset(event.end_mark);
        if self.escaped.iter().any(|at| range.contains(at))
            && let EventData::Scalar { value, .. } = &mut event.data
        {
            *value = value.replace(STAND_IN.1, "'");
        }
        event
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

fn parser(text: Cow<'_, str>, ends_line: bool) -> Parser<Window<'_>> {
    let mut parser = Parser::new();
    parser.set_encoding(Encoding::Utf8);
    parser.set_input(Window {
        text,
        read: 0,
        ends_line,
    });
    parser
}

/// A text in small pieces that always ends its last line, as kubectl does it too.
struct Window<'t> {
    text: Cow<'t, str>,
    read: usize,
    ends_line: bool,
}

impl Window<'_> {
    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.read..).unwrap_or_default()
    }
}

impl BufRead for Window<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest().is_empty() && !self.ends_line {
            return Ok(b"\n");
        }
        Ok(self.rest().get(..WINDOW).unwrap_or(self.rest()))
    }

    fn consume(&mut self, amount: usize) {
        if self.rest().is_empty() && amount > 0 {
            self.ends_line = true;
        }
        self.read += amount.min(self.rest().len());
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
