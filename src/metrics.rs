//! What the process counts, in the `OpenMetrics` text format.
//!
//! Every label is a closed set, and every series of the request path exists from the start: counting is an atomic
//! addition, without a lock and without an allocation, and a rate over a series that has not happened yet is zero.

mod histogram;
mod labels;
mod late;
mod load;
mod log_lines;
mod series;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tracing_appender::non_blocking::ErrorCounter;

use crate::inject::{Kind, Origin};
use crate::model::finding::Action;

pub use histogram::AtomicHistogram;
pub(crate) use labels::action;
pub use labels::{
    CacheKind, CertificateKind, Endpoint, HandshakeFailure, Operation, Shed, Verdict,
};
use late::LateGauge;
pub use load::Load;
use log_lines::DroppedLines;
use series::{by_rule, findings, injections};

/// The media type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Vec<Counter>,
    duration: Vec<AtomicHistogram>,
    findings: HashMap<(&'static str, Action), Counter>,
    injections: HashMap<(Kind, Origin), Counter>,
    exemptions: HashMap<&'static str, Counter>,
    spared: HashMap<&'static str, Counter>,
    caches: Family<KindLabel<CacheKind>, Gauge>,
    certificates: Family<KindLabel<CertificateKind>, Gauge>,
    /// Without a series where nobody looks.
    ca_bundle: LateGauge,
    log_lines_dropped: DroppedLines,
    /// TLS handshakes that failed.
    pub handshake_failures: HandshakeFailures,
    /// How busy the webhook port is.
    pub load: Load,
    /// Services that the controller keeps.
    pub governing_services: Gauge,
    /// Policies that are known, those in files and those in the cluster.
    pub policies: Gauge,
    /// 1 while every policy is in force as it stands.
    pub policy_reload_success: Gauge,
    /// Sets whose governing Service's name is taken by another Service.
    pub governing_services_taken: Gauge,
}

/// One review as `admission_requests_total` sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The endpoint called.
    pub endpoint: Endpoint,
    /// What the user does with the object.
    pub operation: Operation,
    /// How it ended.
    pub verdict: Verdict,
    /// Whether nothing will be stored.
    pub dry_run: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: Endpoint,
}

/// The one label `kind`; the derive macro takes no generics.
type KindLabel<K> = [(&'static str, K); 1];

fn of_kind<K>(kind: K) -> KindLabel<K> {
    [("kind", kind)]
}

/// Failed handshakes by kind; a default one counts for nobody.
#[derive(Debug, Clone, Default)]
pub struct HandshakeFailures(Family<KindLabel<HandshakeFailure>, Counter>);

impl HandshakeFailures {
    /// Counts one.
    pub fn count(&self, kind: HandshakeFailure) {
        self.0.get_or_create(&of_kind(kind)).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All metrics, registered and at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("steadyset");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What is running", build);
        let metrics = Self {
            requests: requests(&mut registry),
            duration: durations(&mut registry),
            findings: findings(&mut registry),
            injections: injections(&mut registry),
            exemptions: by_rule(
                &mut registry,
                "exemptions",
                "Exemptions used, dry runs not counted",
            ),
            spared: by_rule(
                &mut registry,
                "spared",
                "Rules that only warn because of the owner of a set, dry runs not counted",
            ),
            caches: Family::default(),
            certificates: Family::default(),
            ca_bundle: LateGauge::default(),
            log_lines_dropped: DroppedLines::default(),
            handshake_failures: HandshakeFailures::default(),
            load: Load::default(),
            governing_services: Gauge::default(),
            policies: Gauge::default(),
            policy_reload_success: Gauge::default(),
            governing_services_taken: Gauge::default(),
            registry,
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "cache_ready",
            "Whether a watch has delivered its first list",
            self.caches.clone(),
        );
        let expiry = "When a certificate ends, in seconds since 1970";
        registry.register(
            "certificate_expiry_timestamp_seconds",
            expiry,
            self.certificates.clone(),
        );
        let fits = "Whether every caBundle verifies the certificate that is shown";
        registry.register("ca_bundle_in_sync", fits, self.ca_bundle.clone());
        let dropped = "Lines of the log that were dropped because nobody read it";
        let lines = self.log_lines_dropped.clone();
        registry.register("log_lines_dropped", dropped, lines);
        let failures = self.handshake_failures.0.clone();
        registry.register(
            "tls_handshake_failures",
            "TLS handshakes that failed",
            failures,
        );
        self.load.register(registry);
        let governing = "Services that the controller keeps";
        registry.register(
            "governing_services",
            governing,
            self.governing_services.clone(),
        );
        let policies = "Policies that are known";
        registry.register("policies", policies, self.policies.clone());
        let reload = "Whether every policy is in force as it stands";
        let success = self.policy_reload_success.clone();
        registry.register("policy_reload_success", reload, success);
        let taken = "Sets whose governing Service's name is taken by a Service that is not ours";
        registry.register(
            "governing_services_taken",
            taken,
            self.governing_services_taken.clone(),
        );
        for kind in HandshakeFailure::ALL {
            drop(self.handshake_failures.0.get_or_create(&of_kind(kind)));
        }
        self
    }

    /// Counts a review that has ended.
    pub fn count_request(&self, labels: RequestLabels) {
        if let Some(counter) = self.requests.get(position(labels)) {
            counter.inc();
        }
    }

    /// Notes how long a review took, from its head to the hand-over of its last byte.
    pub fn observe_duration(&self, endpoint: Endpoint, duration: Duration) {
        if let Some(histogram) = self.duration.get(endpoint as usize) {
            histogram.observe(duration);
        }
    }

    /// Counts a finding.
    pub fn count_finding(&self, rule: &'static str, action: Action) {
        if let Some(counter) = self.findings.get(&(rule, action)) {
            counter.inc();
        }
    }

    /// Counts an injection by what was injected and where its value comes from.
    pub fn count_injection(&self, kind: Kind, origin: Origin) {
        if let Some(counter) = self.injections.get(&(kind, origin)) {
            counter.inc();
        }
    }

    /// Counts an exemption that was used.
    pub fn count_exemption(&self, rule: &'static str) {
        if let Some(counter) = self.exemptions.get(rule) {
            counter.inc();
        }
    }

    /// Counts the lines that a log drops.
    pub fn follow_log(&self, dropped: ErrorCounter) {
        self.log_lines_dropped.follow(dropped);
    }

    /// Counts a rule that does not deny because of the owner that a set names.
    pub fn count_spared(&self, rule: &'static str) {
        if let Some(counter) = self.spared.get(rule) {
            counter.inc();
        }
    }

    /// Says whether the cache of a kind has seen its first whole list.
    pub fn set_cache_ready(&self, kind: CacheKind, ready: bool) {
        self.caches
            .get_or_create(&of_kind(kind))
            .set(i64::from(ready));
    }

    /// Says when a certificate ends.
    pub fn set_certificate_expiry(&self, kind: CertificateKind, seconds_since_1970: i64) {
        self.certificates
            .get_or_create(&of_kind(kind))
            .set(seconds_since_1970);
    }

    /// Says whether every caBundle verifies the certificate that is shown.
    pub fn set_ca_bundle_in_sync(&self, fits: bool) {
        self.ca_bundle.set(u32::from(fits));
    }

    /// The `OpenMetrics` text.
    ///
    /// # Errors
    ///
    /// Never, as far as prometheus-client writes into a string.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn position(labels: RequestLabels) -> usize {
    let endpoint = labels.endpoint as usize;
    let operation = endpoint * Operation::ALL.len() + labels.operation as usize;
    let verdict = operation * Verdict::ALL.len() + labels.verdict as usize;
    verdict * 2 + usize::from(labels.dry_run)
}

fn requests(registry: &mut Registry) -> Vec<Counter> {
    let family = Family::<RequestLabels, Counter>::default();
    let mut counters = Vec::new();
    for endpoint in Endpoint::ALL {
        for operation in Operation::ALL {
            for verdict in Verdict::ALL {
                for dry_run in [false, true] {
                    let labels = RequestLabels {
                        endpoint,
                        operation,
                        verdict,
                        dry_run,
                    };
                    counters.push(family.get_or_create_owned(&labels));
                }
            }
        }
    }
    registry.register(
        "admission_requests",
        "Admission reviews by what became of them",
        family,
    );
    counters
}

fn durations(registry: &mut Registry) -> Vec<AtomicHistogram> {
    let family = Family::<EndpointLabel, AtomicHistogram>::default();
    let histograms = Endpoint::ALL
        .map(|endpoint| family.get_or_create_owned(&EndpointLabel { endpoint }))
        .into();
    let help = "From the head of a review to the last byte of its answer";
    registry.register("admission_duration_seconds", help, family);
    histograms
}

#[cfg(test)]
mod tests;
