//! Where a new member stands among the others.

use std::borrow::Cow;

/// How many members say that a mapping is sorted.
const SORTED: usize = 3;

/// Members that stand together.
const TOGETHER: [&[&str]; 2] = [
    &["startupProbe", "livenessProbe", "readinessProbe"],
    &["volumeMounts", "volumeDevices"],
];

/// The index before which a new key is written: by the alphabet where the others are, beside what it belongs to, before the
/// long `template` of a set what is short; else at the end.
pub(super) fn index(keys: &[Cow<'_, str>], key: &str) -> usize {
    if keys.len() >= SORTED && keys.is_sorted() {
        return keys.partition_point(|own| own.as_ref() < key);
    }
    let place = |wanted: &str| keys.iter().position(|own| own == wanted);
    if key == "serviceName" {
        return place("template").unwrap_or(keys.len());
    }
    let group = TOGETHER.iter().find(|group| group.contains(&key));
    let beside = group.and_then(|group| group.iter().filter_map(|own| place(own)).max());
    beside.map_or(keys.len(), |beside| beside + 1)
}
