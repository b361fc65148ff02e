//! Wrong sets, each with the one thing that is wrong with it.

use anyhow::{Context, Result};
use serde_json::Value;

/// What no set may be created with.
pub struct Denial {
    /// What is written over a set that has nothing wrong with it, as JSON.
    pub spec: &'static str,
    /// The endpoint that denies: `mutate` where the server's own validation would come before `/validate`.
    pub phase: &'static str,
    /// The field, as the server writes it.
    pub field: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// What the message must speak of.
    pub word: &'static str,
}

impl Denial {
    const fn early(
        spec: &'static str,
        field: &'static str,
        rule: &'static str,
        word: &'static str,
    ) -> Self {
        Self {
            spec,
            phase: "mutate",
            field,
            rule,
            word,
        }
    }

    const fn late(
        spec: &'static str,
        field: &'static str,
        rule: &'static str,
        word: &'static str,
    ) -> Self {
        Self {
            spec,
            phase: "validate",
            field,
            rule,
            word,
        }
    }

    /// What is merged into the spec; `containers` stands for the first container's fields.
    pub fn spec(&self) -> Result<Value> {
        serde_json::from_str(self.spec).context(self.spec)
    }
}

const POLICY: &str = "spec.podManagementPolicy";
const TYPE: &str = "spec.updateStrategy.type";
const ROLLING: &str = "spec.updateStrategy.rollingUpdate";
const PARTITION: &str = "spec.updateStrategy.rollingUpdate.partition";
const MAX_UNAVAILABLE: &str = "spec.updateStrategy.rollingUpdate.maxUnavailable";

/// One wrong set for each way to go wrong.
pub const DENIALS: &[Denial] = &[
    Denial::early(
        r#"{"podManagementPolicy": "Foo"}"#,
        POLICY,
        "pod-management-policy-unknown",
        "OrderedReady",
    ),
    Denial::early(
        r#"{"podManagementPolicy": "parallel"}"#,
        POLICY,
        "pod-management-policy-unknown",
        "Parallel",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "onDelete"}}"#,
        TYPE,
        "update-strategy-unknown",
        "OnDelete",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "Recreate"}}"#,
        TYPE,
        "update-strategy-unknown",
        "OnDelete",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "Canary"}}"#,
        TYPE,
        "update-strategy-unknown",
        "partition",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "Ramped"}}"#,
        TYPE,
        "update-strategy-unknown",
        "partition",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "BlueGreen"}}"#,
        TYPE,
        "update-strategy-unknown",
        "second StatefulSet",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "Shadow"}}"#,
        TYPE,
        "update-strategy-unknown",
        "second StatefulSet",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "A/B"}}"#,
        TYPE,
        "update-strategy-unknown",
        "second StatefulSet",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "best-effort"}}"#,
        TYPE,
        "update-strategy-unknown",
        "maxUnavailable",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "Foo"}}"#,
        TYPE,
        "update-strategy-unknown",
        "RollingUpdate",
    ),
    Denial::early(
        r#"{"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}"#,
        ROLLING,
        "rolling-update-with-on-delete",
        "partition",
    ),
    Denial::early(
        r#"{"updateStrategy": {"rollingUpdate": {"partition": -1}}}"#,
        PARTITION,
        "partition-negative",
        "-1",
    ),
    Denial::early(
        r#"{"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}}"#,
        MAX_UNAVAILABLE,
        "max-unavailable-invalid",
        "0",
    ),
    Denial::early(
        r#"{"updateStrategy": {"rollingUpdate": {"maxUnavailable": "0%"}}}"#,
        MAX_UNAVAILABLE,
        "max-unavailable-invalid",
        "0%",
    ),
    Denial::early(
        r#"{"updateStrategy": {"rollingUpdate": {"maxUnavailable": -1}}}"#,
        MAX_UNAVAILABLE,
        "max-unavailable-invalid",
        "-1",
    ),
    Denial::early(
        r#"{"updateStrategy": {"rollingUpdate": {"maxUnavailable": "150%"}}}"#,
        MAX_UNAVAILABLE,
        "max-unavailable-invalid",
        "150%",
    ),
    Denial::early(
        r#"{"updateStrategy": {"rollingUpdate": {"maxUnavailable": "2"}}}"#,
        MAX_UNAVAILABLE,
        "max-unavailable-invalid",
        "2",
    ),
    Denial::early(
        r#"{"updateStrategy": {"rollingUpdate": {"maxUnavailable": "some"}}}"#,
        MAX_UNAVAILABLE,
        "max-unavailable-invalid",
        "some",
    ),
    Denial::early(
        r#"{"serviceName": "web.shop"}"#,
        "spec.serviceName",
        "service-name-invalid",
        "web.shop",
    ),
    Denial::early(
        r#"{"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "delete"}}"#,
        "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
        "retention-policy-unknown",
        "Delete",
    ),
    Denial::early(
        r#"{"selector": {"matchLabels": {"app": "shop"}}}"#,
        "spec.template.metadata.labels",
        "selector-mismatch",
        "shop",
    ),
    Denial::early(
        r#"{"volumeClaimTemplates": [{"metadata": {"name": "D_x"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}]}"#,
        "spec.volumeClaimTemplates[0].metadata.name",
        "claim-name-invalid",
        "D_x",
    ),
    Denial::late(
        r#"{"volumeClaimTemplates": [
            {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}},
            {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Mi"}}}}],
            "template": {"spec": {"containers": [{"name": "web", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}}}"#,
        "spec.volumeClaimTemplates[1].metadata.name",
        "claim-duplicate-name",
        "data",
    ),
    Denial::late(
        r#"{"volumeClaimTemplates": [{"metadata": {"name": "disk"},
            "spec": {"volumeMode": "Block", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}],
            "template": {"spec": {"containers": [{"name": "web", "image": "i", "volumeMounts": [{"name": "disk", "mountPath": "/data"}]}]}}}"#,
        "spec.template.spec.containers[0].volumeMounts[0].name",
        "claim-mode-mismatch",
        "volumeDevices",
    ),
];

/// What is written over a set that has nothing wrong with it, the one rule that warns, and what the warning speaks of. The
/// Services `balanced`, with a cluster IP, and the headless `elsewhere`, of other pods, are there.
pub const WARNINGS: &[(&str, &str, &str)] = &[
    (
        r#"{"updateStrategy": {"rollingUpdate": {"partition": 2}}}"#,
        "partition-exceeds-replicas",
        "2",
    ),
    (
        r#"{"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}, "replicas": 5}"#,
        "max-unavailable-ignored",
        "1.36",
    ),
    (
        r#"{"serviceName": "nowhere"}"#,
        "service-missing",
        "nowhere",
    ),
    (
        r#"{"serviceName": "balance"}"#,
        "service-missing",
        "balanced",
    ),
    (
        r#"{"serviceName": "balanced", "volumeClaimTemplates": [{"metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}],
            "template": {"spec": {"containers": [{"name": "web", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}}}"#,
        "service-not-headless",
        "balanced",
    ),
    (
        r#"{"serviceName": "elsewhere"}"#,
        "service-selector-mismatch",
        "other",
    ),
    (
        r#"{"volumeClaimTemplates": [{"metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}]}"#,
        "claim-unmounted",
        "data",
    ),
    (
        r#"{"volumeClaimTemplates": [{"metadata": {"name": "data"},
            "spec": {"storageClassName": "gold", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}],
            "template": {"spec": {"containers": [{"name": "web", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}}}"#,
        "storage-class-missing",
        "gold",
    ),
    (
        r#"{"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"},
            "volumeClaimTemplates": [{"metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}],
            "template": {"spec": {"containers": [{"name": "web", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}}}"#,
        "claim-retention-delete",
        "data",
    ),
    (
        r#"{"template": {"spec": {"containers": [{"name": "web", "image": "i",
            "ports": [{"name": "a", "containerPort": 1}, {"name": "b", "containerPort": 2}]}]}}}"#,
        "readiness-probe-missing",
        "web",
    ),
];
