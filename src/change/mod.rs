//! What is changed of a set: typed changes, and what can be asked of each.
//!
//! A change is made once, in a [`Draft`], where the view is changed too. Everything else asks it: for the JSON Patch operations that
//! do the same to the object, whether it reaches pods, whether a pod or the stored set already is what it would make of it. No code
//! reads that out of an operation's pointer.

mod draft;
pub mod immutable;
mod pods;
mod stored;
mod template;

use json_patch::{AddOperation, PatchOperation, RemoveOperation};
use jsonptr::PointerBuf;
use serde_json::{Value, json};

pub use draft::{Draft, ProbeField};
pub use template::template_changed_after;

use crate::model::pointer::{container_field, escape};
use crate::statefulset::probe::Slot;

const CLAIMS: &str = "/spec/volumeClaimTemplates";

/// A change of a set.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// `spec.serviceName` is set.
    SetServiceName(String),
    /// A claim is added.
    AddClaim {
        /// Where in the list.
        place: In,
        /// The claim as it is written.
        claim: Value,
    },
    /// A claim is given what it lacks.
    CompleteClaim {
        /// Its place in the list.
        index: usize,
        /// What is added, parents first; one that only holds what follows is empty.
        added: Vec<(Field, Value)>,
    },
    /// A volume is mounted.
    AddMount {
        /// The container.
        container: Container,
        /// Where in its list of mounts.
        place: In,
        /// The volume.
        volume: String,
        /// Where it is mounted.
        path: String,
    },
    /// A mount is removed.
    RemoveMount {
        /// The container.
        container: Container,
        /// Its place in the list.
        index: usize,
        /// Where it was mounted.
        path: String,
    },
    /// A container is given a probe.
    SetProbe {
        /// The container.
        container: Container,
        /// Which of its probes.
        slot: Slot,
        /// The probe as it is written.
        probe: Value,
    },
    /// A probe is removed.
    RemoveProbe {
        /// The container.
        container: Container,
        /// Which of its probes.
        slot: Slot,
    },
    /// A field of a probe is removed.
    RemoveFromProbe {
        /// The container.
        container: Container,
        /// Which of its probes.
        slot: Slot,
        /// The field.
        field: ProbeField,
    },
    /// `spec.updateStrategy.rollingUpdate` is removed.
    RemoveRollingUpdate,
    /// One of our annotations is set.
    Annotate {
        /// Whether it is the first annotation of the object.
        first: bool,
        /// Its key.
        key: String,
        /// Its value.
        value: String,
    },
}

/// A container of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its place in the set's list.
    pub index: usize,
    /// Its name, which is the same in a pod, where others may stand around it.
    pub name: String,
}

/// A place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum In {
    /// Before the item of that index, or at the end.
    List(usize),
    /// In a list that is not there yet, or is empty.
    NewList,
}

/// A field of a claim that can be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `spec`
    Spec,
    /// `spec.accessModes`
    AccessModes,
    /// `spec.resources`
    Resources,
    /// `spec.resources.requests`
    Requests,
    /// `spec.resources.requests.storage`
    Storage,
}

impl In {
    /// Before the item at `index`, or at the end of a list of that length.
    fn list(index: usize, length: usize) -> Self {
        match length {
            0 => Self::NewList,
            _ => Self::List(index.min(length)),
        }
    }

    fn index(self) -> usize {
        match self {
            Self::List(index) => index,
            Self::NewList => 0,
        }
    }

    /// The addition of an item to the list: an absent list cannot be added to.
    fn add(self, list: &str, item: Value) -> Option<PatchOperation> {
        match self {
            Self::List(index) => add(format!("{list}/{index}"), item),
            Self::NewList => add(list.to_owned(), json!([item])),
        }
    }
}

impl Field {
    /// The JSON pointer from the claim on.
    fn pointer(self) -> &'static str {
        match self {
            Self::Spec => "/spec",
            Self::AccessModes => "/spec/accessModes",
            Self::Resources => "/spec/resources",
            Self::Requests => "/spec/resources/requests",
            Self::Storage => "/spec/resources/requests/storage",
        }
    }
}

impl Container {
    fn field(&self, field: &str) -> String {
        container_field(self.index, field)
    }
}

impl Change {
    /// The operations that do the same to the object.
    ///
    /// They are explicit and never the difference of two serialised objects, so fields that we do not know, odd quantities and
    /// nulls survive. A parent that is known to be missing is created first; `add` on a key that is there, even as null, replaces
    /// its value (RFC 6902, and the API server's implementation).
    #[must_use]
    pub fn operations(&self) -> Vec<PatchOperation> {
        match self {
            Self::CompleteClaim { index, added } => {
                let claim = format!("{CLAIMS}/{index}");
                let added = added.iter();
                added
                    .filter_map(|(field, value)| {
                        add(claim.clone() + field.pointer(), value.clone())
                    })
                    .collect()
            }
            Self::Annotate { first, key, value } => {
                let annotations = "/metadata/annotations";
                let parent = first
                    .then(|| add(annotations.to_owned(), json!({})))
                    .flatten();
                let own = add(format!("{annotations}/{}", escape(key)), json!(value));
                parent.into_iter().chain(own).collect()
            }
            _ => self.operation().into_iter().collect(),
        }
    }

    /// The operation of a change that is one.
    fn operation(&self) -> Option<PatchOperation> {
        match self {
            Self::SetServiceName(name) => add("/spec/serviceName".to_owned(), json!(name)),
            Self::AddClaim { place, claim } => place.add(CLAIMS, claim.clone()),
            Self::AddMount {
                container, place, ..
            } => place.add(&container.field("volumeMounts"), self.mount()?),
            Self::RemoveMount {
                container, index, ..
            } => remove(container.field(&format!("volumeMounts/{index}"))),
            Self::SetProbe {
                container,
                slot,
                probe,
            } => add(container.field(slot.field()), probe.clone()),
            Self::RemoveProbe { container, slot } => remove(container.field(slot.field())),
            Self::RemoveFromProbe {
                container,
                slot,
                field,
            } => remove(container.field(&format!("{}/{}", slot.field(), field.name()))),
            Self::RemoveRollingUpdate => remove("/spec/updateStrategy/rollingUpdate".to_owned()),
            Self::CompleteClaim { .. } | Self::Annotate { .. } => None,
        }
    }

    /// The mount that is added, as it is written.
    fn mount(&self) -> Option<Value> {
        match self {
            Self::AddMount { volume, path, .. } => Some(json!({"name": volume, "mountPath": path})),
            _ => None,
        }
    }

    /// Whether it writes the record, which is no one's but ours.
    #[must_use]
    pub fn is_record(&self) -> bool {
        matches!(self, Self::Annotate { .. })
    }

    /// Whether it is one of the set's claims.
    #[must_use]
    pub fn is_of_claims(&self) -> bool {
        matches!(self, Self::AddClaim { .. } | Self::CompleteClaim { .. })
    }

    /// Whether it links the set to a Service.
    #[must_use]
    pub fn is_link(&self) -> bool {
        matches!(self, Self::SetServiceName(_))
    }

    /// The container whose part of the template it changes.
    fn container(&self) -> Option<&Container> {
        match self {
            Self::AddMount { container, .. }
            | Self::RemoveMount { container, .. }
            | Self::SetProbe { container, .. }
            | Self::RemoveProbe { container, .. }
            | Self::RemoveFromProbe { container, .. } => Some(container),
            _ => None,
        }
    }

    /// Whether it changes the pod template.
    #[must_use]
    pub fn is_of_template(&self) -> bool {
        self.container().is_some()
    }

    /// Whether it may change what the set's pods are: their template, their names, their claims.
    #[must_use]
    pub fn touches_pods(&self) -> bool {
        self.is_of_template() || self.is_of_claims() || self.is_link()
    }

    /// Whether both change the same field; of claims, whether both change the list of them.
    #[must_use]
    pub fn shares_field_with(&self, other: &Self) -> bool {
        if self.is_of_claims() || self.is_link() {
            return (self.is_of_claims(), self.is_link())
                == (other.is_of_claims(), other.is_link());
        }
        let (Some(own), Some(their)) = (self.container(), other.container()) else {
            return false;
        };
        own == their && self.slot() == other.slot() && self.path() == other.path()
    }

    fn slot(&self) -> Option<Slot> {
        match self {
            Self::SetProbe { slot, .. }
            | Self::RemoveProbe { slot, .. }
            | Self::RemoveFromProbe { slot, .. } => Some(*slot),
            _ => None,
        }
    }

    fn path(&self) -> Option<&str> {
        match self {
            Self::AddMount { path, .. } | Self::RemoveMount { path, .. } => Some(path),
            _ => None,
        }
    }
}

/// The operations of changes, in order.
#[must_use]
pub fn operations(changes: &[Change]) -> Vec<PatchOperation> {
    changes.iter().flat_map(Change::operations).collect()
}

fn add(pointer: String, value: Value) -> Option<PatchOperation> {
    let path = PointerBuf::parse(pointer).ok()?;
    Some(PatchOperation::Add(AddOperation { path, value }))
}

fn remove(pointer: String) -> Option<PatchOperation> {
    let path = PointerBuf::parse(pointer).ok()?;
    Some(PatchOperation::Remove(RemoveOperation { path }))
}

/// Whether everything that was written is there; the API server adds defaults beside it.
#[must_use]
pub fn holds(stored: &Value, written: &Value) -> bool {
    match (stored, written) {
        (Value::Object(stored), Value::Object(written)) => written
            .iter()
            .all(|(key, written)| stored.get(key).is_some_and(|stored| holds(stored, written))),
        _ => stored == written,
    }
}
