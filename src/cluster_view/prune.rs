//! Of the API server's objects, only what is read of them.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector, LabelSelectorRequirement, ObjectMeta,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::cluster_view::ownership;
use crate::cluster_view::{DisruptionBudget, Service, ServicePort};
use crate::statefulset::set::{MatchExpression, Selector};
use crate::statefulset::view;
use crate::statefulset::view::Text;

/// Marks the default storage class (`kubernetes/api:storage/v1`); the older one is still read by the API server.
const DEFAULT_CLASS: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

/// A storage class: whether it is the default one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) default: bool,
}

/// The name of an object; the prefix of it where the server makes it up.
pub(crate) fn name(metadata: &ObjectMeta) -> String {
    let name = metadata.name.as_ref().or(metadata.generate_name.as_ref());
    name.cloned().unwrap_or_default()
}

pub(crate) fn class(class: &StorageClass) -> Class {
    let annotations = class.metadata.annotations.as_ref();
    let marked = |key: &&str| {
        annotations
            .and_then(|all| all.get(*key))
            .is_some_and(|value| value == "true")
    };
    Class {
        default: DEFAULT_CLASS.iter().any(marked),
    }
}

pub(crate) fn service(object: core::Service) -> Service {
    let (namespace, name) = (
        object.metadata.namespace.clone().unwrap_or_default(),
        name(&object.metadata),
    );
    let kept_for = ownership::kept_for(&object).map(str::to_owned);
    let spec = object.spec.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    Service {
        namespace,
        name,
        kind: spec.type_.unwrap_or_else(|| "ClusterIP".to_owned()),
        headless: spec.cluster_ip.as_deref() == Some("None"),
        selector: spec.selector.unwrap_or_default(),
        publish_not_ready_addresses: spec.publish_not_ready_addresses.unwrap_or_default(),
        ports: ports.into_iter().map(port).collect(),
        kept_for,
    }
}

fn port(port: core::ServicePort) -> ServicePort {
    let target_port = match port.target_port {
        Some(IntOrString::String(name)) if !name.is_empty() => name,
        Some(IntOrString::Int(number)) if number != 0 => number.to_string(),
        _ => port.port.to_string(),
    };
    ServicePort {
        name: port.name.unwrap_or_default(),
        port: port.port,
        target_port,
        protocol: port.protocol.unwrap_or_else(|| "TCP".to_owned()),
    }
}

pub(crate) fn budget(object: PodDisruptionBudget) -> DisruptionBudget {
    let name = name(&object.metadata);
    let spec = object.spec.unwrap_or_default();
    DisruptionBudget {
        name,
        selector: spec.selector.map(selector),
        min_available: spec.min_available.map(amount),
        max_unavailable: spec.max_unavailable.map(amount),
    }
}

/// A `HorizontalPodAutoscaler`: the set that it scales, if it is one, and to how many pods at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Autoscaler {
    pub(super) set: Option<String>,
    pub(super) min_replicas: i64,
}

pub(super) fn autoscaler(object: HorizontalPodAutoscaler) -> Autoscaler {
    let spec = object.spec;
    let target = spec.scale_target_ref;
    Autoscaler {
        set: (target.kind == "StatefulSet").then_some(target.name),
        min_replicas: spec.min_replicas.map_or(1, i64::from),
    }
}

fn selector(selector: LabelSelector) -> Selector<'static> {
    let labels = selector.match_labels.unwrap_or_default().into_iter();
    let expressions = selector.match_expressions.unwrap_or_default().into_iter();
    Selector {
        match_labels: labels
            .map(|(key, value)| (Text::from(key), Text::from(value)))
            .collect(),
        match_expressions: expressions.map(expression).collect(),
    }
}

fn expression(requirement: LabelSelectorRequirement) -> MatchExpression<'static> {
    let values = requirement.values.unwrap_or_default().into_iter();
    MatchExpression {
        key: Text::from(requirement.key),
        operator: Text::from(requirement.operator),
        values: values.map(Text::from).collect(),
    }
}

fn amount(amount: IntOrString) -> view::IntOrString<'static> {
    match amount {
        IntOrString::Int(number) => view::IntOrString::Int(i64::from(number)),
        IntOrString::String(text) => view::IntOrString::String(Text::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_service_keeps_what_is_read_of_it() {
        let object = json!({
            "metadata": {"namespace": "shop", "name": "web", "annotations": {"a": "b"}},
            "spec": {"clusterIP": "None", "selector": {"app": "web"}, "publishNotReadyAddresses": true,
                "ports": [{"port": 80}, {"name": "tls", "port": 443, "targetPort": "https", "protocol": "TCP"},
                    {"name": "dns", "port": 53, "targetPort": 5353, "protocol": "UDP"}]},
        });
        let port = |name: &str, port, target: &str, protocol: &str| ServicePort {
            name: name.into(),
            port,
            target_port: target.into(),
            protocol: protocol.into(),
        };
        let expected = Service {
            namespace: "shop".into(),
            name: "web".into(),
            kind: "ClusterIP".into(),
            headless: true,
            selector: [("app".to_owned(), "web".to_owned())].into(),
            publish_not_ready_addresses: true,
            ports: vec![
                port("", 80, "80", "TCP"),
                port("tls", 443, "https", "TCP"),
                port("dns", 53, "5353", "UDP"),
            ],
            kept_for: None,
        };
        assert_eq!(service(from_value(object).unwrap()), expected);
    }

    #[test]
    fn only_the_ip_none_is_headless() {
        for (spec, headless) in [
            (json!({"clusterIP": "None"}), true),
            (json!({"clusterIP": "10.0.0.1"}), false),
            (json!({"clusterIP": ""}), false),
            (
                json!({"type": "ExternalName", "externalName": "example.org"}),
                false,
            ),
        ] {
            let object = json!({"metadata": {"name": "web"}, "spec": spec});
            assert_eq!(
                service(from_value(object).unwrap()).headless,
                headless,
                "{spec}"
            );
        }
    }

    #[test]
    fn either_annotation_marks_the_default_class() {
        for (annotations, default) in [
            (
                json!({"storageclass.kubernetes.io/is-default-class": "true"}),
                true,
            ),
            (
                json!({"storageclass.beta.kubernetes.io/is-default-class": "true"}),
                true,
            ),
            (
                json!({"storageclass.kubernetes.io/is-default-class": "false"}),
                false,
            ),
            (json!(null), false),
        ] {
            let object = json!({"metadata": {"annotations": annotations}, "provisioner": "p"});
            let object: StorageClass = from_value(object).unwrap();
            assert_eq!(class(&object).default, default, "{annotations}");
        }
    }

    #[test]
    fn a_budget_keeps_its_selector_and_its_amounts() {
        let object = json!({
            "metadata": {"namespace": "shop", "name": "web", "labels": {"a": "b"}},
            "spec": {"minAvailable": "51%", "maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow",
                "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "job", "operator": "DoesNotExist"}]}},
        });
        let kept = budget(from_value(object).unwrap());
        assert_eq!(
            kept.selector.as_ref().unwrap().to_string(),
            "app=web,tier In (a, b),job DoesNotExist"
        );
        let expected = DisruptionBudget {
            name: "web".into(),
            selector: kept.selector.clone(),
            min_available: Some(view::IntOrString::String("51%".into())),
            max_unavailable: Some(view::IntOrString::Int(1)),
        };
        assert_eq!(kept, expected);
        let without = budget(from_value(json!({"metadata": {"name": "web"}, "spec": {}})).unwrap());
        assert_eq!(without.selector, None);
    }
}
