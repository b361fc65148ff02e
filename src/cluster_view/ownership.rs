//! Which Services are ours: those that carry our labels and our field manager. Not the ownerReference, because orphaning a
//! set strips that one, and not the name, because a user may have taken it.

use k8s_openapi::api::core::v1::Service;

/// Who wrote a field, as the API server notes it in `metadata.managedFields`.
pub(crate) const FIELD_MANAGER: &str = "steadyset";

/// The well-known label for the tool that manages an object, and our name in it.
pub(crate) const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "steadyset");

/// The label that names the set which a Service is kept for.
pub(crate) const SET: &str = "steadyset.io/statefulset";

/// The set that we keep this Service for; `None` when the Service is not ours.
pub(crate) fn kept_for(service: &Service) -> Option<&str> {
    let metadata = &service.metadata;
    let labels = metadata.labels.as_ref()?;
    let labelled = labels
        .get(MANAGED_BY.0)
        .is_some_and(|by| by == MANAGED_BY.1);
    let written = metadata
        .managed_fields
        .iter()
        .flatten()
        .any(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
    let set = labels.get(SET).filter(|_| labelled && written)?;
    Some(set)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn ours_is_what_carries_our_labels_and_our_field_manager() {
        let by_us =
            json!({"app.kubernetes.io/managed-by": "steadyset", "steadyset.io/statefulset": "web"});
        let by_helm =
            json!({"app.kubernetes.io/managed-by": "Helm", "steadyset.io/statefulset": "web"});
        let nameless = json!({"app.kubernetes.io/managed-by": "steadyset"});
        let managers = |names: &[&str]| -> Vec<_> {
            names.iter().map(|name| json!({"manager": name})).collect()
        };
        for (labels, managers, set) in [
            (&by_us, managers(&["kubectl", "steadyset"]), Some("web")),
            (&by_us, managers(&["kubectl"]), None),
            (&by_us, managers(&[]), None),
            (&by_helm, managers(&["steadyset"]), None),
            (&nameless, managers(&["steadyset"]), None),
        ] {
            let object = json!({"metadata": {"labels": labels, "managedFields": managers}});
            let service: Service = from_value(object).unwrap();
            assert_eq!(kept_for(&service), set, "{labels} {managers:?}");
        }
    }
}
