//! Text of users inside messages.

/// What a user wrote, between quotes: short, and on one line whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{:?}", start + "\u{2026}")
}
