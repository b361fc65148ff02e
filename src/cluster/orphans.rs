//! Pods that `kubectl delete --cascade=orphan` has left behind, as the API server is asked for them.

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use super::lookup::{answer, selector_text};
use crate::cluster_view::{self, Lookup};
use crate::statefulset::set::Set;

/// The pods that an earlier set left in a namespace and that a new set would adopt.
///
/// Nearly every new set has none, so the API server's cache is asked first, for no more than metadata. It may be late: any pod of
/// such a name, whatever controls it, has the pods themselves asked for as they are stored.
pub(crate) async fn orphaned_pods(
    client: &Client,
    namespace: &str,
    set: &Set<'_>,
    deadline: Instant,
) -> Lookup<Vec<cluster_view::Pod>> {
    let name = &*set.metadata.name;
    let Some(selector) = set.spec.selector.as_ref().filter(|_| !name.is_empty()) else {
        return Lookup::Absent;
    };
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let stored = ListParams::default().labels(&selector_text(selector));
    let cached = stored.clone().match_any();
    let Some(known) = answer("pods", deadline, api.list_metadata(&cached)).await else {
        return Lookup::Unknown;
    };
    let mut known = known.items.iter();
    if !known.any(|pod| is_called_as_of(&pod.name_any(), name)) {
        return Lookup::Absent;
    }
    let Some(pods) = answer("pods", deadline, api.list(&stored)).await else {
        return Lookup::Unknown;
    };
    let orphans = pods.items.iter().filter(|pod| is_orphan(pod, name));
    let orphans: Result<Vec<_>, _> = orphans.map(serde_json::to_value).collect();
    match orphans {
        Ok(orphans) if orphans.is_empty() => Lookup::Absent,
        Ok(orphans) => {
            let orphans = orphans.into_iter().map(cluster_view::Pod::new);
            Lookup::Found(orphans.collect())
        }
        Err(_) => Lookup::Unknown,
    }
}

/// Whether a pod of the set could be called so: `<set>-N`.
fn is_called_as_of(pod: &str, set: &str) -> bool {
    let ordinal = pod
        .strip_prefix(set)
        .and_then(|rest| rest.strip_prefix('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    ordinal.is_some_and(is_number)
}

/// Whether the set's controller would adopt the pod (`kubernetes/kubernetes:pkg/controller/controller_ref_manager.go`): it
/// is called `<set>-N`, nothing controls it, and it is not going away. Its labels are the API server's business.
fn is_orphan(pod: &Pod, set: &str) -> bool {
    let controlled = pod
        .owner_references()
        .iter()
        .any(|owner| owner.controller == Some(true));
    is_called_as_of(&pod.name_any(), set)
        && !controlled
        && pod.metadata.deletion_timestamp.is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn only_what_the_set_would_adopt_is_an_orphan() {
        let owned = |controller: bool| json!([{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u", "controller": controller}]);
        for (name, owners, deletion, orphan) in [
            ("web-0", Value::Null, Value::Null, true),
            ("web-12", Value::Null, Value::Null, true),
            ("web-0", owned(false), Value::Null, true),
            ("web-0", owned(true), Value::Null, false),
            ("web-0", Value::Null, json!("2026-01-01T00:00:00Z"), false),
            ("web-", Value::Null, Value::Null, false),
            ("web", Value::Null, Value::Null, false),
            ("web-a", Value::Null, Value::Null, false),
            ("web-db-0", Value::Null, Value::Null, false),
        ] {
            let pod = json!({"metadata": {"name": name, "ownerReferences": owners, "deletionTimestamp": deletion}});
            let pod: Pod = from_value(pod).unwrap();
            assert_eq!(is_orphan(&pod, "web"), orphan, "{name} {owners} {deletion}");
        }
    }
}
