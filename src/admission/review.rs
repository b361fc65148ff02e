//! One review: from the bytes of the body to the bytes of the answer.

use std::time::Instant;

use super::{Envelope, Refusal, response};
use crate::metrics::{Endpoint, Metrics, Operation, RequestLabels, Verdict};

/// Judges reviews; holds what they are judged by.
#[derive(Debug)]
pub struct Reviewer;

/// A review that has been answered, and what is written down about it.
#[derive(Debug)]
pub struct Reviewed {
    pub(super) answer: Vec<u8>,
    labels: RequestLabels,
}

impl Reviewer {
    pub(super) fn review(&self, endpoint: Endpoint, body: &[u8]) -> Result<Reviewed, Refusal> {
        let envelope = Envelope::read(body)?;
        let judged = envelope.is_stateful_set
            && matches!(envelope.operation, Operation::Create | Operation::Update);
        let labels = RequestLabels {
            endpoint,
            operation: envelope.operation,
            verdict: if judged {
                Verdict::Allowed
            } else {
                Verdict::Ignored
            },
            dry_run: envelope.dry_run,
        };
        let answer = response::allowed(&envelope.uid, None).map_err(|_| Refusal::Failed)?;
        Ok(Reviewed { answer, labels })
    }
}

impl Reviewed {
    pub(super) fn note(&self, metrics: &Metrics, started: Instant) {
        metrics.count_request(self.labels);
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            endpoint = self.labels.endpoint.as_str(),
            verdict = self.labels.verdict.as_str(),
            micros,
            "reviewed"
        );
    }
}
