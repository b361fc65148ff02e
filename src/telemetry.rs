//! Logs: to stderr, as text for people or as one JSON object a line for collectors.
//!
//! A line is formatted by the thread that has something to say and written by another one, many at a time: a write to a
//! pipe wakes its reader, which costs more than the whole review that the line tells of, and a reader that has stopped
//! would stop the reviews.

use std::io::{self, IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Lines that may wait; above, they are dropped and counted.
const WAITING: usize = 16 * 1024;

/// For how long lines are gathered before they are written together.
const GATHERED: Duration = Duration::from_millis(5);

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The running log; writes what is left when dropped.
#[derive(Debug)]
#[must_use = "the log ends with it"]
pub struct Log {
    sender: SyncSender<Line>,
    writer: Option<JoinHandle<()>>,
}

/// Sends the events of the process to stderr; `RUST_LOG` chooses which, `info` and above unless told. A panic is an event
/// too.
///
/// # Errors
///
/// When somebody has done so before.
pub fn install(format: LogFormat) -> Result<Log, TryInitError> {
    let (sender, receiver) = sync_channel(WAITING);
    let dropped = Arc::new(AtomicU64::new(0));
    let lines = Lines {
        sender: sender.clone(),
        dropped: Arc::clone(&dropped),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines);
    match format {
        LogFormat::Text => builder
            .with_ansi(colours_fit(&stderr()))
            .with_target(false)
            .finish()
            .try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .finish()
            .try_init(),
    }?;
    std::panic::set_hook(Box::new(
        |panic| tracing::error!(%panic, "a bug: a task panicked"),
    ));
    let writer = std::thread::spawn(move || write_lines(&receiver, &dropped, &mut stderr()));
    Ok(Log {
        sender,
        writer: Some(writer),
    })
}

/// Whether colours may be written to a stream: it is a terminal, and `NO_COLOR` (<https://no-color.org>) is not set.
pub fn colours_fit(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Drop for Log {
    fn drop(&mut self) {
        let told = self.sender.send(Line::Last);
        if let (Ok(()), Some(writer)) = (told, self.writer.take()) {
            let _ = writer.join();
        }
    }
}

/// What goes to the writing thread.
#[derive(Debug)]
enum Line {
    Text(Vec<u8>),
    Last,
}

/// Where tracing writes to.
#[derive(Debug, Clone)]
struct Lines {
    sender: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// One call is one line: tracing formats an event whole before it writes.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Line::Text(line.to_vec())) {
            self.dropped.fetch_add(1, Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes until the last line. An error is not reported: there is nowhere to.
fn write_lines(lines: &Receiver<Line>, dropped: &AtomicU64, to: &mut impl Write) {
    let mut gathered = Vec::new();
    while let Ok(first) = lines.recv() {
        if matches!(first, Line::Text(_)) {
            std::thread::sleep(GATHERED);
        }
        let mut ends = false;
        for line in std::iter::once(first).chain(lines.try_iter()) {
            match line {
                Line::Text(text) => gathered.extend_from_slice(&text),
                Line::Last => ends = true,
            }
        }
        let lost = dropped.swap(0, Relaxed);
        if lost > 0 {
            let _ = writeln!(
                gathered,
                "{{\"level\":\"WARN\",\"message\":\"log lines dropped\",\"lines\":{lost}}}"
            );
        }
        let _ = to.write_all(&gathered);
        gathered.clear();
        if ends {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_written_in_order_and_those_dropped_are_counted() {
        let (sender, receiver) = sync_channel(2);
        let lines = Lines {
            sender: sender.clone(),
            dropped: Arc::default(),
        };
        for text in ["one\n", "two\n", "three\n", "four\n"] {
            (&lines).write_all(text.as_bytes()).unwrap();
        }
        let dropped = Arc::clone(&lines.dropped);
        let writer = std::thread::spawn(move || {
            let mut written = Vec::new();
            write_lines(&receiver, &dropped, &mut written);
            String::from_utf8(written).unwrap()
        });
        sender.send(Line::Last).unwrap();
        let written = writer.join().unwrap();
        assert!(written.starts_with("one\ntwo\n{"), "{written}");
        assert!(written.contains("\"lines\":2}\n"), "{written}");
    }
}
