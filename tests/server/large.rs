//! Reviews that compute for long, and bodies that are too large to be read.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::client::{ask, http1, metric, post, probe, read, tls, until_closed};
use crate::objects::{heavy, padded, review, sound};
use crate::process::Process;
use crate::steady::Steady;

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_holds_while_a_review_computes_and_its_place_is_taken_until_it_ends() {
    let process = Process::start(&["--max-in-flight", "1"]);
    let mut client = http1(&process).await;
    let mebibytes = if cfg!(debug_assertions) { 6 } else { 24 };
    let body = Bytes::from(heavy(mebibytes << 20));
    let answer = client.send_request(post("/validate?timeout=1s", body));
    let answer = tokio::spawn(answer);
    while metric(&process, "in_flight").await == 0 {}
    let began = Instant::now();
    assert_eq!(probe(process.probes, "/livez").await.0, StatusCode::OK);
    let refused = ask(&process, "/validate", padded(2_000)).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), "1");
    assert!(began.elapsed() < Duration::from_secs(1), "they waited");

    let late = read(answer.await.unwrap().unwrap()).await.unwrap();
    assert_eq!(late.status, StatusCode::GATEWAY_TIMEOUT);
    let refused = ask(&process, "/validate", padded(2_000)).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    while metric(&process, "in_flight").await > 0 {}
    let answer = ask(&process, "/validate", padded(2_000)).await;
    assert_eq!(answer.status, StatusCode::OK, "its place is free again");
    assert_eq!(metric(&process, "body_memory_bytes").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_heavy_reviews_than_there_is_room_for_delay_nobody_else() {
    let process = Process::start(&["--max-in-flight", "8"]);
    let steady = Steady::start(&process).await;
    let body = Bytes::from(heavy(512 << 10).replace("\"default\"", "\"busy\""));
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let connector = crate::client::connector(&process.authority, &["http/1.1"]);
            let (address, body) = (process.webhook, body.clone());
            tokio::spawn(async move {
                let mut client = crate::client::connect(address, &connector).await;
                let answer = client.send_request(post("/validate?timeout=5s", body));
                answer.await.unwrap().status()
            })
        })
        .collect();
    let mut shed = 0;
    for task in tasks {
        shed += usize::from(task.await.unwrap() == StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(shed > 0, "nothing was shed");
    steady.finish().await;
    while metric(&process, "in_flight").await > 0 {}
    assert_eq!(metric(&process, "waiting").await, 0);
}

#[tokio::test]
async fn a_body_too_large_to_be_read_is_answered_as_a_set_that_is_too_large() {
    let process = Process::start(&["--body-memory", "2Mi"]);
    let mut large = review("CREATE", &sound()).to_string();
    large.extend(std::iter::repeat_n(' ', 4 << 20));
    for path in ["/mutate", "/validate"] {
        let response = ask(&process, path, large.clone()).await.review();
        assert_eq!(response["uid"], "705ab4f5-6393-11e8-b7cc-42010a800002");
        assert_eq!(response["allowed"], false);
        assert_eq!(response["status"]["code"], 403);
        let cause = &response["status"]["details"]["causes"][0];
        assert_eq!(cause["reason"], "set-too-large");
        assert_eq!(cause["field"], "spec");
    }
    let response = ask(&process, "/validate", padded(4 << 20)).await.review();
    assert_eq!(response["allowed"], true, "a DELETE is not judged");

    let mut stream = tls(&process, &["http/1.1"]).await;
    let head = "POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(chunk.as_bytes()).await.unwrap();
    let text = until_closed(&mut stream).await;
    assert!(text.contains("[set-too-large]"), "{text}");

    let answer = ask(&process, "/mutate", vec![b' '; 4 << 20]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let most = process.memory("VmHWM");
    assert!(most < 80 << 20, "{most}");
}

#[tokio::test]
async fn a_policy_that_only_warns_lets_an_oversized_set_pass_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let policy = json!({
        "apiVersion": "steadyset.io/v1alpha1",
        "kind": "StatefulSetPolicy",
        "metadata": {"name": "warn"},
        "spec": {"enforcement": "Warn", "match": {"namespaces": {"include": ["default"]}}},
    });
    let path = folder.path().join("warn.yaml");
    std::fs::write(&path, policy.to_string()).unwrap();
    let process = Process::start(&["--body-memory=2Mi", "--config", path.to_str().unwrap()]);
    let mut body = review("UPDATE", &sound()).to_string();
    body.extend(std::iter::repeat_n(' ', 2 << 20));
    let response = ask(&process, "/validate", body).await.review();
    assert_eq!(response["allowed"], true);
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(warning.ends_with("[set-too-large]"), "{warning}");
}

#[tokio::test]
async fn a_body_of_30_mib_is_read() {
    let process = Process::start(&[]);
    let answer = ask(&process, "/validate?timeout=30s", padded(30 << 20)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}
