//! The probe port: `/livez`, `/readyz` and `/metrics` over plain HTTP.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::Lifecycle;
use crate::metrics::Metrics;

/// One thing that must be so before the process is ready; closed until opened.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Says that the thing is so, or is no longer.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Relaxed);
    }

    /// Whether the thing is so.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Everything that readiness depends on, by name.
#[derive(Debug, Clone)]
pub struct Readiness {
    gates: Vec<(&'static str, Gate)>,
    lifecycle: Lifecycle,
}

impl Readiness {
    /// Readiness that depends on nothing but the lifecycle yet.
    #[must_use]
    pub fn new(lifecycle: Lifecycle) -> Self {
        Self {
            gates: Vec::new(),
            lifecycle,
        }
    }

    /// Adds a condition and hands out the gate that satisfies it.
    pub fn gate(&mut self, name: &'static str) -> Gate {
        let gate = Gate::default();
        self.require(name, gate.clone());
        gate
    }

    /// Adds a condition that somebody else satisfies.
    pub fn require(&mut self, name: &'static str, gate: Gate) {
        self.gates.push((name, gate));
    }

    /// Whether the process should get requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.lifecycle.is_leaving() && self.gates.iter().all(|(_, gate)| gate.is_open())
    }

    /// One line a condition, in the form that `kubectl get --raw /readyz?verbose` has made known.
    fn report(&self) -> String {
        let leaving = [("shutdown", !self.lifecycle.is_leaving())];
        let gates = self
            .gates
            .iter()
            .map(|(name, gate)| (*name, gate.is_open()));
        let mut report = String::new();
        for (name, ready) in leaving.into_iter().chain(gates) {
            let (mark, word) = if ready {
                ("+", "ok")
            } else {
                ("-", "not ready")
            };
            let _ = writeln!(report, "[{mark}]{name} {word}");
        }
        report
    }
}

/// The routes of the probe port.
pub fn router(readiness: Readiness, metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(scrape).with_state(metrics))
}

/// What is not ready is named even without `?verbose`: an unready pod is looked at by people.
async fn readyz(
    State(readiness): State<Readiness>,
    query: axum::extract::RawQuery,
) -> impl IntoResponse {
    let verbose = query.0.is_some_and(|query| {
        query
            .split('&')
            .any(|key| key == "verbose" || key.starts_with("verbose="))
    });
    match (readiness.is_ready(), verbose) {
        (true, false) => (StatusCode::OK, "ok\n".to_owned()),
        (true, true) => (StatusCode::OK, readiness.report() + "readyz check passed\n"),
        (false, _) => (
            StatusCode::SERVICE_UNAVAILABLE,
            readiness.report() + "readyz check failed\n",
        ),
    }
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    match metrics.encode() {
        Ok(text) => (
            StatusCode::OK,
            [(header::CONTENT_TYPE, crate::metrics::CONTENT_TYPE)],
            text,
        ),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                [(header::CONTENT_TYPE, "text/plain")],
                String::new(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gate_must_be_open() {
        let mut readiness = Readiness::new(Lifecycle::new());
        assert!(readiness.is_ready());
        let gate = readiness.gate("services");
        assert!(!readiness.is_ready());
        assert_eq!(
            readiness.report(),
            "[+]shutdown ok\n[-]services not ready\n"
        );
        gate.set(true);
        assert!(readiness.is_ready());
    }

    #[test]
    fn a_process_that_leaves_is_not_ready() {
        let lifecycle = Lifecycle::new();
        let readiness = Readiness::new(lifecycle.clone());
        lifecycle.leave();
        assert!(!readiness.is_ready());
        assert_eq!(readiness.report(), "[-]shutdown not ready\n");
    }
}
