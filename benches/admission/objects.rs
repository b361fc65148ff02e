//! Reviews of a given size, made as real ones are: a third of it `managedFields`, the rest containers with settings.

use hyper::body::Bytes;
use serde_json::{Value, json};

/// Every case by name.
pub fn cases() -> Vec<(String, Bytes)> {
    let mut cases = vec![("DELETE 1 KB".to_owned(), delete())];
    for size in [5, 20] {
        cases.push((format!("CREATE {size} KB"), grown(size * 1000, create)));
        cases.push((format!("UPDATE {size} KB"), grown(size * 1000, update)));
    }
    cases
}

/// Nothing to judge: what a review costs beside its JSON.
fn delete() -> Bytes {
    let review = review("DELETE", &Value::Null, &Value::Null);
    review.to_string().into()
}

/// The largest review that is not above the size.
fn grown(size: usize, review: fn(usize) -> Value) -> Bytes {
    let bodies = (1..).map(|settings| review(settings).to_string());
    let fitting = bodies.take_while(|body| body.len() <= size).last();
    fitting.expect("even the smallest is too large").into()
}

fn create(settings: usize) -> Value {
    review("CREATE", &set(settings, 3), &Value::Null)
}

/// A change of the replicas: both objects are sent whole, and nothing is injected.
fn update(settings: usize) -> Value {
    review("UPDATE", &set(settings, 5), &set(settings, 3))
}

fn review(operation: &str, object: &Value, old_object: &Value) -> Value {
    let kind = json!({"group": "apps", "version": "v1", "kind": "StatefulSet"});
    let resource = json!({"group": "apps", "version": "v1", "resource": "statefulsets"});
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource,
            "name": "web", "namespace": "shop", "operation": operation,
            "userInfo": {"username": "system:serviceaccount:argocd:argocd-application-controller",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:argocd", "system:authenticated"]},
            "object": object, "oldObject": old_object, "dryRun": false,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "argocd-controller"}
        }
    })
}

/// Named in `serviceName`, without a readiness probe, which is injected on CREATE.
fn set(settings: usize, replicas: usize) -> Value {
    let env: Vec<_> = (0..settings)
        .map(|i| json!({"name": format!("APP_SETTING_{i}"), "value": format!("value-of-the-setting-{i}")}))
        .collect();
    let managed: serde_json::Map<_, _> = (0..settings)
        .map(|i| {
            (
                format!("k:{{\"name\":\"APP_SETTING_{i}\"}}"),
                json!({".": {}, "f:name": {}, "f:value": {}}),
            )
        })
        .collect();
    let container = json!({"name": "web", "image": "registry.example/shop/web:1.4.2", "imagePullPolicy": "IfNotPresent",
        "env": env, "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
    json!({
        "kind": "StatefulSet", "apiVersion": "apps/v1",
        "metadata": {"name": "web", "namespace": "shop", "uid": "1dd7e6c0-3b54-4c4a-9a8c-8d1c1b6e4f10", "generation": 1,
            "labels": {"app.kubernetes.io/name": "web"},
            "managedFields": [{"manager": "argocd-controller", "operation": "Apply", "apiVersion": "apps/v1",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": managed}}}}}]},
        "spec": {"replicas": replicas, "serviceName": "web", "podManagementPolicy": "OrderedReady",
            "selector": {"matchLabels": {"app.kubernetes.io/name": "web"}},
            "template": {"metadata": {"labels": {"app.kubernetes.io/name": "web"}},
                "spec": {"containers": [container], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
                    "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler", "securityContext": {}}},
            "volumeClaimTemplates": [{"kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
                    "resources": {"requests": {"storage": "10Gi"}}}, "status": {"phase": "Pending"}}],
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "revisionHistoryLimit": 10, "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}},
        "status": {"replicas": 0, "availableReplicas": 0}
    })
}
