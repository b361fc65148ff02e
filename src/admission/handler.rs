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

use super::body::{Incoming, Read, read};
use super::oversized::{self, Head};
use super::pool::{Full, Pool, Weight};
use super::{Refusal, Reviewer};
use crate::metrics::{Endpoint, Metrics, Operation, RequestLabels};
use crate::model::duration;
use crate::server::{Cut, Held, Memory, Share};

/// What kube-apiserver waits where the webhook configuration does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The most that a webhook configuration may say.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// Kept back at most, so that the answer is there before the API server has gone.
const MARGIN: Duration = Duration::from_millis(500);

/// How far the namespace of a review is looked for.
const BEGINNING: usize = 4 << 10;

/// Reviews of bodies up to here are computed at once: their work is bounded by their size.
const LIGHT_BYTES: usize = 64 << 10;

/// Everything that a request needs.
pub struct Webhook {
    /// Judges a review.
    pub reviewer: Reviewer,
    /// Where to count.
    pub metrics: Arc<Metrics>,
    /// Computes reviews.
    pub pool: Pool,
    /// Holds bodies and answers.
    pub memory: Arc<Memory>,
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
    async fn answer(self: Arc<Self>, endpoint: Endpoint, request: Request) -> Response {
        let timing = Timing::begin(&self.metrics, endpoint);
        let limit = deadline(request.uri());
        let (head, body) = request.into_parts();
        if !is_json(&head.headers) {
            let response = self.refuse(endpoint, &Refusal::MediaType);
            let _ = tokio::time::timeout(limit, Incoming::new(body).discard()).await;
            return response;
        }
        let peer = head.extensions.get().cloned();
        let share = self.memory.share(peer.unwrap_or_else(Cut::detached));
        let review = Review {
            webhook: Arc::clone(&self),
            endpoint,
            started: timing.started,
            deadline: timing.started + limit,
        };
        let answered = tokio::time::timeout(limit, review.answer(body, share)).await;
        match answered.unwrap_or(Err(Refusal::Late(limit))) {
            Ok((bytes, share)) => reviewed(bytes, (timing, share)),
            Err(refusal) => {
                let response = self.refuse(endpoint, &refusal);
                response.map(|body| Body::new(Held::new(body, timing)))
            }
        }
    }

    /// Computes in the turn of the namespace; a panic ends with its own request.
    async fn compute<T: Send + 'static>(
        &self,
        namespace: &str,
        weight: Weight,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let work = AssertUnwindSafe(work).catch_unwind();
        match self.pool.run(namespace, weight, work).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Refusal::Failed),
            Err(Full) => Err(Refusal::Overloaded),
        }
    }

    fn refuse(&self, endpoint: Endpoint, refusal: &Refusal) -> Response {
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

/// One review on its way through.
struct Review {
    webhook: Arc<Webhook>,
    endpoint: Endpoint,
    started: Instant,
    deadline: Instant,
}

impl Review {
    /// Reads, computes and answers. What the body holds in memory is given back when the computation has ended, even
    /// where nobody waits for it any more.
    async fn answer(self, body: Body, mut share: Share) -> Result<(Vec<u8>, Share), Refusal> {
        let webhook = Arc::clone(&self.webhook);
        let largest = webhook.memory.largest();
        let body = match read(body, &mut share, largest).await? {
            Read::Whole(body) => body,
            Read::Oversized(beginning) => return self.oversized(&beginning, share),
        };
        let namespace = namespace(&body).to_owned();
        let weight = if body.len() <= LIGHT_BYTES {
            Weight::Light
        } else {
            Weight::Heavy
        };
        let work = async move {
            share.computing();
            let bytes = self.review(&body).await?;
            drop(body);
            share.answering(bytes.len());
            Ok((bytes, share))
        };
        webhook.compute(&namespace, weight, work).await
    }

    async fn review(&self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let webhook = &self.webhook;
        let review = webhook.reviewer.review(self.endpoint, body, self.deadline);
        let reviewed = review.await?;
        reviewed.note(&webhook.metrics, self.started);
        Ok(reviewed.answer)
    }

    fn oversized(self, beginning: &[u8], mut share: Share) -> Result<(Vec<u8>, Share), Refusal> {
        let head = Head::read(beginning).ok_or(Refusal::TooLarge)?;
        let largest = self.webhook.memory.largest();
        let answer = oversized::answer(&head, &self.webhook.reviewer, largest);
        let answer = answer.map_err(|_| Refusal::Failed)?;
        answer.note(&head, self.endpoint, &self.webhook.metrics);
        share.answering(answer.bytes.len());
        Ok((answer.bytes, share))
    }
}

/// The namespace that a review is about, for its queue alone: the first that the body names, which is that of the request, as
/// kube-apiserver writes it before all that a user can.
fn namespace(body: &[u8]) -> &str {
    const KEY: &[u8] = b"\"namespace\":\"";
    let beginning = body.get(..BEGINNING).unwrap_or(body);
    let value = memchr::memmem::find(beginning, KEY).and_then(|at| beginning.get(at + KEY.len()..));
    let value = value.and_then(|value| value.get(..memchr::memchr(b'"', value)?));
    value
        .and_then(|value| std::str::from_utf8(value).ok())
        .unwrap_or_default()
}

fn reviewed(bytes: Vec<u8>, held: (Timing, Share)) -> Response {
    let body = Body::new(Held::new(Body::from(bytes), held));
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

/// A request, timed until the last byte of its answer is handed over.
#[derive(Debug)]
struct Timing {
    metrics: Arc<Metrics>,
    endpoint: Endpoint,
    started: Instant,
}

impl Timing {
    fn begin(metrics: &Arc<Metrics>, endpoint: Endpoint) -> Self {
        Self {
            metrics: Arc::clone(metrics),
            endpoint,
            started: Instant::now(),
        }
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
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

    #[test]
    fn the_first_namespace_of_a_body_is_that_of_the_request() {
        let body = br#"{"request":{"uid":"u","name":"a","namespace":"shop","object":{"namespace":"other"}}}"#;
        assert_eq!(namespace(body), "shop");
        for body in [&b"{}"[..], b"\"namespace\":\"", b"\"namespace\":\"\xff\""] {
            assert_eq!(namespace(body), "");
        }
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
}
