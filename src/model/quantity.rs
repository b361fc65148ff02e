//! Quantities (`k8s.io/apimachinery/pkg/api/resource`), as far as telling whether two are equal: `1Gi` is `1024Mi`.

/// The finest amount that a quantity can say; what is finer is rounded up to it.
const NANO_DIGITS: u32 = 9;

/// The amount in units of 10^-9; `None` for what is no quantity, or above what fits.
pub(crate) fn nanos(text: &str) -> Option<i128> {
    let number_end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.')))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(number_end)?;
    let (base, exponent) = scale(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let down = i64::try_from(fraction.len()).ok()?;
    let decimal = i64::from(NANO_DIGITS) - down + if base == 10 { exponent } else { 0 };
    let scaled = if base == 2 {
        digits.checked_mul(1_i128.checked_shl(u32::try_from(exponent).ok()?)?)?
    } else {
        digits
    };
    let power = 10_i128.checked_pow(u32::try_from(decimal.unsigned_abs()).ok()?)?;
    if decimal >= 0 {
        scaled.checked_mul(power)
    } else {
        Some(scaled.div_euclid(power) + i128::from(scaled.rem_euclid(power) != 0))
    }
}

/// Whether two texts are the same amount.
pub(crate) fn is_same_quantity(one: &str, other: &str) -> bool {
    nanos(one).is_some_and(|amount| nanos(other) == Some(amount))
}

/// Whether a text is an amount above zero, as a size must be.
pub(crate) fn is_size(text: &str) -> bool {
    nanos(text).is_some_and(|amount| amount > 0)
}

/// Whether the API server reads a text as a quantity, however large; a sign or a unit alone it takes for 0.
pub(crate) fn is_quantity(text: &str) -> bool {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let (_, rest) = unsigned.split_at(digits(unsigned));
    let fraction = rest.strip_prefix('.').unwrap_or(rest);
    let (_, suffix) = fraction.split_at(digits(fraction));
    !text.is_empty() && scale(suffix).is_some()
}

/// Base and exponent of a suffix.
fn scale(suffix: &str) -> Option<(u8, i64)> {
    const DECIMAL: [(&str, i64); 10] = [
        ("n", -9),
        ("u", -6),
        ("m", -3),
        ("", 0),
        ("k", 3),
        ("M", 6),
        ("G", 9),
        ("T", 12),
        ("P", 15),
        ("E", 18),
    ];
    const BINARY: [(&str, i64); 6] = [
        ("Ki", 10),
        ("Mi", 20),
        ("Gi", 30),
        ("Ti", 40),
        ("Pi", 50),
        ("Ei", 60),
    ];
    let find = |table: &[(&str, i64)]| {
        let row = table.iter().find(|(name, _)| *name == suffix);
        row.map(|(_, exponent)| *exponent)
    };
    find(&DECIMAL)
        .map(|exponent| (10, exponent))
        .or_else(|| find(&BINARY).map(|exponent| (2, exponent)))
        .or_else(|| {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            Some((10, exponent.parse().ok()?))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_amounts_are_equal() {
        for (one, other) in [
            ("1Gi", "1024Mi"),
            ("1", "1000m"),
            ("0.5", "500m"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("1.5Gi", "1536Mi"),
            ("+2", "2.0"),
            ("2E", "2000P"),
            ("8Ei", "8192Pi"),
            ("1n", "0.0000000001"),
        ] {
            assert!(nanos(one).is_some(), "{one}");
            assert_eq!(nanos(one), nanos(other), "{one} {other}");
        }
    }

    #[test]
    fn others_are_not() {
        for (one, other) in [("1Gi", "1G"), ("1", "1m"), ("10Gi", "11Gi"), ("1E", "1e1")] {
            assert_ne!(nanos(one), nanos(other), "{one} {other}");
        }
        for text in ["", "Gi", "1GiB", "ten", "1e", "1e400", "ä", "1.2.3"] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}
