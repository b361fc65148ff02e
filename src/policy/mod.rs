//! What the operator decides, for which sets: what is injected, what is refused, who is excepted.
//!
//! A policy is written as [`spec::PolicySpec`], in a file of `--config` or as an object of the cluster, and becomes a [`Policy`]
//! by [`compile::compile`], which names all its faults at once. [`Policies`] is the snapshot that a review is judged by;
//! the store of the policies in the cluster's room keeps it up to date.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::finding::Action;
use crate::statefulset::probe::Probe;

pub mod compile;
pub mod document;
pub mod exemption;
mod glob;
pub(crate) mod schema;
mod select;
pub mod spec;
pub mod trust;

pub use glob::Glob;
pub use schema::Fault;
pub use select::{Matcher, Policies};
pub use trust::TrustedController;

/// A policy, ready to be asked. The default is what applies while no policy exists at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Its name; empty for the built-in default.
    pub name: String,
    /// Of the policies that match a set the highest counts.
    pub priority: i32,
    /// Which sets it is for.
    pub matches: Matcher,
    /// A ceiling over every rule's action.
    pub enforcement: Enforcement,
    /// How strict the rules are.
    pub profile: Profile,
    /// An action for each rule that has another than its own.
    pub rules: BTreeMap<&'static str, RuleAction>,
    /// Whether sets may exempt themselves from rules.
    pub exemptions: Exemptions,
    /// What is injected.
    pub inject: Inject,
    /// The owners that are believed; empty means all that [`trust::believed_controller`] believes by itself.
    pub trusted_controllers: Vec<TrustedController>,
}

impl Policy {
    /// Its name as a user reads it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() {
            "the built-in default"
        } else {
            &self.name
        }
    }

    /// Whether the author's own right to create Services decides if one is made for a new set.
    #[must_use]
    pub fn asks_for_service_rights(&self) -> bool {
        let linkage = &self.inject.service_name;
        linkage.require_service_rights && linkage.mode == ServiceNameMode::LinkOrCreate
    }

    /// The policy for an author who may not create Services: it links to what is there.
    #[must_use]
    pub fn without_service_rights(&self) -> Self {
        let mut policy = self.clone();
        policy.inject.service_name.mode = ServiceNameMode::Link;
        policy
    }
}

/// The most that a finding may do.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, Serialize,
)]
pub enum Enforcement {
    /// Findings go no further than the audit log.
    Audit,
    /// Findings warn and never deny.
    Warn,
    /// Every finding does what its rule says.
    #[default]
    Enforce,
}

impl Enforcement {
    /// The most that a finding may do under it.
    #[must_use]
    pub fn ceiling(self) -> Action {
        match self {
            Self::Audit => Action::Audit,
            Self::Warn => Action::Warn,
            Self::Enforce => Action::Deny,
        }
    }
}

/// How strict the rules are as a whole.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum Profile {
    /// What can never work is denied, what is legal but dangerous warns.
    #[default]
    Default,
    /// Warnings deny.
    Strict,
    /// Only what the API server rejects anyway.
    Permissive,
}

/// What the operator has a rule do.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum RuleAction {
    /// The write is refused.
    Deny,
    /// The user is warned.
    Warn,
    /// Only the operator sees it: metric, log, audit annotation.
    Audit,
    /// Nothing.
    Ignore,
}

impl RuleAction {
    /// The action of a finding; `None` where there is to be none.
    #[must_use]
    pub fn action(self) -> Option<Action> {
        match self {
            Self::Deny => Some(Action::Deny),
            Self::Warn => Some(Action::Warn),
            Self::Audit => Some(Action::Audit),
            Self::Ignore => None,
        }
    }
}

/// Whether sets may exempt themselves from rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemptions {
    /// Whether exemptions count at all.
    pub allow: bool,
    /// Rules from which no set is exempted.
    pub forbid_rules: Vec<&'static str>,
    /// Whether the user must hold the verb `exempt`.
    pub require_verb: bool,
}

impl Default for Exemptions {
    fn default() -> Self {
        Self {
            allow: true,
            forbid_rules: Vec::new(),
            require_verb: false,
        }
    }
}

/// What is injected into which sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inject {
    /// Readiness probes.
    pub readiness_probe: ReadinessProbe,
    /// Liveness probes.
    pub liveness_probe: LivenessProbe,
    /// Startup probes beside them.
    pub startup_probe: StartupProbe,
    /// Probes of the operator's own images, the first that fits counts.
    pub image_probes: Vec<ImageProbe>,
    /// The headless Service linkage.
    pub service_name: ServiceName,
    /// Volume claim templates.
    pub volume_claims: VolumeClaims,
    /// Whether sets that a controller owns get injections.
    pub controller_owned: ControllerOwned,
}

/// The probe of the operator's own image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageProbe {
    /// The image without tag and digest.
    pub image: Glob,
    /// The probe, with exactly one handler; numbers that are absent are those of [`Inject::readiness_probe`].
    pub readiness: Probe<'static>,
}

/// How readiness probes are injected.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReadinessProbe {
    /// When.
    pub mode: ProbeMode,
    /// Seconds between probes.
    #[schemars(range(min = 1, max = 3600))]
    pub period_seconds: i64,
    /// Seconds until a probe counts as failed.
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_seconds: i64,
    /// Failures until the pod counts as not ready.
    #[schemars(range(min = 1, max = 10000))]
    pub failure_threshold: i64,
}

impl Default for ReadinessProbe {
    fn default() -> Self {
        Self {
            mode: ProbeMode::Safe,
            period_seconds: 10,
            timeout_seconds: 3,
            failure_threshold: 3,
        }
    }
}

/// When a probe is injected.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum ProbeMode {
    /// Where it cannot stop the set from forming.
    #[default]
    Safe,
    /// Wherever one can be derived.
    Always,
    /// Nowhere.
    Never,
}

/// How liveness probes are injected.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LivenessProbe {
    /// When; Never unless told: a database in recovery must not be killed.
    pub mode: ProbeMode,
    /// Seconds between probes.
    #[schemars(range(min = 1, max = 3600))]
    pub period_seconds: i64,
    /// Seconds until a probe counts as failed.
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_seconds: i64,
    /// Failures until the container is restarted.
    #[schemars(range(min = 1, max = 10000))]
    pub failure_threshold: i64,
}

impl Default for LivenessProbe {
    fn default() -> Self {
        Self {
            mode: ProbeMode::Never,
            period_seconds: 20,
            timeout_seconds: 5,
            failure_threshold: 6,
        }
    }
}

/// How startup probes are injected.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StartupProbe {
    /// When.
    pub mode: StartupMode,
    /// Seconds between probes.
    #[schemars(range(min = 1, max = 3600))]
    pub period_seconds: i64,
    /// Failures until the container is restarted.
    #[schemars(range(min = 1, max = 10000))]
    pub failure_threshold: i64,
}

impl Default for StartupProbe {
    fn default() -> Self {
        Self {
            mode: StartupMode::WithLiveness,
            period_seconds: 10,
            failure_threshold: 60,
        }
    }
}

/// When a startup probe is injected.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum StartupMode {
    /// Beside every liveness probe that we inject, never beside the user's own.
    #[default]
    WithLiveness,
    /// Never.
    Never,
}

/// How an empty `spec.serviceName` is filled in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceName {
    /// With what.
    pub mode: ServiceNameMode,
    /// Whether `LinkOrCreate` is `Link` for an author who may not create Services in the set's namespace; false unless told.
    pub require_service_rights: bool,
}

/// With what an empty `spec.serviceName` is filled in.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum ServiceNameMode {
    /// With the one headless Service that selects the pods, else with one that we create and keep.
    #[default]
    LinkOrCreate,
    /// With the one headless Service that selects the pods.
    Link,
    /// Not at all.
    Never,
}

/// How claims are injected.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeClaims {
    /// When.
    pub mode: ClaimMode,
    /// The access modes of a claim that names none.
    #[schemars(with = "Vec<spec::constraints::AccessMode>", length(min = 1))]
    pub access_modes: Vec<String>,
    /// The size of a claim that asks for none.
    #[schemars(transform = spec::constraints::a_size)]
    pub storage: String,
    /// The class of an injected claim; null leaves it to the cluster's default.
    pub storage_class_name: Option<String>,
}

impl Default for VolumeClaims {
    fn default() -> Self {
        Self {
            mode: ClaimMode::Dangling,
            access_modes: vec!["ReadWriteOnce".to_owned()],
            storage: "1Gi".to_owned(),
            storage_class_name: None,
        }
    }
}

/// When a claim is injected.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum ClaimMode {
    /// For a mount that names a volume which nobody declares.
    #[default]
    Dangling,
    /// Never.
    Never,
}

/// What happens to sets whose `ownerReferences` name a controller.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
pub enum ControllerOwned {
    /// They get no injections.
    #[default]
    Skip,
    /// They are treated as all others.
    Inject,
}
