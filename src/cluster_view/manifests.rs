//! A set of manifests as the cluster around a set.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;

pub use super::kind::Kind;
use super::object::Pruned;
pub use super::object::{InvalidManifest, Object};
use super::prune::{Autoscaler, Class};
use super::selector_index::Named;
use crate::cluster_view::{
    ClusterView, DisruptionBudget, Lookup, NamespaceLabels, Pod, Service, ServiceKeeping,
};
use crate::model::version::ServerVersion;
use crate::statefulset::set::Labels;

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
    claims: Option<ByName<Vec<String>>>,
    autoscalers: Option<ByName<Autoscaler>>,
    /// Of these kinds nobody asks for more than whether an object is there.
    names: BTreeMap<Kind, BTreeSet<(String, String)>>,
    /// Whether something here has a controller make Secrets.
    makes_secrets: bool,
}

/// Objects by namespace.
type Namespaced<T> = BTreeMap<String, Named<T>>;

/// Objects by namespace and name that nobody asks for by their selectors.
type ByName<T> = BTreeMap<String, BTreeMap<String, Arc<T>>>;

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
            claims: None,
            autoscalers: None,
            names: BTreeMap::new(),
            makes_secrets: false,
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
            Kind::PersistentVolumeClaim => drop(self.claims.get_or_insert_default()),
            Kind::HorizontalPodAutoscaler => drop(self.autoscalers.get_or_insert_default()),
            named => drop(self.names.entry(named).or_default()),
        }
    }

    /// Makes a kind unknown again: it may not be looked up after all.
    pub fn forget(&mut self, kind: Kind) {
        match kind {
            Kind::Service => self.services = None,
            Kind::PodDisruptionBudget => self.budgets = None,
            Kind::StorageClass => self.classes = None,
            Kind::Namespace => self.namespaces = None,
            Kind::PersistentVolumeClaim => self.claims = None,
            Kind::HorizontalPodAutoscaler => self.autoscalers = None,
            named => drop(self.names.remove(&named)),
        }
    }

    /// Says that something here has a controller make Secrets, so that one which is not here may exist all the same.
    pub fn note_makers_of_secrets(&mut self) {
        self.makes_secrets = true;
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
            Pruned::Claim(home, name, modes) => {
                let claims = self.claims.get_or_insert_default().entry(home).or_default();
                claims.insert(name, Arc::new(modes));
            }
            Pruned::Autoscaler(home, name, autoscaler) => {
                let scalers = self.autoscalers.get_or_insert_default();
                let own = scalers.entry(home).or_default();
                own.insert(name, Arc::new(autoscaler));
            }
            Pruned::Name(kind, home, name) => {
                self.names.entry(kind).or_default().insert((home, name));
            }
        }
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

    fn claim_modes(&self, namespace: &str, name: &str) -> Lookup<Arc<Vec<String>>> {
        let Some(claims) = &self.claims else {
            return Lookup::Unknown;
        };
        let own = claims.get(namespace);
        there(own.and_then(|own| own.get(name)).map(Arc::clone))
    }

    fn min_replicas(&self, namespace: &str, set: &str) -> Lookup<i64> {
        let Some(autoscalers) = &self.autoscalers else {
            return Lookup::Unknown;
        };
        let mut own = autoscalers
            .get(namespace)
            .into_iter()
            .flat_map(BTreeMap::values);
        let own = own.find(|autoscaler| autoscaler.set.as_deref() == Some(set));
        there(own.map(|autoscaler| autoscaler.min_replicas))
    }

    fn endpoints(&self, namespace: &str, service: &str) -> Lookup<()> {
        let kinds = [Kind::Endpoints, Kind::EndpointSlice];
        let key = (namespace.to_owned(), service.to_owned());
        let mut known = kinds
            .iter()
            .filter_map(|kind| self.names.get(kind))
            .peekable();
        if known.peek().is_none() {
            return Lookup::Unknown;
        }
        there(known.any(|names| names.contains(&key)).then_some(()))
    }

    fn names(&self, kind: Kind, namespace: &str) -> Lookup<Vec<String>> {
        if kind == Kind::PersistentVolumeClaim {
            return self.claims.as_ref().map_or(Lookup::Unknown, |claims| {
                let own = claims.get(namespace).into_iter();
                Lookup::Found(own.flat_map(BTreeMap::keys).cloned().collect())
            });
        }
        let Some(names) = self.names.get(&kind) else {
            return Lookup::Unknown;
        };
        if kind == Kind::Secret && self.makes_secrets {
            return Lookup::Unknown;
        }
        let home = kind.home(namespace);
        let own = names.iter().filter(|(other, _)| other == home);
        Lookup::Found(own.map(|(_, name)| name.clone()).collect())
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
