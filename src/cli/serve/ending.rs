//! The last lines of the log, which nobody may be there to read.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::telemetry::Log;

/// How long a reader of the log may take for what is left.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Writes what is left of the log and hands on how the server ended. Where nobody reads the log, the process ends here and now:
/// an error would only be written to the same pipe.
pub(super) fn close(log: Log, ended: anyhow::Result<()>) -> anyhow::Result<()> {
    let (done, written) = channel::<()>();
    let closing = std::thread::Builder::new().spawn(move || {
        drop(log);
        drop(done);
    });
    if closing.is_ok() && written.recv_timeout(LAST_LINES) == Err(RecvTimeoutError::Timeout) {
        std::process::exit(i32::from(ended.is_err()));
    }
    ended
}
