//! What the controller says on a set, for whoever looks at it with `kubectl describe`.
//!
//! The recorder makes one Event of those that say the same of the same set. An outage of a thousand sets would still be a
//! thousand Events, all by one cause, so no more than a few are written at a time; the log has every one.

use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::time::Instant;

use super::{LinkedSet, lock};
use crate::cluster_view::ownership::FIELD_MANAGER;
use crate::kube_client::reason;

/// Events that may be written at once.
const BURST: u32 = 25;

/// How long it takes until one more may be.
const REFILL: Duration = Duration::from_secs(3);

/// How long the API server may take to write one.
const LIMIT: Duration = Duration::from_secs(5);

/// Writes Events, but not too many.
pub(super) struct Events {
    recorder: Recorder,
    budget: Mutex<Budget>,
}

/// How many Events may be written now.
#[derive(Debug)]
struct Budget {
    left: u32,
    /// When the last one came back.
    since: Instant,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            since: now,
        }
    }

    /// Takes one, if there is one.
    fn take(&mut self, now: Instant) -> bool {
        while self.left < BURST && now.duration_since(self.since) >= REFILL {
            self.left += 1;
            self.since += REFILL;
        }
        if self.left == BURST {
            self.since = now;
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }
}

impl Events {
    pub(super) fn new(client: Client) -> Self {
        let reporter = Reporter {
            controller: FIELD_MANAGER.to_owned(),
            instance: None,
        };
        Self {
            recorder: Recorder::new(client, reporter),
            budget: Mutex::new(Budget::new(Instant::now())),
        }
    }

    /// The Service of a set is there now.
    pub(super) async fn created(&self, set: &LinkedSet) {
        let note = format!(
            "Created the headless Service {} that gives the pods their DNS names.",
            set.service
        );
        self.say(set, EventType::Normal, "GoverningServiceCreated", note)
            .await;
    }

    /// The Service of a set cannot be created or put right.
    pub(super) async fn not_kept(&self, set: &LinkedSet, reason: &str) {
        let note = format!(
            "The Service {} that should govern this set cannot be kept: {reason}. It is tried again.",
            set.service
        );
        self.say(set, EventType::Warning, "GoverningServiceNotKept", note)
            .await;
    }

    /// The name of a set's Service belongs to a Service that is not ours.
    pub(super) async fn taken(&self, set: &LinkedSet) {
        tracing::warn!(
            namespace = set.namespace,
            service = set.service,
            set = set.name,
            "the name of the governing Service is taken by a Service that is not ours; it is left alone"
        );
        let note = format!(
            "The Service {} that should govern this set exists and is not managed by steadyset: it is left alone. Make it \
             headless with the set's selector, or delete it, and steadyset will create its own.",
            set.service
        );
        self.say(set, EventType::Warning, "GoverningServiceTaken", note)
            .await;
    }

    async fn say(&self, set: &LinkedSet, type_: EventType, what: &str, mut note: String) {
        if !lock(&self.budget).take(Instant::now()) {
            return;
        }
        clip(&mut note);
        let event = Event {
            type_,
            reason: what.to_owned(),
            note: Some(note),
            action: "CreateService".to_owned(),
            secondary: None,
        };
        let about = reference(set);
        let written = tokio::time::timeout(LIMIT, self.recorder.publish(&event, &about)).await;
        let why = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => reason(&error),
            Err(_) => format!("no answer within {} s", LIMIT.as_secs()),
        };
        tracing::warn!(
            namespace = set.namespace,
            set = set.name,
            reason = why,
            "an Event cannot be written"
        );
    }
}

/// The API server takes a note of 1024 bytes at most.
fn clip(note: &mut String) {
    const LONGEST: usize = 1024;
    note.truncate(note.floor_char_boundary(LONGEST));
}

fn reference(set: &LinkedSet) -> ObjectReference {
    ObjectReference {
        api_version: Some("apps/v1".to_owned()),
        kind: Some("StatefulSet".to_owned()),
        name: Some(set.name.clone()),
        namespace: Some(set.namespace.clone()),
        uid: Some(set.uid.clone()),
        ..ObjectReference::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_written_and_then_one_now_and_then() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let mut count = |asked: u32, at: Duration| {
            let now = start + at;
            (0..asked).filter(|_| budget.take(now)).count()
        };
        assert_eq!(count(1000, Duration::ZERO), 25);
        assert_eq!(count(1000, REFILL * 9 / 10), 0);
        assert_eq!(count(1000, REFILL), 1);
        assert_eq!(count(1000, REFILL * 3 + REFILL / 2), 2);
        assert_eq!(count(1000, REFILL * 4), 1, "halves are not lost");
        assert_eq!(count(1000, REFILL * 1000), 25, "and no more are saved up");
    }

    #[test]
    fn a_note_is_no_longer_than_the_server_takes() {
        let mut note = "é".repeat(600);
        clip(&mut note);
        assert_eq!(note.len(), 1024);
        let mut odd = format!("a{}", "é".repeat(600));
        clip(&mut odd);
        assert_eq!(odd.len(), 1023);
    }
}
