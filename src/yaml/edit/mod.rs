//! A JSON Patch carried out in the text that an author wrote: every byte that it does not speak of stays.
//!
//! Each operation becomes edits of the text as the ones before left it, which is then read again; told at the end are the edits
//! of the first text. What is written follows what stands nearby: indentation, dashes, quotes, line ends, JSON or YAML.
//!
//! ```
//! use steadyset::yaml::edit::{apply, edits};
//! use steadyset::yaml::read::documents;
//!
//! let text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web # ours\n";
//! let body = documents(text).next().unwrap().unwrap().read().unwrap();
//! let patch: json_patch::Patch =
//!     serde_json::from_str(r#"[{"op": "add", "path": "/metadata/labels", "value": {"app": "web"}}]"#).unwrap();
//! let edits = edits(&body, &patch).unwrap();
//! assert_eq!(apply(text, edits), "apiVersion: v1\nkind: Service\nmetadata:\n  name: web # ours\n  labels:\n    app: web\n");
//! ```

use json_patch::PatchOperation;
use thiserror::Error;

use self::pieces::Pieces;
use self::scope::Scope;
use self::sheet::Sheet;
use self::step::{Step, steps};
use crate::yaml::read::stream::Part;
use crate::yaml::read::tree::Tree;
use crate::yaml::read::{Body, Fault, Position};

mod block;
mod carry;
mod flow;
mod order;
mod pieces;
mod proof;
mod quote;
mod scope;
mod sheet;
mod step;
mod style;
mod way;
mod write;

pub use pieces::{Edit, apply};

/// A change that cannot be written into the text without harm to something else.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {}, column {}: `{pointer}` cannot be changed here: {reason}", position.line, position.column)]
pub struct Unplaceable {
    /// The field that was to be changed, as a JSON Pointer.
    pub pointer: String,
    /// What is in the way.
    pub position: Position,
    /// Why it is.
    pub reason: String,
}

/// The edits that do to a document's text what operations of a JSON Patch do to its JSON.
///
/// Their ranges are bytes of the whole stream, sorted, and do not overlap; edits of several documents may be put together.
/// The text that they lead to has been read again: its JSON is what the operations ask for.
///
/// # Errors
///
/// [`Unplaceable`] for the first operation that cannot be written safely, such as one within an anchored value that is used
/// elsewhere. No edit is to be made then.
pub fn edits(body: &Body<'_>, operations: &[PatchOperation]) -> Result<Vec<Edit>, Unplaceable> {
    let mut work = Work::new(body);
    let mut last = String::new();
    for step in steps(operations) {
        last = step.pointer().to_string();
        work.carry_out(&step)
            .map_err(|fault| work.unplaceable(&last, &fault))?;
    }
    work.prove(operations)
        .map_err(|fault| work.unplaceable(&last, &fault))?;
    Ok(work.edits())
}

/// A text under change.
#[derive(Debug)]
struct Work<'t> {
    part: Part<'t>,
    scope: Scope,
    text: String,
    pieces: Pieces,
}

impl<'t> Work<'t> {
    fn new(body: &Body<'t>) -> Self {
        let (part, tree, root) = body.source();
        let scope = Scope::of(&part, tree, root);
        let text = scope.text(&part);
        let pieces = Pieces::new(text.len());
        Self {
            part,
            scope,
            text,
            pieces,
        }
    }

    /// Carries out one step, and says what that was in edits of the text before it.
    fn carry_out(&mut self, step: &Step) -> Result<(), Fault> {
        let mut followed = Some(step.clone());
        while let Some(step) = followed.take() {
            let tree = read(&self.text)?;
            let root = self.scope.root(&tree).unwrap_or_default();
            let sheet = Sheet {
                text: &self.text,
                tree: &tree,
                root,
            };
            let (mut edits, next) = step.edits(&sheet)?;
            edits.retain(|edit| !edit.range.is_empty() || !edit.text.is_empty());
            edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
            if edits.is_sorted_by(|one, other| one.range.end <= other.range.start) {
                self.pieces.take(&edits);
                self.text = apply(&self.text, edits);
            } else {
                return Err(tree.fault(root, "two changes stand in one place"));
            }
            followed = next;
        }
        Ok(())
    }

    /// Reads the result, and compares it with what the operations make of the JSON.
    fn prove(&self, operations: &[PatchOperation]) -> Result<(), Fault> {
        let before = self.scope.text(&self.part);
        proof::prove(&before, &self.text, (&self.scope, operations))
    }

    fn unplaceable(&self, pointer: &str, fault: &Fault) -> Unplaceable {
        let offset = self
            .pieces
            .origin(fault.offset)
            .saturating_sub(self.scope.blanks)
            + self.scope.range.start;
        Unplaceable {
            pointer: pointer.to_owned(),
            position: self.part.place(offset..offset),
            reason: fault.message.clone(),
        }
    }

    fn edits(self) -> Vec<Edit> {
        let base = self.part.start + self.scope.range.start;
        let blanks = self.scope.blanks;
        let place = |offset: usize| offset.saturating_sub(blanks) + base;
        let length = self.scope.range.len() + blanks;
        let edits = self.pieces.edits(length).into_iter();
        edits
            .map(|edit| Edit::new(place(edit.range.start)..place(edit.range.end), edit.text))
            .collect()
    }
}

fn read(text: &str) -> Result<Tree<'_>, Fault> {
    Tree::read(text)?.ok_or_else(|| Fault::new(0, "the document would be empty"))
}

#[cfg(test)]
mod tests;
