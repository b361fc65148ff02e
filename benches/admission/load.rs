//! Requests sent one after another on connections that stay open, as kube-apiserver does.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::objects::Case;
use crate::server::Server;

/// What was measured of one server with one review.
#[derive(Default)]
pub struct Load {
    latencies: Vec<Duration>,
    requests: u64,
    cpu: u64,
}

impl Load {
    /// Asks on one connection for a while and keeps each request's time.
    pub async fn latency(&mut self, server: &Server, case: &Case, slice: Duration) {
        let mut sender = connect(server).await;
        let end = Instant::now() + slice;
        while Instant::now() < end {
            let began = Instant::now();
            ask(&mut sender, case).await;
            self.latencies.push(began.elapsed());
        }
    }

    /// Asks on many connections for a while and keeps what the server used for it, handshakes left out.
    pub async fn throughput(
        &mut self,
        server: &Server,
        case: &Case,
        slice: Duration,
        connections: usize,
    ) {
        let mut senders = Vec::new();
        for _ in 0..connections {
            let mut sender = connect(server).await;
            ask(&mut sender, case).await;
            senders.push(sender);
        }
        let before = server.cpu();
        let end = Instant::now() + slice;
        let loops = senders.iter_mut().map(|sender| async move {
            let mut requests = 0;
            while Instant::now() < end {
                ask(sender, case).await;
                requests += 1;
            }
            requests
        });
        self.requests += futures::future::join_all(loops).await.iter().sum::<u64>();
        self.cpu += server.cpu() - before;
    }

    /// CPU time of the server for a request, in microseconds.
    pub fn cpu_per_request(&self) -> f64 {
        Duration::from_nanos(self.cpu).as_secs_f64() * 1e6
            / f64::from(u32::try_from(self.requests).unwrap_or(u32::MAX))
    }

    /// The median and the 99th percentile, in microseconds.
    pub fn percentiles(mut self) -> String {
        self.latencies.sort_unstable();
        let at = |percent: usize| {
            self.latencies
                .get(self.latencies.len() * percent / 100)
                .map_or(0, Duration::as_micros)
        };
        format!("{}/{}", at(50), at(99))
    }
}

/// A connection that stays open.
pub async fn connect(server: &Server) -> SendRequest<Full<Bytes>> {
    let tcp = TcpStream::connect(server.address)
        .await
        .expect("a connection");
    tcp.set_nodelay(true).expect("TCP_NODELAY");
    let name = "localhost".try_into().expect("a name");
    let tls = server
        .connector
        .connect(name, tcp)
        .await
        .expect("a handshake");
    let (sender, connection) = handshake(TokioIo::new(tls)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    sender
}

/// Asks, and reads the answer.
pub async fn ask(sender: &mut SendRequest<Full<Bytes>>, case: &Case) {
    sender.ready().await.expect("an open connection");
    let request = Request::post(format!("{}?timeout=10s", case.path))
        .header("host", "localhost")
        .header("user-agent", "kube-apiserver-admission")
        .header("accept", "application/json, */*")
        .header("content-type", "application/json")
        .body(Full::new(case.body.clone()))
        .expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.expect("a body");
}
