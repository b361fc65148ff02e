//! The two endpoints: limits, deadline, and the review between them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::FutureExt;

use super::body::{discard, read};
use super::{Refusal, Reviewer};
use crate::metrics::{Endpoint, Metrics, Operation, RequestLabels};
use crate::model::duration;
use crate::server::Held;

/// What kube-apiserver waits where the webhook configuration does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The most that a webhook configuration may say.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// Kept back at most, so that the answer is there before the API server has gone.
const MARGIN: Duration = Duration::from_millis(500);

/// Everything that a request needs.
pub struct Webhook {
    /// Judges a review.
    pub reviewer: Reviewer,
    /// Where to count.
    pub metrics: Arc<Metrics>,
    /// Reviews in work at one time.
    pub max_in_flight: u32,
}

/// The routes `/mutate` and `/validate`, POST only.
pub fn router(webhook: Arc<Webhook>) -> Router {
    Router::new()
        .route("/mutate", post(mutate))
        .route("/validate", post(validate))
        .fallback(async || {
            (
                StatusCode::NOT_FOUND,
                "steadyset: POST to /mutate or /validate\n",
            )
        })
        .with_state(webhook)
}

async fn mutate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    webhook.answer(Endpoint::Mutate, request).await
}

async fn validate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    webhook.answer(Endpoint::Validate, request).await
}

impl Webhook {
    /// A body that nobody will read is read to its end all the same: closing a connection with unread bytes resets it, and
    /// the peer may never see why.
    async fn answer(&self, endpoint: Endpoint, request: Request) -> Response {
        let started = Instant::now();
        let limit = deadline(request.uri());
        let (head, body) = request.into_parts();
        let in_work = match self.admit(endpoint, &head.headers, started) {
            Ok(in_work) => in_work,
            Err(refusal) => {
                let response = self.refuse(endpoint, refusal);
                let _ = tokio::time::timeout(limit, discard(body)).await;
                return response;
            }
        };
        let review = bounded(limit, self.review(endpoint, body, started, limit));
        self.conclude(endpoint, in_work, review.await)
    }

    fn conclude(
        &self,
        endpoint: Endpoint,
        in_work: InWork,
        review: Result<Vec<u8>, Refusal>,
    ) -> Response {
        match review {
            Ok(bytes) => reviewed(bytes, in_work),
            Err(refusal) => self
                .refuse(endpoint, refusal)
                .map(|body| Body::new(Held::new(body, in_work))),
        }
    }

    fn admit(
        &self,
        endpoint: Endpoint,
        headers: &HeaderMap,
        started: Instant,
    ) -> Result<InWork, Refusal> {
        if !is_json(headers) {
            return Err(Refusal::MediaType);
        }
        InWork::begin(&self.metrics, endpoint, self.max_in_flight, started)
            .ok_or(Refusal::Overloaded)
    }

    async fn review(
        &self,
        endpoint: Endpoint,
        body: Body,
        started: Instant,
        limit: Duration,
    ) -> Result<Vec<u8>, Refusal> {
        let body = read(body).await?;
        let review = self.reviewer.review(endpoint, &body, started + limit);
        let reviewed = review.await?;
        reviewed.note(&self.metrics, started);
        Ok(reviewed.answer)
    }

    fn refuse(&self, endpoint: Endpoint, refusal: Refusal) -> Response {
        let labels = RequestLabels {
            endpoint,
            operation: Operation::Unknown,
            verdict: refusal.verdict(),
            dry_run: false,
        };
        self.metrics.count_request(labels);
        tracing::warn!(endpoint = endpoint.as_str(), status = refusal.status().as_u16(), reason = %refusal, "refused");
        refusal.into_response()
    }
}

/// Ends a review at its deadline, and a panic with its own request.
async fn bounded<T>(
    limit: Duration,
    review: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    match tokio::time::timeout(limit, AssertUnwindSafe(review).catch_unwind()).await {
        Ok(Ok(reviewed)) => reviewed,
        Ok(Err(_)) => Err(Refusal::Failed),
        Err(_) => Err(Refusal::Late(limit)),
    }
}

fn reviewed(bytes: Vec<u8>, in_work: InWork) -> Response {
    let body = Body::new(Held::new(Body::from(bytes), in_work));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The time that the API server gives us, which it says in the query, less a margin for the way back.
fn deadline(uri: &Uri) -> Duration {
    let asked = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .find_map(|pair| pair.strip_prefix("timeout="));
    let limit = asked
        .and_then(|text| duration::parse(text).ok())
        .unwrap_or(DEFAULT_TIMEOUT)
        .min(MAX_TIMEOUT);
    limit.saturating_sub((limit / 10).min(MARGIN))
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

/// A review in work: counted against the capacity, timed, and over when the last byte of its answer is handed over.
#[derive(Debug)]
struct InWork {
    metrics: Arc<Metrics>,
    endpoint: Endpoint,
    started: Instant,
}

impl InWork {
    /// The gauge is the capacity: one atomic number, no semaphore beside it that could differ.
    fn begin(
        metrics: &Arc<Metrics>,
        endpoint: Endpoint,
        capacity: u32,
        started: Instant,
    ) -> Option<Self> {
        if metrics.in_flight.inc() >= i64::from(capacity) {
            metrics.in_flight.dec();
            return None;
        }
        Some(Self {
            metrics: Arc::clone(metrics),
            endpoint,
            started,
        })
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        self.metrics
            .observe_duration(self.endpoint, self.started.elapsed());
    }
}

#[cfg(test)]
mod panics;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_the_servers_less_a_margin() {
        for (uri, milliseconds) in [
            ("/mutate", 9_500),
            ("/mutate?timeout=10s", 9_500),
            ("/mutate?a=b&timeout=1s", 900),
            ("/mutate?timeout=9.5s", 9_000),
            ("/mutate?timeout=300s", 29_500),
            ("/mutate?timeout=soon", 9_500),
        ] {
            assert_eq!(
                deadline(&uri.parse().unwrap()).as_millis(),
                milliseconds,
                "{uri}"
            );
        }
    }

    #[tokio::test]
    async fn a_panic_and_a_review_that_never_ends_are_refusals() {
        let limit = Duration::from_millis(1);
        let late = bounded::<()>(limit, std::future::pending()).await;
        assert!(matches!(late, Err(Refusal::Late(_))));
        let failed = bounded::<()>(limit, async { panic!("a bug") }).await;
        assert!(matches!(failed, Err(Refusal::Failed)));
        assert_eq!(Refusal::Failed.into_response().status(), 500);
        assert!(matches!(bounded(limit, async { Ok(1) }).await, Ok(1)));
    }

    #[test]
    fn json_is_json_with_parameters_too() {
        for (value, json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/jsonp", false),
            ("text/plain", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(is_json(&headers), json, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn capacity_is_given_back() {
        let metrics = Arc::new(Metrics::new());
        let begin = || InWork::begin(&metrics, Endpoint::Mutate, 1, Instant::now());
        let held = begin();
        assert!(held.is_some() && begin().is_none());
        drop(held);
        assert!(begin().is_some());
    }
}
