//! What of a patch can be written into a text, and what cannot.

use json_patch::PatchOperation;

use crate::yaml::edit::{Edit, Unplaceable, edits};
use crate::yaml::read::Body;

/// What was written of a patch.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The edits of the text.
    pub(super) edits: Vec<Edit>,
    /// What has no place in the text.
    pub(super) lost: Vec<Unplaceable>,
}

impl Placed {
    /// Writes everything that can be written. `no_place` is a field that cannot, and why.
    pub(super) fn of(
        body: &Body<'_>,
        mut operations: Vec<PatchOperation>,
        no_place: Option<(&str, &str)>,
    ) -> Self {
        let mut placed = Self::default();
        if let Some((pointer, reason)) = no_place {
            operations = placed.refuse(body, pointer, reason, operations);
        }
        placed.place(body, operations);
        placed
    }

    /// Leaves a field out, and says why; the operations that remain.
    fn refuse(
        &mut self,
        body: &Body<'_>,
        pointer: &str,
        reason: &str,
        operations: Vec<PatchOperation>,
    ) -> Vec<PatchOperation> {
        self.lost.push(Unplaceable {
            pointer: pointer.to_owned(),
            position: body.position(pointer),
            reason: reason.to_owned(),
        });
        without(operations, pointer)
    }

    /// Writes everything that can be written: what cannot is left out together with what would stand within it.
    fn place(&mut self, body: &Body<'_>, mut operations: Vec<PatchOperation>) {
        while !operations.is_empty() {
            match edits(body, &operations) {
                Ok(edits) => {
                    self.edits = edits;
                    return;
                }
                Err(lost) => {
                    let count = operations.len();
                    operations = without(operations, &lost.pointer);
                    if operations.len() == count {
                        operations.pop();
                    }
                    self.lost.push(lost);
                }
            }
        }
    }

    /// Whether the field was not left out.
    pub(super) fn holds(&self, pointer: &str) -> bool {
        !self.lost.iter().any(|lost| lost.pointer == pointer)
    }
}

/// The operations that write neither a field nor anything below it.
pub(super) fn without(mut operations: Vec<PatchOperation>, pointer: &str) -> Vec<PatchOperation> {
    operations.retain(|operation| !concerns(operation, pointer));
    operations
}

/// Whether an operation writes a field, or something below it.
pub(super) fn concerns(operation: &PatchOperation, pointer: &str) -> bool {
    let path = operation.path().as_str();
    path.strip_prefix(pointer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
