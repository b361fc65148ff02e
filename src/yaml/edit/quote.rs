//! Texts as scalars of YAML, quoted where kubectl or another reader would take them for something else.

use crate::yaml::read::scalar::means_itself;

/// A text as a scalar on one line. `flow`: it stands in braces or brackets.
pub(super) fn scalar(text: &str, quote: char, flow: bool) -> String {
    if is_plain(text, flow) {
        return text.to_owned();
    }
    let printable = text.chars().all(|character| !needs_escape(character));
    if printable && (quote == '\'' || text.contains(['"', '\\'])) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    double(text)
}

/// A text in double quotes, with the escapes that both JSON and YAML know.
pub(super) fn double(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // All of them stand in the first plane and have four digits.
            other if needs_escape(other) => {
                let code = u32::from(other);
                out.extend(["\\u", &format!("{code:04x}")]);
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Whether a character cannot stand in a line: controls, what YAML takes for a line end, and what it does not allow.
fn needs_escape(character: char) -> bool {
    matches!(character, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text is read as itself without quotes, by YAML 1.1 and 1.2.
fn is_plain(text: &str, flow: bool) -> bool {
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return false;
    };
    let indicator = match first {
        '-' | '?' => characters.next().is_none_or(|second| second == ' '),
        ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' | ':' | '=' | ' ' => true,
        _ => false,
    };
    let broken = text.contains(": ")
        || text.contains(" #")
        || text.ends_with([':', ' '])
        || text.chars().any(needs_escape)
        || text.starts_with("---")
        || text.starts_with("...")
        || (flow && text.contains([',', '[', ']', '{', '}', ':', '?']));
    !indicator && !broken && text != "<<" && means_itself(text) && !looks_like_a_time(text)
}

/// Whether another reader of YAML 1.1 takes a text for a date, or for a number to the base of 60.
fn looks_like_a_time(text: &str) -> bool {
    let digits =
        text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-'));
    digits
        && text.contains([':', '-'])
        && text.chars().all(|character| {
            matches!(
                character,
                '0'..='9' | ':' | '-' | '+' | '.' | 'T' | 't' | 'Z' | ' ' | '_'
            )
        })
}

/// The lines of a text, and the mark after `|`, if it is one that is best written line by line.
pub(super) fn lines(text: &str) -> Option<(&'static str, Vec<&str>)> {
    let bare = text.trim_end_matches('\n');
    let mark = match text.len() - bare.len() {
        0 => "-",
        1 => "",
        _ => return None,
    };
    let forbidden =
        |character: char| character != '\n' && character != '\t' && needs_escape(character);
    let natural = text.contains('\n')
        && !bare.starts_with([' ', '\t', '\n'])
        && !bare.is_empty()
        && !bare.chars().any(forbidden)
        && bare.lines().all(|line| !line.ends_with([' ', '\t']));
    natural.then(|| (mark, bare.split('\n').collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_where_it_would_be_read_as_something_else() {
        #[rustfmt::skip]
        let rows = [
            ("data", "data"), ("10Gi", "10Gi"), ("redis-cli ping", "redis-cli ping"), ("/data", "/data"), ("-c", "-c"), ("--host", "--host"),
            ("a:b", "a:b"), ("a#b", "a#b"), ("10.0.0.1", "10.0.0.1"), ("10.0.0.0/8", "10.0.0.0/8"), ("$(HOST):80", "$(HOST):80"), ("é", "é"),
            ("", "\"\""), ("yes", "\"yes\""), ("no", "\"no\""), ("on", "\"on\""), ("y", "\"y\""), ("null", "\"null\""), ("~", "\"~\""),
            ("true", "\"true\""), ("0644", "\"0644\""), ("12", "\"12\""), ("1.5", "\"1.5\""), ("1e3", "\"1e3\""), ("0x1f", "\"0x1f\""),
            ("12:30", "\"12:30\""), ("2001-01-01", "\"2001-01-01\""), ("1_000", "\"1_000\""), (".inf", "\".inf\""), ("=", "\"=\""),
            ("a: b", "\"a: b\""), ("a:", "\"a:\""), ("a #b", "\"a #b\""), ("# a", "\"# a\""), ("- a", "\"- a\""), ("-", "\"-\""),
            ("*a", "\"*a\""), ("&a", "\"&a\""), ("!a", "\"!a\""), ("{a}", "\"{a}\""), ("%a", "\"%a\""), ("@a", "\"@a\""), ("`a", "\"`a\""),
            ("---", "\"---\""), (" a", "\" a\""), ("a ", "\"a \""), ("<<", "\"<<\""), ("a\tb", "\"a\\tb\""), ("a\u{85}b", "\"a\\u0085b\""),
            ("\u{2028}", "\"\\u2028\""), ("\"a\"", "'\"a\"'"), ("\\d'", "\\d'"), ("@\\d'", "'@\\d'''"),
        ];
        for (text, written) in rows {
            assert_eq!(scalar(text, '"', false), written, "{text}");
        }
        assert_eq!(scalar("yes", '\'', false), "'yes'");
        assert_eq!(scalar("a\nb", '\'', false), "\"a\\nb\"");
        for text in ["a:b", "a,b", "[a", "a}"] {
            assert_eq!(scalar(text, '"', true), format!("\"{text}\""));
        }
    }

    #[test]
    fn a_text_of_lines_is_written_line_by_line() {
        assert_eq!(lines("a\n\n b\n"), Some(("", vec!["a", "", " b"])));
        assert_eq!(lines("a\nb"), Some(("-", vec!["a", "b"])));
        for text in [
            "a", "\na\n", " a\nb", "a \nb", "a\nb\n\n", "a\r\nb", "\n", "",
        ] {
            assert_eq!(lines(text), None, "{text:?}");
        }
    }
}
