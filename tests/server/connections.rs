//! Connections: which protocol, how many, and peers that say nothing.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{StatusCode, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{ask, begin, http1, http2, metric, over_http1, post, probe, read, tls};
use crate::objects::{review, sound};
use crate::process::Process;

fn request() -> hyper::Request<Full<Bytes>> {
    post(
        "/validate?timeout=10s",
        review("CREATE", &sound()).to_string(),
    )
}

#[tokio::test]
async fn alpn_chooses_the_protocol() {
    let process = Process::start(&[]);
    for (offered, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = tls(&process, offered).await;
        let alpn = stream.get_ref().1.alpn_protocol();
        assert_eq!(alpn, chosen.map(str::as_bytes), "{offered:?}");
    }
    let answer = http1(&process).await.send_request(request()).await.unwrap();
    assert_eq!(
        (answer.version(), answer.status()),
        (Version::HTTP_11, StatusCode::OK)
    );
    let answer = http2(&process).await.send_request(request()).await.unwrap();
    assert_eq!(
        (answer.version(), answer.status()),
        (Version::HTTP_2, StatusCode::OK)
    );
    let mut silent = over_http1(tls(&process, &[]).await).await;
    assert_eq!(
        silent.send_request(request()).await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn one_connection_takes_many_requests() {
    let process = Process::start(&[]);
    let mut sender = http1(&process).await;
    for _ in 0..100 {
        sender.ready().await.unwrap();
        let answer = read(sender.send_request(request()).await.unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("connection"), "");
    }
    let (_, text) = probe(process.probes, "/metrics").await;
    assert!(text.contains("\nsteadyset_connections 1\n"), "{text}");
}

#[tokio::test]
async fn two_hundred_silent_peers_hold_up_neither_service_nor_shutdown() {
    let mut process = Process::start(&["--lame-duck", "0s", "--shutdown-grace", "60s"]);
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(process.webhook).await.unwrap());
    }
    let mut silent_tls = Vec::new();
    for _ in 0..5 {
        silent_tls.push(tls(&process, &["http/1.1"]).await);
    }
    let answer = ask(
        &process,
        "/validate",
        review("CREATE", &sound()).to_string(),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
    let began = std::time::Instant::now();
    process.terminate();
    process.event("drained");
    assert!(began.elapsed().as_secs() < 30, "the grace was used up");
    assert!(process.wait().success());
}

#[tokio::test]
async fn a_connection_above_the_limit_waits_for_one_to_end() {
    let process = Process::start(&["--max-connections", "1"]);
    let body = review("CREATE", &sound()).to_string();
    let (mut first, rest) = begin(&process, "/validate?timeout=30s", &body).await;
    while metric(&process, "body_memory_bytes").await == 0 {}
    let second = tokio::spawn({
        let tcp = TcpStream::connect(process.webhook).await.unwrap();
        let connector = crate::client::connector(&process.authority, &["http/1.1"]);
        connector.connect("localhost".try_into().unwrap(), tcp)
    });
    assert_eq!(metric(&process, "connections").await, 1);
    assert!(!second.is_finished());
    first.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let mut sender = over_http1(second.await.unwrap().unwrap()).await;
    assert_eq!(
        sender.send_request(request()).await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_longest_idle_connection_makes_place_for_a_new_one() {
    let process = Process::start(&["--max-connections", "3"]);
    let mut longest = http1(&process).await;
    let mut clients = [http1(&process).await, http1(&process).await];
    for client in [&mut longest].into_iter().chain(&mut clients) {
        let answer = client.send_request(request()).await.unwrap();
        read(answer).await.unwrap();
    }
    let answer = ask(
        &process,
        "/validate",
        review("CREATE", &sound()).to_string(),
    );
    assert_eq!(answer.await.status, StatusCode::OK);
    assert!(longest.ready().await.is_err(), "it was not closed");
    for client in &mut clients {
        client.ready().await.unwrap();
        assert_eq!(
            client.send_request(request()).await.unwrap().status(),
            StatusCode::OK
        );
    }
    let shed = "shed_total{kind=\"connection\"}";
    assert_eq!(metric(&process, shed).await, 1);
}

#[tokio::test]
async fn failed_handshakes_are_told_apart() {
    let (process, other) = (Process::start(&[]), Process::start(&[]));
    let tcp = TcpStream::connect(process.webhook).await.unwrap();
    let stranger = crate::client::connector(&other.authority, &["http/1.1"]);
    assert!(
        stranger
            .connect("localhost".try_into().unwrap(), tcp)
            .await
            .is_err()
    );

    let mut plain = TcpStream::connect(process.webhook).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let _ = plain.read_to_end(&mut Vec::new()).await;

    for line in ["kind=\"untrusted\"} 1", "kind=\"malformed\"} 1"] {
        let line = format!("steadyset_tls_handshake_failures_total{{{line}\n");
        while !probe(process.probes, "/metrics").await.1.contains(&line) {}
    }
}

#[tokio::test]
async fn out_of_file_descriptors_it_waits_and_recovers() {
    let mut process = Process::with_descriptors(40, &[]);
    let mut peers = Vec::new();
    for _ in 0..60 {
        peers.push(TcpStream::connect(process.webhook).await.unwrap());
    }
    let event = process.event("cannot accept connections");
    assert!(
        event["error"]
            .as_str()
            .unwrap()
            .contains("Too many open files"),
        "{event}"
    );
    drop(peers);
    let answer = ask(
        &process,
        "/validate",
        review("CREATE", &sound()).to_string(),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
}
