//! Names, labels, annotations and selectors (`ValidateObjectMeta`, `ValidateLabels`, `ValidateLabelSelector`).

use super::at::At;
use super::formats::{as_dns_label, is_label_value, is_qualified_name, suggestion, unsupported};
use super::{Cause, Found};
use crate::model::name::is_dns_label;
use crate::model::text::quoted;

/// All annotations of an object, keys and values, in bytes (`TotalAnnotationSizeLimitB`).
const ANNOTATIONS: usize = 256 * 1024;

/// The name and the namespace of a set. A name that is too long has a rule of its own.
pub(super) fn object(at: &At<'_>, found: &mut Found) {
    let (name, generated) = (at.field("name"), at.field("generateName"));
    let text = name.text();
    if text.is_empty() && generated.text().is_empty() {
        found.add(
            &name,
            Cause::Required,
            "a StatefulSet needs a name",
            "write metadata.name",
        );
    } else if text.len() <= 63 && !text.is_empty() && !is_dns_label(text) {
        let message = format!(
            "{} is not a DNS label: lower-case letters, digits and \"-\", beginning and ending with a letter or digit",
            quoted(text)
        );
        found.add(
            &name,
            Cause::Invalid,
            message,
            suggestion(&as_dns_label(text), "write a DNS label"),
        );
    }
    let namespace = at.field("namespace");
    super::formats::dns_label(&namespace, found);
    maps(at, found);
}

/// The labels and annotations of an object or of a pod template.
pub(super) fn maps(at: &At<'_>, found: &mut Found) {
    labels(&at.field("labels"), found);
    let annotations = at.field("annotations");
    let mut size = 0;
    for (key, value) in annotations.members() {
        size += key.len() + value.text().len();
        // annotations may be upper-case before the slash, labels may not
        if !is_qualified_name(&key.to_lowercase()) {
            bad_key(&annotations, key, found);
        }
    }
    if size > ANNOTATIONS {
        let message = format!(
            "the annotations have {size} bytes together, and at most {ANNOTATIONS} are allowed"
        );
        found.add(
            &annotations,
            Cause::TooLong,
            message,
            "move the data into a ConfigMap",
        );
    }
}

/// Labels, or what looks like them (`nodeSelector`, `matchLabels`).
pub(super) fn labels(at: &At<'_>, found: &mut Found) {
    for (key, value) in at.members() {
        if !is_qualified_name(key) {
            bad_key(at, key, found);
        }
        if !is_label_value(value.text()) {
            bad_value(at, value.text(), found);
        }
    }
}

fn bad_key(at: &At<'_>, key: &str, found: &mut Found) {
    let message = format!(
        "the key {} must be letters, digits, \"-\", \"_\" and \".\", at most 63, with a DNS name and \"/\" before it or not",
        quoted(key)
    );
    found.add(
        at,
        Cause::Invalid,
        message,
        "write the key without other characters",
    );
}

fn bad_value(at: &At<'_>, value: &str, found: &mut Found) {
    let message = format!(
        "{} is not the value of a label: letters, digits, \"-\", \"_\" and \".\", at most 63, beginning and ending with a letter or digit",
        quoted(value)
    );
    found.add(
        at,
        Cause::Invalid,
        message,
        "shorten it, or make it an annotation, which may hold any text",
    );
}

/// A label selector; absent is fine.
pub(super) fn selector(at: &At<'_>, found: &mut Found) {
    labels(&at.field("matchLabels"), found);
    let expressions = at.field("matchExpressions");
    for expression in expressions.items() {
        requirement(
            &expression,
            &["In", "NotIn", "Exists", "DoesNotExist"],
            found,
        );
    }
}

/// A requirement of a selector: its key, its operator, and values where the operator takes them.
pub(super) fn requirement(at: &At<'_>, operators: &[&str], found: &mut Found) {
    let (key, operator, values) = (at.field("key"), at.field("operator"), at.field("values"));
    let count = values.items().count();
    match operator.text() {
        "In" | "NotIn" if count == 0 => {
            let message = format!("{} needs values", operator.text());
            found.add(
                &values,
                Cause::Required,
                message,
                "write at least one value, or the operator Exists",
            );
        }
        "Exists" | "DoesNotExist" if count > 0 => {
            let message = format!("{} takes no values", operator.text());
            found.add(
                &values,
                Cause::Forbidden,
                message,
                "remove values, or write the operator In",
            );
        }
        "Gt" | "Lt" if operators.contains(&"Gt") && count != 1 => {
            found.add(
                &values,
                Cause::Required,
                "Gt and Lt take exactly one value",
                "write one number",
            );
        }
        text if !operators.contains(&text) => unsupported(&operator, operators, found),
        _ => {}
    }
    if !is_qualified_name(key.text()) {
        let message = format!("{} is not the key of a label", quoted(key.text()));
        found.add(&key, Cause::Invalid, message, "write the key of a label");
    }
    for value in values.items() {
        if !is_label_value(value.text()) {
            bad_value(&value, value.text(), found);
        }
    }
}
