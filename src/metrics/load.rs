//! How busy the webhook port is, and what it gives up.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Shed;

/// What requests take at this moment, and what was given up for want of it.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// Open connections of the webhook port.
    pub connections: Gauge,
    /// Reviews in work.
    pub in_flight: Gauge,
    /// Reviews in work whose computation has not begun.
    pub waiting: Gauge,
    /// Bytes that requests hold: their bodies, their answers and a little for each.
    pub body_memory: Gauge,
    shed: Family<[(&'static str, Shed); 1], Counter>,
}

impl Load {
    /// What was given up, of one kind.
    #[must_use]
    pub fn shed(&self, kind: Shed) -> Counter {
        self.shed.get_or_create_owned(&[("kind", kind)])
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        for kind in Shed::ALL {
            drop(self.shed(kind));
        }
        registry.register("shed", "What was given up under load", self.shed.clone());
        for (name, help, gauge) in [
            (
                "connections",
                "Open connections of the webhook port",
                &self.connections,
            ),
            ("in_flight", "Reviews in work", &self.in_flight),
            (
                "waiting",
                "Reviews in work whose computation has not begun",
                &self.waiting,
            ),
            (
                "body_memory_bytes",
                "Memory that requests hold for bodies and answers",
                &self.body_memory,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
    }
}
