//! Answers that are no review: the API server then acts by the operator's failurePolicy.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{EnvelopeError, HEAD_BYTES};
use crate::metrics::Verdict;

/// Why a request gets no review.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// 400: what came is not a review that can be answered.
    #[error(transparent)]
    Malformed(#[from] EnvelopeError),
    /// 400: the body ended early or broke off.
    #[error("the body broke off: {0}")]
    Broken(axum::Error),
    /// 413: too large to be read, and without a uid at its beginning that an answer could carry.
    #[error("the body is too large, and no uid is in its first {} KiB", HEAD_BYTES >> 10)]
    TooLarge,
    /// 415: not JSON.
    #[error("the content type must be application/json")]
    MediaType,
    /// 503: as many reviews as allowed are in work, or as many bytes in memory.
    #[error("over capacity")]
    Overloaded,
    /// 504: the peer keeps its memory too long.
    #[error("the body arrives too slowly")]
    Slow,
    /// 504: the API server no longer waits.
    #[error("not done within {} ms", .0.as_millis())]
    Late(Duration),
    /// 500: our fault.
    #[error("the review failed; the log of the webhook says why")]
    Failed,
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Broken(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow | Self::Late(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// How it is counted.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Malformed(_) | Self::Broken(_) | Self::TooLarge | Self::MediaType => {
                Verdict::Malformed
            }
            Self::Overloaded => Verdict::Overloaded,
            Self::Slow | Self::Late(_) => Verdict::Late,
            Self::Failed => Verdict::Failed,
        }
    }
}

/// `Retry-After` only where trying again within the same call can help: kube-apiserver does so.
impl IntoResponse for &Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), format!("steadyset: {self}\n")).into_response();
        if matches!(self, Refusal::Overloaded) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
