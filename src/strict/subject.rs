//! The subject of a verdict: a set as it would be stored, and how its author wrote it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::Slips;
use crate::model::pointer::container_field;
use crate::statefulset::set::Set;
use crate::statefulset::{self, Met, Old, Operation, Undecodable};

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
        let decoded = statefulset::decode(object, old_object)?;
        Ok(decoded.map(|(set, old)| Self {
            namespace: Cow::Borrowed(namespace),
            set,
            old,
            slips: Slips::default(),
        }))
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

    /// Whether it is a whole set, and no patch of one as kustomize has them: that has neither a selector nor any image.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let spec = &self.set.spec;
        let mut containers = spec.template.spec.containers.iter().enumerate();
        let is_there = |pointer: &str| self.slips.is_lost(pointer);
        spec.selector.is_some()
            || is_there("/spec/selector")
            || containers.any(|(index, container)| {
                !container.image.is_empty() || is_there(&container_field(index, "image"))
            })
    }

    /// Whether this write changes the pod template of a stored set.
    #[must_use]
    pub fn template_changed(&self) -> bool {
        self.old.as_ref().is_some_and(|old| old.template_changed)
    }
}
