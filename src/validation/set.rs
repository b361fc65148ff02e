//! `ValidateStatefulSet`: the set's own fields.

use super::at::At;
use super::formats::not_negative;
use super::{Cause, Found, claims, metadata, pod};

pub(super) fn check(set: At<'_>, found: &mut Found) {
    metadata::object(&set.field("metadata"), found);
    let spec = set.field("spec");
    let ordinals = spec.field("ordinals");
    not_negative(&spec.field("replicas"), "write 0 or more", found);
    not_negative(&spec.field("minReadySeconds"), "write 0 or more", found);
    not_negative(&ordinals.field("start"), "write 0 or more", found);
    let selector = spec.field("selector");
    metadata::selector(&selector, found);
    let template = spec.field("template");
    metadata::maps(&template.field("metadata"), found);
    let pods = template.field("spec");
    of_sets_only(&pods, found);
    let claim_templates = spec.field("volumeClaimTemplates");
    pod::check(&pods, found);
    for claim in claim_templates.items() {
        claims::check(&claim, found);
    }
}

/// What a pod may have and a pod of a set may not.
fn of_sets_only(pods: &At<'_>, found: &mut Found) {
    let restart = pods.field("restartPolicy");
    if !restart.text().is_empty() && restart.text() != "Always" {
        let message = format!(
            "the pods of a StatefulSet always restart; {} is for what ends by itself",
            restart.text()
        );
        let help = "write Always, or remove the field; what ends by itself is a Job";
        found.add(&restart, Cause::NotSupported, message, help);
    }
    let deadline = pods.field("activeDeadlineSeconds");
    if deadline.is_set() {
        let message = "the pods of a StatefulSet have no deadline";
        found.add(
            &deadline,
            Cause::Forbidden,
            message,
            "remove it; what ends after a time is a Job",
        );
    }
}
