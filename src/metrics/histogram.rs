//! A histogram of durations that is observed without a lock; the one of prometheus-client takes a mutex each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds in microseconds. A review takes tens of microseconds, one that asks the API server milliseconds, and
/// kube-apiserver gives up after 30 seconds at most; the halves of usual timeouts are bounds, because alerts ask for them.
const BOUNDS: [u32; 17] = [
    50, 100, 200, 400, 800, 1_600, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000, 15_000_000, 30_000_000,
];

/// Durations in buckets; clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct AtomicHistogram(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    buckets: [AtomicU64; BOUNDS.len()],
    beyond: AtomicU64,
    nanoseconds: AtomicU64,
}

impl AtomicHistogram {
    /// Counts one duration.
    pub fn observe(&self, duration: Duration) {
        let within = BOUNDS
            .iter()
            .position(|bound| duration <= Duration::from_micros(u64::from(*bound)));
        let bucket = within
            .and_then(|index| self.0.buckets.get(index))
            .unwrap_or(&self.0.beyond);
        bucket.fetch_add(1, Relaxed);
        self.0.nanoseconds.fetch_add(
            u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
            Relaxed,
        );
    }

    fn snapshot(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let bounds = BOUNDS
            .iter()
            .map(|bound| f64::from(*bound) / 1e6)
            .chain([f64::INFINITY]);
        let counts = self
            .0
            .buckets
            .iter()
            .chain([&self.0.beyond])
            .map(|count| count.load(Relaxed));
        let buckets: Vec<_> = bounds.zip(counts).collect();
        let sum = Duration::from_nanos(self.0.nanoseconds.load(Relaxed)).as_secs_f64();
        (sum, buckets.iter().map(|(_, count)| count).sum(), buckets)
    }
}

impl EncodeMetric for AtomicHistogram {
    fn encode(&self, mut encoder: MetricEncoder) -> Result<(), std::fmt::Error> {
        let (sum, count, buckets) = self.snapshot();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl TypedMetric for AtomicHistogram {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let histogram = AtomicHistogram::default();
        for micros in [1, 50, 51, 40_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        let (sum, count, buckets) = histogram.snapshot();
        assert_eq!(count, 4);
        assert!((sum - 40.000_102).abs() < 1e-9, "{sum}");
        assert_eq!(buckets[0], (0.000_05, 2));
        assert_eq!(buckets[1], (0.000_1, 1));
        assert_eq!(buckets[17], (f64::INFINITY, 1));
    }
}
