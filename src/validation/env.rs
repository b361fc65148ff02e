//! Environment variables (`ValidateEnv`, `ValidateEnvFrom`).

use super::at::At;
use super::formats::required;
use super::{Cause, Found};
use crate::model::text::quoted;

const SOURCES: [&str; 5] = [
    "fieldRef",
    "resourceFieldRef",
    "configMapKeyRef",
    "secretKeyRef",
    "fileKeyRef",
];

/// The fields of a pod that a variable may take (`validEnvDownwardAPIFieldPathExpressions`); labels and annotations by key.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

pub(super) fn check(container: &At<'_>, found: &mut Found) {
    let (list, from) = (container.field("env"), container.field("envFrom"));
    for variable in list.items() {
        name(&variable.field("name"), found);
        source(&variable, found);
    }
    for item in from.items() {
        one_source(&item, &["configMapRef", "secretRef"], found);
        for kind in ["configMapRef", "secretRef"] {
            let reference = item.field(kind);
            if reference.is_set() {
                required(
                    &reference.field("name"),
                    "write the name of the object",
                    found,
                );
            }
        }
    }
}

/// Any printable text but `=` (`IsRelaxedEnvVarName`, on since 1.32).
fn name(at: &At<'_>, found: &mut Found) {
    let text = at.text();
    if text.is_empty() {
        found.add(
            at,
            Cause::Required,
            "a variable needs a name",
            "write the name of the variable",
        );
    } else if !text
        .bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
    {
        let message = format!(
            "{} is not the name of a variable: printable ASCII without \"=\"",
            quoted(text)
        );
        found.add(
            at,
            Cause::Invalid,
            message,
            "write letters, digits and \"_\"",
        );
    }
}

fn source(variable: &At<'_>, found: &mut Found) {
    let (from, value) = (variable.field("valueFrom"), variable.field("value"));
    if !from.is_set() {
        return;
    }
    if value.text().is_empty() {
        one_source(&from, &SOURCES, found);
    } else {
        let message = "a variable has a value or takes it from somewhere, not both";
        found.add(&from, Cause::Invalid, message, "keep value or valueFrom");
    }
    for kind in ["configMapKeyRef", "secretKeyRef"] {
        let reference = from.field(kind);
        if reference.is_set() {
            required(
                &reference.field("name"),
                "write the name of the object",
                found,
            );
            required(
                &reference.field("key"),
                "write the key in the object",
                found,
            );
        }
    }
    let field = from.field("fieldRef");
    if field.is_set() {
        field_path(&field.field("fieldPath"), found);
    }
    let resource = from.field("resourceFieldRef");
    if resource.is_set() {
        required(
            &resource.field("resource"),
            "write limits.cpu, requests.memory or the like",
            found,
        );
    }
}

fn field_path(at: &At<'_>, found: &mut Found) {
    let text = at.text();
    let by_key = ["metadata.labels['", "metadata.annotations['"];
    if text.is_empty() {
        found.add(
            at,
            Cause::Required,
            "must not be empty",
            "write a field such as metadata.name",
        );
    } else if !(FIELDS.contains(&text)
        || text.ends_with("']") && by_key.iter().any(|start| text.starts_with(start)))
    {
        let message = format!("{} is not a field that a variable can take", quoted(text));
        found.add(
            at,
            Cause::NotSupported,
            message,
            format!("write one of {}", FIELDS.join(", ")),
        );
    }
}

/// Exactly one of the members must be there.
fn one_source(at: &At<'_>, names: &[&str], found: &mut Found) {
    match names.iter().filter(|name| at.field(name).is_set()).count() {
        1 => {}
        0 => found.add(
            at,
            Cause::Invalid,
            "it says not where the value comes from",
            format!("write one of {}", names.join(", ")),
        ),
        _ => found.add(
            at,
            Cause::Invalid,
            "the value can come from one place only",
            format!("keep one of {}", names.join(", ")),
        ),
    }
}
