//! A set of manifests as the cluster around a set.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::ResourceExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use super::prune::{self, Class};
use super::{ClusterView, Lookup, ServerVersion, Service, ServiceKeeping};

/// What rules look up, where all that is known of the cluster is a set of documents.
///
/// One document of a kind makes that kind known: what is not among them is absent. A kind of which there is none is
/// unknown, unless [`Manifests::know`] says that there is none in the cluster either.
#[derive(Debug)]
pub struct Manifests {
    version: Option<ServerVersion>,
    keeping: ServiceKeeping,
    services: Option<BTreeMap<(String, String), Arc<Service>>>,
    classes: Option<BTreeMap<String, Class>>,
}

/// A kind of object that rules look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Service`
    Service,
    /// `StorageClass`
    StorageClass,
}

/// A document that is not what its kind asks for.
#[derive(Debug, Error)]
#[error("{kind} `{name}`: {reason}")]
pub struct InvalidManifest {
    kind: &'static str,
    name: String,
    reason: serde_json::Error,
}

impl Kind {
    fn of(document: &Value) -> Option<Self> {
        match document.get("kind")?.as_str()? {
            "Service" => Some(Self::Service),
            "StorageClass" => Some(Self::StorageClass),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::StorageClass => "StorageClass",
        }
    }
}

impl Manifests {
    /// A cluster of that version of which nothing else is known.
    #[must_use]
    pub fn new(version: Option<ServerVersion>, keeping: ServiceKeeping) -> Self {
        Self {
            version,
            keeping,
            services: None,
            classes: None,
        }
    }

    /// Makes a kind known, with no object of it as yet.
    pub fn know(&mut self, kind: Kind) {
        match kind {
            Kind::Service => drop(self.services.get_or_insert_default()),
            Kind::StorageClass => drop(self.classes.get_or_insert_default()),
        }
    }

    /// Takes up an object that rules look up; any other kind is left alone. An object that names no namespace is in
    /// `namespace`.
    ///
    /// # Errors
    ///
    /// [`InvalidManifest`] if a field has another type than Kubernetes gives it.
    pub fn add(&mut self, document: &Value, namespace: &str) -> Result<(), InvalidManifest> {
        match Kind::of(document) {
            Some(Kind::Service) => {
                let mut service = prune::service(decode::<core::Service>(Kind::Service, document)?);
                if service.namespace.is_empty() {
                    namespace.clone_into(&mut service.namespace);
                }
                let key = (service.namespace.clone(), service.name.clone());
                let services = self.services.get_or_insert_default();
                services.insert(key, Arc::new(service));
            }
            Some(Kind::StorageClass) => {
                let class = decode::<StorageClass>(Kind::StorageClass, document)?;
                let classes = self.classes.get_or_insert_default();
                classes.insert(class.name_any(), prune::class(&class));
            }
            None => {}
        }
        Ok(())
    }
}

fn decode<T: DeserializeOwned>(kind: Kind, document: &Value) -> Result<T, InvalidManifest> {
    T::deserialize(document).map_err(|reason| InvalidManifest {
        kind: kind.name(),
        name: name(document).to_owned(),
        reason,
    })
}

fn name(document: &Value) -> &str {
    let name = document.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or_default()
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
        let key = (namespace.to_owned(), name.to_owned());
        there(services.get(&key).map(Arc::clone))
    }

    fn services(&self, namespace: &str) -> Lookup<Vec<Arc<Service>>> {
        let Some(services) = &self.services else {
            return Lookup::Unknown;
        };
        let own = services
            .values()
            .filter(|service| service.namespace == namespace);
        Lookup::Found(own.map(Arc::clone).collect())
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

    /// Manifests hold what is to be, not the pods that are.
    fn orphaned_pods(&self) -> Lookup<Vec<String>> {
        Lookup::Absent
    }

    fn keeps_services(&self) -> ServiceKeeping {
        self.keeping
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cluster(documents: &[Value]) -> Manifests {
        let mut cluster = Manifests::new(None, ServiceKeeping::Nobody);
        for document in documents {
            cluster.add(document, "shop").unwrap();
        }
        cluster
    }

    fn service(namespace: Option<&str>, name: &str) -> Value {
        json!({"kind": "Service", "metadata": {"name": name, "namespace": namespace}})
    }

    #[test]
    fn a_kind_is_known_once_one_of_it_is_there() {
        let nothing = cluster(&[json!({"kind": "ConfigMap"}), json!([1]), json!(null)]);
        assert_eq!(nothing.service("shop", "web"), Lookup::Unknown);
        assert_eq!(nothing.services("shop"), Lookup::Unknown);
        assert_eq!(nothing.storage_class("fast"), Lookup::Unknown);
        assert_eq!(nothing.default_storage_class(), Lookup::Unknown);

        let mut known = nothing;
        known.know(Kind::Service);
        known.know(Kind::StorageClass);
        assert_eq!(known.service("shop", "web"), Lookup::Absent);
        assert_eq!(known.services("shop"), Lookup::Found(vec![]));
        assert_eq!(known.storage_class("fast"), Lookup::Absent);
        assert_eq!(known.default_storage_class(), Lookup::Absent);
    }

    #[test]
    fn services_are_found_in_their_namespace() {
        let cluster = cluster(&[service(None, "web"), service(Some("other"), "db")]);
        let names = |namespace| {
            let services = cluster.services(namespace).found().unwrap();
            let names = services.iter().map(|service| service.name.clone());
            names.collect::<Vec<_>>()
        };
        assert_eq!(
            (names("shop"), names("other")),
            (vec!["web".to_owned()], vec!["db".to_owned()])
        );
        assert!(cluster.service("shop", "web").found().is_some());
        assert_eq!(cluster.service("shop", "db"), Lookup::Absent);
    }

    #[test]
    fn a_class_is_found_and_the_default_is_the_marked_one() {
        let class = |name: &str, default: &str| {
            json!({"kind": "StorageClass", "provisioner": "x",
                "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}}})
        };
        let one = cluster(&[class("slow", "false")]);
        assert_eq!(one.storage_class("slow"), Lookup::Found(()));
        assert_eq!(one.storage_class("fast"), Lookup::Absent);
        assert_eq!(one.default_storage_class(), Lookup::Absent);
        let two = cluster(&[class("slow", "false"), class("fast", "true")]);
        assert_eq!(two.default_storage_class(), Lookup::Found(()));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let mut cluster = cluster(&[]);
        let broken = json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": 80}});
        assert_eq!(
            cluster.add(&broken, "shop").unwrap_err().to_string(),
            "Service `web`: invalid type: integer `80`, expected a sequence"
        );
    }
}
