//! Peers that use what HTTP/2 has against the server, each beside a good client that must see nothing of it.

use std::time::Duration;

use h2::client::SendRequest;
use hyper::Request;
use hyper::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{metric, tls};
use crate::objects::{padded, review, sound};
use crate::process::Process;
use crate::steady::Steady;

/// An HTTP/2 client that gives the server room for so many bytes of each answer.
async fn client(process: &Process, window: u32) -> SendRequest<Bytes> {
    let stream = tls(process, &["h2"]).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window);
    let (sender, connection) = builder.handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn head() -> Request<()> {
    Request::post("https://localhost/validate?timeout=30s")
        .header("content-type", "application/json")
        .body(())
        .unwrap()
}

fn body() -> Bytes {
    review("CREATE", &sound()).to_string().into()
}

#[tokio::test]
async fn a_connection_has_as_many_streams_as_fit_the_memory() {
    for (memory, streams) in [("64Mi", 64), ("8Mi", 8), ("1Gi", 250)] {
        let process = Process::start(&["--body-memory", memory]);
        let mut sender = client(&process, 65_535).await.ready().await.unwrap();
        let (answer, mut stream) = sender.send_request(head(), false).unwrap();
        stream.send_data(body(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
        assert_eq!(sender.current_max_send_streams(), streams, "{memory}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_hold_neither_places_nor_memory() {
    let process = Process::start(&["--body-memory", "1Mi", "--max-in-flight", "8"]);
    let steady = Steady::start(&process).await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut sender = client(&process, 0).await;
        for _ in 0..8 {
            sender = sender.ready().await.unwrap();
            let (answer, mut stream) = sender.send_request(head(), false).unwrap();
            stream.send_data(body(), true).unwrap();
            streams.push((answer, stream));
        }
    }
    while metric(&process, "shed_total{kind=\"peer\"}").await < 16 {
        tokio::task::yield_now().await;
    }
    assert!(metric(&process, "body_memory_bytes").await <= 1 << 20);
    steady.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_on_a_stream_does_not_hold_up_the_other_streams() {
    let process = Process::start(&["--body-memory", "8Mi", "--max-in-flight", "4"]);
    let steady = Steady::start(&process).await;
    let mut sender = client(&process, 65_535).await.ready().await.unwrap();
    let mut slow = Vec::new();
    for _ in 0..6 {
        sender = sender.ready().await.unwrap();
        let (answer, mut stream) = sender.send_request(head(), false).unwrap();
        stream
            .send_data(padded(60_000).into_bytes().into(), false)
            .unwrap();
        slow.push((answer, stream));
    }
    for _ in 0..20 {
        sender = sender.ready().await.unwrap();
        let (answer, mut stream) = sender.send_request(head(), false).unwrap();
        stream.send_data(body(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    steady.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rapid_resets_cost_nobody_else_and_leave_nothing() {
    let process = Process::start(&[]);
    let before = process.memory("VmRSS");
    let steady = Steady::start(&process).await;
    for _ in 0..20 {
        let Ok(mut sender) = client(&process, 65_535).await.ready().await else {
            continue;
        };
        for _ in 0..500 {
            match sender.ready().await {
                Ok(ready) => sender = ready,
                // The server ends a connection that only resets.
                Err(_) => break,
            }
            let Ok((_, mut stream)) = sender.send_request(head(), false) else {
                break;
            };
            let _ = stream.send_data(body(), true);
            stream.send_reset(h2::Reason::CANCEL);
        }
    }
    steady.finish().await;
    while metric(&process, "connections").await > 1 || metric(&process, "in_flight").await > 0 {
        tokio::task::yield_now().await;
    }
    let after = process.memory("VmRSS");
    assert!(after < before + (24 << 20), "{before} {after}");
}

/// A frame of HTTP/2: its type, its flags, its stream and what it carries.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// How every connection of HTTP/2 begins.
fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &*frame(4, 0, 0, &[])].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_that_come_faster_than_they_are_looked_at_end_the_connection() {
    let process = Process::start(&[]);
    let steady = Steady::start(&process).await;
    let mut flood = preface();
    for stream in (1..4_000).step_by(2) {
        let head = b"\x83\x87\x04\x09/validate\x01\x09localhost";
        flood.extend(frame(1, 4, stream, head));
        flood.extend(frame(3, 0, stream, &8_u32.to_be_bytes()));
    }
    let mut peer = tls(&process, &["h2"]).await;
    let _ = peer.write_all(&flood).await;
    let mut said = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), peer.read_to_end(&mut said));
    let _ = ended.await.expect("the connection lives on");
    steady.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn continuations_without_end_end_the_connection() {
    let process = Process::start(&[]);
    let before = process.memory("VmRSS");
    let steady = Steady::start(&process).await;
    let (mut read, mut write) = tokio::io::split(tls(&process, &["h2"]).await);
    let flood = tokio::spawn(async move {
        write.write_all(&preface()).await?;
        write.write_all(&frame(1, 0, 1, &[0x82])).await?;
        // A literal field that is not indexed, again and again.
        let field = [
            &[0x00, 0x01, b'a', 0x7f, 0x81, 0x7e][..],
            &[b'b'; 16_000 + 1][..],
        ]
        .concat();
        let continuation = frame(9, 0, 1, &field[..16_000]);
        loop {
            write.write_all(&continuation).await?;
            write.flush().await?;
        }
        #[allow(unreachable_code, reason = "says what the loop ends with")]
        Ok::<(), std::io::Error>(())
    });
    let mut said = Vec::new();
    let _ = read.read_to_end(&mut said).await;
    assert!(flood.await.unwrap().is_err(), "it took all of them");
    steady.finish().await;
    let most = process.memory("VmHWM");
    assert!(most < before + (24 << 20), "{before} {most}");
}
