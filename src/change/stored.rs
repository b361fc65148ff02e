//! Of what a new set would get, what the stored one has already.

use serde_json::{Value, json};

use super::{CLAIMS, Change, Field, In, ProbeField, holds};
use crate::model::pointer::{list_at, text_at};

const CONTAINERS: &str = "/spec/template/spec/containers";

/// What a claim has once it is stored, and no author writes.
const FILLED_IN: [&str; 3] = ["apiVersion", "kind", "status"];

impl Change {
    /// The changes that make of a file's set what this one has made of the stored set; none where it has not been made there.
    #[must_use]
    pub fn in_stored(&self, file: &Value, stored: &Value) -> Vec<Self> {
        match self {
            Self::SetServiceName(_) => {
                let name = text_at(stored, "/spec/serviceName");
                let named = (!name.is_empty()).then(|| Self::SetServiceName(name.to_owned()));
                named.into_iter().collect()
            }
            Self::AddClaim { claim, .. } => stored_claims(claim, file, stored),
            Self::CompleteClaim { index, added } => {
                let completed = completed(*index, added, file, stored);
                completed.into_iter().collect()
            }
            _ => self.in_container(stored).into_iter().collect(),
        }
    }

    fn in_container(&self, stored: &Value) -> Option<Self> {
        let name = &*self.container()?.name;
        let stored = list_at(stored, CONTAINERS).find(|stored| text_at(stored, "/name") == name)?;
        match self {
            Self::SetProbe {
                container,
                slot,
                probe,
            } => {
                let stored = stored.get(slot.field())?;
                if holds(stored, probe) {
                    return Some(self.clone());
                }
                (handler(stored)? == handler(probe)?).then(|| Self::SetProbe {
                    container: container.clone(),
                    slot: *slot,
                    probe: stored.clone(),
                })
            }
            Self::AddMount { .. } => self.is_in_container(stored).then(|| self.clone()),
            _ => None,
        }
    }
}

/// The claim as it is stored, at its place there: the order of claims cannot change either.
fn stored_claims(wanted: &Value, file: &Value, stored: &Value) -> Vec<Change> {
    let length = list_at(file, CLAIMS).count();
    let name = text_at(wanted, "/metadata/name");
    let mut claims = list_at(stored, CLAIMS).enumerate();
    let found = claims.find(|(_, claim)| text_at(claim, "/metadata/name") == name);
    let added = found.map(|(index, claim)| Change::AddClaim {
        place: In::list(index, length),
        claim: as_written(claim),
    });
    added.into_iter().collect()
}

/// What a claim of the file lacks, as the stored one has it.
fn completed(
    index: usize,
    added: &[(Field, Value)],
    file: &Value,
    stored: &Value,
) -> Option<Change> {
    let name = text_at(list_at(file, CLAIMS).nth(index)?, "/metadata/name");
    let claim = list_at(stored, CLAIMS).find(|claim| text_at(claim, "/metadata/name") == name)?;
    let there = added.iter().filter_map(|(field, _)| {
        let value = claim.pointer(field.pointer())?.clone();
        // a parent is added empty, and what belongs into it after it
        let value = if value.is_object() { json!({}) } else { value };
        Some((*field, value))
    });
    let added: Vec<_> = there.collect();
    (!added.is_empty()).then_some(Change::CompleteClaim { index, added })
}

fn handler(probe: &Value) -> Option<ProbeField> {
    let mut handlers = ProbeField::HANDLERS.into_iter();
    handlers.find(|handler| probe.get(handler.name()).is_some())
}

/// A stored claim without what the server filled in.
fn as_written(claim: &Value) -> Value {
    let mut claim = claim.clone();
    if let Some(fields) = claim.as_object_mut() {
        fields.retain(|key, _| !FILLED_IN.contains(&key.as_str()));
    }
    for (parent, key, default) in [
        ("/metadata", "creationTimestamp", Value::Null),
        ("/spec", "volumeMode", json!("Filesystem")),
    ] {
        if let Some(fields) = claim.pointer_mut(parent).and_then(Value::as_object_mut) {
            fields.retain(|name, value| name != key || *value != default);
        }
    }
    claim
}

#[cfg(test)]
mod tests;
