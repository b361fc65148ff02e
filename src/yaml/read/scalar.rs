//! What a scalar means to kubectl: the resolution of go-yaml v2 (`go.yaml.in/yaml/v2`, resolve.go and decode.go) and what
//! `sigs.k8s.io/yaml` makes of it.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const CORE: &str = "tag:yaml.org,2002:";

/// The meaning of a scalar.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::yaml) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Cow<'a, str>),
}

/// Resolves a scalar. Only a plain one, or one with a tag, can be anything but text.
///
/// # Errors
///
/// What is wrong, if the text is not what its tag says.
pub(in crate::yaml) fn scalar<'a>(
    text: &'a str,
    tag: Option<&str>,
    plain: bool,
) -> Result<Scalar<'a>, String> {
    let as_text = || Scalar::Text(Cow::Borrowed(text));
    let Some(tag) = tag.and_then(|tag| tag.strip_prefix(CORE)) else {
        return Ok(if plain && tag.is_none() {
            resolve(text)
        } else {
            as_text()
        });
    };
    let resolved = resolve(text);
    match (tag, resolved) {
        ("null", Scalar::Null) => Ok(Scalar::Null),
        ("bool", Scalar::Bool(value)) => Ok(Scalar::Bool(value)),
        ("int", value @ (Scalar::Int(_) | Scalar::Uint(_)))
        | ("float", value @ (Scalar::Float(_) | Scalar::Int(_))) => Ok(value),
        ("binary", _) => binary(text),
        ("null" | "bool" | "int" | "float", _) => Err(format!("`{text}` is no !!{tag}")),
        _ => Ok(as_text()),
    }
}

/// Whether a text is read as itself where it stands plain.
pub(in crate::yaml) fn means_itself(text: &str) -> bool {
    matches!(resolve(text), Scalar::Text(_))
}

/// The meaning of a plain scalar without a tag.
fn resolve(text: &str) -> Scalar<'_> {
    let resolved = match text.as_bytes().first() {
        None | Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            word(text)
        }
        Some(b'.') => word(text).or_else(|| float(text)),
        Some(b'+' | b'-' | b'0'..=b'9') => word(text).or_else(|| number(text)),
        _ => None,
    };
    resolved.unwrap_or(Scalar::Text(Cow::Borrowed(text)))
}

fn word(text: &str) -> Option<Scalar<'_>> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// A number as `strconv.ParseInt(text, 0, 64)` and `ParseUint` read it, else as a float; `_` may stand anywhere.
fn number(text: &str) -> Option<Scalar<'_>> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix(['+', '-']) {
        Some(digits) if plain.starts_with('-') => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", plain.as_str()),
    };
    let (digits, radix) = radix(digits);
    if digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        if let Ok(value) = i64::from_str_radix(&format!("{sign}{digits}"), radix) {
            return Some(Scalar::Int(value));
        }
        let signed = plain.starts_with(['+', '-']);
        if let (false, Ok(value)) = (signed, u64::from_str_radix(digits, radix)) {
            return Some(Scalar::Uint(value));
        }
    }
    is_float(&plain)
        .then(|| plain.parse().ok().filter(|value: &f64| value.is_finite()))
        .flatten()
        .map(Scalar::Float)
}

/// The digits after a prefix of Go's integer literals, and what they are to be read as: `0x1f`, `0o17`, `0b1`, `017`.
fn radix(digits: &str) -> (&str, u32) {
    let mut characters = digits.chars();
    let (first, second) = (characters.next(), characters.next());
    let prefixed = characters.as_str();
    match (first, second.map(|second| second.to_ascii_lowercase())) {
        (Some('0'), Some('x')) if !prefixed.is_empty() => (prefixed, 16),
        (Some('0'), Some('o')) if !prefixed.is_empty() => (prefixed, 8),
        (Some('0'), Some('b')) if !prefixed.is_empty() => (prefixed, 2),
        (Some('0'), Some(_)) => (digits, 8),
        _ => (digits, 10),
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            (mantissa, Some(exponent))
        }
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// A number that begins with a point.
fn float(text: &str) -> Option<Scalar<'_>> {
    let value: f64 = is_float(text).then(|| text.parse().ok()).flatten()?;
    value.is_finite().then_some(Scalar::Float(value))
}

fn binary(text: &str) -> Result<Scalar<'_>, String> {
    let encoded = text.replace(['\r', '\n'], "");
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|error| format!("a !!binary value is no base64: {error}"))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Scalar::Text(Cow::Owned(text)))
}

impl<'a> Scalar<'a> {
    /// The key of a JSON object that a scalar makes; `None` for null and for numbers above 2^63.
    pub(in crate::yaml) fn into_key(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(value) => Some(Cow::Owned(value.to_string())),
            Self::Int(value) => Some(Cow::Owned(value.to_string())),
            Self::Float(value) => Some(Cow::Owned(shortest(value))),
            Self::Null | Self::Uint(_) => None,
        }
    }
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`
#[allow(clippy::cast_possible_truncation)] // 32 bits are what is asked for
fn shortest(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        resolve(text).into_key().map(Cow::into_owned)
    }

    /// What `sigs.k8s.io/yaml` 1.6.0 makes of the same scalars.
    #[test]
    fn a_plain_scalar_is_what_kubectl_takes_it_for() {
        let int = Scalar::Int;
        let float = Scalar::Float;
        let (yes, no) = (Scalar::Bool(true), Scalar::Bool(false));
        #[rustfmt::skip]
        let rows = [
            ("0644", int(420)), ("0o644", int(420)), ("0O17", int(15)), ("-0644", int(-420)), ("0_7", int(7)),
            ("0x1F", int(31)), ("0X1f", int(31)), ("-0x1f", int(-31)), ("0b11", int(3)), ("-0b11", int(-3)),
            ("0", int(0)), ("00", int(0)), ("-0", int(0)), ("+12", int(12)), ("1_000", int(1000)), ("1__0", int(10)), ("1_", int(1)),
            ("08", float(8.0)), ("09.5", float(9.5)), ("1_000.5", float(1000.5)), ("3.0", float(3.0)), ("5.", float(5.0)),
            (".5", float(0.5)), ("+.5", float(0.5)), ("1e3", float(1000.0)), ("1.e3", float(1000.0)), (".5e3", float(500.0)),
            ("9223372036854775807", int(i64::MAX)), ("9223372036854775808", Scalar::Uint(1 << 63)),
            ("18446744073709551616", float(18_446_744_073_709_551_616.0)), ("-9223372036854775809", float(-9_223_372_036_854_775_808.0)),
            ("+18446744073709551615", float(18_446_744_073_709_551_615.0)), ("0xFFFFFFFFFFFFFFFF", Scalar::Uint(u64::MAX)),
            (".inf", float(f64::INFINITY)), ("-.INF", float(f64::NEG_INFINITY)),
            ("y", yes.clone()), ("Yes", yes.clone()), ("ON", yes.clone()), ("true", yes),
            ("n", no.clone()), ("NO", no.clone()), ("off", no.clone()), ("False", no),
            ("", Scalar::Null), ("~", Scalar::Null), ("null", Scalar::Null), ("NULL", Scalar::Null),
        ];
        for (text, expected) in rows {
            assert_eq!(resolve(text), expected, "{text}");
        }
        #[rustfmt::skip]
        let texts = [
            "yEs", "oN", "tRUE", "nULL", "~~", "0x", "0b", "_1", "+", "-", ".", "..", "1e", "1e+", "1e999", "1:30", "12:30:45", "2001-01-01",
            "2001-01-01T00:00:00Z", "nan", "inf", "Infinity", "0x1p-2", "1,000", "<<", "0xFFFFFFFFFFFFFFFFF", "+-1", "0x+1",
        ];
        for text in texts {
            assert_eq!(resolve(text), Scalar::Text(Cow::Borrowed(text)), "{text}");
        }
    }

    #[test]
    fn a_key_is_a_string() {
        let rows = [
            ("1", "1"),
            ("0x10", "16"),
            ("1.10", "1.1"),
            ("1000000.0", "1e+06"),
            ("100000.0", "100000"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.5e10", "1.5e+10"),
            ("no", "false"),
            ("-.inf", "-.inf"),
            (".nan", ".nan"),
            ("a", "a"),
        ];
        for (text, expected) in rows {
            assert_eq!(key(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!((key("~"), key("18446744073709551615")), (None, None));
    }

    #[test]
    fn a_tag_decides() {
        let read = |tag: &str, text: &str| {
            let tag = format!("{CORE}{tag}");
            scalar(text, Some(&tag), false).map(|found| format!("{found:?}"))
        };
        let rows = [
            ("str", "12", r#"Text("12")"#),
            ("int", "12", "Int(12)"),
            ("float", "1", "Int(1)"),
            ("float", "1.5", "Float(1.5)"),
            ("bool", "on", "Bool(true)"),
            ("null", "", "Null"),
            ("binary", "aGVs\nbG8=", r#"Text("hello")"#),
            ("timestamp", "2001-01-01", r#"Text("2001-01-01")"#),
        ];
        for (tag, text, expected) in rows {
            assert_eq!(read(tag, text).as_deref(), Ok(expected), "{tag} {text}");
        }
        assert_eq!(read("int", "x").unwrap_err(), "`x` is no !!int");
        assert!(
            read("binary", "x")
                .unwrap_err()
                .starts_with("a !!binary value is no base64")
        );
        assert_eq!(
            scalar("12", Some("!own"), false),
            Ok(Scalar::Text("12".into()))
        );
        assert_eq!(scalar("12", None, false), Ok(Scalar::Text("12".into())));
    }
}
