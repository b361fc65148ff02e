//! Text of users inside messages.

use std::borrow::Cow;

/// What a user wrote, between quotes: short, and on one line whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{:?}", start + "\u{2026}")
}

/// A text of so many characters at most, one that is longer with an ellipsis at its end.
#[must_use]
pub fn clipped(text: &str, longest: usize) -> String {
    if text.chars().nth(longest).is_none() {
        return text.to_owned();
    }
    let start = text.chars().take(longest.saturating_sub(1));
    start.chain(['\u{2026}']).collect()
}

/// A text as it may be shown on one line of a terminal, a log or a page: what would act there, rather than be read, is written out.
/// That is control characters, and the marks that turn the direction of what follows (Unicode, UAX #9).
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let acts = |character: char| {
        character.is_control()
            || matches!(
                character,
                '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
            )
    };
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let written = text.chars().map(|character| match character {
        '\n' | '\r' | '\t' => " ".to_owned(),
        character if acts(character) => character.escape_unicode().to_string(),
        character => character.to_string(),
    });
    Cow::Owned(written.collect())
}

/// A number with a comma between the thousands.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(clipped("äöü", 3), "äöü");
        assert_eq!(clipped("äöüß", 3), "äö\u{2026}");
    }

    #[test]
    fn what_would_act_is_written_out() {
        assert_eq!(visible("web é😀"), "web é😀");
        let hostile = "a\u{1b}[31m\n::error::b\0\u{202e}c";
        let shown = visible(hostile);
        assert_eq!(shown, "a\\u{1b}[31m ::error::b\\u{0}\\u{202e}c");
        assert_eq!(visible(&shown), shown);
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (3_980, "3,980"),
            (1_000_000, "1,000,000"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
