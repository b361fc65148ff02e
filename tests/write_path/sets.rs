//! The set that is created: as a chart renders it, without `serviceName` and without a readiness probe.

use serde_json::{Value, json};

/// The headless Service that selects the pods of every set, so that none has to be created.
pub const SERVICE: &str = "peers";

/// A set of about five kilobytes.
pub fn set(name: &str) -> Value {
    let labels = json!({"app.kubernetes.io/name": "database", "app.kubernetes.io/instance": name,
        "app.kubernetes.io/managed-by": "Helm"});
    let settings: Vec<Value> = (0..57)
        .map(|number| {
            json!({"name": format!("SETTING_{number}"), "value": format!("value {number} of the settings of {name}")})
        })
        .collect();
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}}}});
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 3,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app.kubernetes.io/instance": name}},
            "template": {
                "metadata": {"labels": labels, "annotations": {"checksum/config": "9f86d081884c7d659a2feaa0c55ad015"}},
                "spec": {
                    "securityContext": {"fsGroup": 1001, "runAsNonRoot": true, "runAsUser": 1001},
                    "terminationGracePeriodSeconds": 60,
                    "initContainers": [{
                        "name": "prepare", "image": "registry.example/prepare:1.4",
                        "command": ["/bin/sh", "-ec", "mkdir -p /data/db; if [ -d /data/old ]; then mv /data/old/* /data/db; fi"],
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    }],
                    "containers": [{
                        "name": "server", "image": "registry.example/database:16.2",
                        "ports": [{"name": "client", "containerPort": 5432}],
                        "env": settings,
                        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    }],
                },
            },
            "volumeClaimTemplates": [claim],
        },
    })
}

/// A set that steadyset refuses, before the API server does.
pub fn misspelled() -> Value {
    let mut set = set("refused");
    set["spec"]["podManagementPolicy"] = json!("Unknown");
    set
}

/// A set that the native policies refuse and the API server does not.
pub fn killed() -> Value {
    let mut set = set("refused");
    set["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(0);
    set
}

/// The Service.
pub fn service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE}, "spec": {
        "clusterIP": "None", "publishNotReadyAddresses": true, "ports": [{"name": "client", "port": 5432}],
        "selector": {"app.kubernetes.io/name": "database"}}})
}
