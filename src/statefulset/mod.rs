//! The subject of a verdict: a borrowed view of the set as it would be stored, and of the one it replaces.
//!
//! The views read only what rules and injections need. Whatever else an object holds, today's or next year's, is neither
//! built nor able to make the decode fail.

use std::borrow::Cow;

use serde_json::value::RawValue;
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

use crate::model::pointer::container_field;
use crate::strict::Slips;
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

/// Where a set comes from, before it is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The set's namespace; what the request says is authoritative.
    pub namespace: &'a str,
    /// The set as the user wants it.
    pub object: &'a RawValue,
    /// The set as it is stored; present makes it an UPDATE.
    pub old_object: Option<&'a RawValue>,
}

/// A set that cannot be read: a field that a rule needs holds something else than Kubernetes allows there.
#[derive(Debug, Error)]
#[error("the StatefulSet cannot be read: {0}")]
pub struct Undecodable(#[from] serde_json::Error);

/// A set to be judged.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The set's namespace.
    pub namespace: Cow<'a, str>,
    /// The set as the user wants it.
    pub set: Set<'a>,
    /// What it replaces; `None` on CREATE.
    pub old: Option<Old<'a>>,
    /// What is wrong with how its author wrote it; nothing where it does not come from his file.
    pub slips: Slips,
}

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

impl<'a> Subject<'a> {
    /// Reads a set and, on UPDATE, the one it replaces.
    ///
    /// Answers `None` where there is nothing to judge: the set is being deleted, or the write leaves its spec as it is.
    ///
    /// # Errors
    ///
    /// [`Undecodable`] if a field that a rule reads has the wrong type.
    pub fn decode(source: Source<'a>) -> Result<Option<Self>, Undecodable> {
        let old_object = source.old_object.map(|object| Met::Text(object.get()));
        Self::of(source.namespace, Met::Text(source.object.get()), old_object)
    }

    /// As [`Subject::decode`], of objects that were read where they were met.
    ///
    /// # Errors
    ///
    /// [`Undecodable`] if a field that a rule reads has the wrong type.
    pub fn of(
        namespace: &'a str,
        object: Met<'a>,
        old_object: Option<Met<'a>>,
    ) -> Result<Option<Self>, Undecodable> {
        let Some(old_object) = old_object else {
            return Ok(Self::judged(namespace, object.set()?, None));
        };
        let (wanted, stored) = (object.outline()?, old_object.outline()?);
        if wanted.spec == stored.spec {
            return Ok(None);
        }
        let template_changed = wanted.spec.get(TEMPLATE) != stored.spec.get(TEMPLATE);
        let set = wanted.set(None)?;
        let same_template = (!template_changed).then_some(&set.spec.template);
        let old = Old {
            set: stored.set(same_template)?,
            template_changed,
            stored: stored.spec,
            text: wanted.text,
            wanted: wanted.spec,
        };
        Ok(Self::judged(namespace, set, Some(old)))
    }

    fn judged(namespace: &'a str, set: Set<'a>, old: Option<Old<'a>>) -> Option<Self> {
        if set.metadata.deletion_timestamp.is_some() {
            return None;
        }
        Some(Self {
            namespace: Cow::Borrowed(namespace),
            set,
            old,
            slips: Slips::default(),
        })
    }

    /// Whether the set is new or replaces another.
    #[must_use]
    pub fn operation(&self) -> Operation {
        if self.old.is_some() {
            Operation::Update
        } else {
            Operation::Create
        }
    }

    /// Whether it is a whole set, and no patch of one as kustomize has them: that has no selector, or a container without image.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let spec = &self.set.spec;
        let mut containers = spec.template.spec.containers.iter().enumerate();
        let is_there = |pointer: &str| self.slips.is_lost(pointer);
        (spec.selector.is_some() || is_there("/spec/selector"))
            && containers.all(|(index, container)| {
                !container.image.is_empty() || is_there(&container_field(index, "image"))
            })
    }

    /// Whether this write changes the pod template of a stored set.
    #[must_use]
    pub fn template_changed(&self) -> bool {
        self.old.as_ref().is_some_and(|old| old.template_changed)
    }
}

impl<'a> Old<'a> {
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
