//! The same server with a handler that reads the body and says yes.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use base64::Engine as _;
use steadyset::certs::{self, Pair, Serving};
use steadyset::metrics::Metrics;
use steadyset::server::{Config, Counts, Lifecycle, Limits, Server, Transport};

/// The variable that turns this program into the floor.
pub const SWITCH: &str = "STEADYSET_BENCH_FLOOR";

const ANSWER: &str = concat!(
    r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":"#,
    r#"{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}"#
);

/// Serves for ever, and says where as the product does.
pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(serve());
}

async fn serve() {
    let issued =
        certs::issue(&["localhost".to_owned()], jiff::Timestamp::now()).expect("certificates");
    let pair = Pair::read(issued.certificate.as_bytes(), issued.key.as_bytes()).expect("a pair");
    println!(
        "{}",
        base64::engine::general_purpose::STANDARD.encode(&issued.authority)
    );
    let serving = Serving::new(Arc::new(Metrics::new())).expect("TLS");
    serving.show(pair).expect("TLS");
    let config = Config {
        address: ([127, 0, 0, 1], 0).into(),
        transport: Transport::Tls(serving.tls()),
        limits: Limits::default(),
        counts: Counts::default(),
    };
    let empty = || post(async |_body: Bytes| ([(CONTENT_TYPE, "application/json")], ANSWER));
    let router = Router::new()
        .route("/mutate", empty())
        .route("/validate", empty())
        .layer(DefaultBodyLimit::disable());
    let server = Server::bind(config, router).await.expect("an address");
    eprintln!(
        r#"{{"message":"listening","webhook":"{}"}}"#,
        server.address()
    );
    server.run(Lifecycle::new()).await;
}
