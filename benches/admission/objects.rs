//! Reviews of a given size, made as real ones are: a third of it `managedFields`, the rest containers with settings.

use hyper::body::Bytes;
use serde_json::{Value, json};

/// One review as it is sent.
pub struct Case {
    /// What it is, and the size of its object.
    pub name: String,
    /// The endpoint.
    pub path: &'static str,
    /// The whole review.
    pub body: Bytes,
}

impl Case {
    fn new(name: impl Into<String>, path: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            name: name.into(),
            path,
            body: body.into(),
        }
    }

    /// The name and the endpoint.
    pub fn title(&self) -> String {
        format!("{} {}", self.name, self.path)
    }
}

/// Every case. The size is that of the object; an UPDATE carries two.
pub fn cases() -> Vec<Case> {
    let mut cases = vec![Case::new("DELETE", "/mutate", delete())];
    for size in [5, 20] {
        let settings = settings(size * 1000);
        for path in ["/mutate", "/validate"] {
            let name = format!("CREATE {size} KB");
            cases.push(Case::new(name, path, create(settings, Probed::Yes)));
            let name = format!("UPDATE {size} KB");
            cases.push(Case::new(name, path, update(settings)));
        }
        let name = format!("CREATE {size} KB patched");
        cases.push(Case::new(name, "/mutate", create(settings, Probed::No)));
    }
    cases
}

/// Nothing to judge: what a review costs beside its JSON.
fn delete() -> String {
    review("DELETE", &Value::Null, &Value::Null)
}

/// The number of settings that makes the largest object that is not above the size.
fn settings(size: usize) -> usize {
    let fits = |settings: &usize| set(*settings, 3, Probed::Yes).to_string().len() <= size;
    let fitting = (1..size).take_while(fits).last();
    fitting.expect("even the smallest is too large")
}

/// Whether the container has a readiness probe; one is injected on CREATE where it has none.
#[derive(Clone, Copy, PartialEq)]
enum Probed {
    Yes,
    No,
}

fn create(settings: usize, probed: Probed) -> String {
    review("CREATE", &set(settings, 3, probed), &Value::Null)
}

/// A change of the replicas: both objects are sent whole, and nothing is injected.
fn update(settings: usize) -> String {
    let set = |replicas| set(settings, replicas, Probed::Yes);
    review("UPDATE", &set(5), &set(3))
}

/// The fields in the order in which kube-apiserver writes them (`k8s.io/api/admission/v1`, `AdmissionRequest`).
fn review(operation: &str, object: &Value, old_object: &Value) -> String {
    let kind = json!({"group": "apps", "version": "v1", "kind": "StatefulSet"});
    let resource = json!({"group": "apps", "version": "v1", "resource": "statefulsets"});
    let user = json!({"username": "system:serviceaccount:argocd:argocd-application-controller",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:argocd", "system:authenticated"]});
    let options = json!({"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "argocd-controller"});
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{
        "uid":"705ab4f5-6393-11e8-b7cc-42010a800002","kind":{kind},"resource":{resource},
        "requestKind":{kind},"requestResource":{resource},"name":"web","namespace":"shop",
        "operation":"{operation}","userInfo":{user},"object":{object},"oldObject":{old_object},
        "dryRun":false,"options":{options}}}}}"#
    )
}

/// Named in `serviceName`, with a claim and settings.
fn set(settings: usize, replicas: usize, probed: Probed) -> Value {
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
    let mut container = json!({"name": "web", "image": "registry.example/shop/web:1.4.2", "imagePullPolicy": "IfNotPresent",
        "env": env, "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
    if probed == Probed::Yes {
        container["readinessProbe"] = json!({"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"},
            "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3});
    }
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
