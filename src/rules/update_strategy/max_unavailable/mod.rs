//! `spec.updateStrategy.rollingUpdate.maxUnavailable` (KEP-961): behind the gate `MaxUnavailableStatefulSet`, which is off up
//! to 1.34, on in 1.35.0 to 1.35.3, off again from 1.35.4 and in 1.36 (kubernetes/kubernetes#137409), on from 1.37.
//!
//! Where the gate is off the server drops the field between `/mutate` and its own validation, so all of these run there.

use super::rolling_update::rolling_update;
use crate::model::finding::Phase;
use crate::model::version::ServerVersion;
use crate::rules::Context;
use crate::statefulset::Operation;
use crate::statefulset::view::IntOrString;

pub mod effect;
pub mod value;

const POINTER: &str = "/spec/updateStrategy/rollingUpdate/maxUnavailable";

/// Whether the server acts on the field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    On,
    Off,
    Unknown,
}

impl Gate {
    fn of(context: &Context<'_>) -> Self {
        if survived(context) {
            return Self::On;
        }
        context
            .cluster
            .version()
            .map_or(Self::Unknown, Self::default_in)
    }

    fn default_in(version: ServerVersion) -> Self {
        match (version.minor, version.patch) {
            (37.., _) | (35, Some(0..=3)) => Self::On,
            (35, None) => Self::Unknown,
            _ => Self::Off,
        }
    }
}

/// What `/validate` sees of a new set has come through the server: only one with the gate on lets it pass.
fn survived(context: &Context<'_>) -> bool {
    context.phase == Phase::Validate && context.operation == Operation::Create
}

fn is_validated(context: &Context<'_>) -> bool {
    Gate::of(context) == Gate::On || stored_set_has_it(context)
}

fn stored_set_has_it(context: &Context<'_>) -> bool {
    let rolling = context
        .old
        .and_then(|old| old.spec.update_strategy.rolling_update.as_ref());
    rolling.is_some_and(|rolling| rolling.max_unavailable.is_some())
}

fn value<'c>(context: &Context<'c>) -> Option<&'c IntOrString<'c>> {
    rolling_update(context)?.max_unavailable.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_rejects_it_where_the_gate_is_on() {
        let builtin = |version: &str| Gate::default_in(version.parse().unwrap()) == Gate::On;
        for (version, on) in [
            ("1.34.9", false),
            ("1.35.0", true),
            ("1.35.3", true),
            ("1.35.4", false),
            ("1.36.3", false),
            ("1.37.0", true),
            ("1.35", false),
        ] {
            assert_eq!(builtin(version), on, "{version}");
        }
    }
}
