//! The lines of the log that nobody read in time, counted by the log itself.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use tracing_appender::non_blocking::ErrorCounter;

/// Shared by its clones; zero until there is a log.
#[derive(Clone, Debug, Default)]
pub(super) struct DroppedLines(Arc<OnceLock<ErrorCounter>>);

impl DroppedLines {
    /// Counts what that log drops; the first one given counts.
    pub(super) fn follow(&self, dropped: ErrorCounter) {
        let _ = self.0.set(dropped);
    }
}

impl EncodeMetric for DroppedLines {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let lines = self.0.get().map_or(0, ErrorCounter::dropped_lines);
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        encoder.encode_counter::<NoLabelSet, _, u64>(&lines, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}
