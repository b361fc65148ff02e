//! What one connection is doing, so that a peer which stalls can be told from one which merely waits.
//!
//! hyper's own header timeout cannot serve here: it also runs while a keep-alive connection is idle, and an idle
//! connection must outlive the 90 seconds that kube-apiserver keeps it (a POST on a connection that the server has
//! just closed is not retried by Go). So the three waits are told apart here, each with its own limit.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Limits;

/// No write waits for the peer.
const UNBLOCKED: u64 = u64::MAX;

/// What a peer that has once not kept up must read: 64 KiB a second.
const BYTES_PER_MILLISECOND: u64 = 64;

/// The state of one connection, shared by its socket, its requests and the task that watches it.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    changed: AtomicU64,
    requests: AtomicU32,
    spoken: AtomicBool,
    head: AtomicBool,
    write_limit: AtomicU64,
    /// Cancelled when a new connection needs the place of this one.
    pub(super) displaced: CancellationToken,
    /// Cancelled when the peer has cost too much: the connection is dropped.
    pub(super) cut: CancellationToken,
}

/// What should become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// Nothing is wrong.
    Keep,
    /// Nobody uses it: close it in good order.
    Close,
    /// The peer stalls in the middle of something: drop it.
    Abort,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            changed: AtomicU64::new(0),
            requests: AtomicU32::new(0),
            spoken: AtomicBool::new(false),
            head: AtomicBool::new(false),
            write_limit: AtomicU64::new(UNBLOCKED),
            displaced: CancellationToken::new(),
            cut: CancellationToken::new(),
        }
    }

    /// Whether a request is being worked on.
    pub(super) fn is_busy(&self) -> bool {
        self.requests.load(Relaxed) > 0
    }

    /// Whether a request has come since the connection was opened, or at least its beginning.
    pub(super) fn has_spoken(&self) -> bool {
        self.spoken.load(Relaxed) || self.head.load(Relaxed)
    }

    /// Whether the next thing from the peer should be the head of a request, or its rest.
    pub(super) fn expects_head(&self) -> bool {
        !self.is_busy() && (self.head.load(Relaxed) || !self.spoken.load(Relaxed))
    }

    pub(super) fn request_began(&self) {
        self.spoken.store(true, Relaxed);
        self.head.store(false, Relaxed);
        self.requests.fetch_add(1, Relaxed);
        self.touch();
    }

    pub(super) fn request_ended(&self) {
        self.requests.fetch_sub(1, Relaxed);
        self.touch();
    }

    /// For how long the connection has had no request; `None` while one is under way.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        (!self.is_busy()).then(|| self.still())
    }

    fn still(&self) -> Duration {
        let changed = Duration::from_millis(self.changed.load(Relaxed));
        self.elapsed().saturating_sub(changed)
    }

    /// Judges the connection by how long nothing has begun or ended on it.
    pub(super) fn advise(&self, limits: &Limits) -> Advice {
        if self.now() > self.write_limit.load(Relaxed) {
            return Advice::Abort;
        }
        let (limit, advice) = match (self.is_busy(), self.expects_head()) {
            (true, _) => (limits.stalled_request, Advice::Abort),
            (false, true) => (limits.request_head, Advice::Abort),
            (false, false) => (limits.idle, Advice::Close),
        };
        if self.still() >= limit {
            advice
        } else {
            Advice::Keep
        }
    }

    pub(super) fn bytes_arrived(&self) {
        if !self.is_busy() && !self.head.swap(true, Relaxed) {
            self.touch();
        }
    }

    /// The peer does not take what is written: it gets a limit, which [`Self::bytes_left`] moves.
    pub(super) fn write_blocked(&self, limits: &Limits) {
        if self.write_limit.load(Relaxed) == UNBLOCKED {
            self.write_limit
                .store(self.now().saturating_add(millis(limits.write)), Relaxed);
        }
    }

    /// The peer has taken so many bytes: where it was waited for, each buys it some time, up to the whole limit again.
    pub(super) fn bytes_left(&self, bytes: usize, limits: &Limits) {
        let limit = self.write_limit.load(Relaxed);
        if limit != UNBLOCKED {
            let bought = u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_PER_MILLISECOND;
            let most = self.now().saturating_add(millis(limits.write));
            self.write_limit
                .store(limit.saturating_add(bought).min(most), Relaxed);
        }
    }

    /// Nothing waits to be written any more.
    pub(super) fn all_left(&self) {
        self.write_limit.store(UNBLOCKED, Relaxed);
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }

    fn touch(&self) {
        self.changed.store(self.now(), Relaxed);
    }

    /// Milliseconds since the connection was opened.
    fn now(&self) -> u64 {
        millis(self.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(idle: u64, request_head: u64, stalled_request: u64) -> Limits {
        Limits {
            idle: Duration::from_secs(idle),
            request_head: Duration::from_secs(request_head),
            stalled_request: Duration::from_secs(stalled_request),
            ..Limits::default()
        }
    }

    #[test]
    fn a_peer_that_never_speaks_is_aborted() {
        assert_eq!(Activity::new().advise(&limits(99, 0, 99)), Advice::Abort);
        assert_eq!(Activity::new().advise(&limits(0, 99, 0)), Advice::Keep);
    }

    #[test]
    fn an_idle_connection_is_closed_in_order() {
        let activity = Activity::new();
        activity.request_began();
        activity.request_ended();
        assert_eq!(activity.advise(&limits(0, 99, 99)), Advice::Close);
        assert_eq!(activity.advise(&limits(99, 0, 0)), Advice::Keep);
    }

    #[test]
    fn half_a_head_after_a_request_is_not_idleness() {
        let activity = Activity::new();
        activity.request_began();
        activity.request_ended();
        activity.bytes_arrived();
        assert_eq!(activity.advise(&limits(99, 0, 99)), Advice::Abort);
    }

    #[test]
    fn a_peer_that_reads_too_slowly_is_aborted() {
        let limits = Limits {
            write: Duration::ZERO,
            ..limits(99, 99, 99)
        };
        let activity = Activity::new();
        let passed = || std::thread::yield_now();
        activity.request_began();
        activity.write_blocked(&limits);
        let began = activity.now();
        while activity.now() == began {
            passed();
        }
        assert_eq!(activity.advise(&limits), Advice::Abort);
        activity.bytes_left(1, &limits);
        assert_eq!(
            activity.advise(&limits),
            Advice::Abort,
            "one byte buys nothing"
        );
        activity.bytes_left(1 << 20, &limits);
        activity.all_left();
        assert_eq!(activity.advise(&limits), Advice::Keep);
    }

    #[test]
    fn a_request_that_never_ends_is_aborted() {
        let activity = Activity::new();
        activity.request_began();
        assert_eq!(activity.advise(&limits(0, 0, 99)), Advice::Keep);
        assert_eq!(activity.advise(&limits(99, 99, 0)), Advice::Abort);
    }
}
