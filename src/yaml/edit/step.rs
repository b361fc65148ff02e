//! The operations of a patch, one step each.

use json_patch::{AddOperation, PatchOperation};
use jsonptr::{Pointer, PointerBuf};
use serde_json::{Value, json};

use super::pieces::Edit;
use super::sheet::Sheet;
use super::way::{Way, free};
use super::{block, carry, flow};
use crate::yaml::read::tree::Content;
use crate::yaml::read::{Fault, json as written};

/// One change of the text.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Adds a member or an item, or replaces a member.
    Add(PointerBuf, Value),
    /// Replaces a member or an item.
    Replace(PointerBuf, Value),
    Remove(PointerBuf),
    Move {
        from: PointerBuf,
        to: PointerBuf,
    },
    Copy {
        from: PointerBuf,
        to: PointerBuf,
    },
}

/// The steps of a patch; what is added into something that has just been added is one step with it.
pub(super) fn steps(operations: &[PatchOperation]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for operation in operations {
        if let PatchOperation::Add(add) = operation
            && let Some(Step::Add(path, value)) = steps.last_mut()
            && fold(path, value, add)
        {
            continue;
        }
        steps.extend(Step::of(operation));
    }
    steps
}

/// Adds into a value that is yet to be added; `false` where it is not in it.
fn fold(of: &Pointer, value: &mut Value, add: &AddOperation) -> bool {
    let within = add.path.as_str().strip_prefix(of.as_str());
    let Some(path) = within.filter(|within| within.starts_with('/')) else {
        return false;
    };
    let Ok(path) = PointerBuf::parse(path) else {
        return false;
    };
    let mut folded = value.clone();
    let add = AddOperation {
        path,
        value: add.value.clone(),
    };
    let done = json_patch::patch(&mut folded, &[PatchOperation::Add(add)]).is_ok();
    if done {
        *value = folded;
    }
    done
}

impl Step {
    fn of(operation: &PatchOperation) -> Option<Self> {
        Some(match operation {
            PatchOperation::Add(add) => Self::Add(add.path.clone(), add.value.clone()),
            PatchOperation::Replace(replace) => {
                Self::Replace(replace.path.clone(), replace.value.clone())
            }
            PatchOperation::Remove(remove) => Self::Remove(remove.path.clone()),
            PatchOperation::Move(of) => Self::Move {
                from: of.from.clone(),
                to: of.path.clone(),
            },
            PatchOperation::Copy(of) => Self::Copy {
                from: of.from.clone(),
                to: of.path.clone(),
            },
            // Whether it holds shows when the patch is applied to the JSON.
            PatchOperation::Test(_) => return None,
        })
    }

    /// The field that is changed.
    pub(super) fn pointer(&self) -> &Pointer {
        match self {
            Self::Add(path, _) | Self::Replace(path, _) | Self::Remove(path) => path,
            Self::Move { to, .. } | Self::Copy { to, .. } => to,
        }
    }

    /// The edits of the step, and what is to follow when they have been made.
    pub(super) fn edits(&self, sheet: &Sheet<'_>) -> Result<(Vec<Edit>, Option<Self>), Fault> {
        let alone = |edits| (edits, None);
        match self {
            Self::Add(path, value) => add(sheet, &Way::to(sheet, path)?, value).map(alone),
            Self::Replace(path, value) => replace(sheet, &Way::to(sheet, path)?, value).map(alone),
            Self::Remove(path) => remove(sheet, &Way::to(sheet, path)?).map(alone),
            Self::Copy { from, to } => {
                let value = value_of(sheet, from)?;
                add(sheet, &Way::to(sheet, to)?, &value).map(alone)
            }
            Self::Move { from, to } => {
                let way = Way::to(sheet, from)?;
                let target = Way::to(sheet, to);
                if let Ok(target) = &target
                    && let Some(edits) = carry::carry(sheet, &way, target)?
                {
                    return Ok(alone(edits));
                }
                let value = value_of(sheet, from)?;
                Ok((remove(sheet, &way)?, Some(Self::Add(to.clone(), value))))
            }
        }
    }
}

fn add(sheet: &Sheet<'_>, way: &Way, value: &Value) -> Result<Vec<Edit>, Fault> {
    let at = way.container(sheet);
    let count = sheet.tree.children(at).count();
    let (index, key) = match sheet.tree.content(at) {
        Content::Mapping if way.index(sheet).is_some() => return replace(sheet, way, value),
        Content::Mapping => (
            block::index_for(sheet, at, &way.token),
            Some(way.token.as_str()),
        ),
        Content::Sequence if way.token == "-" => (count, None),
        Content::Sequence => match way.token.parse() {
            Ok(index) if index <= count => (index, None),
            _ => {
                return Err(sheet
                    .tree
                    .fault(at, format!("the list has no place `{}`", way.token)));
            }
        },
        _ => return Err(sheet.tree.fault(at, "it is no mapping and no list")),
    };
    if sheet.is_block(at) {
        return block::insert(sheet, &way.chain, index, (key, value));
    }
    if sheet.is_empty(at)
        && way.outer().is_some_and(|outer| sheet.is_block(outer))
        && let Some(holder) = way.holder(sheet)?
    {
        let filled = key.map_or_else(|| json!([value]), |key| json!({ key: value }));
        return block::fill(sheet, &way.chain, &holder, &filled);
    }
    flow::insert(sheet, &way.chain, index, (key, value))
}

fn replace(sheet: &Sheet<'_>, way: &Way, value: &Value) -> Result<Vec<Edit>, Fault> {
    let at = way.container(sheet);
    let entries = sheet.entries(at)?;
    let Some(entry) = way.index(sheet).and_then(|index| entries.get(index)) else {
        return Err(sheet
            .tree
            .fault(at, format!("`{}` is not written here", way.token)));
    };
    free(sheet, entry.value)?;
    if sheet.is_block(at) {
        block::replace(sheet, &way.chain, entry, value)
    } else {
        flow::replace(sheet, &way.chain, entry.value, value)
    }
}

fn remove(sheet: &Sheet<'_>, way: &Way) -> Result<Vec<Edit>, Fault> {
    let at = way.container(sheet);
    let Some(index) = way.index(sheet) else {
        return Err(sheet
            .tree
            .fault(at, format!("`{}` is not written here", way.token)));
    };
    if let Some(entry) = sheet.entries(at)?.get(index) {
        free(sheet, entry.value)?;
    }
    if sheet.tree.content(at) == Content::Mapping && sheet.find(at, &way.token).1 {
        return Err(sheet
            .tree
            .fault(at, format!("the key `{}` stands more than once", way.token)));
    }
    if sheet.is_block(at) {
        block::remove(sheet, at, way.holder(sheet)?.as_ref(), index)
    } else {
        flow::remove(sheet, at, index)
    }
}

/// The value at a pointer, as JSON.
fn value_of(sheet: &Sheet<'_>, pointer: &Pointer) -> Result<Value, Fault> {
    let json = written::json(sheet.tree, sheet.root)?;
    let value: Value = serde_json::from_str(&json)
        .map_err(|error| sheet.tree.fault(sheet.root, error.to_string()))?;
    let found = value.pointer(pointer.as_str()).cloned();
    found.ok_or_else(|| {
        sheet
            .tree
            .fault(sheet.root, format!("there is no `{pointer}`"))
    })
}
