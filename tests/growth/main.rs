//! What a review costs as a list of its set grows, in instructions: a user who may write sets must not be able to keep the server
//! busy. Time would say as much of the machine as of the code.
//!
//! The instructions are counted by valgrind, in this program started anew for each review: hardware counters are absent in most
//! virtual machines, and only a count is the same on each run. `make growth` runs these tests; otherwise they are shown as ignored, and what
//! bounds a review is tested all the same: its steps (`src/model/steps.rs`), its patch, and here the length of its answers.

mod shapes;

use std::fs;
use std::hint::black_box;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use tempfile::TempDir;

use shapes::{SHAPES, Shape};
use steadyset::admission::Reviewer;
use steadyset::cluster_view::NoCluster;
use steadyset::metrics::Endpoint;

/// Names the body of the review that this program, started by itself, is to do.
const BODY: &str = "STEADYSET_GROWTH_BODY";

/// Has instructions counted, which takes minutes: `make growth` sets it.
const COUNT: &str = "STEADYSET_COUNT_INSTRUCTIONS";

/// How many bytes the smaller of two sets that are compared has, about.
const SMALL: usize = 8 * 1024;

/// The larger set.
const LARGE: usize = 4 * SMALL;

/// The largest object that the API server takes, about.
const LARGEST: usize = 1 << 20;

/// The most times that a set four times as large may cost.
const GROWTH: u64 = 5;

/// The instructions that a review of [`LARGEST`] may take. A build for tests is not optimised, and takes up to 12 times as many.
const MOST: u64 = if cfg!(debug_assertions) {
    12 * 1_500_000_000
} else {
    1_500_000_000
};

/// The longest answer, in bytes.
const ANSWER: usize = 256 * 1024;

fn main() -> ExitCode {
    if let Ok(path) = std::env::var(BODY) {
        let body = fs::read(path).unwrap();
        let reviewer = reviewer();
        // what is set up once is not counted
        black_box(reviewed(
            &reviewer,
            &review(&shapes::SHAPES[0], 10, "CREATE"),
        ));
        black_box(counted(&reviewer, &body));
        return ExitCode::SUCCESS;
    }
    let counts = std::env::var_os(COUNT).is_some() && has_valgrind();
    let growth = ["CREATE", "UPDATE"].into_iter().flat_map(|operation| {
        SHAPES.iter().map(move |shape| {
            let name = format!("{operation}::{}", shape.name.replace(' ', "_"));
            Trial::test(name, move || grows_no_faster(shape, operation)).with_ignored_flag(!counts)
        })
    });
    let answers = SHAPES.iter().map(|shape| {
        let name = format!("answer::{}", shape.name.replace(' ', "_"));
        Trial::test(name, move || is_answered_shortly(shape))
    });
    libtest_mimic::run(&Arguments::from_args(), growth.chain(answers).collect()).exit_code()
}

fn has_valgrind() -> bool {
    let mut version = Command::new("valgrind");
    version
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

fn reviewer() -> Reviewer {
    Reviewer {
        policies: std::sync::Arc::default(),
        cluster: None,
        nothing: NoCluster::default(),
    }
}

/// The part whose instructions are counted, found by its name.
#[inline(never)]
fn counted(reviewer: &Reviewer, body: &[u8]) -> usize {
    reviewed(reviewer, body).iter().map(Vec::len).sum()
}

/// The answers of both endpoints.
fn reviewed(reviewer: &Reviewer, body: &[u8]) -> [Vec<u8>; 2] {
    [Endpoint::Mutate, Endpoint::Validate].map(|endpoint| {
        let deadline = Instant::now() + Duration::from_mins(10);
        let review = reviewer.review(endpoint, body, deadline);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(review).unwrap().answer().to_vec()
    })
}

/// A review of a set of about so many bytes.
fn review(shape: &Shape, bytes: usize, operation: &str) -> Vec<u8> {
    const SAMPLE: usize = 100;
    let length = |items| (shape.set)(items).to_string().len();
    let item = (length(2 * SAMPLE) - length(SAMPLE))
        .div_ceil(SAMPLE)
        .max(1);
    let set = (shape.set)(bytes.div_ceil(item));
    let mut stored = set.clone();
    stored["spec"]["template"]["spec"]["priorityClassName"] = json!("low");
    stored["spec"]["serviceName"] = json!("before");
    let old = if operation == "UPDATE" {
        stored
    } else {
        Value::Null
    };
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1", "operation": operation, "namespace": "shop", "name": "web",
            "kind": {"group": "apps", "version": "v1", "kind": "StatefulSet"},
            "userInfo": {"username": "somebody"},
            "object": set, "oldObject": old,
        },
    });
    review.to_string().into_bytes()
}

/// The instructions of a review.
fn instructions(body: &[u8]) -> Result<u64, Failed> {
    let folder = TempDir::new()?;
    let file = folder.path().join("body.json");
    fs::write(&file, body)?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*counted*"])
        .arg(format!(
            "--callgrind-out-file={}",
            folder.path().join("out").display()
        ))
        .arg(std::env::current_exe()?)
        .env(BODY, &file)
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, count)| count.trim().parse().ok())
        .filter(|count| *count > 0 && output.status.success());
    count.ok_or_else(|| Failed::from(text.into_owned()))
}

fn grows_no_faster(shape: &Shape, operation: &str) -> Result<(), Failed> {
    let small = instructions(&review(shape, SMALL, operation))?;
    let large = instructions(&review(shape, LARGE, operation))?;
    // both endpoints are counted together
    let at_most = large / 2 * (LARGEST / LARGE) as u64;
    println!("{operation} {}: {small} {large}", shape.name);
    if large > GROWTH * small {
        return Err(format!("{small} instructions for {SMALL} bytes, {large} for {LARGE}").into());
    }
    if at_most > MOST {
        return Err(format!("{large} instructions for {LARGE} bytes").into());
    }
    Ok(())
}

fn is_answered_shortly(shape: &Shape) -> Result<(), Failed> {
    for (operation, bytes) in [("CREATE", LARGEST), ("UPDATE", LARGE)] {
        let body = review(shape, bytes, operation);
        for answer in reviewed(&reviewer(), &body) {
            if answer.len() > ANSWER {
                return Err(format!("{operation}: an answer of {} bytes", answer.len()).into());
            }
            let answer: Value = serde_json::from_slice(&answer)?;
            if answer["response"]["uid"] != "1" {
                return Err(format!("{operation}: {answer}").into());
            }
        }
    }
    Ok(())
}
