//! The product's own server with a handler that says yes: what any webhook costs.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use steadyset::certs::{self, Pair, Serving};
use steadyset::metrics::Metrics;
use steadyset::server::{Config, Counts, Lifecycle, Limits, Server, Transport};

/// The variable that turns this program into the webhook.
pub const SWITCH: &str = "STEADYSET_NULL_WEBHOOK";

/// What the webhook says of itself, in its first line.
#[derive(Debug, Deserialize)]
pub struct Listening {
    /// Its address.
    pub address: String,
    /// The authority of its certificate, as base64 of PEM.
    pub ca_bundle: String,
}

#[derive(Deserialize)]
struct Review<'a> {
    #[serde(borrow)]
    request: Request<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    uid: &'a str,
    name: &'a str,
}

/// Serves for ever.
pub fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<()> {
    let issued = certs::issue(&["127.0.0.1".to_owned()], jiff::Timestamp::now())?;
    let pair = Pair::read(issued.certificate.as_bytes(), issued.key.as_bytes())?;
    let serving = Serving::new(Arc::new(Metrics::new()))?;
    serving.show(pair)?;
    let config = Config {
        address: ([127, 0, 0, 1], 0).into(),
        transport: Transport::Tls(serving.tls()),
        limits: Limits::default(),
        counts: Counts::default(),
    };
    let router = Router::new().fallback(async |body: Bytes| answer(&body));
    let server = Server::bind(config, router).await?;
    let ca_bundle = STANDARD.encode(&issued.authority);
    println!(
        "{}",
        json!({"address": server.address().to_string(), "ca_bundle": ca_bundle})
    );
    server.run(Lifecycle::new()).await;
    Ok(())
}

/// Yes, but to a set that is called so to be refused: that shows that the API server asks.
fn answer(body: &[u8]) -> Response {
    let review: Result<Review<'_>> = serde_json::from_slice(body).context("no review");
    let Ok(Review { request }) = review else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answer = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {"uid": request.uid, "allowed": request.name != "refused"}});
    ([(CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}
