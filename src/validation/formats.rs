//! The forms of names and numbers, as `k8s.io/apimachinery/pkg/util/validation` has them, and checks that many fields share.

use serde_json::Value;

use super::at::At;
use super::{Cause, Found};
use crate::model::name::is_dns_label;
use crate::model::quantity::nanos;
use crate::model::spelling::nearest;
use crate::model::text::quoted;

/// The longest DNS name (RFC 1123).
const SUBDOMAIN: usize = 253;

/// Whether a text is a DNS name: labels with dots between them (`IsDNS1123Subdomain`).
pub(super) fn is_dns_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = part.as_bytes();
        bytes.iter().all(|byte| plain(*byte) || *byte == b'-')
            && bytes.first().is_some_and(|byte| plain(*byte))
            && bytes.last().is_some_and(|byte| plain(*byte))
    };
    text.len() <= SUBDOMAIN && text.split('.').all(is_part)
}

/// A text with letters, digits, `-`, `_` and `.`, which begins and ends with a letter or digit, of at most 63 characters.
fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    bytes.len() <= 63
        && bytes.iter().all(is_inner)
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether a text is a key of labels and annotations: a name, with a DNS name and `/` before it or not (`IsQualifiedName`).
pub(super) fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_name(prefix) && is_qualified_part(name),
        None => is_qualified_part(text),
    }
}

/// Whether a text is the value of a label (`IsValidLabelValue`).
pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_qualified_part(text)
}

/// Whether a text is the name of a port: at most 15 lower-case letters, digits and `-`, with a letter among them
/// (`IsValidPortName`).
pub(super) fn is_port_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    bytes.len() <= 15
        && bytes.iter().all(|byte| is_plain(byte) || *byte == b'-')
        && bytes.iter().any(u8::is_ascii_lowercase)
        && !text.contains("--")
        && bytes.first().is_some_and(is_plain)
        && bytes.last().is_some_and(is_plain)
}

/// A name that is as near to the text as a port's name can be.
pub(super) fn as_port_name(text: &str) -> String {
    let lower = text.to_lowercase().replace(['_', '.', ' '], "-");
    let short: String = lower
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(15)
        .collect();
    short.trim_matches('-').to_owned()
}

/// A name that is as near to the text as a DNS label can be.
pub(super) fn as_dns_label(text: &str) -> String {
    let lower = text.to_lowercase().replace(['_', '.', ' ', '/'], "-");
    let plain: String = lower
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(63)
        .collect();
    plain.trim_matches('-').to_owned()
}

/// The text must be there.
pub(super) fn required(at: &At<'_>, help: &str, found: &mut Found) -> bool {
    let is_there = !at.text().is_empty();
    if !is_there {
        found.add(at, Cause::Required, "must not be empty", help);
    }
    is_there
}

/// The text must be a DNS label (RFC 1123); absent is fine.
pub(super) fn dns_label(at: &At<'_>, found: &mut Found) {
    let text = at.text();
    if !text.is_empty() && !is_dns_label(text) {
        let message = format!(
            "{} is not a DNS label: lower-case letters, digits and \"-\", at most 63, beginning and ending with a letter or digit",
            quoted(text)
        );
        found.add(
            at,
            Cause::Invalid,
            message,
            suggestion(&as_dns_label(text), "write a DNS label"),
        );
    }
}

/// The text must be a DNS name; absent is fine.
pub(super) fn dns_name(at: &At<'_>, found: &mut Found) {
    let text = at.text();
    if !text.is_empty() && !is_dns_name(text) {
        let message = format!(
            "{} is not a DNS name: lower-case letters, digits, \"-\" and \".\", at most 253",
            quoted(text)
        );
        found.add(
            at,
            Cause::Invalid,
            message,
            "write the name of the object as the cluster has it",
        );
    }
}

pub(super) fn suggestion(near: &str, otherwise: &str) -> String {
    if near.is_empty() {
        otherwise.to_owned()
    } else {
        format!("write {near}, for example")
    }
}

/// The text must be one of these; absent is fine.
pub(super) fn one_of(at: &At<'_>, values: &[&str], found: &mut Found) {
    if at.is_set() && !values.contains(&at.text()) && !at.text().is_empty() {
        unsupported(at, values, found);
    }
}

/// The text is none of these values.
pub(super) fn unsupported(at: &At<'_>, values: &[&str], found: &mut Found) {
    let text = at.text();
    let same = values
        .iter()
        .find(|value| value.eq_ignore_ascii_case(text))
        .copied();
    let help = match same.or_else(|| nearest(text, values.iter().copied())) {
        Some(near) => format!("write {near}"),
        None => format!("write {}", values.join(" or ")),
    };
    let message = format!(
        "{} is not a valid value; valid are {}",
        quoted(text),
        values.join(", ")
    );
    found.add(at, Cause::NotSupported, message, help);
}

/// The number must not be below zero; absent is fine.
pub(super) fn not_negative(at: &At<'_>, help: &str, found: &mut Found) {
    if let Some(number) = at.int().filter(|number| *number < 0) {
        let message = format!("{number} is below 0");
        found.add(at, Cause::Invalid, message, help);
    }
}

/// The number must be within these bounds; absent is fine.
pub(super) fn between(at: &At<'_>, from: i64, to: i64, found: &mut Found) {
    if let Some(number) = at.int().filter(|number| !(from..=to).contains(number)) {
        let message = format!("{number} is not between {from} and {to}");
        found.add(
            at,
            Cause::Invalid,
            message,
            format!("write a number from {from} to {to}"),
        );
    }
}

/// The number of a port; absent is fine.
pub(super) fn port_number(at: &At<'_>, found: &mut Found) {
    between(at, 1, 65535, found);
}

/// A port by number or by name, as a probe has it.
pub(super) fn port(at: &At<'_>, found: &mut Found) {
    match at.value() {
        Some(Value::String(name)) if !is_port_name(name) => {
            let message = format!(
                "{} is not the name of a port: at most 15 lower-case letters, digits and \"-\", with a letter among them",
                quoted(name)
            );
            let help = match name.parse::<u16>() {
                Ok(number) => format!("write {number} without quotes"),
                Err(_) => "write the name of a port of this container, or its number".to_owned(),
            };
            found.add(at, Cause::Invalid, message, help);
        }
        Some(Value::Number(_)) => port_number(at, found),
        Some(_) => {}
        None => {
            found.add(
                at,
                Cause::Invalid,
                "must be a port from 1 to 65535, or its name",
                "write the port",
            );
        }
    }
}

/// The amount of a quantity in units of 10^-9; `None` for what is none.
pub(super) fn amount(at: &At<'_>) -> Option<i128> {
    match at.value()? {
        Value::String(text) => nanos(text.trim()),
        Value::Number(number) => nanos(&number.to_string()),
        _ => None,
    }
}

/// Whether a path leads out of the folder that it is in: one of its parts is `..`.
pub(super) fn climbs(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}
