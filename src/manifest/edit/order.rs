//! Where a new member stands among the others.

use std::borrow::Cow;

/// How many members say that a mapping is sorted.
const SORTED: usize = 3;

/// The index before which a new key is written: by the alphabet where the others are, else at the end; what is short stands
/// before the long `template` of a set.
pub(super) fn index(keys: &[Cow<'_, str>], key: &str) -> usize {
    if keys.len() >= SORTED && keys.is_sorted() {
        return keys.partition_point(|own| own.as_ref() < key);
    }
    let template = keys.iter().position(|own| own == "template");
    match key {
        "serviceName" => template.unwrap_or(keys.len()),
        _ => keys.len(),
    }
}
