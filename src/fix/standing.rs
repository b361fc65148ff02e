//! Of what a new set would get, what the stored one has already.
//!
//! A file has no record, and what a post-renderer adds is in no chart: the next render lacks it again, and without it a release that
//! was fixed once could not be upgraded. So what a new set would get is written where the stored set has it, as the stored set has
//! it: nothing of that set changes then.

use json_patch::patch;
use serde_json::Value;

use crate::change::Change;

/// The changes of a file that the stored set has gone through. `new` are those that the set would get if it were new.
pub(super) fn standing(new: &[Change], file: &Value, stored: &Value) -> Vec<Change> {
    let mut file = file.clone();
    let mut kept = Vec::new();
    for change in new {
        for own in change.in_stored(&file, stored) {
            if patch(&mut file, &own.operations()).is_ok() {
                kept.push(own);
            }
        }
    }
    kept
}
