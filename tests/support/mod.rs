//! A real Kubernetes control plane on loopback, for the tests, the demo and the benchmarks.
//!
//! Nothing but a real API server gives the truth about a webhook. This module builds the programs from pinned Go
//! modules ([`tools`]), boots them on free ports with a temporary folder of their own ([`control_plane`]), talks to
//! them as users do ([`cluster`], [`command`]) and runs the product in front of them ([`webhook`]).
//!
//! ```no_run
//! let cluster = Cluster::boot(&Settings::new(env!("CARGO_BIN_EXE_steadyset")))?;
//! let ns = cluster.guarded_namespace()?;                         // the webhook is in force here
//! ns.apply("{apiVersion: apps/v1, kind: StatefulSet, ...}")?;
//! ns.kubectl("rollout status sts/web --timeout=60s").ok()?;
//! ```
//!
//! Everything stops when the [`Cluster`] is dropped, and also when the process is killed.

#![allow(
    dead_code,
    unused_imports,
    reason = "every program that includes this module uses its own part of it"
)]

pub mod charts;
pub mod cluster;
pub mod command;
pub mod control_plane;
pub mod definitions;
pub mod forwarder;
pub mod https;
pub mod manifests;
pub mod pki;
pub mod program;
pub mod replica;
pub mod rest;
pub mod tools;
pub mod wait;
pub mod webhook;

pub use charts::{App, fixture};
pub use cluster::{Cluster, Helm, Namespace, Settings};
pub use command::{Output, Run};
pub use forwarder::Forwarder;
pub use https::{Client, Connection, Response};
pub use replica::Replica;
pub use rest::Rest;
pub use wait::eventually;
pub use webhook::{Webhook, WebhookSettings, metric_sum};
