//! Systems that watch others.

use super::{BLANK, Entry, Recipe, Unless, http};

/// A prefix moves the path, a configuration of the web server may ask for TLS and logins.
const PROMETHEUS_UNLESS: &[Unless] = &[
    Unless::Certificates,
    Unless::Word("--web.config.file"),
    Unless::Word("--web.route-prefix"),
    Unless::Word("--web.external-url"),
];

const VICTORIA_UNLESS: &[Unless] = &[
    Unless::Certificates,
    Unless::Word("-tls"),
    Unless::Word("--tls"),
    Unless::Word("-http.pathPrefix"),
    Unless::Word("--http.pathPrefix"),
    Unless::Word("-envflag"),
    Unless::Word("--envflag"),
];

const fn victoria(port: i64) -> Recipe {
    http(&["http"], port, "/health")
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "prometheus",
        images: &["prometheus"],
        programs: &["prometheus"],
        unless: PROMETHEUS_UNLESS,
        recipes: &[http(
            &["web", "http", "http-web", "prometheus"],
            9090,
            "/-/ready",
        )],
        node_local: true,
        source: "prometheus-operator/prometheus-operator",
        ..BLANK
    },
    Entry {
        name: "alertmanager",
        images: &["alertmanager"],
        programs: &["alertmanager"],
        unless: PROMETHEUS_UNLESS,
        recipes: &[http(&["web", "http", "http-web"], 9093, "/-/ready")],
        node_local: true,
        source: "prometheus-operator/prometheus-operator",
        ..BLANK
    },
    Entry {
        name: "victoria-metrics",
        images: &["victoria-metrics", "victoriametrics-single"],
        programs: &["victoria-metrics-prod", "victoria-metrics"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(8428)],
        node_local: true,
        database: true,
        source: "VictoriaMetrics/helm-charts",
        ..BLANK
    },
    Entry {
        name: "victoria-logs",
        images: &["victoria-logs"],
        programs: &["victoria-logs-prod", "victoria-logs"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(9428)],
        node_local: true,
        database: true,
        source: "VictoriaMetrics/helm-charts",
        ..BLANK
    },
    Entry {
        name: "vmstorage",
        images: &["vmstorage", "victoriametrics-vmstorage"],
        programs: &["vmstorage-prod", "vmstorage"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(8482)],
        node_local: true,
        database: true,
        source: "VictoriaMetrics/helm-charts",
        ..BLANK
    },
    Entry {
        name: "vmselect",
        images: &["vmselect", "victoriametrics-vmselect"],
        programs: &["vmselect-prod", "vmselect"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(8481)],
        node_local: true,
        source: "VictoriaMetrics/helm-charts",
        ..BLANK
    },
];
