//! steadyset: admission control for Kubernetes `StatefulSet`s.
//!
//! One function is the product, [`evaluate::evaluate`]: it takes a policy, a set and what is known of the cluster, and
//! answers with findings (what is wrong), injections (what was filled in) and the JSON Patch that carries them. The
//! webhook server, and every other surface, only differ in where the set comes from and how the verdict is shown.
//!
//! There are two kinds of module, and two that are both:
//!
//! * **pure** ones, without I/O, async or a clock: [`statefulset`] (the borrowed view of a set), [`patch`] (changes to it),
//!   [`rules`], [`inject`], [`policy`], [`evaluate`], [`explain`] (what is said of a rule),
//!   [`policy_test`] (what is expected of a policy), [`yaml`] (texts with positions), [`strict`] (how a set is written). All knowledge of `StatefulSet`s lives there.
//! * [`audit`] and [`fix`] are both: what they make of a text is pure, what reads it and asks a cluster is not.
//! * **shells**: [`server`], [`admission`], [`certs`], [`telemetry`], [`cli`] and the reflectors of [`cluster`]. No rule lives there.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod admission;
pub mod audit;
pub mod catalogue;
pub mod certs;
pub mod cli;
pub mod cluster;
pub mod cluster_view;
pub mod evaluate;
pub mod explain;
pub mod fix;
pub mod inject;
pub mod kube_client;
pub mod metrics;
pub mod model;
pub mod patch;
pub mod policy;
pub mod policy_test;
pub mod rules;
pub mod server;
pub mod statefulset;
pub mod strict;
pub mod telemetry;
pub mod yaml;
