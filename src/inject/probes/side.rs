//! The containers beside the program: never probed by us, never warned about.

use super::catalogue::image_name;
use crate::statefulset::set::Container;

/// Whether the container is one of a closed list, by its name or the last part of its image's repository.
pub(super) fn is_side_container(container: &Container<'_>) -> bool {
    is_listed(&container.name) || is_listed(image_name(&container.image))
}

/// The compiler makes of the list what a table of patterns would be searched for at run time.
fn is_listed(name: &str) -> bool {
    let begins = name.starts_with("consul-connect-");
    let ends = ["-exporter", "_exporter", "config-reloader"]
        .iter()
        .any(|end| name.ends_with(end));
    begins
        || ends
        || matches!(
            name,
            "configmap-reload"
                | "config-reload"
                | "k8s-sidecar"
                | "istio-proxy"
                | "istio-validation"
                | "linkerd-proxy"
                | "linkerd-network-validator"
                | "kuma-sidecar"
                | "kuma-dp"
                | "consul-dataplane"
                | "envoy-sidecar"
                | "osm-envoy"
                | "aws-appmesh-envoy"
                | "vault-agent"
                | "vault-agent-init"
                | "bank-vaults"
                | "vault-env"
                | "cloud-sql-proxy"
                | "cloudsql-proxy"
                | "gce-proxy"
                | "xtrabackup"
                | "percona-xtrabackup"
                | "clickhouse-backup"
                | "etcd-backup-restore"
                | "etcdbrctl"
                | "medusa"
                | "crunchy-pgbackrest"
        )
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
