//! Systems that watch others: Prometheus and `VictoriaMetrics`.

use super::evidence::{Evidence, chart, source, survey};
use super::recipe::{Recipe, http};
use super::{ANY, BLANK, Entry, Timings, Unless};

/// A prefix moves the path, a configuration of the web server may ask for TLS and logins.
const PROMETHEUS_UNLESS: &[Unless] = &[
    Unless::Certificates,
    Unless::Word("--web.config.file"),
    Unless::Word("--web.route-prefix"),
    Unless::Word("--web.external-url"),
];

/// By `-envflag.enable`, as the charts have it, variables stand for flags.
const VICTORIA_UNLESS: &[Unless] = &[
    Unless::Certificates,
    Unless::Word("-tls"),
    Unless::Word("--tls"),
    Unless::Word("-http.pathPrefix"),
    Unless::Word("--http.pathPrefix"),
    Unless::Variable("VM_tls"),
    Unless::Variable("VM_http_pathPrefix"),
    Unless::Variable("VL_tls"),
    Unless::Variable("VL_http_pathPrefix"),
    Unless::Variable("VT_tls"),
    Unless::Variable("VT_http_pathPrefix"),
];

const fn victoria(port: i64) -> Recipe {
    http(&["http"], port, "/health").alive("/health")
}

const VICTORIA_TIMINGS: Timings = Timings {
    timeout_seconds: 5,
    ..ANY
};

const VICTORIA_HEALTH: Evidence = chart(
    "VictoriaMetrics/helm-charts",
    "httpGet: path: /health port: http scheme: HTTP initialDelaySeconds: 5 periodSeconds: 5 timeoutSeconds: 5",
);

const READY: Evidence = survey("prometheus-operator/prometheus-operator", "GET /-/ready");
const HEALTHY: Evidence = survey("prometheus-operator/prometheus-operator", "GET /-/healthy");

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "prometheus",
        images: &["prometheus"],
        programs: &["prometheus"],
        unless: PROMETHEUS_UNLESS,
        recipes: &[
            http(&["web", "http", "http-web", "prometheus"], 9090, "/-/ready").alive("/-/healthy"),
        ],
        node_local: true,
        evidence: &[
            READY,
            HEALTHY,
            chart("prometheus-community/helm-charts", "containerPort: 9090"),
        ],
        ..BLANK
    },
    Entry {
        name: "alertmanager",
        images: &["alertmanager"],
        programs: &["alertmanager"],
        unless: PROMETHEUS_UNLESS,
        recipes: &[http(&["web", "http", "http-web"], 9093, "/-/ready").alive("/-/healthy")],
        node_local: true,
        evidence: &[
            chart(
                "bitnami/charts:bitnami/prometheus, alertmanager",
                "path: /-/ready",
            ),
            chart(
                "bitnami/charts:bitnami/prometheus, alertmanager",
                "path: /-/healthy",
            ),
            chart("prometheus-community/helm-charts", "containerPort: 9093"),
        ],
        ..BLANK
    },
    Entry {
        name: "victoria-metrics",
        images: &["victoria-metrics", "victoriametrics-single"],
        programs: &["victoria-metrics-prod", "victoria-metrics"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(8428)],
        at_least: VICTORIA_TIMINGS,
        node_local: true,
        database: true,
        evidence: &[
            VICTORIA_HEALTH,
            chart("VictoriaMetrics/helm-charts", "containerPort: 8428"),
        ],
        ..BLANK
    },
    Entry {
        name: "victoria-logs",
        images: &["victoria-logs"],
        programs: &["victoria-logs-prod", "victoria-logs"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(9428)],
        at_least: VICTORIA_TIMINGS,
        node_local: true,
        database: true,
        evidence: &[
            VICTORIA_HEALTH,
            chart("VictoriaMetrics/helm-charts", "containerPort: 9428"),
        ],
        ..BLANK
    },
    Entry {
        name: "victoria-traces",
        images: &["victoria-traces"],
        programs: &["victoria-traces-prod", "victoria-traces"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(10428)],
        at_least: VICTORIA_TIMINGS,
        node_local: true,
        database: true,
        evidence: &[
            VICTORIA_HEALTH,
            chart("VictoriaMetrics/helm-charts", "containerPort: 10428"),
        ],
        ..BLANK
    },
    Entry {
        name: "vmstorage",
        images: &["vmstorage", "victoriametrics-vmstorage"],
        programs: &["vmstorage-prod", "vmstorage"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(8482)],
        at_least: VICTORIA_TIMINGS,
        node_local: true,
        database: true,
        evidence: &[
            VICTORIA_HEALTH,
            chart("VictoriaMetrics/helm-charts", "containerPort: 8482"),
        ],
        ..BLANK
    },
    Entry {
        name: "vmselect",
        images: &["vmselect", "victoriametrics-vmselect"],
        programs: &["vmselect-prod", "vmselect"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(8481)],
        at_least: VICTORIA_TIMINGS,
        node_local: true,
        evidence: &[
            VICTORIA_HEALTH,
            chart("VictoriaMetrics/helm-charts", "containerPort: 8481"),
        ],
        ..BLANK
    },
    Entry {
        name: "vminsert",
        images: &["vminsert", "victoriametrics-vminsert"],
        programs: &["vminsert-prod", "vminsert"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(8480)],
        at_least: VICTORIA_TIMINGS,
        node_local: true,
        evidence: &[
            VICTORIA_HEALTH,
            chart("VictoriaMetrics/helm-charts", "containerPort: 8480"),
        ],
        ..BLANK
    },
    Entry {
        name: "vmagent",
        images: &["vmagent", "victoriametrics-vmagent"],
        programs: &["vmagent-prod", "vmagent"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(8429)],
        at_least: VICTORIA_TIMINGS,
        node_local: true,
        evidence: &[
            VICTORIA_HEALTH,
            source(
                "VictoriaMetrics/VictoriaMetrics:docs/vmagent.md",
                "http://vmagent-host:8429",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "vlagent",
        images: &["vlagent"],
        programs: &["vlagent-prod", "vlagent"],
        unless: VICTORIA_UNLESS,
        recipes: &[victoria(9429)],
        at_least: VICTORIA_TIMINGS,
        node_local: true,
        evidence: &[
            VICTORIA_HEALTH,
            chart("VictoriaMetrics/helm-charts", "containerPort: 9429"),
        ],
        ..BLANK
    },
];
