//! The wire protocol of admission webhooks (`admission.k8s.io/v1`): what kube-apiserver sends, and what it takes back.

mod body;
mod envelope;
mod handler;
mod refusal;
mod response;
mod review;
mod warning;

pub use envelope::{Envelope, EnvelopeError};
pub use handler::{Webhook, router};
pub use refusal::Refusal;
pub use review::{Reviewed, Reviewer};

/// The largest body taken: an object of 3 MiB, the old one and the envelope, as kube-apiserver can send them.
pub const BODY_BYTES: usize = 7 << 20;
