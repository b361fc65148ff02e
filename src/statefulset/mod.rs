//! A borrowed view of a set as it would be stored, and of the one it replaces.
//!
//! The views read only what rules and injections need. Whatever else an object holds, today's or next year's, is neither
//! built nor able to make the decode fail.

use thiserror::Error;

pub mod annotations;
mod authored;
pub mod claim_equality;
pub mod defaults;
mod members;
mod met;
pub mod probe;
pub mod runtime;
pub mod scheduling;
pub mod set;
pub mod size;
pub mod view;
pub mod volume;

use members::Members;
pub use met::{Met, Outline};
use probe::Slot;
use set::Set;

const TEMPLATE: &str = "template";

/// What is asked of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A set that does not exist yet.
    Create,
    /// A write to a set that does.
    Update,
}

/// A set that cannot be read: a field that a rule needs holds something else than Kubernetes allows there.
#[derive(Debug, Error)]
#[error("the StatefulSet cannot be read: {0}")]
pub struct Undecodable(#[from] serde_json::Error);

/// The stored set that an UPDATE replaces.
#[derive(Clone, Debug)]
pub struct Old<'a> {
    /// The stored set.
    pub set: Set<'a>,
    /// Whether the pod template differs, byte for byte as the API server encodes it: a controller revision depends on no
    /// less than that.
    pub template_changed: bool,
    stored: Members<'a>,
    wanted: Members<'a>,
    /// The object that the user wants.
    text: &'a str,
}

/// Reads a set and, on UPDATE, the one it replaces.
///
/// Answers `None` where there is nothing to judge: the set is being deleted, or the write leaves its spec as it is.
///
/// # Errors
///
/// [`Undecodable`] if a field that a rule reads has the wrong type.
pub fn decode<'a>(
    object: Met<'a>,
    old_object: Option<Met<'a>>,
) -> Result<Option<(Set<'a>, Option<Old<'a>>)>, Undecodable> {
    let (set, old) = match old_object {
        None => (object.set()?, None),
        Some(old_object) => {
            let (wanted, stored) = (object.outline()?, old_object.outline()?);
            if wanted.spec == stored.spec {
                return Ok(None);
            }
            let (set, old) = Old::of(wanted, stored)?;
            (set, Some(old))
        }
    };
    let is_going = set.metadata.deletion_timestamp.is_some();
    Ok((!is_going).then_some((set, old)))
}

impl<'a> Old<'a> {
    /// The set that is wanted, and the stored one beside it.
    fn of(wanted: Outline<'a>, stored: Outline<'a>) -> Result<(Set<'a>, Self), Undecodable> {
        let template_changed = wanted.spec.get(TEMPLATE) != stored.spec.get(TEMPLATE);
        let set = wanted.set(None)?;
        let same_template = (!template_changed).then_some(&set.spec.template);
        let old = Self {
            set: stored.set(same_template)?,
            template_changed,
            stored: stored.spec,
            text: wanted.text,
            wanted: wanted.spec,
        };
        Ok((set, old))
    }

    /// The stored claims as they are written, to be put back unchanged.
    #[must_use]
    pub fn raw_claims(&self) -> Vec<&'a str> {
        self.stored.claims()
    }

    /// The claims that the user wants instead, as they are written.
    #[must_use]
    pub fn wanted_claims(&self) -> Vec<&'a str> {
        self.wanted.claims()
    }

    /// Whether the set that is written instead has what a patch could change: metadata and a template. A set without, which the API
    /// server refuses in its own words, would be answered with a patch that does not apply.
    #[must_use]
    pub fn is_patchable(&self, written: &Set<'_>) -> bool {
        let metadata = &written.metadata;
        let named = !metadata.name.is_empty() || !metadata.generate_name.is_empty();
        named && self.wanted.get(TEMPLATE).is_some()
    }

    /// The length of the set that is written instead, in bytes.
    #[must_use]
    pub fn written_length(&self) -> usize {
        self.text.len()
    }

    /// The fields of a container's probe that the user of this write is known to have written himself. A merge leaves a
    /// number that he wrote and the same number of ours alike.
    #[must_use]
    pub fn authored_probe_fields(&self, container: &str, slot: Slot) -> Vec<String> {
        authored::probe_fields(self.text, container, slot)
    }

    /// The stored pod template as it is written.
    #[must_use]
    pub fn raw_template(&self) -> Option<&'a str> {
        self.stored.get(TEMPLATE)
    }

    /// The pod template that the user wants instead, as it is written.
    #[must_use]
    pub fn wanted_template(&self) -> Option<&'a str> {
        self.wanted.get(TEMPLATE)
    }
}

#[cfg(test)]
mod tests;
