//! Which owners of a set are believed. An owner reference is text that every author of a set may write, and an owner that is
//! believed has findings warn instead of deny.

use super::{Glob, Policy};
use crate::statefulset::set::{OwnerReference, Set};

/// What the user name of every `ServiceAccount` begins with (`serviceaccount.ServiceAccountUsernamePrefix` in kubernetes/apiserver).
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// The API groups of Kubernetes itself whose names look like those of custom resources (the folders of kubernetes/api and
/// of kube-aggregator and apiextensions-apiserver). A group without a dot cannot be one of custom resources.
const OWN_GROUPS: [&str; 19] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apiserverinternal.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "imagepolicy.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// A kind of owner that a policy trusts, and who may write for it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustedController {
    /// The API group of the owner's kind.
    pub group: String,
    /// The owner's kind.
    pub kind: String,
    /// The user names of its `ServiceAccount`s; empty means all of them.
    pub users: Vec<Glob>,
}

impl TrustedController {
    fn trusts(&self, owner: &OwnerReference<'_>, author: Option<&str>) -> bool {
        let is_user = |author| {
            let mut users = self.users.iter();
            self.users.is_empty() || users.any(|user| user.matches(author))
        };
        self.group == group(owner) && owner.kind == *self.kind && author.is_none_or(is_user)
    }
}

/// The controller that owns the set, where that is believed: it is no kind of Kubernetes itself, since operators own by custom
/// resources; its author is a `ServiceAccount`, since a person does not write for an operator; and the policy trusts both, if it
/// names any. `author` is `None` where there is none, as in an audit: the reference is then believed by its kind alone.
#[must_use]
pub fn believed_controller<'s, 'a>(
    policy: &Policy,
    set: &'s Set<'a>,
    author: Option<&str>,
) -> Option<&'s OwnerReference<'a>> {
    let owner = set.controller()?;
    let trusted = &policy.trusted_controllers;
    let is_believed = !is_of_kubernetes(group(owner))
        && author.is_none_or(|author| author.starts_with(SERVICE_ACCOUNT))
        && (trusted.is_empty() || trusted.iter().any(|entry| entry.trusts(owner, author)));
    is_believed.then_some(owner)
}

/// The owner as an operator looks for it: `Kind.group/name`. The texts are the author's, and may be of any length.
#[must_use]
pub fn describe(owner: &OwnerReference<'_>) -> String {
    const LONGEST: usize = 253;
    let text = format!("{}.{}/{}", owner.kind, group(owner), owner.name);
    let printable = text.chars().filter(|sign| !sign.is_control());
    printable.take(LONGEST).collect()
}

fn group<'o>(owner: &'o OwnerReference<'_>) -> &'o str {
    let group = owner.api_version.split_once('/');
    group.map_or("", |(group, _)| group)
}

/// Whether an API group is one of Kubernetes' own.
#[must_use]
pub fn is_of_kubernetes(group: &str) -> bool {
    !group.contains('.') || OWN_GROUPS.contains(&group)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::compile::compile;

    const OPERATOR: &str = "system:serviceaccount:kafka:operator";

    /// Whether an owner is believed, under a policy with these `trustedControllers`.
    fn believes(trusted: &serde_json::Value, owner: &[&str; 2], author: Option<&str>) -> bool {
        let policy = compile("shop", &json!({"trustedControllers": trusted})).unwrap();
        let [version, kind] = owner;
        let owner =
            json!({"apiVersion": version, "kind": kind, "name": "main", "controller": true});
        let text = json!({"metadata": {"ownerReferences": [owner]}}).to_string();
        let set = serde_json::from_str(&text).unwrap();
        believed_controller(&policy, &set, author).is_some()
    }

    #[test]
    fn a_custom_resource_is_believed_of_a_service_account() {
        let kafka = ["kafka.strimzi.io/v1", "Kafka"];
        for (owner, author, believed) in [
            (kafka, Some(OPERATOR), true),
            (
                ["leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet"],
                Some(OPERATOR),
                true,
            ),
            (kafka, None, true),
            (kafka, Some("jane"), false),
            (kafka, Some(""), false),
            (
                kafka,
                Some("my system:serviceaccount:kafka:operator"),
                false,
            ),
            (["v1", "ConfigMap"], Some(OPERATOR), false),
            (["v1", "ConfigMap"], None, false),
            (["apps/v1", "Deployment"], Some(OPERATOR), false),
            (["networking.k8s.io/v1", "Ingress"], Some(OPERATOR), false),
            (["", "Kafka"], Some(OPERATOR), false),
        ] {
            assert_eq!(
                believes(&json!([]), &owner, author),
                believed,
                "{owner:?} {author:?}"
            );
        }
    }

    #[test]
    fn a_policy_narrows_it_and_never_widens_it() {
        let kafka = ["kafka.strimzi.io/v1", "Kafka"];
        let trusted =
            |users| json!([{"group": "kafka.strimzi.io", "kind": "Kafka", "users": users}]);
        let own = trusted(json!(["system:serviceaccount:kafka:*"]));
        for (trusted, owner, author, believed) in [
            (&own, kafka, Some(OPERATOR), true),
            (
                &own,
                kafka,
                Some("system:serviceaccount:shop:default"),
                false,
            ),
            (
                &own,
                ["kafka.strimzi.io/v1", "KafkaConnect"],
                Some(OPERATOR),
                false,
            ),
            (&own, ["example.com/v1", "Kafka"], Some(OPERATOR), false),
            (&own, kafka, None, true),
            (
                &trusted(json!([])),
                kafka,
                Some("system:serviceaccount:shop:default"),
                true,
            ),
            (&trusted(json!(["*"])), kafka, Some("jane"), false),
        ] {
            assert_eq!(
                believes(trusted, &owner, author),
                believed,
                "{owner:?} {author:?}"
            );
        }
        let deployments = json!([{"group": "apps", "kind": "Deployment"}]);
        let refused = compile("shop", &json!({"trustedControllers": deployments})).unwrap_err();
        let faults: Vec<String> = refused.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "spec.trustedControllers[0].group: \"apps\" is no group of custom resources: kinds of Kubernetes itself are never \
                 believed"
            ]
        );
    }

    #[test]
    fn an_owner_is_named_on_one_line_of_bounded_length() {
        let owner = OwnerReference {
            api_version: "kafka.strimzi.io/v1".into(),
            kind: "Kafka".into(),
            name: format!("main\n{}", "x".repeat(1000)).into(),
            ..OwnerReference::default()
        };
        let text = describe(&owner);
        assert!(text.starts_with("Kafka.kafka.strimzi.io/mainxxx"), "{text}");
        assert_eq!(text.len(), 253);
    }
}
