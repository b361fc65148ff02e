//! What the operator decides: what is injected, and how.

/// A policy, ready to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What is injected.
    pub inject: Inject,
}

/// What is injected into which sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inject {
    /// Readiness probes.
    pub readiness_probe: ReadinessProbe,
    /// The headless Service linkage.
    pub service_name: ServiceNameMode,
    /// Volume claim templates.
    pub volume_claims: VolumeClaims,
    /// Whether sets that a controller owns get injections.
    pub controller_owned: ControllerOwned,
}

/// How readiness probes are injected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadinessProbe {
    /// When.
    pub mode: ProbeMode,
    /// Seconds between probes.
    pub period_seconds: i64,
    /// Seconds until a probe counts as failed.
    pub timeout_seconds: i64,
    /// Failures until the pod counts as not ready.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProbeMode {
    /// Where it cannot stop the set from forming.
    #[default]
    Safe,
    /// Wherever one can be derived.
    Always,
    /// Nowhere.
    Never,
}

/// How an empty `spec.serviceName` is filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeClaims {
    /// When.
    pub mode: ClaimMode,
    /// The access modes of a claim that names none.
    pub access_modes: Vec<String>,
    /// The size of a claim that asks for none.
    pub storage: String,
    /// The class of an injected claim; `None` leaves it to the cluster's default.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClaimMode {
    /// For a mount that names a volume which nobody declares.
    #[default]
    Dangling,
    /// Never.
    Never,
}

/// What happens to sets whose `ownerReferences` name a controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ControllerOwned {
    /// They get no injections.
    #[default]
    Skip,
    /// They are treated as all others.
    Inject,
}
