//! Injections over the pods that an earlier set has left (`kubectl delete --cascade=orphan`), field by field.
//!
//! A pod template that differs from theirs restarts them, and a claim that they lack blocks the set for ever. But where they come from
//! a set that had the same injected, it is the other way round: leaving it out restarts them. And where the set's own template differs
//! from theirs anyway, they are restarted whatever is injected.

use super::limits::may_be_passed;
use super::work::{Work, Write};
use super::{Outcome, Tag, fill};
use crate::change::Change;
use crate::cluster_view::Pod;
use crate::statefulset::set::Set;

/// A pod that an earlier set has left.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pod: Pod,
    /// Whether it is restarted whatever is injected.
    is_replaced: bool,
}

/// A step that would do harm to a pod, and was not done.
#[derive(Clone, Debug)]
pub(super) struct KeptOut {
    pub(super) pointer: String,
    /// Whether it would have injected something, rather than taken something out.
    pub(super) injects: bool,
    pub(super) harm: Harm,
}

/// What a change would do to a pod.
#[derive(Clone, Debug)]
pub(super) struct Harm {
    pod: String,
    /// Whether the set could not go on, for want of a claim.
    blocks: bool,
}

/// The pods, as the set that is about to adopt them was written.
fn left(pods: Vec<Pod>, set: &Set<'_>) -> Vec<Left> {
    let left = |pod: Pod| Left {
        is_replaced: pod.is_replaced_by(set),
        pod,
    };
    pods.into_iter().map(left).collect()
}

/// The harm that one of the changes would do to one of the pods.
pub(super) fn harm(left: &[Left], changes: &[Change]) -> Option<Harm> {
    changes.iter().find_map(|change| {
        let blocks = change.is_of_claims();
        let mut lacking = left.iter().filter(|left| !change.is_in(&left.pod));
        let harmed = lacking.find(|left| blocks || !left.is_replaced)?;
        let pod = harmed.pod.name().to_owned();
        Some(Harm { pod, blocks })
    })
}

/// Says what was not done.
fn note(work: &mut Work<'_, '_>) {
    let kept_out = std::mem::take(&mut work.kept_out);
    let Some(first) = kept_out.first() else {
        return;
    };
    if work.draft.changes().iter().any(Change::touches_pods) {
        for KeptOut {
            pointer,
            injects,
            harm,
        } in kept_out
        {
            let message = format!("{}: {}", not_done("not", injects), harm.describe());
            work.note(Tag::Injected, pointer, message);
        }
        return;
    }
    let injects = kept_out.iter().any(|kept_out| kept_out.injects);
    let message = format!(
        "{}: {}",
        not_done("nothing", injects),
        first.harm.describe()
    );
    work.note(Tag::Injected, "/metadata/name", message);
}

/// Injects over the pods: step by step, or into a large set, of which no copy is kept for every step, all or nothing.
pub(super) fn fill_over(work: &mut Work<'_, '_>, write: &Write<'_, '_>, pods: Vec<Pod>) {
    let left = left(pods, work.draft.set());
    if may_be_passed(work.draft.set()) {
        return all_or_nothing(work, write, |changes| {
            harm(&left, changes).map(|harm| harm.describe())
        });
    }
    work.left = left;
    fill(work, write);
    note(work);
}

/// Does nothing where it would reach pods, and nobody knows whether there are any.
pub(super) fn fill_without_pods(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    all_or_nothing(work, write, |changes| {
        let reaches_pods = changes.iter().any(Change::touches_pods);
        reaches_pods.then(|| "whether an earlier set left pods could not be asked".to_owned())
    });
}

/// Injects, unless something speaks against what that would change.
fn all_or_nothing(
    work: &mut Work<'_, '_>,
    write: &Write<'_, '_>,
    objection: impl Fn(&[Change]) -> Option<String>,
) {
    let mut draft = work.draft.clone();
    let mut trial = Work {
        draft: &mut draft,
        record: work.record.clone(),
        outcome: Outcome::default(),
        left: Vec::new(),
        kept_out: Vec::new(),
        ..*work
    };
    fill(&mut trial, write);
    let injects = !trial.outcome.injections.is_empty();
    match objection(trial.draft.changes()) {
        None => fill(work, write),
        Some(objection) => {
            let message = format!("{}: {objection}", not_done("nothing", injects));
            work.note(Tag::Injected, "/metadata/name", message);
        }
    }
}

fn not_done(how: &str, injects: bool) -> String {
    let what = if injects { "injected" } else { "taken out" };
    format!("{how} {what}")
}

impl Harm {
    fn describe(&self) -> String {
        let pod = &self.pod;
        if self.blocks {
            format!("pod {pod}, left by an earlier set, has no such claim, and would block the set")
        } else {
            format!("it would restart pod {pod}, left by an earlier set")
        }
    }
}

#[cfg(test)]
mod tests;
