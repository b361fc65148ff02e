//! Edits upon edits, told as edits of the first text.

use std::ops::Range;

/// What stands in a range of bytes is replaced by a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go, counted from the beginning of the stream; an empty range is where the text comes in.
    pub range: Range<usize>,
    /// What comes instead; it may be empty.
    pub text: String,
}

impl Edit {
    pub(super) fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            range,
            text: text.into(),
        }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::new(at..at, text)
    }

    pub(super) fn delete(range: Range<usize>) -> Self {
        Self::new(range, "")
    }
}

/// Carries out edits of a text.
///
/// The order in which they are given does not matter, but for edits of one and the same place. An edit that overlaps one
/// before it, or that is no range of the text, is left out: [`edits`](super::edits) makes none.
#[must_use]
pub fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.range.start);
    let mut out = String::with_capacity(text.len() + 256);
    let mut done = 0;
    for edit in edits {
        let Some(kept) = text.get(done..edit.range.start) else {
            continue;
        };
        out.push_str(kept);
        out.push_str(&edit.text);
        done = edit.range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// A text in pieces: what is kept of the first text, in its order, and what has been put between.
#[derive(Debug)]
pub(super) struct Pieces(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Kept(Range<usize>),
    New(String),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Kept(range) => range.len(),
            Self::New(text) => text.len(),
        }
    }

    /// A part of it.
    fn slice(&self, from: usize, to: usize) -> Self {
        match self {
            Self::Kept(range) => Self::Kept(range.start + from..range.start + to),
            Self::New(text) => Self::New(text.get(from..to).unwrap_or_default().to_owned()),
        }
    }
}

impl Pieces {
    /// A text of so many bytes that nothing has been done to.
    pub(super) fn new(len: usize) -> Self {
        Self(vec![Piece::Kept(0..len)])
    }

    /// Takes up edits of the text as it is now; sorted, none overlaps another.
    pub(super) fn take(&mut self, edits: &[Edit]) {
        let mut out = Vec::with_capacity(self.0.len() + 2 * edits.len());
        let mut done = 0;
        for edit in edits {
            self.copy(done..edit.range.start, &mut out);
            out.push(Piece::New(edit.text.clone()));
            done = edit.range.end;
        }
        self.copy(done..usize::MAX, &mut out);
        self.0 = out;
    }

    fn copy(&self, range: Range<usize>, out: &mut Vec<Piece>) {
        let mut at = 0;
        for piece in &self.0 {
            let end = at + piece.len();
            let (from, to) = (range.start.max(at), range.end.min(end));
            if from < to {
                out.push(piece.slice(from - at, to - at));
            }
            at = end;
        }
    }

    /// The byte of the first text where a byte of the text as it is now comes from, or the next before it.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let (mut at, mut origin) = (0, 0);
        for piece in &self.0 {
            if let Piece::Kept(range) = piece {
                origin = range.start + offset.saturating_sub(at).min(range.len());
            }
            at += piece.len();
            if offset < at {
                break;
            }
        }
        origin
    }

    /// All of it as edits of the first text, which has `len` bytes.
    pub(super) fn edits(self, len: usize) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut text = String::new();
        let mut done = 0;
        for piece in self.0.into_iter().chain([Piece::Kept(len..len)]) {
            match piece {
                Piece::New(new) => text.push_str(&new),
                Piece::Kept(range) => {
                    if range.start > done || !text.is_empty() {
                        let text = std::mem::take(&mut text);
                        edits.push(Edit::new(done..range.start, text));
                    }
                    done = range.end;
                }
            }
        }
        edits
    }
}
