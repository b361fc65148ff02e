//! The rules by name, for whoever speaks of a rule without running it: policies, exemptions, the schema of a policy.
//!
//! The checks are in [`crate::rules`]; a test there holds both lists against each other.

use thiserror::Error;

use super::spelling;

/// A rule, as a policy or an exemption names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId {
    /// Kebab-case, stable.
    pub id: &'static str,
    /// Whether a policy may have it deny.
    pub may_deny: bool,
}

const fn rule(id: &'static str) -> RuleId {
    RuleId { id, may_deny: true }
}

const fn advisory(id: &'static str) -> RuleId {
    RuleId {
        id,
        may_deny: false,
    }
}

/// Every rule, in the order in which findings are reported.
pub const RULES: &[RuleId] = &[
    rule("pod-management-policy-unknown"),
    rule("update-strategy-unknown"),
    rule("rolling-update-with-on-delete"),
    rule("partition-negative"),
    rule("max-unavailable-invalid"),
    rule("partition-exceeds-replicas"),
    rule("max-unavailable-ordered-ready"),
    rule("max-unavailable-all-replicas"),
    rule("max-unavailable-quorum"),
    advisory("max-unavailable-ignored"),
    rule("recreate-takes-all-down"),
    rule("parallel-rollout-broken"),
    rule("on-delete-template-change"),
    rule("ordinals-start-change"),
    advisory("immutable-field-change"),
    rule("rollout-starts"),
    rule("service-name-invalid"),
    rule("service-name-empty"),
    rule("service-missing"),
    rule("service-not-headless"),
    rule("service-selector-mismatch"),
    rule("service-invalid"),
    rule("service-port-unknown"),
    rule("service-links-collide"),
    rule("ordered-ready-deadlock"),
    rule("mount-without-volume"),
    rule("claim-duplicate-name"),
    rule("claim-name-invalid"),
    rule("volume-name-invalid"),
    rule("claim-incomplete"),
    rule("claim-unmounted"),
    rule("claim-shadows-volume"),
    rule("claim-retention-delete"),
    rule("storage-class-missing"),
    rule("mount-path-missing"),
    rule("claim-mode-mismatch"),
    rule("data-outside-claim"),
    rule("claim-shared"),
    rule("version-in-immutable-field"),
    rule("fs-group-missing"),
    rule("retention-policy-unknown"),
    rule("name-too-long"),
    rule("name-near-limit"),
    rule("readiness-probe-missing"),
    rule("probe-port-unknown"),
    rule("probe-success-threshold"),
    rule("set-too-large"),
    rule("selector-mismatch"),
    rule("liveness-without-startup"),
    rule("probe-program-missing"),
    rule("probe-timeout-default"),
    rule("grace-shorter-than-prestop"),
    rule("host-port-ordered"),
    rule("reference-missing"),
    rule("termination-grace-zero"),
    rule("affinity-selector-mismatch"),
    rule("disruption-budget-blocks"),
    rule("unknown-field"),
    rule("field-type-wrong"),
    rule("field-invalid"),
    rule("duplicate-key"),
    rule("kind-unknown"),
    rule("patch-replaces-list"),
    rule("api-version-removed"),
    rule("annotation-invalid"),
];

/// The rule of that id.
#[must_use]
pub fn named(id: &str) -> Option<&'static RuleId> {
    RULES.iter().find(|rule| rule.id == id)
}

/// An id that no rule has.
#[derive(Debug, Error)]
#[error("there is no rule {id:?}; {help}")]
pub struct UnknownRule {
    id: String,
    help: String,
}

/// The rule of an id that somebody has written.
///
/// # Errors
///
/// [`UnknownRule`], with the id that was probably meant.
pub fn find(id: &str) -> Result<&'static RuleId, UnknownRule> {
    named(id).ok_or_else(|| UnknownRule {
        id: id.to_owned(),
        help: spelling::nearest(id, RULES.iter().map(|rule| rule.id)).map_or_else(
            || "steadyset explain lists them".to_owned(),
            |near| format!("did you mean {near}?"),
        ),
    })
}
