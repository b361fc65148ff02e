//! A steady load of writes that the webhook judges, and what became of each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::support::{Connection, Response, Rest};

/// Connections at one time.
pub const WRITERS: usize = 40;

/// Writes of one connection: above what is asked for, so that a slow moment can be made up for.
const PACE: Duration = Duration::from_micros(1_000_000 * WRITERS as u64 / 280);

/// After an error of reaching the API server.
const PAUSE: Duration = Duration::from_millis(200);

/// How the API server begins when a webhook that must be asked cannot be.
const WEBHOOK_FAILED: &str = "failed calling webhook";

/// What has been counted since the last look.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Writes that were done.
    pub done: u64,
    /// Writes that failed because of the webhook, with what was said.
    pub webhook_failed: Vec<String>,
    /// Answers and silences of an API server that cannot be reached or does not serve, by what was said; tried again.
    pub unreachable: BTreeMap<String, u64>,
    /// Updates that were let pass because the webhook could not be asked, as the API server counts them.
    pub let_pass: f64,
    /// Anything else: nothing may be in here.
    pub other: Vec<String>,
}

/// The load, until dropped.
pub struct Load {
    shared: Arc<Shared>,
    writers: Vec<JoinHandle<()>>,
    since: Instant,
}

struct Shared {
    rest: Rest,
    tally: Mutex<Tally>,
    stop: AtomicBool,
}

impl Load {
    /// Begins to write sets into a namespace that is there.
    pub fn start(rest: &Rest, namespace: &str) -> Self {
        static LOADS: AtomicU32 = AtomicU32::new(0);
        let shared = Arc::new(Shared {
            rest: rest.clone(),
            tally: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let load = LOADS.fetch_add(1, Relaxed);
        let writers = (0..WRITERS).map(|number| {
            let writer = Writer {
                shared: Arc::clone(&shared),
                connection: None,
                name: format!("set-{load}-{number}"),
                collection: format!("/apis/apps/v1/namespaces/{namespace}/statefulsets"),
            };
            thread::spawn(move || writer.run())
        });
        Self {
            writers: writers.collect(),
            shared,
            since: Instant::now(),
        }
    }

    /// What has been counted since the last call, and for how long.
    pub fn take(&mut self) -> (Tally, Duration) {
        let tally = std::mem::take(&mut *self.shared.tally());
        let now = Instant::now();
        let time = now - std::mem::replace(&mut self.since, now);
        (tally, time)
    }

    /// Ends it: every writer finishes the write it is in.
    pub fn stop(&mut self) {
        self.shared.stop.store(true, Relaxed);
        for writer in self.writers.drain(..) {
            let _ = writer.join();
        }
    }

    /// What has been counted since, without an end to it.
    pub fn look(&self) -> Tally {
        self.shared.tally().clone()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection: a set is created, its spec changed four times, and deleted. Of six writes the webhook judges five.
struct Writer {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    name: String,
    collection: String,
}

const PATCH: &str = "application/merge-patch+json";

impl Writer {
    fn run(mut self) {
        let object = format!("{}/{}", self.collection, self.name);
        let set = set(&self.name).to_string();
        while !self.stopped() {
            self.write("POST", &self.collection.clone(), &set);
            for replicas in 2..6 {
                let patch = json!({"spec": {"replicas": replicas}}).to_string();
                self.write("PATCH", &object, &patch);
            }
            self.write("DELETE", &object, "");
        }
    }

    fn stopped(&self) -> bool {
        self.shared.stop.load(Relaxed)
    }

    /// Until it is done: what could not be done is counted and tried again.
    fn write(&mut self, method: &str, path: &str, body: &str) {
        let mut retried = false;
        while !self.stopped() {
            let began = Instant::now();
            let answer = self.request(method, path, body.as_bytes());
            if answer.is_err() {
                self.connection = None;
            }
            let judged = judge(answer, retried);
            let again = matches!(judged, Judged::Unreachable(_) | Judged::WebhookFailed(_));
            self.shared.tally().count(judged, method);
            if !again {
                thread::sleep(PACE.saturating_sub(began.elapsed()));
                return;
            }
            retried = true;
            thread::sleep(PAUSE);
        }
    }

    fn request(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Response> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => empty.insert(self.shared.rest.client.open()?),
        };
        let media = if method == "PATCH" {
            PATCH
        } else {
            "application/json"
        };
        let headers = [
            ("content-type", media),
            ("authorization", self.shared.rest.authorization.as_str()),
        ];
        connection.request(method, path, &headers, body)
    }
}

enum Judged {
    Done,
    WebhookFailed(String),
    Unreachable(String),
    Other(String),
}

/// A write that is retried may have been done the first time.
fn judge(answer: Result<Response>, retried: bool) -> Judged {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Judged::Unreachable(format!("{}", error.root_cause())),
    };
    let text = answer.text();
    let starting = text.contains("not yet ready to handle request");
    match answer.status {
        200..=299 => Judged::Done,
        _ if text.contains(WEBHOOK_FAILED) => Judged::WebhookFailed(message(&text)),
        404 | 409 if retried => Judged::Done,
        429 | 500..=599 => Judged::Unreachable(reason(&answer)),
        // rights and admission plugins of an API server that has just begun
        401 | 403 if starting || retried => Judged::Unreachable(reason(&answer)),
        status => Judged::Other(format!("{status} {}", message(&text))),
    }
}

/// The code, and the one word of a Status for it.
fn reason(answer: &Response) -> String {
    let status = answer.json().unwrap_or_default();
    format!(
        "{} {}",
        answer.status,
        status["reason"].as_str().unwrap_or_default()
    )
}

/// What a Status says, or the text as it is.
fn message(text: &str) -> String {
    let status: Option<Value> = serde_json::from_str(text).ok();
    let message = status.and_then(|status| status["message"].as_str().map(str::to_owned));
    message.unwrap_or_else(|| text.to_owned())
}

impl Tally {
    fn count(&mut self, judged: Judged, method: &str) {
        match judged {
            Judged::Done => self.done += 1,
            Judged::WebhookFailed(text) => self.webhook_failed.push(format!("{method}: {text}")),
            Judged::Unreachable(why) => *self.unreachable.entry(why).or_default() += 1,
            Judged::Other(text) => self.other.push(format!("{method}: {text}")),
        }
    }

    /// One line for people.
    pub fn line(&self, phase: &str, time: Duration) -> String {
        let rate = self.rate(time);
        let mut line = format!(
            "{phase}: {} writes in {:.1} s ({rate:.0}/s), {} failed calling the webhook",
            self.done,
            time.as_secs_f64(),
            self.webhook_failed.len(),
        );
        for (why, count) in &self.unreachable {
            let _ = write!(
                line,
                "\n    API server unreachable {count} times: {why:.120}"
            );
        }
        line
    }

    /// Writes a second.
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    pub fn rate(&self, time: Duration) -> f64 {
        self.done as f64 / time.as_secs_f64()
    }
}

/// Small and without fault, so that it is the call that is measured.
pub fn set(name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": {
        "replicas": 1, "serviceName": "given", "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    }})
}
