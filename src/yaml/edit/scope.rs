//! The part of a stream that an object is edited in: its document, or of a long list no more than its item.

use std::ops::Range;

use jsonptr::PointerBuf;

use crate::yaml::read::stream::Part;
use crate::yaml::read::tree::{Content, Index, Tree};

/// A text that can be read by itself and holds the object.
#[derive(Debug)]
pub(super) struct Scope {
    /// Blanks before the text, so that its first line is indented as it is in the stream.
    pub(super) blanks: usize,
    /// The bytes of the part.
    pub(super) range: Range<usize>,
    /// The way from the root of the text to the object: at each step, which child it is.
    way: Vec<usize>,
    /// The same as a JSON Pointer.
    pub(super) pointer: String,
}

impl Scope {
    /// The scope of a node. Where an item shares something by an anchor, the whole document is the scope.
    pub(super) fn of(part: &Part<'_>, tree: &Tree<'_>, root: Index) -> Self {
        if root == 0 || tree.has_aliases() && shares(tree, root) {
            let (way, pointer) = way(tree, root);
            return Self {
                blanks: 0,
                range: 0..part.text.len(),
                way,
                pointer,
            };
        }
        let own = tree.range(root);
        let before = part.text.get(..own.start).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        let prefix = before.get(line..).unwrap_or_default();
        if prefix
            .chars()
            .all(|character| matches!(character, ' ' | '-'))
        {
            let rest = part.text.get(own.end..).unwrap_or_default();
            let end = if part
                .text
                .get(..own.end)
                .is_some_and(|text| text.ends_with('\n'))
            {
                own.end
            } else {
                own.end + rest.find('\n').map_or(rest.len(), |newline| newline + 1)
            };
            return Self {
                blanks: 0,
                range: line..end,
                way: vec![0; prefix.matches('-').count()],
                pointer: "/0".repeat(prefix.matches('-').count()),
            };
        }
        Self {
            blanks: prefix.len() - prefix.trim_start_matches(' ').len(),
            range: own,
            way: Vec::new(),
            pointer: String::new(),
        }
    }

    /// The text of the scope.
    pub(super) fn text(&self, part: &Part<'_>) -> String {
        let text = part.text.get(self.range.clone()).unwrap_or_default();
        format!("{}{text}", " ".repeat(self.blanks))
    }

    /// The object in a tree of the text.
    pub(super) fn root(&self, tree: &Tree<'_>) -> Option<Index> {
        let mut at = 0;
        for step in &self.way {
            at = tree.children(at).nth(*step)?;
        }
        Some(at)
    }
}

/// Whether an alias stands in a node, or stands for what is in it.
fn shares(tree: &Tree<'_>, node: Index) -> bool {
    let shared = |at: Index| tree.is_shared(at) || matches!(tree.content(at), Content::Alias(_));
    (node..tree.after(node)).any(shared)
}

/// The way to a node from the root.
fn way(tree: &Tree<'_>, node: Index) -> (Vec<usize>, String) {
    let mut way = Vec::new();
    let mut pointer = PointerBuf::new();
    let mut at = 0;
    let mut key = None;
    while at < node {
        let holds = |child: &Index| (*child..tree.after(*child)).contains(&node);
        let mapping = tree.content(at) == Content::Mapping;
        let mut children = tree.children(at).enumerate();
        let found = children.find(|(_, child)| {
            let found = holds(child);
            if !found {
                key = Some(*child);
            }
            found
        });
        let Some((step, child)) = found else {
            break;
        };
        match key.filter(|_| mapping).and_then(|key| tree.key(key).ok()) {
            Some(key) => pointer.push_back(key.as_ref()),
            None => pointer.push_back(step),
        }
        way.push(step);
        at = child;
    }
    (way, pointer.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read::documents;

    #[test]
    fn an_item_is_edited_by_itself_unless_it_shares_something() {
        let item = |name: &str, labels: &str| {
            format!(
                "- apiVersion: v1\n  kind: Any\n  metadata: {{name: {name}, labels: {labels}}}\n"
            )
        };
        let items = [
            item("a", "{}"),
            item("b", "&labels {}"),
            item("c", "*labels"),
        ];
        let text = format!("apiVersion: v1\nkind: List\nitems:\n{}", items.concat());
        let widths: Vec<usize> = documents(&text)
            .map(|document| {
                let body = document.unwrap().read().unwrap();
                let (part, tree, root) = body.source();
                Scope::of(&part, tree, root).range.len()
            })
            .collect();
        assert_eq!(widths, [items[0].len(), text.len(), text.len()]);
    }
}
