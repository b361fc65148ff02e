//! The pod template.

pub mod affinity;
pub mod disruption;
pub mod grace;
pub mod liveness;
pub mod name;
pub mod probes;
pub mod readiness;
pub mod selector;
pub mod size;
