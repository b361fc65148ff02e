//! Reading JSON from a text where it stands: a value that is read is decoded at once, one that is not is passed over for a fifth of
//! what a parser spends on it, and the text of either is at hand.
//!
//! A parser finds out that a value is well-formed while it passes over it. Here a skipped value is balanced brackets and strings,
//! no more; what is decoded is read as strictly as `serde_json` does, which also words every error: a reader only says
//! [`Unread`].

mod decode;
mod scan;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

/// The text is not what was to be read. Why, `serde_json` says of the same text.
#[derive(Debug)]
pub struct Unread;

impl fmt::Display for Unread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the JSON cannot be read")
    }
}

impl std::error::Error for Unread {}

impl serde::de::Error for Unread {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }
}

/// A place in a JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// Decodes a text that is one value.
///
/// # Errors
///
/// If it is no JSON, or holds something else than the type does.
pub fn from_text<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unread> {
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The members of a list, each as it is written; none where the text is no list.
#[must_use]
pub fn items(text: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let mut reader = Reader::new(text);
    let read = reader.each_item(|reader| {
        items.push(reader.slice()?);
        Ok(())
    });
    if read.is_err() {
        items.clear();
    }
    items
}

impl<'a> Reader<'a> {
    /// At the beginning of a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Decodes the value here; `null` is the default.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded.
    pub fn value<T: Deserialize<'a> + Default>(&mut self) -> Result<T, Unread> {
        let value = Option::<T>::deserialize(self)?;
        Ok(value.unwrap_or_default())
    }

    /// Passes over the value here and gives its text.
    ///
    /// # Errors
    ///
    /// If its brackets or strings do not end.
    pub fn slice(&mut self) -> Result<&'a str, Unread> {
        self.peek()?;
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at).ok_or(Unread)
    }

    /// Passes over the value here, whatever it holds.
    ///
    /// # Errors
    ///
    /// If its brackets or strings do not end.
    pub fn pass_over(&mut self) -> Result<(), Unread> {
        self.skip()
    }

    /// The text between a place before this one and here.
    #[must_use]
    pub fn since(&self, start: Self) -> &'a str {
        self.text.get(start.at..self.at).unwrap_or_default()
    }

    /// Calls for every member of the object here, with the reader at its value, which the call must read or pass over. `null` has
    /// no members.
    ///
    /// # Errors
    ///
    /// If there is no object, and those of the calls.
    pub fn each_member(
        &mut self,
        mut call: impl FnMut(Cow<'a, str>, &mut Self) -> Result<(), Unread>,
    ) -> Result<(), Unread> {
        if self.null()? {
            return Ok(());
        }
        self.expect(b'{')?;
        let mut first = true;
        while let Some(key) = self.key(first)? {
            first = false;
            call(key, self)?;
        }
        Ok(())
    }

    fn each_item(
        &mut self,
        mut call: impl FnMut(&mut Self) -> Result<(), Unread>,
    ) -> Result<(), Unread> {
        if self.null()? {
            return Ok(());
        }
        self.expect(b'[')?;
        let mut first = true;
        while self.item(first)? {
            first = false;
            call(self)?;
        }
        Ok(())
    }

    /// The next key of an object, with the reader at its value; none at the object's end.
    fn key(&mut self, first: bool) -> Result<Option<Cow<'a, str>>, Unread> {
        if self.closes(b'}', first)? {
            return Ok(None);
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// Whether a list has another item, with the reader at it.
    fn item(&mut self, first: bool) -> Result<bool, Unread> {
        self.closes(b']', first).map(|closes| !closes)
    }

    fn closes(&mut self, bracket: u8, first: bool) -> Result<bool, Unread> {
        let next = self.peek()?;
        if next == bracket {
            self.at += 1;
            return Ok(true);
        }
        if !first {
            self.expect(b',')?;
        }
        Ok(false)
    }

    /// Nothing but space must follow.
    ///
    /// # Errors
    ///
    /// If something does.
    pub fn end(&mut self) -> Result<(), Unread> {
        match self.peek() {
            Ok(_) => Err(Unread),
            Err(Unread) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
