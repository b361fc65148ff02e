//! What a document says that it is, before anything in it is read.

use super::{Slip, Slips};
use crate::model::spelling::is_near;
use crate::statefulset::set::Set;

/// The versions of a `StatefulSet` that were served up to Kubernetes 1.15.
pub const FORMER: [&str; 2] = ["apps/v1beta1", "apps/v1beta2"];

/// The version that servers have.
const SERVED: &str = "apps/v1";

/// The kind.
const KIND: &str = "StatefulSet";

/// Other kinds that begin or end alike.
const OTHERS: [&str; 3] = ["ReplicaSet", "DaemonSet", "StatefulSetList"];

/// Whether a document is a `StatefulSet` of Kubernetes, or was meant to be one.
#[must_use]
pub fn is_set(api_version: &str, kind: &str) -> bool {
    kind == KIND && api_version == SERVED || identity(api_version, kind).is_some()
}

/// The one slip of a document that was meant to be a `StatefulSet` and that no server takes for one: nothing else is said of it.
#[must_use]
pub fn identity(api_version: &str, kind: &str) -> Option<Slips> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    // a group with a dot is that of somebody's own kinds, such as apps.kruise.io
    if group.contains('.') || kind == KIND && api_version == SERVED {
        return None;
    }
    if kind == KIND && FORMER.contains(&api_version) {
        return Some(Slips::removed(api_version));
    }
    let is_meant = kind == KIND || is_near(kind, KIND) && !OTHERS.contains(&kind);
    is_meant.then(|| {
        Slips::one(Slip::Kind {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
        })
    })
}

/// The one slip of a patch of a set, as kustomize merges it: it holds a part of a claim, and the list of claims is replaced as a whole.
pub(super) fn patch(set: &Set<'_>) -> Option<Slips> {
    let mut claims = set.spec.volume_claim_templates.iter();
    let is_part = claims.any(|claim| !claim.has_access_modes() || !claim.has_storage_request());
    is_part.then(|| Slips::one(Slip::PartOfClaims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_known_by_its_kind_and_version() {
        for (api_version, kind) in [
            ("apps/v1", "StatefulSet"),
            ("apps.kruise.io/v1beta1", "StatefulSet"),
            ("apps/v1", "Deployment"),
            ("apps/v1", "DaemonSet"),
            ("apps/v1", "ReplicaSet"),
            ("v1", "Service"),
            ("example.com/v1", "StatefulSets"),
        ] {
            assert!(
                identity(api_version, kind).is_none(),
                "{api_version} {kind}"
            );
        }
        for (api_version, kind) in [
            ("v1", "StatefulSet"),
            ("apps/v2", "StatefulSet"),
            ("extensions/v1beta1", "StatefulSet"),
            ("apps/v1", "StatefulSets"),
            ("apps/v1", "Statefulset"),
            ("apps/v1", "StatefullSet"),
            ("apps/v1beta1", "StatefulSet"),
        ] {
            assert!(is_set(api_version, kind), "{api_version} {kind}");
            let slips = identity(api_version, kind).unwrap();
            assert!(slips.is_final(), "{api_version} {kind}");
        }
        assert!(is_set("apps/v1", "StatefulSet"));
        assert!(!is_set("apps.kruise.io/v1beta1", "StatefulSet"));
    }
}
