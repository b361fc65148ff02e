//! What the changes of an UPDATE make of its pod template.

use serde_json::{Value, json};

use super::Change;
use crate::statefulset::Old;

/// Whether the pod template still differs from the stored one once the changes are made: a probe that was put back makes a template
/// what it was.
#[must_use]
pub fn template_changed_after(changes: &[Change], old: &Old<'_>) -> bool {
    let own = changes.iter().filter(|change| change.is_of_template());
    let own: Vec<_> = own.flat_map(Change::operations).collect();
    if own.is_empty() || !old.template_changed {
        return old.template_changed;
    }
    let parsed = |template: Option<&str>| -> Option<Value> {
        template.and_then(|text| serde_json::from_str(text).ok())
    };
    let mut wanted = json!({"spec": {"template": parsed(old.wanted_template())}});
    json_patch::patch(&mut wanted, &own).is_err()
        || wanted.pointer("/spec/template") != parsed(old.raw_template()).as_ref()
}
