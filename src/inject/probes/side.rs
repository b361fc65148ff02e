//! The containers beside the program: never probed by us, never warned about.

use super::catalogue::{image_name, matches};
use crate::statefulset::set::Container;

/// A closed list, compared with the container's name and the last part of its image's repository.
const SIDE_CONTAINERS: [&str; 31] = [
    "*-exporter",
    "*_exporter",
    "*config-reloader",
    "configmap-reload",
    "config-reload",
    "k8s-sidecar",
    "istio-proxy",
    "istio-validation",
    "linkerd-proxy",
    "linkerd-network-validator",
    "kuma-sidecar",
    "kuma-dp",
    "consul-dataplane",
    "consul-connect-*",
    "envoy-sidecar",
    "osm-envoy",
    "aws-appmesh-envoy",
    "vault-agent",
    "vault-agent-init",
    "bank-vaults",
    "vault-env",
    "cloud-sql-proxy",
    "cloudsql-proxy",
    "gce-proxy",
    "xtrabackup",
    "percona-xtrabackup",
    "clickhouse-backup",
    "etcd-backup-restore",
    "etcdbrctl",
    "medusa",
    "crunchy-pgbackrest",
];

/// Whether the container is one of the closed list.
pub(super) fn is_side_container(container: &Container<'_>) -> bool {
    let image = image_name(&container.image);
    SIDE_CONTAINERS
        .iter()
        .any(|pattern| matches(pattern, &container.name) || matches(pattern, image))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_them_by_name_or_image() {
        let cases = [
            ("metrics", "docker.io/bitnami/redis-exporter:1.69", true),
            ("metrics", "oliver006/redis_exporter", true),
            (
                "reload",
                "quay.io/prometheus-operator/prometheus-config-reloader:v0.80.0",
                true,
            ),
            ("istio-proxy", "docker.io/istio/proxyv2:1.24", true),
            (
                "grafana-sc-dashboard",
                "kiwigrid/k8s-sidecar@sha256:0",
                true,
            ),
            ("exporter", "corp/exporter", false),
            ("app", "app", false),
        ];
        for (name, image, side) in cases {
            let container = Container {
                name: name.into(),
                image: image.into(),
                ..Container::default()
            };
            assert_eq!(is_side_container(&container), side, "{name} {image}");
        }
    }
}
