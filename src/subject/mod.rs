//! The subject of a verdict: a borrowed view of the set as it would be stored, and of the one it replaces.
//!
//! The views read only what rules and injections need. Whatever else an object holds, today's or next year's, is neither
//! built nor able to make the decode fail.

use std::borrow::Cow;

use json_patch::PatchOperation;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use thiserror::Error;

pub mod annotations;
mod facts;
pub mod immutable;
mod meaning;
pub mod probe;
mod quantity;
pub mod set;
pub mod view;

use set::Set;
use view::view;

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
}

/// The stored set that an UPDATE replaces.
#[derive(Clone, Debug)]
pub struct Old<'a> {
    /// The stored set.
    pub set: Set<'a>,
    /// Whether the pod template differs, byte for byte as the API server encodes it: a controller revision depends on no
    /// less than that.
    pub template_changed: bool,
    /// The stored claims as they are written, to be put back unchanged.
    pub raw_claims: Vec<&'a RawValue>,
    /// The claims that the user wants instead, as they are written.
    pub wanted_claims: Vec<&'a RawValue>,
    raw_template: Option<&'a RawValue>,
    wanted_template: Option<&'a RawValue>,
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
        let Some(old_object) = source.old_object else {
            let set: Set<'a> = serde_json::from_str(source.object.get())?;
            return Ok(Self::judged(source.namespace, set, None));
        };
        let new_spec = SpecOutline::of(source.object)?;
        let old_spec = SpecOutline::of(old_object)?;
        if new_spec.raw() == old_spec.raw() {
            return Ok(None);
        }
        let (wanted, stored) = (new_spec.fields()?, old_spec.fields()?);
        let old = Old {
            set: serde_json::from_str(old_object.get())?,
            template_changed: wanted.template.map(RawValue::get)
                != stored.template.map(RawValue::get),
            raw_claims: stored.claims,
            wanted_claims: wanted.claims,
            raw_template: stored.template,
            wanted_template: wanted.template,
        };
        let set = serde_json::from_str(source.object.get())?;
        Ok(Self::judged(source.namespace, set, Some(old)))
    }

    fn judged(namespace: &'a str, set: Set<'a>, old: Option<Old<'a>>) -> Option<Self> {
        if set.metadata.deletion_timestamp.is_some() {
            return None;
        }
        Some(Self {
            namespace: Cow::Borrowed(namespace),
            set,
            old,
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

    /// Whether this write changes the pod template of a stored set.
    #[must_use]
    pub fn template_changed(&self) -> bool {
        self.old.as_ref().is_some_and(|old| old.template_changed)
    }
}

impl Old<'_> {
    /// Whether the pod template still differs once the operations are applied: a probe that was put back makes a template
    /// what it was.
    #[must_use]
    pub fn template_changed_after(&self, operations: &[PatchOperation]) -> bool {
        let own: Vec<_> = operations
            .iter()
            .filter(|operation| operation.path().as_str().starts_with("/spec/template/"))
            .cloned()
            .collect();
        if own.is_empty() || !self.template_changed {
            return self.template_changed;
        }
        let parsed = |raw: Option<&RawValue>| -> Option<Value> {
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        };
        let mut wanted = json!({"spec": {"template": parsed(self.wanted_template)}});
        json_patch::patch(&mut wanted, &own).is_err()
            || wanted.pointer("/spec/template") != parsed(self.raw_template).as_ref()
    }
}

view! {
    struct Outline<'a> {
        "spec" => spec: Option<&'a RawValue>,
    }
}

view! {
    struct SpecFields<'a> {
        "template" => template: Option<&'a RawValue>,
        "volumeClaimTemplates" => claims: Vec<&'a RawValue>,
    }
}

/// The bytes of a set's `spec`, looked into no further than a comparison needs.
struct SpecOutline<'a>(Option<&'a RawValue>);

impl<'a> SpecOutline<'a> {
    fn of(object: &'a RawValue) -> Result<Self, Undecodable> {
        let outline: Outline<'a> = serde_json::from_str(object.get())?;
        Ok(Self(outline.spec))
    }

    fn raw(&self) -> Option<&'a str> {
        self.0.map(RawValue::get)
    }

    fn fields(&self) -> Result<SpecFields<'a>, Undecodable> {
        self.raw().map_or_else(
            || Ok(SpecFields::default()),
            |raw| Ok(serde_json::from_str(raw)?),
        )
    }
}
