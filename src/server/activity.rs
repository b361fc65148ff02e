//! What one connection is doing, so that a peer which stalls can be told from one which merely waits.
//!
//! hyper's own header timeout cannot serve here: it also runs while a keep-alive connection is idle, and an idle
//! connection must outlive the 90 seconds that kube-apiserver keeps it (a POST on a connection that the server has
//! just closed is not retried by Go). So the three waits are told apart here, each with its own limit.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Limits;

/// The state of one connection, shared by its socket, its requests and the task that watches it.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    changed: AtomicU64,
    requests: AtomicU32,
    spoken: AtomicBool,
    head: AtomicBool,
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
        }
    }

    /// Whether a request is being worked on.
    pub(super) fn is_busy(&self) -> bool {
        self.requests.load(Relaxed) > 0
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

    /// Judges the connection by how long nothing has begun or ended on it.
    pub(super) fn advise(&self, limits: &Limits) -> Advice {
        let still = self
            .elapsed()
            .saturating_sub(Duration::from_millis(self.changed.load(Relaxed)));
        let (limit, advice) = match (self.is_busy(), self.expects_head()) {
            (true, _) => (limits.stalled_request, Advice::Abort),
            (false, true) => (limits.request_head, Advice::Abort),
            (false, false) => (limits.idle, Advice::Close),
        };
        if still >= limit { advice } else { Advice::Keep }
    }

    fn bytes_arrived(&self) {
        if !self.is_busy() && !self.head.swap(true, Relaxed) {
            self.touch();
        }
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }

    fn touch(&self) {
        let now = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.changed.store(now, Relaxed);
    }
}

/// A stream that notes when the head of a request starts to arrive.
///
/// Only for HTTP/1.1: between the requests of an HTTP/2 connection come frames that belong to none.
#[derive(Debug)]
pub(super) struct Watched<T> {
    stream: T,
    activity: std::sync::Arc<Activity>,
}

impl<T> Watched<T> {
    pub(super) fn new(stream: T, activity: std::sync::Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.bytes_arrived();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
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
    fn a_request_that_never_ends_is_aborted() {
        let activity = Activity::new();
        activity.request_began();
        assert_eq!(activity.advise(&limits(0, 0, 99)), Advice::Keep);
        assert_eq!(activity.advise(&limits(99, 99, 0)), Advice::Abort);
    }
}
