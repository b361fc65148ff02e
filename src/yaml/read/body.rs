//! A document as it is written: its JSON, its repeated keys, and where things stand.

use std::sync::Arc;

use jsonptr::{Pointer, PointerBuf};
use serde_json::value::RawValue;

use super::members::{Budget, is_merge, members};
use super::stream::Part;
use super::tree::{Content, Index, Tree};
use super::{Broken, Fault, Position, json};

/// How many repeated keys of a document are told: each is looked up in the whole text, and nobody reads more.
pub const MOST_DUPLICATES: usize = 1_000;

/// A document that has been read.
#[derive(Clone, Debug)]
pub struct Body<'t> {
    part: Part<'t>,
    tree: Arc<Tree<'t>>,
    root: Index,
}

/// A key that stands a second time in its mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The member, as a JSON Pointer into the document.
    pub pointer: PointerBuf,
    /// Where the key stands again.
    pub position: Position,
    /// The line where it stands for the first time.
    pub first_line: usize,
    /// Whether both values are written alike, so that nothing is lost.
    pub is_equal: bool,
}

impl<'t> Body<'t> {
    pub(super) fn new(part: Part<'t>, tree: Arc<Tree<'t>>, root: Index) -> Self {
        Self { part, tree, root }
    }

    /// Where it is written: its part of the stream, the tree of that, and its own node.
    pub(in crate::yaml) fn source(&self) -> (Part<'t>, &Tree<'t>, Index) {
        (self.part, &self.tree, self.root)
    }

    /// The JSON that kubectl would send.
    ///
    /// # Errors
    ///
    /// [`Broken`] for what JSON cannot say: a key that is a mapping, `.nan`, aliases that stand for too much.
    pub fn json(&self) -> Result<Box<RawValue>, Broken> {
        json::json(&self.tree, self.root)
            .and_then(|text| {
                RawValue::from_string(text)
                    .map_err(|error| self.tree.fault(self.root, error.to_string()))
            })
            .map_err(|fault| self.broken(&fault))
    }

    /// Where the value of a JSON Pointer stands, or the nearest parent of it that there is.
    #[must_use]
    pub fn position(&self, pointer: &str) -> Position {
        let (_, value) = self.find(pointer);
        self.part.place(self.tree.range(value))
    }

    /// Where the key of a JSON Pointer's last member stands; `None` for what is not there, the whole document and the items
    /// of lists.
    #[must_use]
    pub fn key(&self, pointer: &str) -> Option<Position> {
        let (key, _) = self.find(pointer);
        Some(self.part.place(self.tree.range(key?)))
    }

    /// The text of a scalar without its quotes; empty for anything else, and for what is not there.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        let (_, value) = self.find(pointer);
        let text = self.tree.text(self.tree.target(value));
        text.map_or("", |(text, _)| text)
    }

    /// Every key that stands in its mapping already, up to [`MOST_DUPLICATES`]. The last one wins.
    #[must_use]
    pub fn duplicates(&self) -> Vec<Duplicate> {
        let mut found = Vec::new();
        for at in self.root..self.tree.after(self.root) {
            if self.tree.content(at) == Content::Mapping && found.len() < MOST_DUPLICATES {
                self.repeated_in(at, &mut found);
            }
        }
        found
    }

    fn repeated_in(&self, mapping: Index, found: &mut Vec<Duplicate>) {
        let pairs = self.tree.pairs(mapping);
        let mut keys: Vec<_> = pairs
            .filter(|(key, _)| !is_merge(&self.tree, *key))
            .filter_map(|(key, value)| Some((self.tree.key(key).ok()?, key, value)))
            .collect();
        keys.sort();
        for same in keys.chunk_by(|one, other| one.0 == other.0) {
            let Some(((key, first, value), again)) = same.split_first() else {
                continue;
            };
            let room = MOST_DUPLICATES.saturating_sub(found.len());
            for (_, at, other) in again.iter().rev().take(room).rev() {
                let mut pointer = self.pointer(mapping);
                pointer.push_back(key.as_ref());
                found.push(Duplicate {
                    pointer,
                    position: self.place(*at),
                    first_line: self.place(*first).line,
                    is_equal: self.written(*value) == self.written(*other),
                });
            }
        }
    }

    /// A value as it is written.
    fn written(&self, value: Index) -> &str {
        let text = self.part.text.get(self.tree.range(value));
        text.unwrap_or_default().trim()
    }

    /// The pointer of a node of this document.
    fn pointer(&self, node: Index) -> PointerBuf {
        let mut pointer = PointerBuf::new();
        let mut at = self.root;
        while at < node {
            let holds = |child: &Index| (*child..self.tree.after(*child)).contains(&node);
            let next = if self.tree.content(at) == Content::Mapping {
                let pair = self.tree.pairs(at).find(|(_, value)| holds(value));
                pair.and_then(|(key, value)| Some((self.tree.key(key).ok()?.into_owned(), value)))
            } else {
                let mut children = self.tree.children(at).enumerate();
                let child = children.find(|(_, child)| holds(child));
                child.map(|(index, child)| (index.to_string(), child))
            };
            let Some((token, child)) = next else {
                break;
            };
            pointer.push_back(token);
            at = child;
        }
        pointer
    }

    /// Follows a pointer as far as there is something: the last key, if all of it is there, and the last value.
    fn find(&self, pointer: &str) -> (Option<Index>, Index) {
        let (mut key, mut value) = (None, self.root);
        let Ok(pointer) = Pointer::parse(pointer) else {
            return (key, value);
        };
        for token in pointer.tokens() {
            let Some(child) = self.child(value, &token.decoded()) else {
                return (None, value);
            };
            (key, value) = child;
        }
        (key, value)
    }

    fn child(&self, of: Index, token: &str) -> Option<(Option<Index>, Index)> {
        let target = self.tree.target(of);
        if self.tree.content(target) == Content::Sequence {
            let child = self.tree.children(target).nth(token.parse().ok()?)?;
            return Some((None, child));
        }
        let members = members(&self.tree, target, false, &mut Budget::default()).ok()?;
        let member = members.into_iter().find(|member| member.key == token)?;
        Some((Some(member.at), member.value))
    }

    fn place(&self, at: Index) -> Position {
        self.part.place(self.tree.range(at))
    }

    fn broken(&self, fault: &Fault) -> Broken {
        self.part.broken(fault)
    }
}
