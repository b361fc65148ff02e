//! A client that does exactly what a test says: HTTP/1.1 or HTTP/2 by ALPN, or bytes.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::process::Process;

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The `response` of the review.
    pub fn review(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        let review: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(review["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(review["kind"], "AdmissionReview");
        review["response"].clone()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// Trusts the authority of a process, offers the protocols.
pub fn connector(authority: &[u8], protocols: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let mut config = builder
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    TlsConnector::from(Arc::new(config))
}

/// A TLS connection.
pub async fn tls(process: &Process, protocols: &[&str]) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(process.webhook).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    connector(&process.authority, protocols)
        .connect(name, tcp)
        .await
        .unwrap()
}

/// Sends requests of one HTTP/1.1 connection.
pub type Sender = http1::SendRequest<Full<Bytes>>;

/// An HTTP/1.1 connection to an address.
pub async fn connect(address: SocketAddr, connector: &TlsConnector) -> Sender {
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    over_http1(connector.connect(name, tcp).await.unwrap()).await
}

/// An HTTP/1.1 connection.
pub async fn http1(process: &Process) -> http1::SendRequest<Full<Bytes>> {
    over_http1(tls(process, &["http/1.1"]).await).await
}

pub async fn over_http1(stream: TlsStream<TcpStream>) -> http1::SendRequest<Full<Bytes>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// An HTTP/2 connection.
pub async fn http2(process: &Process) -> http2::SendRequest<Full<Bytes>> {
    let stream = TokioIo::new(tls(process, &["h2"]).await);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

/// A POST as kube-apiserver sends it.
pub fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

/// Reads an answer to its end.
pub async fn read(response: hyper::Response<hyper::body::Incoming>) -> hyper::Result<Answer> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (status, headers) = (head.status, head.headers);
    Ok(Answer {
        status,
        headers,
        body,
    })
}

/// One request on a connection of its own.
pub async fn send(process: &Process, request: Request<Full<Bytes>>) -> Answer {
    let mut sender = http1(process).await;
    read(sender.send_request(request).await.unwrap())
        .await
        .unwrap()
}

/// One review on a connection of its own.
pub async fn ask(process: &Process, path: &str, body: impl Into<Bytes>) -> Answer {
    send(process, post(path, body)).await
}

/// The text of a path of the probe port, with its status.
pub async fn probe(address: SocketAddr, path: &str) -> (StatusCode, String) {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", "localhost")
        .body(Full::new(Bytes::new()));
    let answer = read(sender.send_request(request.unwrap()).await.unwrap())
        .await
        .unwrap();
    (answer.status, answer.body)
}

/// The value of a metric without labels, or with all of them in the name.
pub async fn metric(process: &Process, name: &str) -> u64 {
    let (_, text) = probe(process.probes, "/metrics").await;
    let line = format!("\nsteadyset_{name} ");
    let (_, rest) = text.split_once(&line).expect(name);
    rest.lines().next().unwrap().parse().expect(name)
}

/// A request that has begun: its head and the first bytes of its body are sent, the rest is not.
pub async fn begin(process: &Process, path: &str, body: &str) -> (TlsStream<TcpStream>, String) {
    let mut stream = tls(process, &["http/1.1"]).await;
    let (first, rest) = body.split_at(1);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    (stream, rest.to_owned())
}

/// What comes until the peer closes.
pub async fn until_closed(stream: &mut TlsStream<TcpStream>) -> String {
    let mut text = Vec::new();
    // A peer that goes without a close_notify is of no interest here, only what it has said.
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8(text).unwrap()
}
