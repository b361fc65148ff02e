//! What a write changes of the fields that a set keeps for life: `serviceName`, `selector`, `podManagementPolicy` and
//! `volumeClaimTemplates` (`kubernetes/kubernetes:pkg/apis/apps/validation/validation.go`, `ValidateStatefulSetUpdate`).
//!
//! The API server compares meanings (`apiequality.Semantic.DeepEqual`): `1Gi` is `1024Mi`, and absent, null and empty are
//! the same. Every field of a claim counts, those that the views do not know too, so claims are compared as JSON.

use serde_json::{Map, Value, json};

use crate::model::pointer::escape;
use crate::statefulset::Old;
use crate::statefulset::claim_equality::{canonical, shown};
use crate::statefulset::set::{Set, Spec};

/// A change of a field that a set keeps for life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What is changed.
    pub field: Field,
    /// The stored value, as it is shown.
    pub old: String,
    /// The value that is asked for, as it is shown.
    pub new: String,
}

/// A field that a set keeps for life; claims are told apart by what has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `spec.podManagementPolicy`
    PodManagementPolicy,
    /// `spec.serviceName`
    ServiceName,
    /// `spec.selector`
    Selector,
    /// `spec.volumeClaimTemplates`: another list of names.
    ClaimNames,
    /// `spec.volumeClaimTemplates`: nothing but how much storage is asked for.
    ClaimSize,
    /// `spec.volumeClaimTemplates`: anything else.
    Claim,
}

/// The changes between the stored set and the new one as it will be, injections included.
#[must_use]
pub fn changes(set: &Set<'_>, injected: &[super::Change], old: &Old<'_>) -> Vec<Change> {
    let (new, stored) = (&set.spec, &old.set.spec);
    let texts = [
        (
            Field::PodManagementPolicy,
            stored.pod_management_policy(),
            new.pod_management_policy(),
        ),
        (
            Field::ServiceName,
            &*stored.service_name,
            &*new.service_name,
        ),
    ];
    let mut changes: Vec<Change> = texts
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(field, old, new)| Change {
            field,
            old: old.to_owned(),
            new: new.to_owned(),
        })
        .collect();
    changes.extend(selector_change(new, stored));
    changes.extend(claims_change(injected, old));
    changes
}

fn selector_change(new: &Spec<'_>, stored: &Spec<'_>) -> Option<Change> {
    let old = stored.selector.clone().unwrap_or_default();
    let new = new.selector.clone().unwrap_or_default();
    (old != new).then(|| Change {
        field: Field::Selector,
        old: old.to_string(),
        new: new.to_string(),
    })
}

fn claims_change(injected: &[super::Change], old: &Old<'_>) -> Option<Change> {
    let (stored, wanted) = (old.raw_claims(), old.wanted_claims());
    let own = injected.iter().filter(|change| change.is_of_claims());
    let own: Vec<_> = own.flat_map(super::Change::operations).collect();
    if own.is_empty() && wanted == stored {
        return None;
    }
    let wanted: Vec<Value> = wanted.into_iter().map(parsed).collect();
    let mut wanted = json!({"spec": {"volumeClaimTemplates": wanted}});
    json_patch::patch(&mut wanted, &own).ok()?;
    let new: Vec<Value> = serde_json::from_value(wanted.pointer_mut(super::CLAIMS)?.take()).ok()?;
    let stored: Vec<Value> = stored.into_iter().map(parsed).collect();
    difference(&stored, &new)
}

/// A claim too deep for us is compared by its text.
fn parsed(claim: &str) -> Value {
    serde_json::from_str(claim).unwrap_or_else(|_| Value::from(claim))
}

fn difference(old: &[Value], new: &[Value]) -> Option<Change> {
    if names(old) != names(new) {
        return Some(Change {
            field: Field::ClaimNames,
            old: names(old).join(", "),
            new: names(new).join(", "),
        });
    }
    let mut differing = old.iter().zip(new).flat_map(|(old, new)| {
        let mut pointers = Vec::new();
        differences(&canonical(old), &canonical(new), "", &mut pointers);
        pointers.into_iter().map(move |pointer| (old, new, pointer))
    });
    let first = differing.next()?;
    let is_size = |pointer: &str| pointer == "/spec/resources/requests/storage";
    let beyond_size = std::iter::once(first.clone())
        .chain(differing)
        .find(|(_, _, pointer)| !is_size(pointer));
    let (field, (old, new, pointer)) = match beyond_size {
        Some(beyond) => (Field::Claim, beyond),
        None => (Field::ClaimSize, first),
    };
    let place = match field {
        Field::ClaimSize => String::new(),
        _ => pointer.replace('/', "."),
    };
    Some(Change {
        field,
        old: format!("{}{place} {}", name(old), shown(old.pointer(&pointer))),
        new: shown(new.pointer(&pointer)),
    })
}

fn name(claim: &Value) -> &str {
    let name = claim.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or_default()
}

fn names(claims: &[Value]) -> Vec<&str> {
    claims.iter().map(name).collect()
}

/// The JSON pointers to what differs.
fn differences(old: &Value, new: &Value, pointer: &str, pointers: &mut Vec<String>) {
    if old == new {
        return;
    }
    let fields = |value: &Value| match value {
        Value::Object(fields) => fields.clone(),
        _ => Map::new(),
    };
    let (old_fields, new_fields) = (fields(old), fields(new));
    if old_fields.is_empty() && new_fields.is_empty() {
        pointers.push(pointer.to_owned());
        return;
    }
    let added = new_fields
        .keys()
        .filter(|key| !old_fields.contains_key(*key));
    for key in old_fields.keys().chain(added) {
        let field = |fields: &Map<String, Value>| fields.get(key).cloned().unwrap_or_default();
        let pointer = format!("{pointer}/{}", escape(key));
        differences(&field(&old_fields), &field(&new_fields), &pointer, pointers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strict::{Source, Subject};

    /// What changes between two specs, as `field: old -> new`.
    fn changed(old: &Value, new: &Value) -> Vec<String> {
        let raw = |spec: &Value| serde_json::value::to_raw_value(&json!({"spec": spec})).unwrap();
        let (old, new) = (raw(old), raw(new));
        let source = Source {
            namespace: "default",
            object: &new,
            old_object: Some(&old),
        };
        let subject = Subject::decode(source).unwrap();
        let Some(subject) = subject else {
            return Vec::new();
        };
        changes(&subject.set, &[], &subject.old.unwrap())
            .into_iter()
            .map(|change| format!("{:?}: {} -> {}", change.field, change.old, change.new))
            .collect()
    }

    fn claims(old: &Value, new: &Value) -> Vec<String> {
        changed(
            &json!({"volumeClaimTemplates": [old], "x": 1}),
            &json!({"volumeClaimTemplates": [new], "x": 2}),
        )
    }

    #[test]
    fn what_means_the_same_is_no_change() {
        let equal = [
            (
                json!({"resources": {"requests": {"storage": "1Gi"}}}),
                json!({"resources": {"requests": {"storage": "1024Mi"}, "limits": null}}),
            ),
            (
                json!({"resources": {"requests": {"storage": "2"}}}),
                json!({"resources": {"requests": {"storage": 2}}}),
            ),
            (json!({"accessModes": null}), json!({"accessModes": []})),
            (json!({"volumeName": ""}), json!({})),
            (json!({"volumeMode": "Filesystem"}), json!({})),
        ];
        for (old, new) in equal {
            assert!(
                claims(&json!({"spec": old}), &json!({"spec": new})).is_empty(),
                "{old} {new}"
            );
        }
        let stored = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "d",
            "creationTimestamp": null}, "status": {"phase": "Pending"}});
        let written = json!({"metadata": {"name": "d", "labels": {}}, "spec": null});
        assert!(claims(&stored, &written).is_empty());
        assert!(
            changed(
                &json!({"selector": null, "podManagementPolicy": ""}),
                &json!({"selector": {"matchLabels": {}}, "podManagementPolicy": "OrderedReady"}),
            )
            .is_empty()
        );
    }

    #[test]
    fn what_means_something_else_is_one() {
        let cases = [
            (
                json!({"spec": {"resources": {"requests": {"storage": "1Gi"}}}}),
                json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}}),
                "ClaimSize:  1Gi -> 2Gi",
            ),
            (
                json!({"spec": {"resources": {"requests": {"storage": "1Gi"}}}}),
                json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}, "storageClassName": "fast"}}),
                "Claim: .spec.storageClassName none -> fast",
            ),
            (
                json!({"spec": {"storageClassName": ""}}),
                json!({}),
                "Claim: .spec.storageClassName  -> none",
            ),
            (
                json!({"metadata": {"name": "d"}}),
                json!({"metadata": {"name": "d", "labels": {"a": ""}}}),
                "Claim: d.metadata.labels.a none -> ",
            ),
            (
                json!({"spec": {"futureField": 1}}),
                json!({"spec": {"futureField": 2}}),
                "Claim: .spec.futureField 1 -> 2",
            ),
            (
                json!({"spec": {"accessModes": ["ReadWriteOnce"]}}),
                json!({"spec": {"accessModes": ["ReadWriteMany"]}}),
                r#"Claim: .spec.accessModes ["ReadWriteOnce"] -> ["ReadWriteMany"]"#,
            ),
            (
                json!({"metadata": {"name": "data"}}),
                json!({"metadata": {"name": "logs"}}),
                "ClaimNames: data -> logs",
            ),
        ];
        for (old, new, expected) in cases {
            assert_eq!(claims(&old, &new), [expected], "{old} {new}");
        }
    }

    #[test]
    fn the_other_fields_are_compared_too() {
        assert_eq!(
            changed(
                &json!({"serviceName": "a", "selector": {"matchLabels": {"app": "a"}}}),
                &json!({"podManagementPolicy": "Parallel", "selector": {"matchLabels": {"app": "b"},
                    "matchExpressions": [{"key": "t", "operator": "In", "values": ["x", "y"]}]}}),
            ),
            [
                "PodManagementPolicy: OrderedReady -> Parallel",
                "ServiceName: a -> ",
                "Selector: app=a -> app=b,t In (x, y)",
            ]
        );
    }

    #[test]
    fn what_an_injection_puts_back_is_no_change() {
        let claim = json!({"metadata": {"name": "data"}});
        let raw = |spec: Value| serde_json::value::to_raw_value(&json!({"spec": spec})).unwrap();
        let old = raw(json!({"volumeClaimTemplates": [claim]}));
        let new = raw(json!({"replicas": 2}));
        let source = Source {
            namespace: "default",
            object: &new,
            old_object: Some(&old),
        };
        let subject = Subject::decode(source).unwrap().unwrap();
        let mut draft = crate::change::Draft::new(subject.set);
        draft.insert_claim(0, claim).unwrap();
        let (set, injected) = draft.finish();
        let old = subject.old.unwrap();
        assert_eq!(changes(&set, &injected, &old), []);
        assert_eq!(changes(&set, &[], &old).len(), 1);
    }
}
