//! A set of manifests as the cluster around a set.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::cluster_view::prune;
use crate::cluster_view::prune::Class;
use crate::cluster_view::selector_index::Named;
use crate::cluster_view::{
    ClusterView, DisruptionBudget, Lookup, NamespaceLabels, Pod, Service, ServiceKeeping,
};
use crate::model::version::ServerVersion;
use crate::statefulset::set::Labels;

/// The label that the API server gives every namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// What rules look up, where all that is known of the cluster is a set of documents.
///
/// One document of a kind makes that kind known: what is not among them is absent. A kind of which there is none is
/// unknown, unless [`Manifests::know`] says that there is none in the cluster either.
#[derive(Clone, Debug)]
pub struct Manifests {
    version: Option<ServerVersion>,
    keeping: ServiceKeeping,
    exempt_verb: Lookup<()>,
    orphaned_pods: Lookup<Vec<Pod>>,
    /// Whether a set that names no Service may be given one: there is no other than those here.
    whole: bool,
    services: Option<Namespaced<Service>>,
    budgets: Option<Namespaced<DisruptionBudget>>,
    classes: Option<BTreeMap<String, Class>>,
    namespaces: Option<BTreeMap<String, Arc<NamespaceLabels>>>,
}

/// Objects by namespace.
type Namespaced<T> = BTreeMap<String, Named<T>>;

/// An object that is looked up, pruned to what is read of it.
#[derive(Clone, Debug)]
pub struct Object(Pruned);

#[derive(Clone, Debug)]
enum Pruned {
    Service(String, String, Service),
    Budget(String, String, DisruptionBudget),
    Class(String, Class),
    Namespace(String, NamespaceLabels),
}

/// A kind of object that is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Service`
    Service,
    /// `PodDisruptionBudget`
    PodDisruptionBudget,
    /// `StorageClass`
    StorageClass,
    /// `Namespace`
    Namespace,
}

/// A document that is not what its kind asks for.
#[derive(Debug, Error)]
#[error("{} `{name}`: {reason}", .kind.name())]
pub struct InvalidManifest {
    kind: Kind,
    name: String,
    reason: serde_json::Error,
}

impl Kind {
    const ALL: [Self; 4] = [
        Self::Service,
        Self::PodDisruptionBudget,
        Self::StorageClass,
        Self::Namespace,
    ];

    /// The kind of a document; `None` for one that nobody looks up.
    #[must_use]
    pub fn of(document: &Value) -> Option<Self> {
        Self::named(document.get("kind")?.as_str()?)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The kind of that name in that version of its API; an older one, which no server knows any more, says nothing.
    #[must_use]
    pub fn served(api_version: &str, kind: &str) -> Option<Self> {
        Self::named(kind).filter(|kind| kind.api_version() == api_version)
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::Service | Self::Namespace => "v1",
            Self::PodDisruptionBudget => "policy/v1",
            Self::StorageClass => "storage.k8s.io/v1",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::StorageClass => "StorageClass",
            Self::Namespace => "Namespace",
        }
    }

    fn decode<T: DeserializeOwned>(self, document: &Value) -> Result<T, InvalidManifest> {
        T::deserialize(document).map_err(|reason| {
            let name = document.pointer("/metadata/name").and_then(Value::as_str);
            InvalidManifest {
                kind: self,
                name: name.unwrap_or_default().to_owned(),
                reason,
            }
        })
    }
}

impl Manifests {
    /// A cluster of that version of which nothing else is known.
    #[must_use]
    pub fn new(version: Option<ServerVersion>, keeping: ServiceKeeping) -> Self {
        Self {
            version,
            keeping,
            exempt_verb: Lookup::Unknown,
            orphaned_pods: Lookup::Absent,
            whole: false,
            services: None,
            budgets: None,
            classes: None,
            namespaces: None,
        }
    }

    /// Says whether the user who writes holds the verb `exempt`.
    #[must_use]
    pub fn with_exempt_verb(self, held: bool) -> Self {
        let exempt_verb = there(held.then_some(()));
        Self {
            exempt_verb,
            ..self
        }
    }

    /// Says which pods of an earlier set stand where a new one is to be made: manifests hold what is to be, not the pods that are.
    #[must_use]
    pub fn with_orphaned_pods(self, orphaned_pods: Lookup<Vec<Pod>>) -> Self {
        Self {
            orphaned_pods,
            ..self
        }
    }

    /// Says that the manifests are all that will be put beside a new set. A set that names no Service is then linked as it would be in a
    /// namespace with theirs alone; a Service that it does name may still be elsewhere, as long as there is none here.
    #[must_use]
    pub fn whole(self) -> Self {
        Self {
            whole: true,
            ..self
        }
    }

    /// Makes a kind known, with no object of it as yet.
    pub fn know(&mut self, kind: Kind) {
        match kind {
            Kind::Service => drop(self.services.get_or_insert_default()),
            Kind::PodDisruptionBudget => drop(self.budgets.get_or_insert_default()),
            Kind::StorageClass => drop(self.classes.get_or_insert_default()),
            Kind::Namespace => drop(self.namespaces.get_or_insert_default()),
        }
    }

    /// Makes a kind unknown again: it may not be looked up after all.
    pub fn forget(&mut self, kind: Kind) {
        match kind {
            Kind::Service => self.services = None,
            Kind::PodDisruptionBudget => self.budgets = None,
            Kind::StorageClass => self.classes = None,
            Kind::Namespace => self.namespaces = None,
        }
    }

    /// Takes up an object of that kind, whatever kind it says it is. One that names no namespace is in `namespace`.
    ///
    /// # Errors
    ///
    /// [`InvalidManifest`] if a field has another type than Kubernetes gives it.
    pub fn add(
        &mut self,
        kind: Kind,
        document: &Value,
        namespace: &str,
    ) -> Result<(), InvalidManifest> {
        self.put(Object::read(kind, document, namespace)?);
        Ok(())
    }

    /// Takes up an object that has been read. Of two of one name the later counts.
    pub fn put(&mut self, object: Object) {
        match object.0 {
            Pruned::Service(home, name, service) => put(&mut self.services, home, name, service),
            Pruned::Budget(home, name, budget) => put(&mut self.budgets, home, name, budget),
            Pruned::Class(name, class) => {
                self.classes.get_or_insert_default().insert(name, class);
            }
            Pruned::Namespace(name, labels) => {
                let namespaces = self.namespaces.get_or_insert_default();
                namespaces.insert(name, Arc::new(labels));
            }
        }
    }
}

impl Object {
    /// Reads an object of that kind, whatever kind it says it is. One that names no namespace is in `namespace`.
    ///
    /// # Errors
    ///
    /// [`InvalidManifest`] if a field has another type than Kubernetes gives it.
    pub fn read(kind: Kind, document: &Value, namespace: &str) -> Result<Self, InvalidManifest> {
        let home = |own: Option<String>| own.unwrap_or_else(|| namespace.to_owned());
        Ok(Self(match kind {
            Kind::Service => {
                let object: core::Service = kind.decode(document)?;
                let (home, name) = (
                    home(object.metadata.namespace.clone()),
                    prune::name(&object.metadata),
                );
                let service = Service {
                    namespace: home.clone(),
                    ..prune::service(object)
                };
                Pruned::Service(home, name, service)
            }
            Kind::PodDisruptionBudget => {
                let object: PodDisruptionBudget = kind.decode(document)?;
                let (home, name) = (
                    home(object.metadata.namespace.clone()),
                    prune::name(&object.metadata),
                );
                Pruned::Budget(home, name, prune::budget(object))
            }
            Kind::StorageClass => {
                let object: StorageClass = kind.decode(document)?;
                Pruned::Class(prune::name(&object.metadata), prune::class(&object))
            }
            Kind::Namespace => {
                let object: core::Namespace = kind.decode(document)?;
                let mut labels = object.metadata.labels.clone().unwrap_or_default();
                labels.insert(NAME_LABEL.to_owned(), prune::name(&object.metadata));
                Pruned::Namespace(prune::name(&object.metadata), labels)
            }
        }))
    }
}

fn put<T>(objects: &mut Option<Namespaced<T>>, home: String, name: String, object: T) {
    let own = objects.get_or_insert_default().entry(home).or_default();
    own.put(name, Arc::new(object));
}

/// The labels that a Service asks for.
fn selected_labels(service: &Service) -> Vec<(&str, &str)> {
    pairs(&service.selector)
}

/// The labels that a budget asks for.
fn budgeted_labels(budget: &DisruptionBudget) -> Vec<(&str, &str)> {
    let selector = budget.selector.as_ref();
    selector.map_or_else(Vec::new, |selector| pairs(&selector.match_labels))
}

fn pairs<T: Deref<Target = str>>(labels: &BTreeMap<T, T>) -> Vec<(&str, &str)> {
    let pairs = labels.iter();
    pairs.map(|(key, value)| (&**key, &**value)).collect()
}

fn there<T>(found: Option<T>) -> Lookup<T> {
    found.map_or(Lookup::Absent, Lookup::Found)
}

impl ClusterView for Manifests {
    fn version(&self) -> Option<ServerVersion> {
        self.version
    }

    fn service(&self, namespace: &str, name: &str) -> Lookup<Arc<Service>> {
        let Some(services) = &self.services else {
            return Lookup::Unknown;
        };
        let own = services.get(namespace);
        there(own.and_then(|own| own.get(name)).map(Arc::clone))
    }

    fn services(&self, namespace: &str) -> Lookup<Vec<Arc<Service>>> {
        match &self.services {
            None if self.whole => Lookup::Found(Vec::new()),
            None => Lookup::Unknown,
            Some(services) => {
                let own = services.get(namespace).into_iter();
                Lookup::Found(own.flat_map(Named::all).cloned().collect())
            }
        }
    }

    fn services_selecting(
        &self,
        namespace: &str,
        labels: &Labels<'_>,
    ) -> Lookup<Vec<Arc<Service>>> {
        let Some(services) = &self.services else {
            return self.services(namespace);
        };
        let own = services.get(namespace);
        let mut found = own.map_or_else(Vec::new, |own| own.candidates(labels, selected_labels));
        found.retain(|service| service.selects(|key| labels.get(key).map(|value| &**value)));
        Lookup::Found(found)
    }

    fn storage_class(&self, name: &str) -> Lookup<()> {
        let Some(classes) = &self.classes else {
            return Lookup::Unknown;
        };
        there(classes.get(name).map(|_| ()))
    }

    fn default_storage_class(&self) -> Lookup<()> {
        let Some(classes) = &self.classes else {
            return Lookup::Unknown;
        };
        there(classes.values().find(|class| class.default).map(|_| ()))
    }

    fn disruption_budgets(
        &self,
        namespace: &str,
        labels: &Labels<'_>,
    ) -> Lookup<Vec<Arc<DisruptionBudget>>> {
        let Some(budgets) = &self.budgets else {
            return Lookup::Unknown;
        };
        let own = budgets.get(namespace);
        let mut found = own.map_or_else(Vec::new, |own| own.candidates(labels, budgeted_labels));
        found.retain(|budget| budget.selects(labels));
        Lookup::Found(found)
    }

    fn namespace_labels(&self, namespace: &str) -> Lookup<Arc<NamespaceLabels>> {
        let namespaces = self.namespaces.as_ref();
        there(
            namespaces
                .and_then(|known| known.get(namespace))
                .map(Arc::clone),
        )
    }

    fn exempt_verb(&self) -> Lookup<()> {
        self.exempt_verb.clone()
    }

    fn orphaned_pods(&self) -> Lookup<Vec<Pod>> {
        self.orphaned_pods.clone()
    }

    fn keeps_services(&self) -> ServiceKeeping {
        self.keeping
    }
}

#[cfg(test)]
mod tests;
