//! A gauge that has no sample before it is first set: a zero would be a statement.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// No value yet; what is measured is never negative.
const UNSET: i64 = -1;

/// Shared by its clones.
#[derive(Clone, Debug)]
pub(super) struct LateGauge(Arc<AtomicI64>);

impl Default for LateGauge {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(UNSET)))
    }
}

impl LateGauge {
    /// Sets it.
    pub(super) fn set(&self, value: u32) {
        self.0.store(value.into(), Relaxed);
    }
}

impl EncodeMetric for LateGauge {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.encode_gauge(&self.0.load(Relaxed))
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }

    fn is_empty(&self) -> bool {
        self.0.load(Relaxed) == UNSET
    }
}
