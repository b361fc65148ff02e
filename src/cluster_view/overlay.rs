//! What one review has asked the API server, laid over what is remembered.

use std::sync::Arc;

use crate::cluster_view::{
    ClusterView, DisruptionBudget, Lookup, NamespaceLabels, Pod, Service, ServiceKeeping,
};
use crate::model::version::ServerVersion;
use crate::statefulset::set::Labels;

/// A view for one set: its namespace's Services and its orphaned pods are those just asked for.
pub struct Overlay<'c> {
    cluster: &'c dyn ClusterView,
    services: Option<Lookup<Vec<Arc<Service>>>>,
    orphaned_pods: Option<Lookup<Vec<Pod>>>,
    namespace_labels: Option<Lookup<Arc<NamespaceLabels>>>,
    exempt_verb: Lookup<()>,
    service_right: Lookup<()>,
    author: Option<&'c str>,
}

impl<'c> Overlay<'c> {
    /// Nothing asked yet.
    pub(crate) fn new(cluster: &'c dyn ClusterView) -> Self {
        Self {
            cluster,
            services: None,
            orphaned_pods: None,
            namespace_labels: None,
            exempt_verb: Lookup::Unknown,
            service_right: Lookup::Unknown,
            author: None,
        }
    }

    /// The Services of the set's namespace as they are now.
    pub(crate) fn set_services(&mut self, services: Lookup<Vec<Arc<Service>>>) {
        self.services = Some(services);
    }

    /// The labels of the set's namespace as they are now.
    pub(crate) fn set_namespace_labels(&mut self, labels: Lookup<Arc<NamespaceLabels>>) {
        self.namespace_labels = Some(labels);
    }

    /// Whether the user may exempt the set.
    pub(crate) fn set_exempt_verb(&mut self, verb: Lookup<()>) {
        self.exempt_verb = verb;
    }

    /// Whether the user may create Services in the set's namespace.
    pub(crate) fn set_service_right(&mut self, right: Lookup<()>) {
        self.service_right = right;
    }

    /// The user who writes the set, by name.
    pub(crate) fn set_author(&mut self, author: &'c str) {
        self.author = Some(author);
    }

    /// The set's orphaned pods as they are now.
    pub(crate) fn set_orphaned_pods(&mut self, pods: Lookup<Vec<Pod>>) {
        self.orphaned_pods = Some(pods);
    }

    /// Whether the Services were asked for.
    pub(crate) fn knows_services(&self) -> bool {
        self.services.is_some()
    }

    /// Whether orphaned pods were asked for.
    pub(crate) fn knows_orphaned_pods(&self) -> bool {
        self.orphaned_pods.is_some()
    }
}

impl ClusterView for Overlay<'_> {
    fn version(&self) -> Option<ServerVersion> {
        self.cluster.version()
    }

    fn service(&self, namespace: &str, name: &str) -> Lookup<Arc<Service>> {
        match &self.services {
            None => self.cluster.service(namespace, name),
            Some(Lookup::Found(services)) => services
                .iter()
                .find(|service| service.name == name)
                .map_or(Lookup::Absent, |service| Lookup::Found(Arc::clone(service))),
            Some(Lookup::Absent) => Lookup::Absent,
            Some(Lookup::Unknown) => Lookup::Unknown,
        }
    }

    fn services(&self, namespace: &str) -> Lookup<Vec<Arc<Service>>> {
        let asked = self.services.clone();
        asked.unwrap_or_else(|| self.cluster.services(namespace))
    }

    fn storage_class(&self, name: &str) -> Lookup<()> {
        self.cluster.storage_class(name)
    }

    fn default_storage_class(&self) -> Lookup<()> {
        self.cluster.default_storage_class()
    }

    fn disruption_budgets(
        &self,
        namespace: &str,
        labels: &Labels<'_>,
    ) -> Lookup<Vec<Arc<DisruptionBudget>>> {
        self.cluster.disruption_budgets(namespace, labels)
    }

    fn namespace_labels(&self, namespace: &str) -> Lookup<Arc<NamespaceLabels>> {
        let asked = self.namespace_labels.clone();
        asked.unwrap_or_else(|| self.cluster.namespace_labels(namespace))
    }

    fn exempt_verb(&self) -> Lookup<()> {
        self.exempt_verb.clone()
    }

    fn service_right(&self) -> Lookup<()> {
        self.service_right.clone()
    }

    fn author(&self) -> Option<&str> {
        self.author
    }

    fn orphaned_pods(&self) -> Lookup<Vec<Pod>> {
        let asked = self.orphaned_pods.clone();
        asked.unwrap_or_else(|| self.cluster.orphaned_pods())
    }

    fn keeps_services(&self) -> ServiceKeeping {
        self.cluster.keeps_services()
    }
}
