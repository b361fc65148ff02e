//! What is known of the cluster around a set.
//!
//! [`ClusterView`] is the one seam between the knowledge rooms and the API server: a look-up never waits, and what is not known
//! is said to be [`Lookup::Unknown`] rather than guessed.

use std::collections::BTreeMap;
use std::sync::Arc;

use kind::Kind;

use crate::model::version::ServerVersion;
use crate::statefulset::set::{Labels, Selector};
use crate::statefulset::view::IntOrString;

pub mod kind;
pub mod manifests;
mod object;
mod overlay;
pub(crate) mod ownership;
mod pod;
pub(crate) mod prune;
mod selector_index;

pub use overlay::Overlay;
pub use pod::Pod;

/// The labels of a namespace.
pub type NamespaceLabels = BTreeMap<String, String>;

/// The answer to a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It is there.
    Found(T),
    /// It is known not to be there.
    Absent,
    /// Nobody can tell: the cache is not filled yet, or there is no cluster to ask.
    Unknown,
}

impl<T> Lookup<T> {
    /// The thing, if it was found.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(thing) => Some(thing),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// The same answer about something else.
    pub fn map<R>(self, map: impl FnOnce(T) -> R) -> Lookup<R> {
        match self {
            Self::Found(thing) => Lookup::Found(map(thing)),
            Self::Absent => Lookup::Absent,
            Self::Unknown => Lookup::Unknown,
        }
    }
}

/// The cluster as rules and injections see it. No method waits or fails.
pub trait ClusterView: Send + Sync {
    /// The API server's version; `None` where it is not known.
    fn version(&self) -> Option<ServerVersion>;

    /// One Service by namespace and name.
    fn service(&self, namespace: &str, name: &str) -> Lookup<Arc<Service>>;

    /// All Services of a namespace, by name; [`Lookup::Found`] with an empty list where there are none.
    fn services(&self, namespace: &str) -> Lookup<Vec<Arc<Service>>>;

    /// The Services of a namespace that select pods with these labels, by name.
    fn services_selecting(
        &self,
        namespace: &str,
        labels: &Labels<'_>,
    ) -> Lookup<Vec<Arc<Service>>> {
        self.services(namespace).map(|mut services| {
            services.retain(|service| service.selects(|key| value_of(labels, key)));
            services
        })
    }

    /// A storage class by name.
    fn storage_class(&self, name: &str) -> Lookup<()>;

    /// The default storage class.
    fn default_storage_class(&self) -> Lookup<()>;

    /// The `PodDisruptionBudget`s of a namespace that select pods with these labels, by name; [`Lookup::Found`] with an empty list
    /// where there are none.
    fn disruption_budgets(
        &self,
        _namespace: &str,
        _labels: &Labels<'_>,
    ) -> Lookup<Vec<Arc<DisruptionBudget>>> {
        Lookup::Unknown
    }

    /// The access modes of a claim.
    fn claim_modes(&self, _namespace: &str, _name: &str) -> Lookup<Arc<Vec<String>>> {
        Lookup::Unknown
    }

    /// The fewest pods that an autoscaler leaves a set.
    fn min_replicas(&self, _namespace: &str, _set: &str) -> Lookup<i64> {
        Lookup::Unknown
    }

    /// Whether somebody other than Kubernetes has written the endpoints of a Service without selector.
    fn endpoints(&self, _namespace: &str, _service: &str) -> Lookup<()> {
        Lookup::Unknown
    }

    /// The names of the objects of a kind that pods refer to. The namespace is ignored for a kind that has none.
    fn names(&self, _kind: Kind, _namespace: &str) -> Lookup<Vec<String>> {
        Lookup::Unknown
    }

    /// The labels of a namespace.
    fn namespace_labels(&self, _namespace: &str) -> Lookup<Arc<NamespaceLabels>> {
        Lookup::Unknown
    }

    /// Whether the user of this write holds the verb `exempt` on the policy that judges it: [`Lookup::Found`] where he does,
    /// [`Lookup::Absent`] where he does not. Where nobody can be asked it is unknown.
    fn exempt_verb(&self) -> Lookup<()> {
        Lookup::Unknown
    }

    /// Whether the user of this write may create Services in the set's namespace; unknown where nobody can be asked.
    fn service_right(&self) -> Lookup<()> {
        Lookup::Unknown
    }

    /// The user who writes the set, by name; `None` where there is none, as in an audit.
    fn author(&self) -> Option<&str> {
        None
    }

    /// Pods that match the set's selector, have no controller and are called `<set>-N`, which is what
    /// `kubectl delete --cascade=orphan` leaves behind: what is injected into the set that adopts them may restart or block them.
    /// [`Lookup::Absent`] where there are none.
    fn orphaned_pods(&self) -> Lookup<Vec<Pod>>;

    /// Whether somebody will create and keep the Service that a set is linked to in mode `LinkOrCreate`.
    fn keeps_services(&self) -> ServiceKeeping;
}

/// Whether a governing Service would be created for a set that names one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKeeping {
    /// The controller runs and may create Services.
    Kept,
    /// The controller runs, but the API server does not let it create Services.
    Forbidden,
    /// There is no controller: no cluster, or a file.
    Nobody,
}

/// A Service, pruned to what is read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `spec.type`: `ClusterIP` where absent.
    pub kind: String,
    /// Whether `clusterIP` is the string `None`; an absent one is not headless.
    pub headless: bool,
    /// `spec.selector`; empty where it has none.
    pub selector: BTreeMap<String, String>,
    /// `spec.publishNotReadyAddresses`.
    pub publish_not_ready_addresses: bool,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// The set that we keep it for (the label of ours), where we do.
    pub kept_for: Option<String>,
}

/// A port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name; empty when it has none.
    pub name: String,
    /// The Service's own port.
    pub port: i32,
    /// The pods' port, a number or a name, as text; the Service's own port where absent.
    pub target_port: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
}

/// A `PodDisruptionBudget`, pruned to what is read of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DisruptionBudget {
    /// Its name.
    pub name: String,
    /// Which pods it is for: an empty selector selects all of the namespace, none selects nothing (`policy/v1`).
    pub selector: Option<Selector<'static>>,
    /// How many of them, or which share, must stay healthy.
    pub min_available: Option<IntOrString<'static>>,
    /// How many of them, or which share, may be down; excludes the other.
    pub max_unavailable: Option<IntOrString<'static>>,
}

impl Service {
    /// Whether the Service has a selector and it selects pods with these labels.
    pub fn selects<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        !self.selector.is_empty()
            && self
                .selector
                .iter()
                .all(|(key, value)| label(key) == Some(value))
    }
}

impl DisruptionBudget {
    /// Whether the budget is for pods with these labels.
    #[must_use]
    pub fn selects(&self, labels: &Labels<'_>) -> bool {
        let selector = self.selector.as_ref();
        selector.is_some_and(|selector| selector.selects(|key| value_of(labels, key)))
    }
}

fn value_of<'l>(labels: &'l Labels<'_>, key: &str) -> Option<&'l str> {
    labels.get(key).map(|value| &**value)
}

/// A view without a cluster: everything is unknown but, where it is given, the version.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCluster {
    /// The version that the operator says the server has.
    pub version: Option<ServerVersion>,
}

impl ClusterView for NoCluster {
    fn version(&self) -> Option<ServerVersion> {
        self.version
    }

    fn service(&self, _namespace: &str, _name: &str) -> Lookup<Arc<Service>> {
        Lookup::Unknown
    }

    fn services(&self, _namespace: &str) -> Lookup<Vec<Arc<Service>>> {
        Lookup::Unknown
    }

    fn storage_class(&self, _name: &str) -> Lookup<()> {
        Lookup::Unknown
    }

    fn default_storage_class(&self) -> Lookup<()> {
        Lookup::Unknown
    }

    fn orphaned_pods(&self) -> Lookup<Vec<Pod>> {
        Lookup::Absent
    }

    fn keeps_services(&self) -> ServiceKeeping {
        ServiceKeeping::Nobody
    }
}
