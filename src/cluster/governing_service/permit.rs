//! Whether the Service of a stored set may be made and kept: not what its record says, which is text of its author, but what the
//! policy in force would do for it.

use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::value::to_raw_value;

use crate::cluster_view::{ClusterView, Lookup};
use crate::inject::record::Record;
use crate::inject::service::kept;
use crate::policy::Policies;
use crate::strict::{Source, Subject};

/// An answer for one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    /// The policy in force would have the Service made.
    Given,
    /// It would not, or there is none for the set.
    Refused,
    /// The labels of its namespace have not been heard of yet, and a policy selects by them.
    Unknown,
}

/// Asks the policy in force.
pub(super) fn permit(
    policies: &Policies,
    stored: &StatefulSet,
    cluster: &dyn ClusterView,
) -> Permit {
    let namespace = stored.metadata.namespace.as_deref().unwrap_or_default();
    if policies.read_namespace_labels() && cluster.namespace_labels(namespace) == Lookup::Absent {
        return Permit::Unknown;
    }
    let Ok(object) = to_raw_value(stored) else {
        return Permit::Refused;
    };
    let source = Source {
        namespace,
        object: &object,
        old_object: None,
    };
    let Ok(Some(subject)) = Subject::decode(source) else {
        return Permit::Refused;
    };
    let policy = policies.select(&subject, cluster);
    let record = Record::of(&subject.set).unwrap_or_default();
    let is_kept = policy.is_some_and(|policy| {
        let keeping = cluster.keeps_services();
        kept(policy, namespace, &subject.set, &record, keeping).is_some()
    });
    if is_kept {
        Permit::Given
    } else {
        Permit::Refused
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::cluster_view::ServiceKeeping;
    use crate::cluster_view::manifests::Manifests;
    use crate::policy::compile::compile;

    /// What is answered for a set that claims `web-pods` in its record, under one policy.
    fn answer(policy: &Value, changes: &Value) -> Permit {
        let record = json!({"service-name": {"state": "injected", "value": "web-pods", "source": "policy", "version": "1"}});
        let mut set = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "1", "labels": {"tier": "front"},
                "annotations": {"steadyset.io/injected": record.to_string()}},
            "spec": {"serviceName": "web-pods", "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}},
        });
        json_patch::merge(&mut set, changes);
        let stored: StatefulSet = from_value(set).unwrap();
        let policies = Policies::from(compile("shop", policy).unwrap());
        let cluster = Manifests::new(None, ServiceKeeping::Kept);
        permit(&policies, &stored, &cluster)
    }

    #[test]
    fn what_the_policy_in_force_would_make_is_made() {
        assert_eq!(answer(&json!({}), &json!({})), Permit::Given);
        let owner = json!([{"apiVersion": "example.com/v1", "kind": "Db", "name": "db", "uid": "2", "controller": true}]);
        let expressions = json!([{"key": "app", "operator": "Exists"}]);
        for (why, policy, changes) in [
            (
                "Never",
                json!({"inject": {"serviceName": {"mode": "Never"}}}),
                json!({}),
            ),
            (
                "Link",
                json!({"inject": {"serviceName": {"mode": "Link"}}}),
                json!({}),
            ),
            (
                "another namespace",
                json!({"match": {"namespaces": {"include": ["bank"]}}}),
                json!({}),
            ),
            (
                "other labels",
                json!({"match": {"objectSelector": {"matchLabels": {"tier": "back"}}}}),
                json!({}),
            ),
            (
                "an owner",
                json!({}),
                json!({"metadata": {"ownerReferences": owner}}),
            ),
            (
                "no plain selector",
                json!({}),
                json!({"spec": {"selector": {"matchExpressions": expressions}}}),
            ),
            (
                "another name",
                json!({}),
                json!({"spec": {"serviceName": "vault"}}),
            ),
            (
                "another set's name",
                json!({}),
                json!({"metadata": {"name": "shop"}}),
            ),
            (
                "no record",
                json!({}),
                json!({"metadata": {"annotations": {"steadyset.io/injected": null}}}),
            ),
        ] {
            assert_eq!(answer(&policy, &changes), Permit::Refused, "{why}");
        }
    }
}
