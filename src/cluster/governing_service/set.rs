//! Of a StatefulSet, what its governing Service is made of.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::ServicePort;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;

use crate::inject::governing_service::ports::ports;
use crate::inject::record::Record;
use crate::inject::service::service_name;
use crate::statefulset::annotations::INJECTED;

/// A set whose governing Service we keep: its record says that we made up the name of its Service, and it is the name that
/// we make up for this set. A record is an annotation that anybody may write: it gets nobody a Service of another name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::cluster) struct LinkedSet {
    pub(in crate::cluster) namespace: String,
    pub(in crate::cluster) name: String,
    pub(super) uid: String,
    /// The Service's name.
    pub(in crate::cluster) service: String,
    /// The Service's selector.
    pub(super) selector: BTreeMap<String, String>,
    pub(super) ports: Vec<ServicePort>,
    /// Whether the set is being deleted.
    pub(super) leaving: bool,
}

impl LinkedSet {
    /// `None` for a set that nothing is kept for. A Service cannot express `matchExpressions`, and one without a selector
    /// would select nothing.
    pub(in crate::cluster) fn of(set: StatefulSet) -> Option<Self> {
        let record: Record = serde_json::from_str(set.annotations().get(INJECTED)?).ok()?;
        let (namespace, name) = (set.namespace()?, set.name_any());
        let metadata = set.metadata;
        let spec = set.spec;
        let service = spec
            .service_name
            .filter(|service| record.kept_service() == Some(service))
            .filter(|service| *service == service_name(&name))?;
        let selector = spec.selector.match_labels.unwrap_or_default();
        if selector.is_empty()
            || !spec
                .selector
                .match_expressions
                .unwrap_or_default()
                .is_empty()
        {
            return None;
        }
        Some(Self {
            namespace,
            name,
            uid: metadata.uid?,
            service,
            selector,
            ports: spec.template.spec.as_ref().map(ports).unwrap_or_default(),
            leaving: metadata.deletion_timestamp.is_some(),
        })
    }

    /// The value of the label that names the set. A longer name than a label can have belongs to a set whose pods the
    /// server refuses anyway.
    pub(super) fn label(&self) -> &str {
        self.name.get(..63).unwrap_or(&self.name)
    }

    /// What makes the Service go with the set. It does not hold the set back: with the plugin
    /// OwnerReferencesPermissionEnforcement that would need rights on the finalizers of sets.
    pub(super) fn owner_reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: "apps/v1".to_owned(),
            kind: "StatefulSet".to_owned(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            block_owner_deletion: Some(false),
            controller: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    /// What is kept for a set called `web` whose record says that we made up `recorded`.
    fn linked(recorded: &str, source: &str, service: &str, selector: &Value) -> Option<LinkedSet> {
        let item =
            json!({"state": "injected", "value": recorded, "source": source, "version": "1"});
        let record = json!({"service-name": item}).to_string();
        let set = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "1", "annotations": {INJECTED: record}},
            "spec": {"serviceName": service, "selector": selector, "template": {}},
        });
        LinkedSet::of(from_value(set).unwrap())
    }

    #[test]
    fn a_service_is_kept_where_we_made_up_its_name() {
        let plain = json!({"matchLabels": {"app": "web"}});
        let set = linked("web-pods", "policy", "web-pods", &plain).unwrap();
        assert_eq!((&*set.service, set.label()), ("web-pods", "web"));
        let expressions = json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]});
        for (why, recorded, source, service, selector) in [
            (
                "the user's own Service",
                "web-pods",
                "service",
                "web-pods",
                &plain,
            ),
            (
                "the record is of another name",
                "web-pods",
                "policy",
                "web",
                &plain,
            ),
            ("a forged record", "vault", "policy", "vault", &plain),
            (
                "a selector that no Service can have",
                "web-pods",
                "policy",
                "web-pods",
                &expressions,
            ),
            (
                "a selector that selects nothing",
                "web-pods",
                "policy",
                "web-pods",
                &json!({}),
            ),
        ] {
            assert_eq!(linked(recorded, source, service, selector), None, "{why}");
        }
        let unmarked = json!({"metadata": {"name": "web", "namespace": "shop", "uid": "1"},
            "spec": {"serviceName": "web-pods", "selector": plain, "template": {}}});
        assert_eq!(LinkedSet::of(from_value(unmarked).unwrap()), None);
    }

    #[test]
    fn the_label_fits_a_label() {
        let set = |name: String| LinkedSet {
            name,
            ..LinkedSet::default()
        };
        assert_eq!(set("a".repeat(63)).label().len(), 63);
        assert_eq!(set("a".repeat(64)).label().len(), 63);
    }
}
