//! A panic ends its own request: over real connections, with other requests on them.

use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::admission::PoolCounts;
use crate::certs::{self, Pair, Serving};
use crate::cluster::policies::Store;
use crate::cluster_view::NoCluster;
use crate::server::{Config, Counts, Lifecycle, Limits, Server, Transport};

/// Three paths: one whose review panics, on either kind of thread, one that panics beside the review, one that answers.
fn router(webhook: Arc<Webhook>) -> Router {
    let review = async |State(webhook): State<Arc<Webhook>>| {
        for weight in [Weight::Light, Weight::Heavy] {
            let review = async { panic!("a bug in a review") };
            let failed = webhook.compute::<()>("n", weight, review).await;
            assert!(matches!(failed, Err(Refusal::Failed)));
        }
        webhook.refuse(Endpoint::Mutate, &Refusal::Failed)
    };
    let beside = async || -> StatusCode { panic!("a bug beside it") };
    Router::new()
        .route("/review", get(review))
        .route("/beside", get(beside))
        .route("/fine", get(async || "fine"))
        .with_state(webhook)
}

async fn served(router: Router, metrics: &Arc<Metrics>) -> (std::net::SocketAddr, Vec<u8>) {
    let issued = certs::issue(&["localhost".to_owned()], jiff::Timestamp::now()).unwrap();
    let serving = Serving::new(Arc::clone(metrics)).unwrap();
    let pair = Pair::read(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap();
    serving.show(pair).unwrap();
    let config = Config {
        address: ([127, 0, 0, 1], 0).into(),
        transport: Transport::Tls(serving.tls()),
        limits: Limits::default(),
        counts: Counts::default(),
    };
    let server = Server::bind(config, router).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(Lifecycle::new()));
    (address, issued.authority.into_bytes())
}

async fn connected(
    address: std::net::SocketAddr,
    authority: &[u8],
    protocol: &str,
) -> TokioIo<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let tcp = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let name = "localhost".try_into().unwrap();
    TokioIo::new(connector.connect(name, tcp).await.unwrap())
}

fn request(path: &str) -> hyper::Request<Empty<Bytes>> {
    let request = hyper::Request::get(format!("https://localhost{path}"));
    request
        .header("host", "localhost")
        .body(Empty::new())
        .unwrap()
}

async fn text(response: hyper::Response<hyper::body::Incoming>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const PATHS: [(&str, u16, &str); 4] = [
    (
        "/review",
        500,
        "the review failed; the log of the webhook says why",
    ),
    ("/beside", 500, "a request failed; the log says why"),
    ("/fine", 200, "fine"),
    ("/review", 500, "the review failed"),
];

#[tokio::test]
async fn a_panic_is_a_500_and_its_connection_lives_on() {
    let metrics = Arc::new(Metrics::new());
    let counts = PoolCounts {
        in_flight: metrics.load.in_flight.clone(),
        ..PoolCounts::default()
    };
    let webhook = Webhook {
        reviewer: Reviewer {
            policies: Arc::new(Store::new(Arc::clone(&metrics))).shared(),
            cluster: None,
            nothing: NoCluster::default(),
        },
        metrics: Arc::clone(&metrics),
        pool: Pool::start(1, 1, counts, &tokio::runtime::Handle::current()).unwrap(),
        memory: Arc::new(Memory::new(
            1 << 20,
            1 << 20,
            Gauge::default(),
            Counter::default(),
        )),
    };
    let (address, authority) = served(router(Arc::new(webhook)), &metrics).await;

    let stream = connected(address, &authority, "http/1.1").await;
    let (mut one, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let stream = connected(address, &authority, "h2").await;
    let (mut two, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    for (path, status, words) in PATHS {
        one.ready().await.unwrap();
        let answers = [
            text(one.send_request(request(path)).await.unwrap()).await,
            text(two.send_request(request(path)).await.unwrap()).await,
        ];
        for (got, body) in answers {
            assert_eq!(got, status, "{path}: {body}");
            assert!(body.contains(words), "{path}: {body}");
        }
    }
    let counted = metrics.encode().unwrap();
    let failed =
        "endpoint=\"mutate\",operation=\"unknown\",verdict=\"failed\",dry_run=\"false\"} 4\n";
    assert!(counted.contains(failed), "{counted}");
    assert!(counted.contains("steadyset_in_flight 0\n"), "{counted}");
}
