//! An object among manifests, read no further than it is looked up.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use super::kind::Kind;
use super::prune::{self, Autoscaler, Class};
use super::{DisruptionBudget, NamespaceLabels, Service};

/// The label by which an `EndpointSlice` says whose it is (`discovery.k8s.io/v1`).
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// The label that the API server gives every namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// An object that is looked up, pruned to what is read of it.
#[derive(Clone, Debug)]
pub struct Object(pub(super) Pruned);

#[derive(Clone, Debug)]
pub(super) enum Pruned {
    Service(String, String, Service),
    Budget(String, String, DisruptionBudget),
    Class(String, Class),
    Namespace(String, NamespaceLabels),
    Claim(String, String, Vec<String>),
    Autoscaler(String, String, Autoscaler),
    Name(Kind, String, String),
}

/// A document that is not what its kind asks for.
#[derive(Debug, Error)]
#[error("{} `{name}`: {reason}", .kind.name())]
pub struct InvalidManifest {
    kind: Kind,
    name: String,
    reason: serde_json::Error,
}

/// An object of which only the metadata is read.
#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    metadata: ObjectMeta,
}

impl Object {
    /// Reads an object of that kind, whatever kind it says it is. One that names no namespace is in `namespace`.
    ///
    /// # Errors
    ///
    /// [`InvalidManifest`] if a field has another type than Kubernetes gives it.
    pub fn read(kind: Kind, document: &Value, namespace: &str) -> Result<Self, InvalidManifest> {
        let identity = |metadata: &ObjectMeta| {
            let home = metadata.namespace.clone();
            let home = home.unwrap_or_else(|| namespace.to_owned());
            (home, prune::name(metadata))
        };
        Ok(Self(match kind {
            Kind::Service => {
                let object: core::Service = decode(kind, document)?;
                let (home, name) = identity(&object.metadata);
                let service = Service {
                    namespace: home.clone(),
                    ..prune::service(object)
                };
                Pruned::Service(home, name, service)
            }
            Kind::PodDisruptionBudget => {
                let object: PodDisruptionBudget = decode(kind, document)?;
                let (home, name) = identity(&object.metadata);
                Pruned::Budget(home, name, prune::budget(object))
            }
            Kind::StorageClass => {
                let object: StorageClass = decode(kind, document)?;
                Pruned::Class(prune::name(&object.metadata), prune::class(&object))
            }
            Kind::Namespace => {
                let object: core::Namespace = decode(kind, document)?;
                let mut labels = object.metadata.labels.clone().unwrap_or_default();
                labels.insert(NAME_LABEL.to_owned(), prune::name(&object.metadata));
                Pruned::Namespace(prune::name(&object.metadata), labels)
            }
            Kind::PersistentVolumeClaim => {
                let object: core::PersistentVolumeClaim = decode(kind, document)?;
                let (home, name) = identity(&object.metadata);
                let modes = object.spec.and_then(|spec| spec.access_modes);
                Pruned::Claim(home, name, modes.unwrap_or_default())
            }
            Kind::HorizontalPodAutoscaler => {
                let object: HorizontalPodAutoscaler = decode(kind, document)?;
                let (home, name) = identity(&object.metadata);
                Pruned::Autoscaler(home, name, prune::autoscaler(object))
            }
            Kind::EndpointSlice => {
                let object: Named = decode(kind, document)?;
                let labels = object.metadata.labels.as_ref();
                let service = labels.and_then(|labels| labels.get(SERVICE_LABEL));
                let (home, _) = identity(&object.metadata);
                Pruned::Name(kind, home, service.cloned().unwrap_or_default())
            }
            named => {
                let object: Named = decode(kind, document)?;
                let (home, name) = identity(&object.metadata);
                Self::name(named, &home, name)
            }
        }))
    }

    /// An object of which nobody asks more than whether it is there, by what its first lines say; `None` where more is asked.
    #[must_use]
    pub fn named(kind: Kind, namespace: &str, name: &str) -> Option<Self> {
        kind.is_a_name()
            .then(|| Self(Self::name(kind, namespace, name.to_owned())))
    }

    fn name(kind: Kind, namespace: &str, name: String) -> Pruned {
        Pruned::Name(kind, kind.home(namespace).to_owned(), name)
    }
}

fn decode<T: DeserializeOwned>(kind: Kind, document: &Value) -> Result<T, InvalidManifest> {
    T::deserialize(document).map_err(|reason| {
        let name = document.pointer("/metadata/name").and_then(Value::as_str);
        InvalidManifest {
            kind,
            name: name.unwrap_or_default().to_owned(),
            reason,
        }
    })
}
