//! The written form of a policy: one type for the files of `--config` and for the objects of the cluster.
//!
//! Structure and bounds live in the schema that is derived from it: the API server checks objects by it, and
//! [`super::compile`] checks files.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, CustomResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ControllerOwned, Enforcement, LivenessProbe, Profile, ReadinessProbe, RuleAction, ServiceName,
    StartupProbe, VolumeClaims,
};

pub(super) mod constraints;

use constraints::{conditions_schema, glob, globs, known_rule_names, known_rules, port_schema};

/// What the operator decides, for which sets. Of the policies that match a set the one of the highest priority counts,
/// then the first by name; nothing is merged.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[kube(
    group = "steadyset.io",
    version = "v1alpha1",
    kind = "StatefulSetPolicy",
    plural = "statefulsetpolicies",
    status = "PolicyStatus",
    doc = "What steadyset injects, refuses and warns of, for which StatefulSets.",
    printcolumn = r#"{"name":"Priority","type":"integer","jsonPath":".spec.priority"}"#,
    printcolumn = r#"{"name":"Enforcement","type":"string","jsonPath":".spec.enforcement"}"#,
    printcolumn = r#"{"name":"Profile","type":"string","jsonPath":".spec.profile"}"#,
    printcolumn = r#"{"name":"Accepted","type":"string","jsonPath":".status.conditions[?(@.type=='Accepted')].status"}"#,
    printcolumn = r#"{"name":"Message","type":"string","jsonPath":".status.conditions[?(@.type=='Accepted')].message","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicySpec {
    /// Of the policies that match a set the highest counts; 0 unless told.
    pub priority: i32,
    /// Which sets it is for; empty means all.
    #[serde(rename = "match")]
    pub matches: MatchSpec,
    /// A ceiling over every rule's action; Enforce unless told.
    pub enforcement: Enforcement,
    /// Default, Strict (warnings deny) or Permissive (only what the API server rejects anyway).
    pub profile: Profile,
    /// An action for each rule that is to have another than its own.
    #[schemars(transform = known_rules)]
    pub rules: BTreeMap<String, RuleAction>,
    /// Whether sets may exempt themselves from rules.
    pub exemptions: ExemptionsSpec,
    /// What is injected.
    pub inject: InjectSpec,
    /// Whose owner references with `controller: true` have findings warn instead of deny: only these kinds, written by these users.
    /// Empty: every custom resource, written by any service account.
    #[schemars(length(max = 64))]
    pub trusted_controllers: Vec<TrustedControllerSpec>,
}

/// Which sets a policy is for: all must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MatchSpec {
    /// Namespaces by name.
    pub namespaces: NamesSpec,
    /// Namespaces by label.
    pub namespace_selector: LabelSelectorSpec,
    /// Sets by label.
    pub object_selector: LabelSelectorSpec,
}

/// Names, in which `*` stands for any text and `?` for one character.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NamesSpec {
    /// One of these; empty means all.
    #[schemars(transform = globs)]
    pub include: Vec<String>,
    /// None of these.
    #[schemars(transform = globs)]
    pub exclude: Vec<String>,
}

/// A label selector (`metav1.LabelSelector`): all requirements must hold; empty selects everything.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelectorSpec {
    /// Labels with exactly these values.
    #[schemars(extend("maxProperties" = 64))]
    pub match_labels: BTreeMap<String, String>,
    /// Further requirements.
    #[schemars(length(max = 64))]
    pub match_expressions: Vec<LabelRequirementSpec>,
}

/// One requirement of a label selector.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelRequirementSpec {
    /// The label's key.
    #[schemars(length(max = 317))]
    pub key: String,
    /// How its value is compared.
    pub operator: LabelOperator,
    /// The values of `In` and `NotIn`.
    #[serde(default)]
    #[schemars(length(max = 256), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum LabelOperator {
    /// The value is one of these.
    In,
    /// The value is none of these, or the label is absent.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
}

/// Whether sets may exempt themselves from rules, by the annotation `steadyset.io/exempt`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExemptionsSpec {
    /// Whether exemptions count at all; true unless told.
    pub allow: bool,
    /// Rules from which no set is exempted.
    #[schemars(transform = known_rule_names)]
    pub forbid_rules: Vec<String>,
    /// Whether the user who writes the set must hold the verb `exempt` on `statefulsetpolicies` of `steadyset.io`.
    pub require_verb: bool,
}

impl Default for ExemptionsSpec {
    fn default() -> Self {
        Self {
            allow: true,
            forbid_rules: Vec::new(),
            require_verb: false,
        }
    }
}

/// A kind of owner that is believed, and who may write for it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustedControllerSpec {
    /// The API group of the owner, without its version: `kafka.strimzi.io`.
    #[schemars(length(min = 1, max = 253))]
    pub group: String,
    /// The kind of the owner: `Kafka`.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// The names of the service accounts that write for it, in which `*` stands for any text: `system:serviceaccount:kafka:*`.
    /// Empty means all service accounts; who is none is never believed.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub users: Vec<String>,
}

/// What is injected into new sets.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InjectSpec {
    /// Readiness probes.
    pub readiness_probe: ReadinessProbe,
    /// Liveness probes.
    pub liveness_probe: LivenessProbe,
    /// Startup probes, beside the liveness probes.
    pub startup_probe: StartupProbe,
    /// Probes of the operator's own images; asked before the image catalogue, the first that fits counts.
    #[schemars(length(max = 128))]
    pub image_probes: Vec<ImageProbeSpec>,
    /// The headless Service linkage.
    pub service_name: ServiceName,
    /// Volume claim templates.
    pub volume_claims: VolumeClaims,
    /// Whether sets whose `ownerReferences` name a controller get injections.
    pub controller_owned: ControllerOwned,
}

/// The probe of an image.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageProbeSpec {
    /// The image without tag and digest, in which `*` stands for any text.
    #[schemars(length(min = 1), transform = glob)]
    pub image: String,
    /// The port that is asked where `readiness` names none: its number, or its name in the container.
    #[serde(default)]
    #[schemars(schema_with = "port_schema")]
    pub port: Option<Value>,
    /// How readiness is asked; a TCP connection to `port` where it is absent.
    #[serde(default)]
    pub readiness: Option<ProbeSpec>,
}

/// A probe (`core/v1`, `Probe`): at most one of `httpGet`, `tcpSocket`, `exec` and `grpc`. Numbers that are absent are those
/// of the policy's `readinessProbe`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProbeSpec {
    /// Asks over HTTP.
    pub http_get: Option<HttpGetSpec>,
    /// Opens a connection.
    pub tcp_socket: Option<TcpSocketSpec>,
    /// Runs a program in the container.
    pub exec: Option<ExecSpec>,
    /// Asks the gRPC health service.
    pub grpc: Option<GrpcSpec>,
    /// Seconds before the first probe.
    #[schemars(range(min = 0))]
    pub initial_delay_seconds: Option<i32>,
    /// Seconds between probes.
    #[schemars(range(min = 1))]
    pub period_seconds: Option<i32>,
    /// Seconds until a probe counts as failed.
    #[schemars(range(min = 1))]
    pub timeout_seconds: Option<i32>,
    /// Successes until the pod counts as ready.
    #[schemars(range(min = 1))]
    pub success_threshold: Option<i32>,
    /// Failures until the pod counts as not ready.
    #[schemars(range(min = 1))]
    pub failure_threshold: Option<i32>,
}

/// An HTTP GET of the container; there is no `host`, which Pod Security forbids.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpGetSpec {
    /// The path; `/` unless told.
    #[schemars(length(max = 1024))]
    pub path: String,
    /// The port, by number or name.
    #[schemars(schema_with = "port_schema")]
    pub port: Option<Value>,
    /// HTTP unless told.
    pub scheme: Option<Scheme>,
}

/// How HTTP is spoken.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum Scheme {
    /// In the clear.
    #[serde(rename = "HTTP")]
    Http,
    /// Over TLS; the certificate is not checked.
    #[serde(rename = "HTTPS")]
    Https,
}

/// A TCP connection to the container.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpSocketSpec {
    /// The port, by number or name.
    #[schemars(schema_with = "port_schema")]
    pub port: Option<Value>,
}

/// A program that runs in the container.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExecSpec {
    /// The program and its arguments; no shell stands around them.
    #[schemars(length(max = 64), inner(length(max = 4096)))]
    pub command: Vec<String>,
}

/// The gRPC health service of the container.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GrpcSpec {
    /// The port, by number: gRPC probes take no name.
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// The service that is asked for.
    #[schemars(length(max = 253))]
    pub service: Option<String>,
}

/// What became of a policy.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyStatus {
    /// `Accepted`: whether the policy is in force as it stands.
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
}

/// The definition of the kind for the API server. It fills in no defaults: an object keeps what its author wrote, and what an absent
/// field means is said by the version of the product that reads it.
#[must_use]
pub fn definition() -> Value {
    let mut crd = serde_json::to_value(StatefulSetPolicy::crd()).unwrap_or_default();
    if let Some(schema) = crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") {
        drop_defaults(schema);
    }
    crd
}

fn drop_defaults(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    members.remove("default");
    for (name, member) in members {
        match name.as_str() {
            "properties" => member
                .as_object_mut()
                .into_iter()
                .flatten()
                .for_each(|(_, property)| drop_defaults(property)),
            "items" | "additionalProperties" => drop_defaults(member),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_what_the_command_prints() {
        let manifest = include_str!("../../manifests/steadyset/crds/statefulsetpolicies.yaml");
        let printed = serde_saphyr::to_string(&definition()).unwrap();
        assert!(manifest == printed, "run `make manifests`");
    }
}
