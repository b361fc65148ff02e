//! The wire protocol of admission webhooks (`admission.k8s.io/v1`): what kube-apiserver sends, and what it takes back.

mod body;
mod envelope;
mod handler;
mod oversized;
mod pool;
mod refusal;
mod response;
mod review;
mod warning;

pub use envelope::{Envelope, EnvelopeError};
pub use handler::{Webhook, router};
pub use pool::{Counts as PoolCounts, Pool};
pub use refusal::Refusal;
pub use review::{Reviewed, Reviewer};

/// The largest body that is read where the memory allows it. An object has 3 MiB at most as its user sends it; defaults and
/// escapes, and the old object beside it, make it several times as large.
pub const BODY_BYTES: usize = 40 << 20;

/// Where the fields that say what a body is about must stand: kube-apiserver writes them first.
const HEAD_BYTES: usize = 64 << 10;
