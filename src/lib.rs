//! steadyset: admission control for Kubernetes `StatefulSet`s.
//!
//! One function is the product, [`review::review`]: it takes a policy, a set and what is known of the cluster, and
//! answers with findings (what is wrong), injections (what was filled in) and the JSON Patch that carries them. The
//! webhook server, and every other surface, only differ in where the set comes from and how the verdict is shown.
//!
//! A room uses only rooms that stand before it in this list, and `tests/architecture.rs` holds it to that.
//!
//! Knowledge, without I/O, async or a clock of its own; all that is known of `StatefulSet`s is here:
//!
//! * [`model`]: pointers, names, quantities, versions, spelling, the rules by name, findings
//! * [`statefulset`]: the borrowed view of a set, the API server's defaults, what can never change
//! * [`yaml`]: texts with positions, read as kubectl reads them, and edited
//! * [`strict`]: strict decoding as kubectl does it, where a misplaced field belongs, and the set that is reviewed
//! * [`catalogue`]: what is known of images
//! * [`cluster_view`]: what is known of the cluster around a set
//! * [`policy`]: what the operator decided, and exemptions
//! * [`change`]: typed changes of a set, and what can be asked of each
//! * [`inject`]: what is filled in
//! * [`validation`]: what the API server refuses, told from the document alone
//! * [`rules`]: what is wrong with a set
//! * [`review`]: the one function
//! * [`explain`]: pages and examples of rules
//! * [`policy_test`]: what is expected of a policy
//! * [`fix`]: which edits a verdict needs in a text
//!
//! The shells; no rule is in them:
//!
//! * [`metrics`]: what is counted
//! * [`telemetry`]: what is logged
//! * [`server`]: the accept loop, TLS, limits, drain, health
//! * [`kube_client`]: the connection to the API server
//! * [`certs`]: the authority, the Secret, the published bundle
//! * [`cluster`]: watches, look-ups, the controller of the governing Services, policies as objects
//! * [`admission`]: the wire of a review
//! * [`audit`]: manifests and stored sets, reports
//! * [`cli`]: one file a command
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]
#![warn(missing_docs)]

pub mod admission;
pub mod audit;
pub mod catalogue;
pub mod certs;
pub mod change;
pub mod cli;
pub mod cluster;
pub mod cluster_view;
pub mod explain;
pub mod fix;
pub mod inject;
pub mod kube_client;
pub mod metrics;
pub mod model;
pub mod policy;
pub mod policy_test;
pub mod review;
pub mod rules;
pub mod server;
pub mod statefulset;
pub mod strict;
pub mod telemetry;
pub mod validation;
pub mod yaml;
