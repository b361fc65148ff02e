//! What only the author's file shows: the API server refuses it before any webhook is called, or reads over it unheard.

pub mod api_version;
pub mod duplicate_key;
pub mod field_invalid;
pub mod field_type;
pub mod kind;
pub mod patch;
pub mod unknown_field;

use super::{Context, Violation};
use crate::strict::Slip;

/// One violation for each slip of a kind.
fn each(
    context: &Context<'_>,
    violations: &mut Vec<Violation>,
    violation: impl Fn(&Slip) -> Option<Violation>,
) {
    let found = context.slips.all.iter().filter_map(|slip| {
        let violation = violation(slip)?;
        Some(violation.of(slip.pointer()))
    });
    violations.extend(found);
}

#[cfg(test)]
mod tests;
