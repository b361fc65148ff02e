//! The pod template.

pub mod probes;
pub mod readiness;
pub mod selector;
