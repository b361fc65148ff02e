//! The line of a review, which every request writes: the same bytes as tracing-subscriber's own formats make of the event, for a
//! fifth of the work. Every other event goes to those.

use std::cell::RefCell;
use std::fmt::{self, Debug, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;

/// The target of the event: where it was first written, which collectors filter by.
pub const TARGET: &str = "steadyset::admission::review";

/// Writes the reviews itself, and leaves all else to another format.
pub(super) struct ReviewLines<F> {
    pub(super) format: LogFormat,
    pub(super) others: F,
}

impl<S, N, F> FormatEvent<S, N> for ReviewLines<F>
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    N: for<'w> FormatFields<'w> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let is_other = event.metadata().target() != TARGET;
        if is_other || writer.has_ansi_escapes() || context.lookup_current().is_some() {
            return self.others.format_event(context, writer, event);
        }
        let mut line = Line::new(self.format)?;
        event.record(&mut line);
        writer.write_str(line.end())
    }
}

/// A line in the making.
struct Line {
    format: LogFormat,
    text: String,
}

impl Line {
    fn new(format: LogFormat) -> Result<Self, fmt::Error> {
        let mut text = String::with_capacity(640);
        if format == LogFormat::Json {
            text.push_str("{\"timestamp\":\"");
        }
        push_now(&mut text)?;
        text.push_str(match format {
            LogFormat::Json => "\",\"level\":\"INFO\"",
            LogFormat::Text => "  INFO",
        });
        Ok(Self { format, text })
    }

    fn end(&mut self) -> &str {
        if self.format == LogFormat::Json {
            self.text.push_str(",\"target\":\"");
            self.text.push_str(TARGET);
            self.text.push_str("\"}");
        }
        self.text.push('\n');
        &self.text
    }

    fn key(&mut self, name: &str) {
        let (before, after) = match self.format {
            LogFormat::Json => (",\"", "\":"),
            LogFormat::Text => (" ", "="),
        };
        self.text.push_str(before);
        self.text.push_str(name);
        self.text.push_str(after);
    }

    /// JSON and Rust escape differently, but neither what is printed as it is.
    fn quoted(&mut self, value: &str) {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if value.bytes().all(is_plain) {
            self.text.push('"');
            self.text.push_str(value);
            self.text.push('"');
        } else if self.format == LogFormat::Json {
            let json = serde_json::to_string(value).unwrap_or_default();
            self.text.push_str(&json);
        } else {
            let _ = write!(self.text, "{value:?}");
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.key(field.name());
        self.quoted(value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.key(field.name());
        let _ = write!(self.text, "{value}");
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.key(field.name());
        self.text.push_str(if value { "true" } else { "false" });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match (self.format, field.name()) {
            (LogFormat::Json, name) => {
                self.key(name);
                self.quoted(&format!("{value:?}"));
            }
            (LogFormat::Text, "message") => {
                let _ = write!(self.text, " {value:?}");
            }
            (LogFormat::Text, name) => {
                self.key(name);
                let _ = write!(self.text, "{value:?}");
            }
        }
    }
}

thread_local! {
    /// The last second of a line of this thread, and its text: the calendar is worked out once a second.
    static SECOND: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// RFC 3339 with microseconds, UTC.
fn push_now(text: &mut String) -> fmt::Result {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    SECOND.with_borrow_mut(|(second, date)| {
        if *second != now.as_secs() || date.is_empty() {
            *second = now.as_secs();
            *date = calendar(*second);
        }
        text.push_str(date);
    });
    write!(text, ".{:06}Z", now.subsec_micros())
}

fn calendar(second: u64) -> String {
    let time = i64::try_from(second)
        .ok()
        .and_then(|second| jiff::Timestamp::from_second(second).ok());
    time.unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is written, to be read afterwards.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn review(text: &str) {
        tracing::info!(
            target: TARGET,
            endpoint = "mutate",
            name = text,
            dry_run = false,
            findings = String::from("a,b"),
            micros = 17_u64,
            "reviewed"
        );
    }

    /// The line without its time, which is as long in both.
    fn line(subscriber: impl Subscriber + Send + Sync, written: &Written, text: &str) -> String {
        tracing::subscriber::with_default(subscriber, || review(text));
        let mut line = String::from_utf8(std::mem::take(&mut *written.0.lock().unwrap())).unwrap();
        let end = line.find('Z').unwrap();
        line.replace_range(end - "2026-11-28T19:46:20.123456".len()..end, "");
        line
    }

    #[test]
    fn a_line_has_the_bytes_that_tracing_subscriber_gives_it() {
        for text in ["web", "", "a\"b\\c", "é\u{1F600}", "a\nb\t\u{7f}\u{1}"] {
            let written = Written::default();
            let sink = || {
                let written = written.clone();
                tracing_subscriber::fmt().with_writer(move || written.clone())
            };
            let json = || sink().json().flatten_event(true).with_current_span(false);
            let plain = || sink().with_ansi(false).with_target(false);
            let own_json = json().map_event_format(|others| ReviewLines {
                format: LogFormat::Json,
                others,
            });
            let own_text = plain().map_event_format(|others| ReviewLines {
                format: LogFormat::Text,
                others,
            });
            let standard = line(json().finish(), &written, text);
            assert!(standard.starts_with("{\"timestamp\":\"Z\",\"level\":\"INFO\",\"message\""));
            assert_eq!(line(own_json.finish(), &written, text), standard);
            let standard = line(plain().finish(), &written, text);
            assert!(standard.starts_with("Z  INFO reviewed endpoint=\"mutate\""));
            assert_eq!(line(own_text.finish(), &written, text), standard);
        }
    }

    #[test]
    fn the_time_is_rfc_3339() {
        let mut text = String::new();
        push_now(&mut text).unwrap();
        assert_eq!(text.len(), "2026-11-28T19:46:20.123456Z".len());
        assert!(text.parse::<jiff::Timestamp>().is_ok(), "{text}");
        assert_eq!(calendar(1_795_895_180), "2026-11-28T19:46:20");
    }
}
