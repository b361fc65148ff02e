//! Logs: to stderr, as text for people or as one JSON object a line for collectors.
//!
//! A line is formatted by the thread that has something to say and written by another one, many at a time: a write to a
//! pipe wakes its reader, which costs more than the whole review that the line tells of, and a reader that has stopped
//! would stop the reviews.

mod review_line;

use std::io::{self, BufWriter, IsTerminal, Write, stderr};
use std::sync::mpsc::channel;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use review_line::ReviewLines;
pub use review_line::TARGET as REVIEWS;

/// Lines that may wait; above, they are dropped and counted.
const WAITING: usize = 512;

/// For how long lines are gathered before they are written together.
const GATHERED: Duration = Duration::from_millis(5);

/// For how long the end of the process waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// As much as a pipe holds.
const WRITTEN_AT_ONCE: usize = 64 * 1024;

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The running log; writes what is left when dropped, but does not wait long for who reads it.
#[derive(Debug)]
#[must_use = "the log ends with it"]
pub struct Log {
    /// Counts the lines that nobody read in time.
    pub dropped: ErrorCounter,
    worker: Option<WorkerGuard>,
}

impl Drop for Log {
    /// The guard waits for a second at most, but where no line can be written it says so on stdout, which panics if that is closed and
    /// blocks if that is full: neither may keep the process from its end.
    fn drop(&mut self) {
        let worker = self.worker.take();
        let (ended, end) = channel::<()>();
        std::thread::spawn(move || {
            drop(worker);
            drop(ended);
        });
        let _ = end.recv_timeout(PATIENCE);
    }
}

/// Sends the events of the process to stderr; `RUST_LOG` chooses which, `info` and above unless told. A panic is an event
/// too.
///
/// # Errors
///
/// When somebody has done so before.
pub fn install(format: LogFormat) -> Result<Log, TryInitError> {
    let (lines, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING)
        .thread_name("log")
        .finish(Gathered::new(stderr()));
    let dropped = lines.error_counter();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines);
    match format {
        LogFormat::Text => builder
            .with_ansi(colours_fit(&stderr()))
            .with_target(false)
            .map_event_format(|others| ReviewLines { format, others })
            .finish()
            .try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .map_event_format(|others| ReviewLines { format, others })
            .finish()
            .try_init(),
    }?;
    std::panic::set_hook(Box::new(
        |panic| tracing::error!(%panic, "a bug: a task panicked"),
    ));
    Ok(Log {
        dropped,
        worker: Some(worker),
    })
}

/// Whether colours may be written to a stream: it is a terminal, and `NO_COLOR` (<https://no-color.org>) is not set.
pub fn colours_fit(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes together what comes within a few milliseconds: the worker flushes whenever no line waits, which under reviews one after
/// another is after each.
struct Gathered<W: Write>(BufWriter<W>);

impl<W: Write> Gathered<W> {
    fn new(to: W) -> Self {
        Self(BufWriter::with_capacity(WRITTEN_AT_ONCE, to))
    }
}

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.0.buffer().is_empty() {
            std::thread::sleep(GATHERED);
        }
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gathered_is_written_at_once_and_in_order() {
        /// Every write by itself.
        struct Writes(Vec<Vec<u8>>);
        impl Write for Writes {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(bytes.to_vec());
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut gathered = Gathered::new(Writes(Vec::new()));
        for line in ["one\n", "two\n"] {
            gathered.write_all(line.as_bytes()).unwrap();
        }
        gathered.flush().unwrap();
        gathered.write_all(b"three\n").unwrap();
        gathered.flush().unwrap();
        let written = &gathered.0.get_ref().0;
        assert_eq!(*written, [b"one\ntwo\n".to_vec(), b"three\n".to_vec()]);
    }
}
