//! Durations as Kubernetes and Go write them: `30s`, `5m`, `1h30m`, `9.75s`, `500ms`.
//!
//! One reader for the command line and for the `?timeout=` that kube-apiserver puts on every admission call (Go's
//! `time.Duration` printed, kubernetes/apiserver `pkg/util/webhook/client.go`), so that both accept the same text.

use std::time::Duration;

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m` or `1h30m`"
)]
pub struct InvalidDuration(String);

/// Reads a duration: one or more numbers, each followed by `ns`, `us`, `ms`, `s`, `m` or `h`; `0` alone needs no unit.
///
/// # Errors
///
/// When the text is empty, negative, lacks a unit or does not fit into 64 bits of nanoseconds.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() || text.is_empty() {
        let (term, after) = leading_term(rest).ok_or_else(invalid)?;
        total = total.checked_add(term).ok_or_else(invalid)?;
        rest = after;
    }
    Ok(total)
}

fn leading_term(text: &str) -> Option<(Duration, &str)> {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let (unit, rest) = rest.split_at(
        rest.find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len()),
    );
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit = nanoseconds(unit)?;
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<u64>().ok()?
    };
    let nanos = whole
        .checked_mul(unit)?
        .checked_add(fraction_of(fraction, unit)?)?;
    Some((Duration::from_nanos(nanos), rest))
}

/// Digits below the nanosecond fall away, as in Go.
fn fraction_of(digits: &str, unit: u64) -> Option<u64> {
    let mut scale = unit;
    let mut sum = 0_u64;
    for digit in digits.chars() {
        scale /= 10;
        sum = sum.checked_add(u64::from(digit.to_digit(10)?).checked_mul(scale)?)?;
    }
    Some(sum)
}

fn nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_and_kubectl_write() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("10s", 10_000),
            ("9.75s", 9_750),
            (".5s", 500),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("72h", 259_200_000),
            ("1h0m0.25s", 3_600_250),
            ("1500us", 1),
        ] {
            assert_eq!(
                parse(text).map(|d| d.as_millis()),
                Ok(milliseconds),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_what_has_no_unit_or_no_number() {
        for text in [
            "",
            "10",
            "s",
            "-1s",
            "1 s",
            "1d",
            ".s",
            "1.2.3s",
            "99999999999h",
            "1s5",
        ] {
            assert_eq!(parse(text), Err(InvalidDuration(text.to_owned())), "{text}");
        }
    }
}
