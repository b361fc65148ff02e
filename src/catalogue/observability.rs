//! Stores of logs, traces and metrics that are made of many members.

use super::evidence::{Evidence, chart};
use super::recipe::{Recipe, http};
use super::{BLANK, Entry, Unless};

/// A member is ready once it is in the ring, which it joins by the names of others.
const fn ready(port: i64) -> Recipe {
    http(
        &["http-metrics", "http", "prom-metrics", "http-minimal"],
        port,
        "/ready",
    )
}

/// TLS is configured by flags or in a file, a prefix moves the path.
const RING_UNLESS: &[Unless] = &[
    Unless::Certificates,
    Unless::Word("-server.http-tls"),
    Unless::Word("-server.path-prefix"),
    Unless::Word("--server.http-tls"),
    Unless::Word("--server.path-prefix"),
];

const RING_READY: Evidence = chart(
    "grafana/helm-charts",
    "httpGet: path: /ready port: http initialDelaySeconds: 30 timeoutSeconds: 1",
);

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "loki",
        images: &["loki", "grafana-loki", "enterprise-logs"],
        programs: &["loki"],
        unless: RING_UNLESS,
        recipes: &[ready(3100)],
        needs_peers: true,
        evidence: &[
            RING_READY,
            chart(
                "grafana/helm-charts:loki-distributed",
                "containerPort: 3100",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "tempo",
        images: &["tempo", "grafana-tempo", "enterprise-traces"],
        programs: &["tempo"],
        unless: RING_UNLESS,
        recipes: &[ready(3200)],
        needs_peers: true,
        evidence: &[
            RING_READY,
            chart(
                "grafana/helm-charts:tempo-distributed",
                "containerPort: 3200",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "mimir",
        images: &["mimir", "grafana-mimir", "enterprise-metrics"],
        programs: &["mimir"],
        unless: RING_UNLESS,
        recipes: &[ready(8080)],
        needs_peers: true,
        evidence: &[
            chart("bitnami/charts:bitnami/grafana-mimir", "path: /ready"),
            chart(
                "bitnami/charts:bitnami/grafana-mimir",
                "containerPort: 8080",
            ),
        ],
        ..BLANK
    },
    Entry {
        name: "thanos",
        images: &["thanos"],
        programs: &["thanos"],
        verbs: &[
            "store",
            "receive",
            "rule",
            "query",
            "query-frontend",
            "compact",
            "sidecar",
        ],
        unless: &[
            Unless::Word("--http.config"),
            Unless::Word("--web.route-prefix"),
            Unless::Word("--web.external-prefix"),
        ],
        recipes: &[http(&["http"], 10902, "/-/ready").alive("/-/healthy")],
        node_local: true,
        evidence: &[
            chart(
                "thanos-io/kube-thanos",
                "path: /-/ready port: 10902 scheme: HTTP",
            ),
            chart(
                "thanos-io/kube-thanos",
                "path: /-/healthy port: 10902 scheme: HTTP",
            ),
        ],
        ..BLANK
    },
];
