//! What is filled in: the readiness probe, the headless Service linkage, claims; and what becomes of it later.

pub mod bind;
pub mod claims;
pub(crate) mod governing_service;
mod limits;
mod mounts;
mod orphans;
pub mod probes;
mod put_back;
pub mod record;
pub mod service;
#[cfg(test)]
mod testing;
pub mod wanted;
mod work;

use record::Record;
use wanted::Wanted;
use work::{Work, Write};

use crate::change::Draft;
use crate::cluster_view::{ClusterView, Lookup};
use crate::policy::{ControllerOwned, Policy};
use crate::statefulset::Old;
use crate::statefulset::probe::Slot;
use crate::statefulset::set::{Set, UpdateStrategy};
use crate::statefulset::view::IntOrString;
use crate::strict::Slips;

/// What kind of thing was injected (`steadyset.io/inject` uses these words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `readiness-probe`
    ReadinessProbe,
    /// `liveness-probe`
    LivenessProbe,
    /// `startup-probe`
    StartupProbe,
    /// `service-name`
    ServiceName,
    /// `volume-claims`: a claim, its completion, or a mount that was asked for with it.
    VolumeClaims,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ReadinessProbe,
        Self::LivenessProbe,
        Self::StartupProbe,
        Self::ServiceName,
        Self::VolumeClaims,
    ];

    /// Its word in `steadyset.io/inject`, in the record's keys and in the metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReadinessProbe => "readiness-probe",
            Self::LivenessProbe => "liveness-probe",
            Self::StartupProbe => "startup-probe",
            Self::ServiceName => "service-name",
            Self::VolumeClaims => "volume-claims",
        }
    }
}

impl From<Slot> for Kind {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::Readiness => Self::ReadinessProbe,
            Slot::Liveness => Self::LivenessProbe,
            Slot::Startup => Self::StartupProbe,
        }
    }
}

/// Where the value of an injection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The policy's own values.
    Policy,
    /// An entry of the image catalogue.
    Catalogue,
    /// A declared port.
    Port,
    /// A Service that was there.
    Service,
    /// An annotation of the user.
    Annotation,
    /// The record: put back what a write dropped.
    Record,
}

/// One thing that was injected or put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// What kind of thing.
    pub kind: Kind,
    /// Where its value comes from.
    pub origin: Origin,
    /// Its key in the record: `service-name`, `claim/<name>`, `mount/<container>/<path>`, or `readiness-probe`,
    /// `liveness-probe` or `startup-probe` with `/<container>`.
    pub key: String,
}

/// What a notice is about; shown at its end in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Something was added or put back.
    Injected,
    /// Something of ours went.
    Yielded,
    /// An exemption was used, or could not be.
    Exempted,
    /// It speaks for a rule.
    Rule(&'static str),
}

/// A line for the user that is not a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub tag: Tag,
    /// JSON pointer to the field.
    pub pointer: String,
    /// What was done, and what the user may want to do.
    pub message: String,
}

/// What was done to a draft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was injected.
    pub injections: Vec<Injection>,
    /// What the user is told.
    pub notices: Vec<Notice>,
}

/// Where a set stands, and how it is written.
#[derive(Clone, Copy)]
pub struct Around<'w> {
    /// Its namespace.
    pub namespace: &'w str,
    /// The cluster.
    pub cluster: &'w dyn ClusterView,
    /// What is wrong with how its author wrote it: what is missing may stand elsewhere in his file.
    pub slips: &'w Slips,
}

/// Fills in what the policy allows, and on UPDATE puts back, yields and follows.
#[must_use]
pub fn inject(
    policy: &Policy,
    around: Around<'_>,
    draft: &mut Draft<'_>,
    old: Option<&Old<'_>>,
) -> Outcome {
    if let Some(outcome) = limits::no_room(draft.set(), old) {
        return outcome;
    }
    let untouched = limits::may_be_passed(draft.set()).then(|| draft.clone());
    let steps = limits::steps();
    let own = Record::of(draft.set());
    let stored = old.and_then(|old| Record::of(&old.set));
    let write = Write {
        old,
        template_changed: old.is_none_or(|old| old.template_changed),
        dropped: own.is_none() && stored.is_some(),
        wanted: Wanted::of(draft.set()),
    };
    let mut work = Work {
        policy,
        namespace: around.namespace,
        draft,
        cluster: around.cluster,
        slips: around.slips,
        record: own.or(stored).unwrap_or_default(),
        outcome: Outcome::default(),
        left: Vec::new(),
        kept_out: Vec::new(),
        steps: &steps,
    };
    if old.is_some_and(|old| old.is_patchable(work.draft.set())) {
        update(&mut work, &write);
    } else if old.is_none() && is_open(policy, work.draft.set()) {
        create(&mut work, &write);
    }
    let outcome = work.outcome;
    let passed = untouched.and_then(|untouched| Some((untouched, limits::passed(draft, &steps)?)));
    match passed {
        None => outcome,
        Some((untouched, reason)) => {
            *draft = untouched;
            limits::nothing(&reason)
        }
    }
}

/// Whether a new set may be changed: one without any name is none yet, and a controller that owns one decides alone.
fn is_open(policy: &Policy, set: &Set<'_>) -> bool {
    let metadata = &set.metadata;
    let named = !metadata.name.is_empty() || !metadata.generate_name.is_empty();
    named && (policy.inject.controller_owned == ControllerOwned::Inject || !set.is_controlled())
}

fn create(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    match work.cluster.orphaned_pods() {
        Lookup::Absent => fill(work, write),
        Lookup::Found(pods) => orphans::fill_over(work, write, pods),
        Lookup::Unknown => orphans::fill_without_pods(work, write),
    }
}

/// Fills in what a new set lacks. The webhook may be called a second time, with what others made of the first answer.
fn fill(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    bind::bind_new(work);
    if write.wants(Kind::ServiceName) {
        work.step(service::inject);
    }
    mounts::settle(work, write);
    if write.wants(Kind::VolumeClaims) {
        claims::inject(work);
    }
    probes::settle(work, write);
    probes::inject(work, write);
    work.write_record(write.dropped);
}

fn update(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    remove_left_over(work);
    if work.record.is_empty() {
        return;
    }
    bind::bind_stored(work, write);
    if let Some(old) = write.old {
        put_back::service_name(work, old);
        put_back::claims(work, old);
    }
    mounts::settle(work, write);
    probes::settle(work, write);
    work.write_record(write.dropped);
}

/// Removes what the API server's defaulting left of the default strategy, and every merge leaves beside `OnDelete`: no
/// server accepts the two together, and the user never wrote it.
fn remove_left_over(work: &mut Work<'_, '_>) {
    let strategy = &work.draft.set().spec.update_strategy;
    if strategy.kind() != "OnDelete" || !has_default_rolling_update(strategy) {
        return;
    }
    work.draft.remove_rolling_update();
    work.note(
        Tag::Rule("rolling-update-with-on-delete"),
        "/spec/updateStrategy/rollingUpdate",
        "the default that no one wrote was removed: OnDelete takes none".to_owned(),
    );
}

fn has_default_rolling_update(strategy: &UpdateStrategy<'_>) -> bool {
    strategy.rolling_update.as_ref().is_some_and(|rolling| {
        let unavailable = rolling.max_unavailable.as_ref();
        rolling.partition.unwrap_or(0) == 0
            && unavailable.is_none_or(|value| *value == IntOrString::Int(1))
    })
}

#[cfg(test)]
mod tests;
