//! The kinds of objects that are looked up.

use serde_json::Value;

/// A kind of object that is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `Service`
    Service,
    /// `PodDisruptionBudget`
    PodDisruptionBudget,
    /// `StorageClass`
    StorageClass,
    /// `Namespace`
    Namespace,
    /// `Endpoints`
    Endpoints,
    /// `EndpointSlice`
    EndpointSlice,
    /// `PersistentVolumeClaim`
    PersistentVolumeClaim,
    /// `HorizontalPodAutoscaler`
    HorizontalPodAutoscaler,
    /// `ServiceAccount`
    ServiceAccount,
    /// `PriorityClass`
    PriorityClass,
    /// `ConfigMap`
    ConfigMap,
    /// `Secret`
    Secret,
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::Service,
        Self::PodDisruptionBudget,
        Self::StorageClass,
        Self::Namespace,
        Self::Endpoints,
        Self::EndpointSlice,
        Self::PersistentVolumeClaim,
        Self::HorizontalPodAutoscaler,
        Self::ServiceAccount,
        Self::PriorityClass,
        Self::ConfigMap,
        Self::Secret,
    ];

    /// The kind of a document; `None` for one that nobody looks up.
    #[must_use]
    pub fn of(document: &Value) -> Option<Self> {
        Self::by_name(document.get("kind")?.as_str()?)
    }

    fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The kind of that name in that version of its API; an older one, which no server knows any more, says nothing.
    #[must_use]
    pub fn served(api_version: &str, kind: &str) -> Option<Self> {
        Self::by_name(kind).filter(|kind| kind.api_versions().contains(&api_version))
    }

    fn api_versions(self) -> &'static [&'static str] {
        match self {
            Self::PodDisruptionBudget => &["policy/v1"],
            Self::StorageClass => &["storage.k8s.io/v1"],
            Self::EndpointSlice => &["discovery.k8s.io/v1"],
            Self::HorizontalPodAutoscaler => &["autoscaling/v2", "autoscaling/v1"],
            Self::PriorityClass => &["scheduling.k8s.io/v1"],
            _ => &["v1"],
        }
    }

    /// Its name, as `kind` of a manifest has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::StorageClass => "StorageClass",
            Self::Namespace => "Namespace",
            Self::Endpoints => "Endpoints",
            Self::EndpointSlice => "EndpointSlice",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::ServiceAccount => "ServiceAccount",
            Self::PriorityClass => "PriorityClass",
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    /// The namespace that its objects are in; empty for a kind that has none.
    pub(super) fn home(self, namespace: &str) -> &str {
        match self {
            Self::StorageClass | Self::Namespace | Self::PriorityClass => "",
            _ => namespace,
        }
    }

    /// Whether nobody asks more than whether an object of that name is there.
    pub(super) fn is_a_name(self) -> bool {
        matches!(
            self,
            Self::Endpoints
                | Self::ServiceAccount
                | Self::PriorityClass
                | Self::ConfigMap
                | Self::Secret
        )
    }
}
