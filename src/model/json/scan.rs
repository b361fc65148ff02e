//! Finding where a value ends.

use std::borrow::Cow;

use super::{Reader, Unread};

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const QUOTES: u64 = LOW * b'"' as u64;
const BACKSLASHES: u64 = LOW * b'\\' as u64;
const SPACES: u64 = LOW * b' ' as u64;

/// The high bit of the lowest byte that is zero is set; above it may be more.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// How many bytes stand before the first quote, backslash or control character, which no string may hold as it is.
fn plain(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let found = zero_bytes(word ^ QUOTES)
            | zero_bytes(word ^ BACKSLASHES)
            | (word.wrapping_sub(SPACES) & !word & HIGH);
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    bytes.len() - rest.len() + rest.iter().position(ends).unwrap_or(rest.len())
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no space, which stays the next.
    pub(super) fn peek(&mut self) -> Result<u8, Unread> {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Ok(*byte);
            }
            self.at += 1;
        }
        Err(Unread)
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Unread> {
        if self.peek()? != byte {
            return Err(Unread);
        }
        self.at += 1;
        Ok(())
    }

    /// Takes a word such as `true`, if it is what stands here.
    pub(super) fn word(&mut self, word: &str) -> Result<(), Unread> {
        let after = self.rest().strip_prefix(word.as_bytes()).ok_or(Unread)?;
        self.at = self.text.len() - after.len();
        Ok(())
    }

    /// Takes `null`, if it is what stands here.
    ///
    /// # Errors
    ///
    /// If nothing stands here, or another word that begins like it.
    pub fn null(&mut self) -> Result<bool, Unread> {
        let null = self.peek()? == b'n';
        if null {
            self.word("null")?;
        }
        Ok(null)
    }

    /// The string here; borrowed unless it holds an escape.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Unread> {
        self.expect(b'"')?;
        let start = self.at;
        let end = start + plain(self.rest());
        match self.text.as_bytes().get(end) {
            Some(b'"') => {
                self.at = end + 1;
                self.text.get(start..end).map(Cow::Borrowed).ok_or(Unread)
            }
            Some(b'\\') => {
                self.skip_string()?;
                let quoted = self.text.get(start - 1..self.at).ok_or(Unread)?;
                serde_json::from_str(quoted)
                    .map(Cow::Owned)
                    .map_err(|_| Unread)
            }
            _ => Err(Unread),
        }
    }

    /// From behind the opening quote to behind the closing one.
    fn skip_string(&mut self) -> Result<(), Unread> {
        loop {
            self.at += plain(self.rest());
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(Unread),
            }
        }
    }

    /// The number here, if it is a whole one of JSON.
    pub(super) fn whole_number(&mut self) -> Result<i64, Unread> {
        self.peek()?;
        let rest = self.rest();
        let is_part =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let length = rest
            .iter()
            .position(|byte| !is_part(byte))
            .unwrap_or(rest.len());
        let number = self.text.get(self.at..self.at + length).ok_or(Unread)?;
        let digits = number.strip_prefix('-').unwrap_or(number);
        let padded = digits.starts_with('0') && number != "0";
        if padded || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Unread);
        }
        self.at += length;
        number.parse().map_err(|_| Unread)
    }

    /// Passes over the value here, whatever it holds.
    pub(super) fn skip(&mut self) -> Result<(), Unread> {
        let mut depth = 0_usize;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => self.skip_string()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1).ok_or(Unread)?,
                b',' | b':' if depth > 0 => {}
                b',' | b':' => return Err(Unread),
                _ => self.skip_scalar(),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// The rest of a number, or of `true`, `false` or `null`.
    fn skip_scalar(&mut self) {
        let rest = self.rest();
        let is_end =
            |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'+' | b'.');
        self.at += rest.iter().position(is_end).unwrap_or(rest.len());
    }
}
