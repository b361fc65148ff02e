//! The end of the process: nobody who was connected loses a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use hyper::StatusCode;
use rustix::process::Signal;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{
    ask, begin, connector, http1, http2, metric, over_http1, post, probe, read, until_closed,
};
use crate::objects::{review, sound};
use crate::process::Process;

fn body() -> String {
    review("CREATE", &sound()).to_string()
}

#[tokio::test]
async fn a_lame_duck_is_not_ready_but_serves_and_sends_its_clients_away() {
    let mut process = Process::start(&["--lame-duck", "60s"]);
    let mut old = http1(&process).await;
    read(old.send_request(post("/validate", body())).await.unwrap())
        .await
        .unwrap();
    process.terminate();
    process.event("leaving");
    let (status, text) = probe(process.probes, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("[-]shutdown not ready\n"), "{text}");
    assert_eq!(probe(process.probes, "/livez").await.0, StatusCode::OK);

    old.ready().await.unwrap();
    let answer = read(old.send_request(post("/validate", body())).await.unwrap())
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (StatusCode::OK, "close")
    );
    let answer = ask(&process, "/validate", body()).await;
    assert_eq!(
        (answer.status, answer.header("connection")),
        (StatusCode::OK, "close")
    );

    process.terminate();
    process.event("drained");
    assert!(process.wait().success());
}

#[tokio::test]
async fn requests_under_way_are_answered_after_the_drain_began() {
    let mut process = Process::start(&["--lame-duck", "0s"]);
    let (mut half_body, rest) = begin(&process, "/validate?timeout=30s", &body()).await;
    let mut half_head = crate::client::tls(&process, &["http/1.1"]).await;
    half_head
        .write_all(b"POST /validate HTTP/1.1\r\nHo")
        .await
        .unwrap();
    let unspoken = http1(&process).await;
    let mut spoken = http2(&process).await;
    spoken
        .send_request(post("/validate", body()))
        .await
        .unwrap();
    while metric(&process, "body_memory_bytes").await == 0 {}

    process.terminate();
    process.event("leaving");
    let mut unspoken = unspoken;
    let first = unspoken.send_request(post("/validate", body()));
    let tail = format!(
        "st: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        body().len(),
        body()
    );
    half_head.write_all(tail.as_bytes()).await.unwrap();
    let answer = read(first.await.unwrap()).await.unwrap();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (StatusCode::OK, "close")
    );
    half_body.write_all(rest.as_bytes()).await.unwrap();
    for mut stream in [half_head, half_body] {
        let text = until_closed(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        assert!(text.contains("connection: close\r\n"), "{text}");
    }
    process.event("drained");
    assert!(process.wait().success());
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_when_the_grace_is_over() {
    let mut process = Process::start(&["--lame-duck", "0s", "--shutdown-grace", "200ms"]);
    let (mut stream, _) = begin(&process, "/validate?timeout=30s", &body()).await;
    while metric(&process, "body_memory_bytes").await == 0 {}
    process.terminate();
    process.event("the grace is over");
    assert_eq!(until_closed(&mut stream).await, "");
    assert!(process.wait().success());
}

#[tokio::test]
async fn sighup_drains_like_sigterm() {
    let mut process = Process::start(&["--lame-duck", "0s"]);
    let mut client = http1(&process).await;
    client
        .send_request(post("/validate", body()))
        .await
        .unwrap();
    process.signal(Signal::HUP);
    assert_eq!(process.event("leaving")["signal"], "SIGHUP");
    process.event("drained");
    assert!(process.wait().success());
}

/// What the clients of the load have seen.
#[derive(Default)]
struct Tally {
    answered: AtomicUsize,
    reconnected: AtomicUsize,
    stop: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_no_request() {
    let mut process = Process::start(&["--lame-duck", "1s"]);
    let tally = Arc::new(Tally::default());
    let clients: Vec<_> = (0..16)
        .map(|_| {
            let connector = connector(&process.authority, &["http/1.1"]);
            tokio::spawn(client(process.webhook, connector, Arc::clone(&tally)))
        })
        .collect();
    while tally.answered.load(Relaxed) < 200 {
        tokio::task::yield_now().await;
    }
    process.terminate();
    process.event("drained");
    tally.stop.store(true, Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert!(
        tally.reconnected.load(Relaxed) >= 16,
        "the lame duck sent its clients away"
    );
    assert!(process.wait().success());
}

/// Asks again and again, on one connection for as long as the server keeps it; ends when nobody listens any more.
async fn client(
    address: std::net::SocketAddr,
    connector: tokio_rustls::TlsConnector,
    tally: Arc<Tally>,
) {
    while let Ok(tcp) = TcpStream::connect(address).await {
        let Ok(stream) = connector
            .connect("localhost".try_into().unwrap(), tcp)
            .await
        else {
            assert!(
                tally.stop.load(Relaxed) || TcpStream::connect(address).await.is_err(),
                "a handshake was lost"
            );
            return;
        };
        let mut sender = over_http1(stream).await;
        loop {
            sender.ready().await.unwrap();
            let response = sender
                .send_request(post("/validate", body()))
                .await
                .expect("a request was lost");
            let answer = read(response).await.expect("an answer was lost");
            assert_eq!(answer.status, StatusCode::OK);
            tally.answered.fetch_add(1, Relaxed);
            if answer.header("connection") == "close" {
                tally.reconnected.fetch_add(1, Relaxed);
                break;
            }
        }
    }
}
