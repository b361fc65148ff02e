use serde_json::json;

use super::*;
use crate::change::{Container, Field, In, ProbeField};
use crate::statefulset::probe::Slot;

/// A pod as an API server stores it.
fn pod() -> Pod {
    Pod::new(json!({
        "metadata": {"name": "web-0"},
        "spec": {
            "subdomain": "web-pods",
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}},
                {"name": "shared", "persistentVolumeClaim": {"claimName": "shared"}}],
            "containers": [
                {"name": "proxy", "image": "p"},
                {"name": "app", "image": "a",
                    "readinessProbe": {"tcpSocket": {"port": "http"}, "timeoutSeconds": 3, "successThreshold": 1},
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "token", "mountPath": "/t", "readOnly": true}]},
            ],
        },
    }))
}

fn container(name: &str) -> Container {
    let (index, name) = (0, name.to_owned());
    Container { index, name }
}

fn probe(name: &str, slot: Slot, port: &str) -> Change {
    Change::SetProbe {
        container: container(name),
        slot,
        probe: json!({"tcpSocket": {"port": port}, "timeoutSeconds": 3}),
    }
}

fn mount(volume: &str, path: &str) -> Change {
    Change::AddMount {
        container: container("app"),
        place: In::NewList,
        volume: volume.to_owned(),
        path: path.to_owned(),
    }
}

fn claim(name: &str) -> Change {
    Change::AddClaim {
        place: In::List(1),
        claim: json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"]}}),
    }
}

#[test]
fn a_pod_has_what_was_added_to_its_set() {
    let completed = Change::CompleteClaim {
        index: 0,
        added: vec![(Field::AccessModes, json!([]))],
    };
    let record = Change::Annotate {
        first: true,
        key: "steadyset.io/injected".to_owned(),
        value: "{}".to_owned(),
    };
    for (change, is_in) in [
        (record, true),
        (Change::SetServiceName("web-pods".to_owned()), true),
        (Change::SetServiceName("web".to_owned()), false),
        (probe("app", Slot::Readiness, "http"), true),
        (probe("app", Slot::Readiness, "tcp"), false),
        (probe("app", Slot::Liveness, "http"), false),
        (probe("gone", Slot::Readiness, "http"), false),
        (mount("data", "/data"), true),
        (mount("data", "/other"), false),
        (claim("data"), true),
        (claim("more"), false),
        (claim("shared"), false),
        (completed, true),
    ] {
        assert_eq!(change.is_in(&pod()), is_in, "{change:?}");
    }
}

#[test]
fn a_pod_lacks_what_was_taken_out_of_its_set() {
    let app = || container("app");
    let without = |slot: Slot| Change::RemoveProbe {
        container: app(),
        slot,
    };
    let without_field = |field: ProbeField| Change::RemoveFromProbe {
        container: app(),
        slot: Slot::Readiness,
        field,
    };
    let without_mount = |path: &str| Change::RemoveMount {
        container: app(),
        index: 0,
        path: path.to_owned(),
    };
    for (change, is_in) in [
        (Change::RemoveRollingUpdate, true),
        (without(Slot::Readiness), false),
        (without(Slot::Liveness), true),
        (without_field(ProbeField::TcpSocket), false),
        (without_field(ProbeField::HttpGet), true),
        (without_mount("/data"), false),
        (without_mount("/gone"), true),
    ] {
        assert_eq!(change.is_in(&pod()), is_in, "{change:?}");
    }
}
