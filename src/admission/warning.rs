//! Warnings that survive kube-apiserver.
//!
//! It drops a warning with a control character silently; once all warnings together pass 4096 characters it cuts each
//! to 256 and drops the later ones (kubernetes/apiserver `pkg/endpoints/filters/warning.go`). The tag at the end of a
//! warning is what a user searches for, so it must never be what is cut.

/// At most this many characters in one warning.
const ONE: usize = 256;

/// All warnings together stay below this many characters.
const ALL: usize = 4096;

/// Kept free for the line that counts what was left out.
const SUMMARY: usize = 128;

/// The warnings of one answer.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    lines: Vec<String>,
    characters: usize,
    left_out: Option<(usize, &'static str)>,
}

impl Warnings {
    /// Adds a warning that ends in `[tag]`.
    pub(super) fn push(&mut self, text: &str, tag: &'static str) {
        let line = clipped(text, tag);
        let characters = line.chars().count();
        if self.left_out.is_some() || self.characters + characters + SUMMARY >= ALL {
            let (count, first) = self.left_out.unwrap_or((0, tag));
            self.left_out = Some((count + 1, first));
        } else {
            self.characters += characters;
            self.lines.push(line);
        }
    }

    pub(super) fn into_lines(mut self) -> Vec<String> {
        if let Some((count, first)) = self.left_out {
            self.lines.push(clipped(
                &format!("steadyset: {count} more warnings, the first of them"),
                first,
            ));
        }
        self.lines
    }
}

fn clipped(text: &str, tag: &str) -> String {
    let room = ONE.saturating_sub(tag.chars().count() + 3);
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(room + 1)
        .collect();
    if line.chars().count() > room {
        line = line
            .chars()
            .take(room.saturating_sub(1))
            .chain(['\u{2026}'])
            .collect();
    }
    line + " [" + tag + "]"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<String> {
        let mut warnings = Warnings::default();
        for text in texts {
            warnings.push(text, "some-rule");
        }
        warnings.into_lines()
    }

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(lines(&["a\nb\tc\u{1b}d\u{7f}e"]), ["a b c d e [some-rule]"]);
    }

    #[test]
    fn a_long_warning_keeps_its_tag_and_256_characters() {
        let line = lines(&[&"ä".repeat(300)]).remove(0);
        assert_eq!(line.chars().count(), 256);
        assert!(line.ends_with("ä… [some-rule]"), "{line}");
        let exact = "x".repeat(256 - " [some-rule]".len());
        assert_eq!(lines(&[&exact]), [exact + " [some-rule]"]);
    }

    #[test]
    fn all_together_stay_below_4096_and_what_is_left_out_is_counted() {
        let long = "x".repeat(300);
        let lines = lines(&[long.as_str(); 40]);
        let characters: usize = lines.iter().map(|line| line.chars().count()).sum();
        assert!(characters < 4096, "{characters}");
        let (last, shown) = lines.split_last().unwrap();
        let left_out = 40 - shown.len();
        assert_eq!(
            last,
            &format!("steadyset: {left_out} more warnings, the first of them [some-rule]")
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_survives(texts in proptest::collection::vec("\\PC{0,40}|.{0,400}", 0..40)) {
            let lines = lines(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            let characters: usize = lines.iter().map(|line| line.chars().count()).sum();
            proptest::prop_assert!(characters < 4096);
            proptest::prop_assert_eq!(lines.is_empty(), texts.is_empty());
            for line in lines {
                proptest::prop_assert!(line.ends_with(" [some-rule]") && line.chars().count() <= 256);
                proptest::prop_assert!(!line.contains(char::is_control));
            }
        }
    }
}
