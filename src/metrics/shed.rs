//! What a busy server gives up, and what it holds.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Shed;

/// Counts what was given up, by kind.
#[derive(Debug, Clone, Default)]
pub struct Sheds(Family<[(&'static str, Shed); 1], Counter>);

impl Sheds {
    /// The counter of one kind.
    #[must_use]
    pub fn counter(&self, kind: Shed) -> Counter {
        self.0.get_or_create_owned(&[("kind", kind)])
    }

    pub(super) fn register(&self, registry: &mut Registry, waiting: &Gauge, held: &Gauge) {
        for kind in Shed::ALL {
            drop(self.counter(kind));
        }
        registry.register("shed", "What was given up under load", self.0.clone());
        registry.register(
            "waiting",
            "Reviews in work whose computation has not begun",
            waiting.clone(),
        );
        registry.register(
            "body_memory_bytes",
            "Memory that requests hold for bodies and answers",
            held.clone(),
        );
    }
}
