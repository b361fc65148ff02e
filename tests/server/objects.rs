//! What kube-apiserver would send.

use serde_json::{Value, json};

/// A review of an object.
pub fn review(operation: &str, object: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "apps", "version": "v1", "kind": "StatefulSet"},
            "resource": {"group": "apps", "version": "v1", "resource": "statefulsets"},
            "requestKind": {"group": "apps", "version": "v1", "kind": "StatefulSet"},
            "requestResource": {"group": "apps", "version": "v1", "resource": "statefulsets"},
            "name": "web",
            "namespace": "default",
            "operation": operation,
            "userInfo": {"username": "kubernetes-admin", "groups": ["system:masters"]},
            "object": object,
            "oldObject": null,
            "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"}
        }
    })
}

/// A set that nothing is wrong with and nothing is missing from.
pub fn sound() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web", "namespace": "default", "managedFields": []},
        "spec": {
            "replicas": 2,
            "serviceName": "web",
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [{
                        "name": "web",
                        "image": "registry.example/web:1",
                        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}]
                    }]
                }
            },
            "volumeClaimTemplates": [{
                "metadata": {"name": "data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                    "volumeMode": "Filesystem"
                }
            }]
        },
        "status": {"replicas": 0}
    })
}

/// A set whose review computes for a while: so many bytes of containers.
pub fn heavy(bytes: usize) -> String {
    const CONTAINER: &str = r#"{"name":"a","image":"b"},"#;
    let mut object = sound();
    let containers = &mut object["spec"]["template"]["spec"]["containers"];
    containers.as_array_mut().unwrap().insert(0, json!("MANY"));
    let many = CONTAINER.repeat(bytes / CONTAINER.len());
    review("CREATE", &object)
        .to_string()
        .replace("\"MANY\",", &many)
}

/// A review with so many bytes in all, most of them blanks, which cost no computing.
pub fn padded(bytes: usize) -> String {
    let mut body = review("DELETE", &json!(null)).to_string();
    body.extend(std::iter::repeat_n(' ', bytes - body.len()));
    body
}
