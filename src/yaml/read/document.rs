//! The objects of a stream.

use std::ops::Range;
use std::sync::Arc;

use super::body::Body;
use super::header::{Glance, Header, child, glance};
use super::members::Budget;
use super::stream::{Part, parts};
use super::tree::{Content, Index, Tree};
use super::{Broken, Fault, MAX_DEPTH};

/// What is passed over where it is too long to be read: it holds data, and nothing here looks at it.
const OF_ANY_SIZE: [&str; 3] = ["ConfigMap", "CustomResourceDefinition", "Secret"];

/// An object of a stream, of which no more than its kind and name is known.
#[derive(Clone, Debug)]
pub struct Document<'t> {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.name`; empty where there is none.
    pub name: String,
    /// `metadata.namespace`; empty where there is none.
    pub namespace: String,
    /// The line of the stream where the object begins, from 1.
    pub line: usize,
    /// The column of its first character, from 1.
    pub column: usize,
    /// The bytes of the stream from there to the next document; an item of a list ends with its own.
    pub range: Range<usize>,
    part: Part<'t>,
    /// The tree and the node of an item of a list.
    item: Option<(Arc<Tree<'t>>, Index)>,
}

/// Reads one stream: every object of it, lists unfolded, and what cannot be read. Never fails as a whole.
///
/// A document that is no object of Kubernetes, having no `apiVersion` and `kind`, is passed over. One whose kind is known is
/// not read further until it is asked to; what is wrong in it shows then.
pub fn documents(text: &str) -> impl Iterator<Item = Result<Document<'_>, Broken>> {
    parts(text).flat_map(|part| part.documents())
}

impl<'t> Part<'t> {
    /// The objects of this part: none, one, or the items of a list.
    #[must_use]
    pub fn documents(&self) -> Vec<Result<Document<'t>, Broken>> {
        if let Err(fault) = self.check_size() {
            return match glance(self.text) {
                Ok(Glance::Object(header, _)) if OF_ANY_SIZE.contains(&&*header.kind) => Vec::new(),
                _ => vec![Err(self.broken(&fault))],
            };
        }
        match glance(self.text) {
            Ok(Glance::Nothing) => Vec::new(),
            Ok(Glance::Object(header, begin)) if !header.kind.ends_with("List") => {
                let range = begin..self.text.len();
                vec![Ok(Document::new(*self, header, range, None))]
            }
            Ok(_) => match Tree::read(self.text) {
                Ok(tree) => tree.map_or_else(Vec::new, |tree| unfold(*self, tree)),
                Err(fault) => vec![Err(self.broken(&fault))],
            },
            Err(fault) => vec![Err(self.broken(&fault))],
        }
    }
}

impl<'t> Document<'t> {
    fn new(
        part: Part<'t>,
        header: Header,
        range: Range<usize>,
        item: Option<(Arc<Tree<'t>>, Index)>,
    ) -> Self {
        let place = part.place(range);
        Self {
            api_version: header.api_version,
            kind: header.kind,
            name: header.name,
            namespace: header.namespace,
            line: place.line,
            column: place.column,
            range: place.range,
            part,
            item,
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// [`Broken`] if it is no YAML.
    pub fn read(&self) -> Result<Body<'t>, Broken> {
        if let Some((tree, at)) = &self.item {
            return Ok(Body::new(self.part, Arc::clone(tree), *at));
        }
        let tree = Tree::read(self.part.text)
            .and_then(|tree| tree.ok_or_else(|| Fault::new(0, "the document is empty")));
        match tree {
            Ok(tree) => Ok(Body::new(self.part, Arc::new(tree), 0)),
            Err(fault) => Err(self.part.broken(&fault)),
        }
    }
}

/// The objects of a document that has been read whole.
fn unfold<'t>(part: Part<'t>, tree: Tree<'t>) -> Vec<Result<Document<'t>, Broken>> {
    let mut unfolding = Unfolding {
        part,
        tree: Arc::new(tree),
        budget: Budget::default(),
        found: Vec::new(),
    };
    let whole = unfolding.object(0, None, 0);
    let broken = whole.map_err(|fault| part.broken(&fault)).err();
    let objects = unfolding.found.into_iter().map(Ok);
    objects.chain(broken.map(Err)).collect()
}

struct Unfolding<'t> {
    part: Part<'t>,
    tree: Arc<Tree<'t>>,
    budget: Budget,
    found: Vec<Document<'t>>,
}

impl Unfolding<'_> {
    /// Takes up an object, or the items of a list of them. The items of a `StatefulSetList` need not say what they are.
    fn object(&mut self, at: Index, list: Option<&Header>, depth: usize) -> Result<(), Fault> {
        self.budget.take(&self.tree, at, depth > 1)?;
        let mut header = Header::of(&self.tree, at);
        if let Some(list) = list
            && let Some(kind) = list.kind.strip_suffix("List")
            && header.kind.is_empty()
        {
            kind.clone_into(&mut header.kind);
            header.api_version.clone_from(&list.api_version);
        }
        if !header.is_object() || depth > MAX_DEPTH {
            return Ok(());
        }
        let items = child(&self.tree, at, "items").filter(|_| header.kind.ends_with("List"));
        let tree = Arc::clone(&self.tree);
        match items.map(|items| tree.target(items)) {
            Some(items) if tree.content(items) == Content::Sequence => {
                for item in tree.children(items) {
                    self.object(item, Some(&header), depth + 1)?;
                }
            }
            _ => {
                let range = tree.range(at);
                let item = Some((tree, at));
                self.found
                    .push(Document::new(self.part, header, range, item));
            }
        }
        Ok(())
    }
}
