//! The pod template.

pub mod affinity;
pub mod disruption;
pub mod grace;
pub mod host_port;
pub mod liveness;
pub mod name;
pub mod pre_stop;
pub mod probes;
pub mod program;
pub mod readiness;
pub mod references;
pub mod selector;
pub mod size;
