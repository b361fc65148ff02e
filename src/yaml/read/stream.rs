//! A text in parts, one for each document.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr_iter;
use serde::de::IgnoredAny;

use super::{Broken, Fault, MAX_DOCUMENT, Position};

const BOM: char = '\u{feff}';

/// The part of a stream that holds one document, from its `---` up to the next.
///
/// Where a document ends is a matter of lines alone, so that a broken one does not take the next with it. A part can be read
/// apart from the others: they may be shared among threads.
#[derive(Clone, Copy, Debug)]
pub struct Part<'t> {
    /// The part itself.
    pub text: &'t str,
    /// Where it begins in the stream, in bytes.
    pub start: usize,
    /// The line of the stream that it begins with, from 1.
    pub line: usize,
}

/// How the bytes of a file say its text: UTF-8, or UTF-16 behind a byte order mark, as `PowerShell` writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with a mark or without.
    #[default]
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// What the first bytes of a file say.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    /// The bytes of a text, with the mark that says how they are to be read.
    #[must_use]
    pub fn bytes(self, text: &str) -> Vec<u8> {
        let wide = |bytes: fn(u16) -> [u8; 2]| {
            let marked = std::iter::once(u16::from_le_bytes([0xff, 0xfe]));
            marked.chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16Le => wide(u16::to_le_bytes),
            Self::Utf16Be => wide(u16::to_be_bytes),
        }
    }

    fn number(self, pair: [u8; 2]) -> u16 {
        match self {
            Self::Utf16Be => u16::from_be_bytes(pair),
            Self::Utf8 | Self::Utf16Le => u16::from_le_bytes(pair),
        }
    }
}

/// The text of a file.
///
/// # Errors
///
/// [`Broken`] for a binary file: the first byte that is no UTF-8, or a NUL.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Broken> {
    let encoding = Encoding::of(bytes);
    if encoding == Encoding::Utf8 {
        return utf8(bytes).map(Cow::Borrowed);
    }
    let pairs = bytes.get(2..).unwrap_or_default().chunks(2);
    let numbers = pairs.map(|pair| match pair {
        [one, two] => encoding.number([*one, *two]),
        _ => 0,
    });
    let text: Result<String, _> = char::decode_utf16(numbers).collect();
    match text {
        Ok(text) if !text.contains('\0') => Ok(Cow::Owned(text)),
        _ => {
            let message = "this begins as UTF-16 and is no text; manifests are YAML or JSON";
            Err(Part::whole("").broken(&Fault::new(0, message)))
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Broken> {
    let (valid, rest) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            (std::str::from_utf8(valid).unwrap_or_default(), rest.first())
        }
    };
    let (offset, byte) = match (valid.find('\0'), rest) {
        (Some(offset), _) => (offset, 0),
        (None, Some(byte)) => (valid.len(), *byte),
        (None, None) => return Ok(valid),
    };
    let message = format!("this is no UTF-8 text (byte {byte:#04x}); manifests are YAML or JSON");
    let whole = Part::whole(valid);
    Err(whole.broken(&Fault::new(offset, message)))
}

/// Cuts a stream into its documents, empty ones left out.
pub fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    Parts {
        rest: Part::whole(text.strip_prefix(BOM).unwrap_or(text)).at(text.len()),
    }
    .filter(Part::has_content)
}

struct Parts<'t> {
    rest: Part<'t>,
}

impl<'t> Iterator for Parts<'t> {
    type Item = Part<'t>;

    fn next(&mut self) -> Option<Part<'t>> {
        let rest = self.rest;
        if rest.text.is_empty() {
            return None;
        }
        let (own, next) = rest.text.split_at_checked(rest.document_length())?;
        self.rest = Part {
            text: next,
            start: rest.start + own.len(),
            line: rest.line + newlines(own),
        };
        let bare = without_mark(own);
        let before = own.len() - bare.len();
        let line = rest.line + newlines(own.get(..before).unwrap_or_default());
        Some(
            Part {
                text: bare,
                line,
                ..rest
            }
            .at(rest.start + own.len()),
        )
    }
}

impl<'t> Part<'t> {
    fn whole(text: &'t str) -> Self {
        Self {
            text,
            start: 0,
            line: 1,
        }
    }

    /// The same text where it ends at `end` of the stream.
    fn at(self, end: usize) -> Self {
        Self {
            start: end - self.text.len(),
            ..self
        }
    }

    /// Up to the next `---` after content, or after the next `...`; of objects in JSON that follow each other, up to the next one.
    fn document_length(&self) -> usize {
        if let Some(length) = self.json_length() {
            return length;
        }
        let mut begun = false;
        let mut offset = 0;
        let ends = memchr_iter(b'\n', self.text.as_bytes()).map(|newline| newline + 1);
        for end in ends.chain([self.text.len()]) {
            let line = self.text.get(offset..end).unwrap_or_default();
            if !begun || line.starts_with(['-', '.', BOM]) {
                let bare = line.strip_prefix(BOM).unwrap_or(line);
                if is_marker(bare, "...") {
                    return end;
                }
                let opens = is_marker(bare, "---");
                if opens && begun {
                    return offset;
                }
                begun |= opens || !is_blank(bare);
            }
            offset = end;
        }
        offset
    }

    /// Up to the next object, where one in JSON follows another and nothing stands between them: kubectl reads both.
    fn json_length(&self) -> Option<usize> {
        if !self.text.trim_start().starts_with('{') {
            return None;
        }
        let mut values = serde_json::Deserializer::from_str(self.text).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let rest = self.text.get(values.byte_offset()..)?.trim_start();
        rest.starts_with('{')
            .then_some(self.text.len() - rest.len())
    }

    /// Whether there is more than comments, directives and markers.
    fn has_content(&self) -> bool {
        self.text.lines().any(|line| {
            let own = if is_marker(line, "---") || is_marker(line, "...") {
                line.get(3..).unwrap_or_default()
            } else {
                line
            };
            !is_blank(own)
        })
    }

    /// Says where in the stream something is wrong.
    pub(in crate::yaml) fn broken(&self, fault: &Fault) -> Broken {
        let place = self.place(fault.offset..fault.offset);
        Broken {
            line: place.line,
            column: place.column,
            message: fault.message.clone(),
        }
    }

    /// Where in the stream bytes of this part stand.
    pub(in crate::yaml) fn place(&self, range: Range<usize>) -> Position {
        let before = self.text.get(..range.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let in_line = before.get(line_start..).unwrap_or_default();
        Position {
            line: self.line + newlines(before),
            column: in_line.chars().count() + 1,
            range: self.start + range.start..self.start + range.end,
        }
    }

    /// Refuses a document that is too long to be one.
    pub(in crate::yaml) fn check_size(&self) -> Result<(), Fault> {
        if self.text.len() <= MAX_DOCUMENT {
            return Ok(());
        }
        let message = format!(
            "the document has {} bytes and at most {MAX_DOCUMENT} (16 MiB) are read; split it with `---`",
            self.text.len()
        );
        Err(Fault::new(0, message))
    }
}

/// A document without its byte order mark, which may stand before it or right after its `---`: what is between two markers is a
/// text of its own to kubectl, and files that are put together bring theirs along.
fn without_mark(document: &str) -> &str {
    if let Some(bare) = document.strip_prefix(BOM) {
        return bare;
    }
    let first = document.split_inclusive('\n').next().unwrap_or_default();
    let rest = document
        .get(first.len()..)
        .and_then(|rest| rest.strip_prefix(BOM));
    rest.filter(|_| is_marker(first, "---")).unwrap_or(document)
}

/// Whether a line is a document marker: nothing before it, and a blank or nothing after it.
fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Whether a line outside of a document holds nothing, a comment or a directive.
fn is_blank(line: &str) -> bool {
    matches!(line.trim_start().chars().next(), None | Some('#' | '%'))
}

fn newlines(text: &str) -> usize {
    memchr_iter(b'\n', text.as_bytes()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_file_is_no_text() {
        let told = |bytes: &[u8]| {
            text(bytes)
                .map_err(|broken| broken.to_string())
                .map(Cow::into_owned)
        };
        assert_eq!(told("é".as_bytes()), Ok("é".to_owned()));
        let message = |place, byte| {
            Err(format!(
                "{place}: this is no UTF-8 text (byte {byte}); manifests are YAML or JSON"
            ))
        };
        assert_eq!(
            told(b"a\n\xc3\xa9\xff"),
            message("line 2, column 2", "0xff")
        );
        assert_eq!(
            told(b"\x7fELF\x00\xff"),
            message("line 1, column 5", "0x00")
        );
    }
}
