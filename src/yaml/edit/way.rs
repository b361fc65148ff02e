//! From a JSON Pointer to what is written.

use jsonptr::Pointer;

use super::sheet::{Entry, Sheet};
use crate::yaml::read::Fault;
use crate::yaml::read::tree::{Content, Index};

/// The containers that lead to a member or an item, and its name there.
#[derive(Debug)]
pub(super) struct Way {
    /// From the object to the container that holds it, or is to hold it.
    pub(super) chain: Vec<Index>,
    /// Its key or index.
    pub(super) token: String,
}

impl Way {
    /// Follows a pointer up to its last token. What an alias stands for cannot be reached: it stands elsewhere too.
    pub(super) fn to(sheet: &Sheet<'_>, pointer: &Pointer) -> Result<Self, Fault> {
        let Some((parent, last)) = pointer.split_back() else {
            return Err(sheet
                .tree
                .fault(sheet.root, "the whole document cannot be replaced"));
        };
        let mut chain = vec![sheet.root];
        let mut at = sheet.root;
        for token in parent.tokens() {
            own(sheet, at)?;
            at = child(sheet, at, &token.decoded())?;
            chain.push(at);
        }
        own(sheet, at)?;
        Ok(Self {
            chain,
            token: last.decoded().into_owned(),
        })
    }

    /// The container.
    pub(super) fn container(&self, sheet: &Sheet<'_>) -> Index {
        self.chain.last().copied().unwrap_or(sheet.root)
    }

    /// The container of the container.
    pub(super) fn outer(&self) -> Option<Index> {
        let (_, outer) = self.chain.split_last()?;
        outer.last().copied()
    }

    /// The entry that holds the container.
    pub(super) fn holder(&self, sheet: &Sheet<'_>) -> Result<Option<Entry>, Fault> {
        let Some(outer) = self.outer() else {
            return Ok(None);
        };
        let container = self.container(sheet);
        let mut entries = sheet.entries(outer)?.into_iter();
        Ok(entries.find(|entry| entry.value == container))
    }

    /// The index of the entry in its container, if it is there. Of a repeated key it is the last.
    pub(super) fn index(&self, sheet: &Sheet<'_>) -> Option<usize> {
        let container = self.container(sheet);
        if sheet.tree.content(container) == Content::Sequence {
            let index = self.token.parse().ok()?;
            return (index < sheet.tree.children(container).count()).then_some(index);
        }
        let (_, value) = sheet.find(container, &self.token).0?;
        sheet
            .tree
            .pairs(container)
            .position(|(_, own)| own == value)
    }
}

fn child(sheet: &Sheet<'_>, of: Index, token: &str) -> Result<Index, Fault> {
    let found = match sheet.tree.content(of) {
        Content::Sequence => token
            .parse()
            .ok()
            .and_then(|index| sheet.tree.children(of).nth(index)),
        _ => sheet.find(of, token).0.map(|(_, value)| value),
    };
    found.ok_or_else(|| {
        sheet.tree.fault(
            of,
            format!("`{token}` is not written here; it may come from a merge (`<<`)"),
        )
    })
}

/// Refuses what stands in more than one place.
fn own(sheet: &Sheet<'_>, at: Index) -> Result<(), Fault> {
    if matches!(sheet.tree.content(at), Content::Alias(_)) {
        return Err(sheet.tree.fault(
            at,
            "an alias stands here: what it stands for is used elsewhere too",
        ));
    }
    if sheet.tree.is_shared(at) {
        return Err(sheet
            .tree
            .fault(at, "this has an anchor and is used elsewhere too"));
    }
    Ok(())
}

/// Refuses to take away what is used elsewhere.
pub(super) fn free(sheet: &Sheet<'_>, node: Index) -> Result<(), Fault> {
    match (node..sheet.tree.after(node)).find(|at| sheet.tree.is_shared(*at)) {
        Some(shared) => Err(sheet
            .tree
            .fault(shared, "this has an anchor and is used elsewhere too")),
        None => Ok(()),
    }
}
