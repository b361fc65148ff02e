//! Claim templates (`ValidatePersistentVolumeClaimSpec`). Missing access modes, sizes and names have rules of their own.

use super::at::At;
use super::formats::{amount, dns_name, one_of, unsupported};
use super::metadata::selector;
use super::{Cause, Found};

const ACCESS_MODES: [&str; 4] = [
    "ReadWriteOnce",
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOncePod",
];

/// What people write for the access modes.
const SHORT: [(&str, &str); 4] = [
    ("RWO", "ReadWriteOnce"),
    ("ROX", "ReadOnlyMany"),
    ("RWX", "ReadWriteMany"),
    ("RWOP", "ReadWriteOncePod"),
];

pub(super) fn check(claim: &At<'_>, found: &mut Found) {
    found.between(Some(34), None, |found| spec(&claim.field("spec"), found));
}

/// The spec of a claim, of a template or of an ephemeral volume.
pub(super) fn spec(spec: &At<'_>, found: &mut Found) {
    let modes = spec.field("accessModes");
    for mode in modes.items() {
        let text = mode.text();
        if let Some((_, long)) = SHORT
            .iter()
            .find(|(short, _)| short.eq_ignore_ascii_case(text))
        {
            let message = format!("{text} is the short form that kubectl prints");
            found.add(&mode, Cause::NotSupported, message, format!("write {long}"));
        } else if !ACCESS_MODES.contains(&text) {
            unsupported(&mode, &ACCESS_MODES, found);
        }
    }
    let alone = modes.items().any(|mode| mode.text() == "ReadWriteOncePod");
    if alone && modes.items().count() > 1 {
        let message = "ReadWriteOncePod must be the only access mode";
        found.add(
            &modes,
            Cause::Forbidden,
            message,
            "write [ReadWriteOncePod] alone, or [ReadWriteOnce]",
        );
    }
    let resources = spec.field("resources");
    let requests = resources.field("requests");
    let storage = requests.field("storage");
    if amount(&storage).is_some_and(|amount| amount <= 0) {
        found.add(
            &storage,
            Cause::Invalid,
            "a volume has a size above 0",
            "write a size such as 10Gi",
        );
    }
    dns_name(&spec.field("storageClassName"), found);
    one_of(&spec.field("volumeMode"), &["Filesystem", "Block"], found);
    selector(&spec.field("selector"), found);
}
