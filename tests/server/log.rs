//! Nobody reads the log: reviews go on, what is lost is counted, and the process can be ended.

use std::sync::Arc;

use hyper::StatusCode;
use tokio::sync::Mutex;

use crate::client::{http1, post, probe, read};
use crate::objects::{review, sound};
use crate::process::Process;

/// More lines than a pipe holds and the process keeps.
const REVIEWS: usize = 1_000;

async fn answered(process: &Process) {
    let mut sender = http1(process).await;
    let body = review("CREATE", &sound()).to_string();
    for _ in 0..REVIEWS {
        sender.ready().await.unwrap();
        let response = sender.send_request(post("/validate", body.clone())).await;
        let answer = read(response.unwrap()).await.unwrap();
        assert_eq!(answer.review()["allowed"], true);
    }
}

async fn lines_lost(process: &Process) -> usize {
    let (status, text) = probe(process.probes, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix("steadyset_log_lines_dropped_total "));
    value.unwrap().parse().unwrap()
}

#[tokio::test]
async fn reviews_are_answered_while_nobody_reads_the_log_and_the_lost_lines_are_counted() {
    let process = Process::start(&["--lame-duck", "0s"]);
    assert_eq!(lines_lost(&process).await, 0);
    let reading: Arc<Mutex<()>> = Arc::clone(&process.reading);
    let stopped = reading.lock().await;
    answered(&process).await;
    let lost = lines_lost(&process).await;
    drop(stopped);
    assert!((1..REVIEWS).contains(&lost), "{lost}");
    process.terminate();
    let written = process.rest();
    let reviewed = written.iter().filter(|line| line["message"] == "reviewed");
    assert_eq!(reviewed.count() + lost, REVIEWS);
    assert!(process.ends().await.success());
}

#[tokio::test]
async fn a_process_whose_log_nobody_reads_ends_when_it_is_told_to() {
    let process = Process::start(&["--lame-duck", "0s"]);
    let reading: Arc<Mutex<()>> = Arc::clone(&process.reading);
    let stopped = reading.lock().await;
    answered(&process).await;
    assert!(lines_lost(&process).await > 0);
    process.terminate();
    let status = process.ends().await;
    drop(stopped);
    assert!(status.success(), "{status}");
}
