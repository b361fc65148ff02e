//! What a change would do to a pod that is there.

use serde_json::Value;

use super::{Change, holds};
use crate::cluster_view::Pod;
use crate::model::pointer::{list_at, text_at};

impl Change {
    /// Whether the pod already is what this change of its set would make of it.
    #[must_use]
    pub fn is_in(&self, pod: &Pod) -> bool {
        if let Some(container) = self.container() {
            let found = pod.container(&container.name);
            return found.is_some_and(|found| self.is_in_container(found));
        }
        match self {
            Self::SetServiceName(name) => text_at(pod.object(), "/spec/subdomain") == name,
            Self::AddClaim { claim, .. } => has_claim(pod, text_at(claim, "/metadata/name")),
            // the claims of a pod that runs are there, whatever the template now says of their size
            _ => true,
        }
    }

    pub(super) fn is_in_container(&self, container: &Value) -> bool {
        match self {
            Self::AddMount { .. } => self.mount().is_some_and(|mount| {
                list_at(container, "/volumeMounts").any(|own| holds(own, &mount))
            }),
            Self::RemoveMount { path, .. } => {
                list_at(container, "/volumeMounts").all(|own| text_at(own, "/mountPath") != path)
            }
            Self::SetProbe { slot, probe, .. } => container
                .get(slot.field())
                .is_some_and(|own| holds(own, probe)),
            Self::RemoveProbe { slot, .. } => container.get(slot.field()).is_none(),
            Self::RemoveFromProbe { slot, field, .. } => container
                .get(slot.field())
                .is_none_or(|own| own.get(field.name()).is_none()),
            _ => true,
        }
    }
}

/// The claim of a pod is called `<claim>-<pod>`.
fn has_claim(pod: &Pod, claim: &str) -> bool {
    let name = format!("{claim}-{}", pod.name());
    list_at(pod.object(), "/spec/volumes").any(|volume| {
        text_at(volume, "/name") == claim
            && text_at(volume, "/persistentVolumeClaim/claimName") == name
    })
}

#[cfg(test)]
mod tests;
