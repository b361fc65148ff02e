//! How much may be added to a set. A patch that no user could read, or that takes more work than any real set, is none: nothing is
//! added then, and the user is told why.

use super::{Notice, Outcome, Tag};
use crate::change::{Draft, operations};
use crate::model::steps::Steps;
use crate::statefulset::Old;
use crate::statefulset::annotations::INJECTED;
use crate::statefulset::set::Set;

/// The most operations that a patch may have.
const MAX_OPERATIONS: usize = 1_000;

/// The longest patch, in bytes of JSON.
const MAX_PATCH: usize = 128 * 1024;

/// The comparisons of names and paths that no single list bounds. A set of 100 recorded mounts in a container of 100 mounts takes
/// 10,000.
const STEPS: usize = 200_000;

/// What the changes of one set draw from.
pub(super) const fn steps() -> Steps {
    Steps::new(STEPS)
}

/// What is said where nothing is looked at, because the set is too large or asks for too much. The rule `set-too-large` says the
/// former by itself.
pub(super) fn no_room(set: &Set<'_>, old: Option<&Old<'_>>) -> Option<Outcome> {
    let is_too_large = |set: &Set<'_>| !set.excesses().is_empty();
    if is_too_large(set) || old.is_some_and(|old| is_too_large(&old.set)) {
        return Some(Outcome::default());
    }
    (!set.has_room()).then(|| {
        nothing(
            "the set has more than 2,000 volumes, or 1,000 claims with those of its annotations",
        )
    })
}

/// Whether what is added to the set could pass a limit, so that the set as it was must be kept.
pub(super) fn may_be_passed(set: &Set<'_>) -> bool {
    const FEW_CONTAINERS: usize = 8;
    const FEW_CLAIMS: usize = 32;
    const SHORT_RECORD: usize = 8 * 1024;
    let annotations = &set.metadata.annotations;
    let claims = set.spec.volume_claim_templates.len() + annotations.ours.len();
    let record = annotations.get(INJECTED).map_or(0, str::len);
    let pods = &set.spec.template.spec;
    let mounts = pods.containers.iter();
    pods.containers.len() > FEW_CONTAINERS
        || claims > FEW_CLAIMS
        || pods.volumes.len() > FEW_CLAIMS
        || record > SHORT_RECORD
        || mounts
            .map(|container| container.volume_mounts.len())
            .sum::<usize>()
            > FEW_CLAIMS
}

/// The limit that the changes pass, in words.
pub(super) fn passed(draft: &Draft<'_>, steps: &Steps) -> Option<String> {
    if !steps.take(0) {
        return Some("the set has too many mounts and claims for it".to_owned());
    }
    let operations = operations(draft.changes());
    if operations.len() > MAX_OPERATIONS {
        let count = operations.len();
        return Some(format!(
            "it would take {count} changes, more than {MAX_OPERATIONS}"
        ));
    }
    let length = serde_json::to_vec(&operations).map_or(usize::MAX, |patch| patch.len());
    (length > MAX_PATCH)
        .then(|| format!("the changes would take {length} bytes, more than {MAX_PATCH}"))
}

/// Nothing, and why.
pub(super) fn nothing(reason: &str) -> Outcome {
    let notice = Notice {
        tag: Tag::Injected,
        pointer: "/spec".to_owned(),
        message: format!("nothing added: {reason}"),
    };
    Outcome {
        notices: vec![notice],
        ..Outcome::default()
    }
}

#[cfg(test)]
mod tests;
