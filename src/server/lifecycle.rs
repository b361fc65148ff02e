//! The three acts of the process: serving, lame duck (not ready, still serving), draining.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a peer that has not yet sent a request is waited for once the server drains.
const UNSPOKEN_GRACE: Duration = Duration::from_secs(1);

/// The act the process is in; cheap to clone, shared by every connection and the readiness answer.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    leaving: Arc<AtomicBool>,
    draining: CancellationToken,
}

impl Lifecycle {
    /// A process that serves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the lame-duck act: not ready any more, every answer tells its client to reconnect elsewhere.
    pub fn leave(&self) {
        self.leaving.store(true, Relaxed);
    }

    /// Begins the drain: no new connections, the present ones end after the request they are in.
    pub fn drain(&self) {
        self.leave();
        self.draining.cancel();
    }

    /// Whether the process is on its way out.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Relaxed)
    }

    /// Waits for the drain to begin.
    pub async fn drained(&self) {
        self.draining.cancelled().await;
    }

    /// Runs a future for `limit` at most, cut to a second once the drain has begun, so that a silent peer cannot hold
    /// up the end of the process; `None` when the time was up.
    pub(super) async fn within<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let drained = async {
            self.drained().await;
            tokio::time::sleep(UNSPOKEN_GRACE).await;
        };
        tokio::select! {
            biased;
            output = future => Some(output),
            () = tokio::time::sleep(limit) => None,
            () = drained => None,
        }
    }
}

/// The signals that end the process: SIGTERM (the kubelet), SIGINT (Ctrl-C) and SIGHUP (a terminal that goes away).
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes over these signals from their default of ending the process at once.
    ///
    /// # Errors
    ///
    /// When the operating system refuses the handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal and gives its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
