//! The pod template.

pub mod probes;
pub mod selector;
