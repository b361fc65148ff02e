//! The members of a mapping: merges followed, of a repeated key the last.

use std::borrow::Cow;

use super::scalar::Scalar;
use super::tree::{Content, Index, Tree};
use super::{Fault, MAX_DEPTH};

/// How many nodes of a document may come from aliases; go-yaml allows as many.
const MAX_FROM_ALIASES: usize = 400_000;

/// A member of a mapping.
#[derive(Debug)]
pub(in crate::yaml) struct Member<'a> {
    /// The key, as it is in JSON.
    pub(in crate::yaml) key: Cow<'a, str>,
    /// Where the key stands.
    pub(in crate::yaml) at: Index,
    /// The value.
    pub(in crate::yaml) value: Index,
    /// Whether it comes from an alias.
    pub(in crate::yaml) aliased: bool,
}

/// Counts what aliases bring in, so that a small text cannot become a large object.
#[derive(Debug, Default)]
pub(in crate::yaml) struct Budget {
    from_aliases: usize,
}

impl Budget {
    /// Counts a node.
    pub(in crate::yaml) fn take(
        &mut self,
        tree: &Tree<'_>,
        at: Index,
        aliased: bool,
    ) -> Result<(), Fault> {
        self.from_aliases += usize::from(aliased);
        if self.from_aliases > MAX_FROM_ALIASES {
            return Err(tree.fault(at, "the aliases stand for too much"));
        }
        Ok(())
    }
}

/// The members of a mapping in the order in which they are written.
///
/// As in go-yaml v2, `<<` puts the members of another mapping where it stands: it replaces what is above it.
pub(in crate::yaml) fn members<'a>(
    tree: &'a Tree<'_>,
    at: Index,
    aliased: bool,
    budget: &mut Budget,
) -> Result<Vec<Member<'a>>, Fault> {
    let mut found = Vec::new();
    Collector {
        tree,
        budget,
        found: &mut found,
    }
    .mapping(at, aliased, 0)?;
    keep_last(&mut found);
    Ok(found)
}

struct Collector<'a, 'b, 't> {
    tree: &'a Tree<'t>,
    budget: &'b mut Budget,
    found: &'b mut Vec<Member<'a>>,
}

impl Collector<'_, '_, '_> {
    fn mapping(&mut self, at: Index, aliased: bool, depth: usize) -> Result<(), Fault> {
        if depth > MAX_DEPTH {
            return Err(self
                .tree
                .fault(at, "the merges stand too deep in one another"));
        }
        for (key, value) in self.tree.pairs(at) {
            self.budget.take(self.tree, key, aliased)?;
            if is_merge(self.tree, key) {
                self.merge(value, aliased, depth)?;
                continue;
            }
            self.found.push(Member {
                key: self.tree.key(key)?,
                at: key,
                value,
                aliased,
            });
        }
        Ok(())
    }

    fn merge(&mut self, value: Index, aliased: bool, depth: usize) -> Result<(), Fault> {
        let from = |tree: &Tree<'_>, at| aliased || matches!(tree.content(at), Content::Alias(_));
        if self.tree.content(value) != Content::Sequence {
            let target = self.merged(value)?;
            return self.mapping(target, from(self.tree, value), depth + 1);
        }
        let mappings: Vec<_> = self.tree.children(value).collect();
        // Of several mappings the first wins.
        for mapping in mappings.into_iter().rev() {
            let target = self.merged(mapping)?;
            self.mapping(target, from(self.tree, mapping), depth + 1)?;
        }
        Ok(())
    }

    fn merged(&self, value: Index) -> Result<Index, Fault> {
        let target = self.tree.target(value);
        if self.tree.content(target) == Content::Mapping {
            return Ok(target);
        }
        let message = "`<<` merges a mapping or a list of mappings";
        Err(self.tree.fault(value, message))
    }
}

/// Whether a key is `<<`, not in quotes.
pub(in crate::yaml) fn is_merge(tree: &Tree<'_>, key: Index) -> bool {
    let tag = tree.tag(key);
    tree.text(key) == Some(("<<", true)) || tag == Some("tag:yaml.org,2002:merge")
}

/// Of members with one key the last stays.
fn keep_last(members: &mut Vec<Member<'_>>) {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|one, other| {
        let key = |index: usize| members.get(index).map(|member| &member.key);
        key(*one).cmp(&key(*other)).then(one.cmp(other))
    });
    let same = |one: usize, other: usize| matches!((members.get(one), members.get(other)), (Some(one), Some(other)) if one.key == other.key);
    let mut replaced = vec![false; members.len()];
    let mut any = false;
    for pair in order.windows(2) {
        if let [one, other] = *pair
            && same(one, other)
            && let Some(slot) = replaced.get_mut(one)
        {
            *slot = true;
            any = true;
        }
    }
    if any {
        let mut replaced = replaced.into_iter();
        members.retain(|_| !replaced.next().unwrap_or(false));
    }
}

/// The text of a scalar, if that is what it means.
pub(in crate::yaml) fn plain_text<'a>(tree: &'a Tree<'_>, at: Index) -> Option<Cow<'a, str>> {
    match tree.scalar(tree.target(at)) {
        Ok(Some(Scalar::Text(text))) => Some(text),
        _ => None,
    }
}
