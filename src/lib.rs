//! steadyset: admission control for Kubernetes StatefulSets.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod admission;
pub mod certs;
pub mod cli;
pub mod duration;
pub mod metrics;
pub mod server;
pub mod telemetry;
mod wire;
