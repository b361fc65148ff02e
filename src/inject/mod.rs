//! What is filled in: the readiness probe, the headless Service linkage, claims; and what becomes of it later.

pub mod catalogue;
pub mod probes;
pub mod record;

use crate::cluster::ClusterView;
use crate::patch::Draft;
use crate::policy::Policy;
use crate::subject::Old;

/// What kind of thing was injected (`steadyset.io/inject` uses these words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `readiness-probe`
    ReadinessProbe,
    /// `service-name`
    ServiceName,
    /// `volume-claims`: a claim, its completion, or a mount that was asked for with it.
    VolumeClaims,
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
    /// Its key in the record: `service-name`, `claim/<name>`, `mount/<container>/<path>`, `readiness-probe/<container>`.
    pub key: String,
}

/// What a notice is about; shown at its end in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Something was added or put back.
    Injected,
    /// Something of ours went.
    Yielded,
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

/// Fills in what the policy allows, and on UPDATE puts back, yields and follows.
#[must_use]
pub fn inject(
    policy: &Policy,
    namespace: &str,
    draft: &mut Draft<'_>,
    old: Option<&Old<'_>>,
    cluster: &dyn ClusterView,
) -> Outcome {
    let _ = (policy, namespace, draft, old, cluster);
    Outcome::default()
}
