//! One document as a flat tree: its nodes in the order of the text, each with the bytes it stands in.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use libyaml_safer::{Event, EventData, MappingStyle, ScalarStyle, SequenceStyle};

use super::events::{Events, offset};
use super::scalar::{Scalar, scalar};
use super::{Fault, MAX_DEPTH, json_text};

/// The number of a node.
pub(in crate::yaml) type Index = u32;

/// A document.
#[derive(Debug)]
pub(in crate::yaml) struct Tree<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    /// Texts that do not stand in the document as they are read: escapes, lines folded.
    read: Vec<String>,
    tags: HashMap<Index, String>,
    /// The nodes that aliases stand for.
    shared: HashSet<Index>,
    json: bool,
}

#[derive(Debug)]
struct Node {
    start: u32,
    end: u32,
    /// The node that follows this one and all that stands in it.
    after: Index,
    content: Content,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::yaml) enum Content {
    /// A scalar; a plain one is resolved to a number, a boolean or null where it looks like one.
    Scalar { text: Text, plain: bool },
    /// Keys and values in turn.
    Mapping,
    /// A list.
    Sequence,
    /// Stands for an anchored node further up.
    Alias(Index),
}

/// Where the text of a scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::yaml) enum Text {
    Source { from: u32, to: u32 },
    Read(u32),
}

impl Text {
    pub(in crate::yaml) fn source(range: &Range<usize>) -> Self {
        Self::Source {
            from: short(range.start),
            to: short(range.end),
        }
    }
}

impl<'t> Tree<'t> {
    /// Reads a document; `None` where there is none.
    pub(in crate::yaml) fn read(text: &'t str) -> Result<Option<Self>, Fault> {
        let mut builder = Builder::new(text);
        if json_text::build(text, &mut builder)? {
            builder.tree.json = true;
            return Ok(Some(builder.tree));
        }
        let mut events = Events::new(text);
        loop {
            let event = events.next()?;
            match event.data {
                // after its end nothing may follow, which the parser itself tells
                EventData::StreamStart { .. }
                | EventData::DocumentStart { .. }
                | EventData::DocumentEnd { .. } => {}
                EventData::StreamEnd => break,
                _ => builder.take(event)?,
            }
        }
        Ok((!builder.tree.nodes.is_empty()).then_some(builder.tree))
    }

    /// Whether the text is JSON.
    pub(in crate::yaml) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether an alias stands anywhere.
    pub(in crate::yaml) fn has_aliases(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Whether an alias stands for a node.
    pub(in crate::yaml) fn is_shared(&self, at: Index) -> bool {
        self.shared.contains(&at)
    }

    /// What a node is.
    pub(in crate::yaml) fn content(&self, at: Index) -> Content {
        self.nodes
            .get(at as usize)
            .map_or(Content::Sequence, |node| node.content)
    }

    /// The node that an alias stands for, or the node itself.
    pub(in crate::yaml) fn target(&self, at: Index) -> Index {
        match self.content(at) {
            Content::Alias(target) => target,
            _ => at,
        }
    }

    /// The node that follows this one and all that stands in it.
    pub(in crate::yaml) fn after(&self, at: Index) -> Index {
        self.nodes
            .get(at as usize)
            .map_or(Index::MAX, |node| node.after)
    }

    /// The nodes that stand directly in this one.
    pub(in crate::yaml) fn children(&self, at: Index) -> impl Iterator<Item = Index> {
        let end = self.after(at);
        let first = (at + 1 < end).then_some(at + 1);
        std::iter::successors(first, move |child| {
            Some(self.after(*child)).filter(|next| *next < end)
        })
    }

    /// The keys of a mapping, each with its value.
    pub(in crate::yaml) fn pairs(&self, at: Index) -> impl Iterator<Item = (Index, Index)> {
        let mut children = self.children(at);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The bytes that a node stands in, within the text that was read.
    pub(in crate::yaml) fn range(&self, at: Index) -> Range<usize> {
        self.nodes
            .get(at as usize)
            .map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// The text of a scalar, and whether it is plain; `None` for anything else.
    pub(in crate::yaml) fn text(&self, at: Index) -> Option<(&str, bool)> {
        let Content::Scalar { text, plain } = self.content(at) else {
            return None;
        };
        let text = match text {
            Text::Source { from, to } => self.text.get(from as usize..to as usize),
            Text::Read(read) => self.read.get(read as usize).map(String::as_str),
        };
        Some((text.unwrap_or_default(), plain))
    }

    /// What a scalar means; `None` for anything else.
    pub(in crate::yaml) fn scalar(&self, at: Index) -> Result<Option<Scalar<'_>>, Fault> {
        let Some((text, plain)) = self.text(at) else {
            return Ok(None);
        };
        scalar(text, self.tag(at), plain)
            .map(Some)
            .map_err(|message| self.fault(at, message))
    }

    /// The tag that is written at a scalar.
    pub(in crate::yaml) fn tag(&self, at: Index) -> Option<&str> {
        self.tags.get(&at).map(String::as_str)
    }

    /// A key as the key of a JSON object.
    pub(in crate::yaml) fn key(&self, at: Index) -> Result<Cow<'_, str>, Fault> {
        let key = self.scalar(self.target(at))?.and_then(Scalar::into_key);
        key.ok_or_else(|| self.fault(at, "a key must be a string"))
    }

    fn change(&mut self, at: Index, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(at as usize) {
            change(node);
        }
    }

    /// What is wrong with a node.
    pub(in crate::yaml) fn fault(&self, at: Index, message: impl Into<String>) -> Fault {
        Fault::new(self.range(at).start, message)
    }
}

/// A document that is being read.
pub(in crate::yaml) struct Builder<'t> {
    tree: Tree<'t>,
    open: Vec<(Index, bool)>,
    anchors: HashMap<String, Index>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            tree: Tree {
                text,
                nodes: Vec::new(),
                read: Vec::new(),
                tags: HashMap::new(),
                shared: HashSet::new(),
                json: false,
            },
            open: Vec::new(),
            anchors: HashMap::new(),
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Fault> {
        let range = offset(event.start_mark)..offset(event.end_mark);
        match event.data {
            EventData::Scalar {
                anchor,
                tag,
                value,
                plain_implicit,
                style,
                ..
            } => {
                let text = self.place(&range, value, style);
                let plain = plain_implicit;
                let at = self.push(&range, Content::Scalar { text, plain }, anchor);
                if let Some(tag) = tag {
                    self.tree.tags.insert(at, tag);
                }
            }
            EventData::SequenceStart { anchor, style, .. } => {
                let at = self.push(&range, Content::Sequence, anchor);
                self.open(at, style == SequenceStyle::Flow)?;
            }
            EventData::MappingStart { anchor, style, .. } => {
                let at = self.push(&range, Content::Mapping, anchor);
                self.open(at, style == MappingStyle::Flow)?;
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.close(range.end),
            EventData::Alias { anchor } => self.alias(&range, &anchor)?,
            _ => {}
        }
        Ok(())
    }

    pub(in crate::yaml) fn push(
        &mut self,
        range: &Range<usize>,
        content: Content,
        anchor: Option<String>,
    ) -> Index {
        let at = short(self.tree.nodes.len());
        self.tree.nodes.push(Node {
            start: short(range.start),
            end: short(range.end.min(self.tree.text.len())),
            after: at + 1,
            content,
        });
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, at);
        }
        at
    }

    pub(in crate::yaml) fn open(&mut self, at: Index, flow: bool) -> Result<(), Fault> {
        self.open.push((at, flow));
        if self.open.len() > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} mappings and lists stand in one another");
            return Err(self.tree.fault(at, message));
        }
        Ok(())
    }

    /// The parser ends a block where the next thing begins; it ends with its last child.
    pub(in crate::yaml) fn close(&mut self, end: usize) {
        let Some((at, flow)) = self.open.pop() else {
            return;
        };
        let after = short(self.tree.nodes.len());
        self.tree.change(at, |node| node.after = after);
        let end = match self.tree.children(at).last() {
            Some(last) if !flow => self.tree.range(last).end,
            _ => end,
        };
        self.tree.change(at, |node| node.end = short(end));
    }

    fn alias(&mut self, range: &Range<usize>, anchor: &str) -> Result<(), Fault> {
        let Some(target) = self.anchors.get(anchor).copied() else {
            let message = format!("there is no anchor `&{anchor}` above");
            return Err(Fault::new(range.start, message));
        };
        if self.open.iter().any(|(open, _)| *open == target) {
            let message = format!("the anchor `&{anchor}` stands in itself");
            return Err(Fault::new(range.start, message));
        }
        self.tree.shared.insert(target);
        self.push(range, Content::Alias(target), None);
        Ok(())
    }

    /// Most scalars stand in the text as they are read, at most in quotes.
    fn place(&mut self, range: &Range<usize>, value: String, style: ScalarStyle) -> Text {
        let quotes = usize::from(style != ScalarStyle::Plain);
        let inner = range.start + quotes..range.end.saturating_sub(quotes);
        if self.tree.text.get(inner.clone()) == Some(value.as_str()) {
            return Text::source(&inner);
        }
        self.keep(value)
    }

    pub(in crate::yaml) fn keep(&mut self, read: String) -> Text {
        self.tree.read.push(read);
        Text::Read(short(self.tree.read.len() - 1))
    }
}

/// A document is shorter than 4 GiB.
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
