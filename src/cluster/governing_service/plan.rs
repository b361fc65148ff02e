//! What is to be done about a governing Service: a decision without I/O.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use serde_json::{Map, Value, json};

use super::set::LinkedSet;
use crate::cluster_view::ownership;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plan {
    /// Nothing: it is as it should be, or something is going away.
    Keep,
    /// It is not there.
    Create,
    /// It is ours and not as it should be: this JSON Merge Patch, which holds only for the Service that was looked at.
    Patch(Value),
    /// The name is taken by a Service that is not ours.
    Taken,
}

/// Decides what is to be done, from the Service of that name as it is now.
pub(super) fn plan(set: &LinkedSet, live: Option<&Service>) -> Plan {
    let gone = |service: &Service| service.metadata.deletion_timestamp.is_some();
    match live {
        // what is remade for a set that goes would only go again
        _ if set.leaving => Plan::Keep,
        None => Plan::Create,
        Some(service) if gone(service) => Plan::Keep,
        Some(service) if !is_ours(set, service) => Plan::Taken,
        Some(service) => difference(set, service).map_or(Plan::Keep, Plan::Patch),
    }
}

/// The Service as we create it.
pub(super) fn service(set: &LinkedSet) -> Service {
    let (by, us) = ownership::MANAGED_BY;
    let labels = [(by, us), (ownership::SET, set.label())];
    Service {
        metadata: ObjectMeta {
            name: Some(set.service.clone()),
            namespace: Some(set.namespace.clone()),
            labels: Some(
                labels
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
            ),
            owner_references: Some(vec![set.owner_reference()]),
            ..ObjectMeta::default()
        },
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            selector: Some(set.selector.clone()),
            publish_not_ready_addresses: Some(true),
            ports: Some(set.ports.clone()).filter(|ports| !ports.is_empty()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

fn is_ours(set: &LinkedSet, service: &Service) -> bool {
    let headless = service
        .spec
        .as_ref()
        .and_then(|spec| spec.cluster_ip.as_deref())
        == Some("None");
    headless && ownership::kept_for(service) == Some(set.label())
}

/// The patch that makes the Service what it should be; `None` when it is. It replaces our fields whole and touches no
/// other: labels, annotations and owners that somebody added stay.
///
/// Not server-side apply: what a create wrote stays owned by that write beside the apply of the same manager, so a port
/// that the template has lost would never go. The two versions in it make the server refuse the patch (409) when the
/// Service is another one by now, or has changed.
fn difference(set: &LinkedSet, service: &Service) -> Option<Value> {
    let spec = service.spec.clone().unwrap_or_default();
    let owners = owners(set, service);
    let ports = spec.ports.unwrap_or_default();
    let selector = spec.selector.unwrap_or_default();
    let same = owners == service.owner_references()
        && selector == set.selector
        && spec.publish_not_ready_addresses == Some(true)
        && outline(&ports) == outline(&set.ports);
    (!same).then(|| {
        json!({
            "metadata": {
                "uid": service.metadata.uid,
                "resourceVersion": service.metadata.resource_version,
                "ownerReferences": owners,
            },
            "spec": {
                "selector": replacement(&selector, &set.selector),
                "publishNotReadyAddresses": true,
                "ports": if set.ports.is_empty() { Value::Null } else { json!(set.ports) },
            },
        })
    })
}

/// The owners that the Service should have: this set, and whoever else owns it, but no earlier set of this name. Orphaning
/// a set takes its reference away; a set that was made anew needs its own, or the Service goes with the old one.
fn owners(set: &LinkedSet, service: &Service) -> Vec<OwnerReference> {
    let ours = set.owner_reference();
    let present = service.owner_references();
    if present.contains(&ours) && !present.iter().any(|owner| is_stale(owner, &ours)) {
        return present.to_vec();
    }
    let others = present
        .iter()
        .filter(|owner| owner.uid != ours.uid && !is_stale(owner, &ours));
    others.cloned().chain([ours.clone()]).collect()
}

fn is_stale(owner: &OwnerReference, ours: &OwnerReference) -> bool {
    owner.uid != ours.uid && owner.kind == ours.kind && owner.name == ours.name
}

/// A merge patch only adds and changes keys: what should go is named with null.
fn replacement(present: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> Value {
    let gone = present.keys().map(|key| (key.clone(), Value::Null));
    let wanted = wanted
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)));
    Value::Object(gone.chain(wanted).collect::<Map<_, _>>())
}

/// What of a port is compared, with the API server's defaults.
fn outline(ports: &[ServicePort]) -> Vec<(&str, i32, &str, String)> {
    let target = |port: &ServicePort| match &port.target_port {
        Some(IntOrString::String(name)) => name.clone(),
        Some(IntOrString::Int(number)) => number.to_string(),
        None => port.port.to_string(),
    };
    ports
        .iter()
        .map(|port| {
            let name = port.name.as_deref().unwrap_or_default();
            (
                name,
                port.port,
                port.protocol.as_deref().unwrap_or("TCP"),
                target(port),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::PodSpec;
    use serde_json::{from_value, to_value};

    use super::*;
    use crate::inject::governing_service::ports::ports;

    fn set() -> LinkedSet {
        let pod = json!({"containers": [{"name": "c", "ports": [{"containerPort": 80, "name": "http"}]}]});
        let pod: PodSpec = from_value(pod).unwrap();
        LinkedSet {
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            uid: "set-2".to_owned(),
            service: "web-pods".to_owned(),
            selector: [("app".to_owned(), "web".to_owned())].into(),
            ports: ports(&pod),
            leaving: false,
        }
    }

    /// The Service as the server stores it after our create, with changes.
    fn stored(changes: &Value) -> Service {
        let mut stored = to_value(service(&set())).unwrap();
        let server = json!({"metadata": {"uid": "service-1", "resourceVersion": "7",
            "managedFields": [{"manager": "steadyset", "operation": "Update"}]}});
        json_patch::merge(&mut stored, &server);
        json_patch::merge(&mut stored, changes);
        from_value(stored).unwrap()
    }

    #[test]
    fn each_state_of_the_name_has_its_plan() {
        let managed = |managers: &Value| json!({"metadata": {"managedFields": managers}});
        let labelled = |labels: &Value| json!({"metadata": {"labels": labels}});
        for (state, live, expected) in [
            ("nobody has it", None, Plan::Create),
            ("as it should be", Some(stored(&json!({}))), Plan::Keep),
            (
                "with what others added",
                Some(stored(
                    &json!({"metadata": {"labels": {"team": "a"}, "annotations": {"b": "c"}}}),
                )),
                Plan::Keep,
            ),
            (
                "going",
                Some(stored(
                    &json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
                )),
                Plan::Keep,
            ),
            (
                "a user's, alike in all but its writer",
                Some(stored(&managed(&json!([{"manager": "kubectl"}])))),
                Plan::Taken,
            ),
            (
                "ours once, a chart's now",
                Some(stored(&labelled(
                    &json!({"app.kubernetes.io/managed-by": "Helm"}),
                ))),
                Plan::Taken,
            ),
            (
                "kept for another set",
                Some(stored(&labelled(
                    &json!({"steadyset.io/statefulset": "db"}),
                ))),
                Plan::Taken,
            ),
            (
                "with an IP",
                Some(stored(&json!({"spec": {"clusterIP": "10.0.0.1"}}))),
                Plan::Taken,
            ),
        ] {
            assert_eq!(plan(&set(), live.as_ref()), expected, "{state}");
        }
    }

    #[test]
    fn nothing_is_done_for_a_set_that_goes() {
        let leaving = LinkedSet {
            leaving: true,
            ..set()
        };
        assert_eq!(plan(&leaving, None), Plan::Keep);
        let unowned = stored(&json!({"metadata": {"ownerReferences": null}}));
        assert_eq!(plan(&leaving, Some(&unowned)), Plan::Keep);
    }

    /// What the server has after our patch.
    fn patched(changes: &Value) -> Service {
        let before = stored(changes);
        let Plan::Patch(patch) = plan(&set(), Some(&before)) else {
            panic!("not patched: {before:?}");
        };
        assert_eq!(
            patch["metadata"]["uid"], "service-1",
            "another Service of that name is not touched"
        );
        assert_eq!(
            patch["metadata"]["resourceVersion"], "7",
            "nor one that has changed since"
        );
        let mut after = to_value(before).unwrap();
        json_patch::merge(&mut after, &patch);
        let after = from_value(after).unwrap();
        assert_eq!(
            plan(&set(), Some(&after)),
            Plan::Keep,
            "the second pass changes nothing"
        );
        after
    }

    #[test]
    fn what_was_changed_is_put_right() {
        for changes in [
            json!({"metadata": {"ownerReferences": null}}),
            json!({"spec": {"selector": {"app": "other", "more": "labels"}}}),
            json!({"spec": {"selector": null}}),
            json!({"spec": {"publishNotReadyAddresses": null}}),
            json!({"spec": {"ports": [{"name": "http", "port": 80}, {"name": "old", "port": 90}]}}),
            json!({"spec": {"ports": null}}),
        ] {
            let after = patched(&changes);
            assert_eq!(after.spec, stored(&json!({})).spec, "{changes}");
            assert_eq!(
                after.owner_references(),
                [set().owner_reference()],
                "{changes}"
            );
        }
    }

    #[test]
    fn a_set_made_anew_takes_its_service_back_from_the_old_one() {
        let owner = |kind: &str, name: &str, uid: &str| json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": uid});
        let owners = json!([
            owner("StatefulSet", "web", "set-1"),
            owner("Release", "shop", "9")
        ]);
        let after = patched(&json!({"metadata": {"ownerReferences": owners}}));
        let uids: Vec<_> = after
            .owner_references()
            .iter()
            .map(|owner| &*owner.uid)
            .collect();
        assert_eq!(uids, ["9", "set-2"]);
    }
}
