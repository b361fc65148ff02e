//! Peers that stall, flood or send too much over HTTP/1.1, each beside a good client that must see nothing of it.

use std::time::Duration;

use hyper::StatusCode;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{begin, http1, metric, post, read, tls, until_closed};
use crate::objects::{padded, review, sound};
use crate::process::Process;
use crate::steady::Steady;

const DISPLACED: &str = "shed_total{kind=\"connection\"}";
const CUT: &str = "shed_total{kind=\"peer\"}";

/// Waits until a counter says so much.
async fn until(process: &Process, counter: &str, least: u64) {
    let began = std::time::Instant::now();
    loop {
        let now = metric(process, counter).await;
        if now >= least {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "{counter} is {now}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_never_end_give_way_to_a_new_client() {
    let process = Process::start(&["--max-connections", "32"]);
    let steady = Steady::start(&process).await;
    let mut peers = Vec::new();
    for _ in 0..64 {
        let mut peer = tls(&process, &["http/1.1"]).await;
        peer.write_all(b"POST /validate HTTP/1.1\r\nHo")
            .await
            .unwrap();
        peers.push(peer);
    }
    until(&process, DISPLACED, 32).await;
    steady.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_connections_give_way_to_a_new_client() {
    let process = Process::start(&["--max-connections", "1000"]);
    let before = process.memory("VmRSS");
    let steady = Steady::start(&process).await;
    let mut peers = Vec::new();
    while peers.len() < 5_000 {
        peers.push(TcpStream::connect(process.webhook).await.unwrap());
    }
    until(&process, DISPLACED, 2_000).await;
    assert!(metric(&process, "connections").await <= 1_000);
    steady.finish().await;
    drop(peers);
    while metric(&process, "connections").await > 1 {
        tokio::task::yield_now().await;
    }
    let after = process.memory("VmRSS");
    assert!(after < before + (32 << 20), "{before} {after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_stall_give_up_their_memory() {
    let process = Process::start(&["--body-memory", "1Mi"]);
    let steady = Steady::start(&process).await;
    let body = padded(60_000);
    let mut peers = Vec::new();
    for _ in 0..12 {
        let (mut peer, rest) = begin(&process, "/validate?timeout=30s", &body).await;
        let (most, _) = rest.split_at(50_000);
        // One that was cut meanwhile takes no more.
        let _ = peer.write_all(most.as_bytes()).await;
        peers.push(peer);
    }
    until(&process, CUT, 8).await;
    assert!(metric(&process, "body_memory_bytes").await <= 1 << 20);
    steady.finish().await;
    let text = until_closed(&mut peers[0]).await;
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    assert!(text.contains("retry-after: 1\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_that_stall_give_up_their_memory_to_the_next() {
    let process = Process::start(&["--body-memory", "8Mi"]);
    let mut stalled = Vec::new();
    for _ in 0..2 {
        stalled.push(begin(&process, "/validate?timeout=30s", &padded(2_900_000)).await);
    }
    while metric(&process, "body_memory_bytes").await < 5_000_000 {}
    let mut client = http1(&process).await;
    let body = padded(3_000_000);
    let answer = client.send_request(post("/validate?timeout=30s", body));
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
    let answer = answer.expect("it waits for those that stall").unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(metric(&process, CUT).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_keeps_no_pace_is_504_before_its_deadline() {
    let process = Process::start(&[]);
    let (mut peer, _) = begin(&process, "/validate?timeout=30s", &padded(2_000)).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), until_closed(&mut peer)).await;
    let text = ended.expect("only the deadline would end it");
    assert!(text.starts_with("HTTP/1.1 504 "), "{text}");
    assert!(text.ends_with("the body arrives too slowly\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_being_read_take_no_place_of_reviews() {
    let process = Process::start(&["--max-in-flight", "1"]);
    let steady = Steady::start(&process).await;
    let body = review("CREATE", &sound()).to_string();
    let mut peers = Vec::new();
    for _ in 0..16 {
        peers.push(begin(&process, "/validate?timeout=30s", &body).await);
    }
    steady.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_bodies_of_7_mib_stay_within_the_memory() {
    const BODIES: usize = 200;
    let process = Process::start(&["--body-memory", "32Mi"]);
    let steady = Steady::start(&process).await;
    let body = hyper::body::Bytes::from(padded(7 << 20));
    let tasks: Vec<_> = (0..BODIES)
        .map(|_| {
            let connecting = crate::client::connector(&process.authority, &["http/1.1"]);
            let (address, body) = (process.webhook, body.clone());
            tokio::spawn(async move {
                let mut client = crate::client::connect(address, &connecting).await;
                let request = post("/validate?timeout=30s", body);
                let answer = read(client.send_request(request).await?).await?;
                Ok::<_, hyper::Error>(answer.status)
            })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        // Who waits for too long is refused, or cut; that is not what counts here.
        answered += usize::from(
            task.await
                .unwrap()
                .is_ok_and(|status| status == StatusCode::OK),
        );
    }
    steady.finish().await;
    assert!(answered > BODIES / 2, "{answered}");
    assert_eq!(metric(&process, "body_memory_bytes").await, 0);
    let most = process.memory("VmHWM");
    assert!(most < 160 << 20, "{most}");
}
