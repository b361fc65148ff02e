//! Claims for new sets: those that annotations ask for, those of dangling mounts, and what a claim lacks.

use serde::Deserialize;
use serde_json::{Value, json};

use super::record::{Item, SOURCE_POLICY, claim_key, completion_key, mount_key};
use super::work::Work;
use super::{Kind, Origin, Tag};
use crate::model::name::is_dns_label;
use crate::model::quantity::is_size;
use crate::policy::{ClaimMode, VolumeClaims};
use crate::statefulset::annotations::CLAIM_PREFIX;
use crate::statefulset::set::{Container, Set};
use taken::Taken;

mod dangling;
mod taken;

/// The source of what an annotation asked for.
pub(super) const SOURCE_ANNOTATION: &str = "annotation";

/// `steadyset.io/claim-<volume>`: a claim that the user asks for, and where it is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// Where it is mounted.
    pub mount_path: String,
    /// Its size; the policy's where absent.
    pub storage: Option<String>,
    /// Its class; the policy's where absent.
    pub storage_class_name: Option<String>,
    /// Its access modes; the policy's where absent.
    pub access_modes: Option<Vec<String>>,
    /// The container that mounts it; may be absent where there is only one.
    pub container: Option<String>,
}

impl Request {
    /// Reads the annotation's value.
    ///
    /// # Errors
    ///
    /// If it is not the JSON object of the contract.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The index of the container that mounts it: the named one, or the only one.
    #[must_use]
    pub fn container_index(&self, containers: &[Container<'_>]) -> Option<usize> {
        match &self.container {
            Some(name) => containers
                .iter()
                .position(|container| container.name == **name),
            None => (containers.len() == 1).then_some(0),
        }
    }
}

/// Adds to a new set the claims that it lacks.
pub(super) fn inject(work: &mut Work<'_, '_>) {
    if work.policy.inject.volume_claims.mode == ClaimMode::Never {
        return;
    }
    let requests = requests(work.draft.set());
    if !requests.is_empty() {
        let mut taken = Taken::of(work.draft.set());
        for (volume, request) in requests {
            add_requested(work, &mut taken, &volume, &request);
        }
    }
    if let Some(volume) = dangling::claim(work.draft.set(), work.slips) {
        work.step(|work| add_dangling(work, &volume));
    }
    for index in 0..work.draft.set().spec.volume_claim_templates.len() {
        work.step(|work| complete(work, index));
    }
}

/// The claims that annotations ask for, by volume; what cannot be read is for `annotation-invalid` to say.
fn requests(set: &Set<'_>) -> Vec<(String, Request)> {
    let annotations = set.metadata.annotations.ours.keys();
    let volumes = annotations.filter_map(|key| key.strip_prefix(CLAIM_PREFIX));
    volumes
        .filter_map(|volume| Some((volume.to_owned(), request(set, volume)?)))
        .collect()
}

/// The claim that an annotation asks for.
pub(super) fn request(set: &Set<'_>, volume: &str) -> Option<Request> {
    let text = set
        .metadata
        .annotations
        .get(&format!("{CLAIM_PREFIX}{volume}"))?;
    let request = Request::parse(text).ok().filter(|_| is_dns_label(volume))?;
    request.mount_path.starts_with('/').then_some(request)
}

fn add_requested(work: &mut Work<'_, '_>, taken: &mut Taken, volume: &str, request: &Request) {
    // A patch with what is no quantity is an internal error to the user, whatever the failure policy says.
    if let Some(storage) = request.storage.as_ref().filter(|size| !is_size(size)) {
        let reason = format!("{storage:?} is no size, which is written as 10Gi");
        return refuse(work, volume, &reason);
    }
    let has_claim = taken.claims.contains(volume);
    if !has_claim && taken.volumes.contains(volume) {
        return refuse(work, volume, "the pod has a volume of that name");
    }
    let containers = &work.draft.set().spec.template.spec.containers;
    let (container, mounted) = match taken.place(containers, volume, request) {
        Ok(place) => place,
        Err(reason) => return refuse(work, volume, reason),
    };
    let claims = work.draft.set().spec.volume_claim_templates.len();
    if !has_claim {
        let claim = claim(volume, request, &work.policy.inject.volume_claims);
        let message =
            format!("claim {volume:?} added as the annotation asks; write it in the manifest");
        work.step(|work| add_claim(work, volume, claim, Origin::Annotation, message));
    }
    // without its claim a mount would have the set refused
    let has_claim = work.draft.set().spec.volume_claim_templates.len() > claims || has_claim;
    if !mounted && has_claim {
        work.step(|work| add_mount(work, container, volume, &request.mount_path));
        taken.mount(container, volume, &request.mount_path);
    }
}

fn refuse(work: &mut Work<'_, '_>, volume: &str, reason: &str) {
    work.note(
        Tag::Rule("annotation-invalid"),
        format!("/metadata/annotations/steadyset.io~1claim-{volume}"),
        format!("nothing was added: {reason}"),
    );
}

fn add_dangling(work: &mut Work<'_, '_>, volume: &str) {
    let claims = &work.policy.inject.volume_claims;
    let claim = claim(volume, &Request::default(), claims);
    let message = format!(
        "claim {volume:?} of {} added for its mount; write it in the manifest",
        claims.storage
    );
    add_claim(work, volume, claim, Origin::Policy, message);
}

fn add_claim(work: &mut Work<'_, '_>, volume: &str, claim: Value, origin: Origin, message: String) {
    let index = work.draft.set().spec.volume_claim_templates.len();
    if work.draft.insert_claim(index, claim.clone()).is_err() {
        return;
    }
    let source = match origin {
        Origin::Annotation => SOURCE_ANNOTATION,
        _ => SOURCE_POLICY,
    };
    work.record
        .insert(claim_key(volume), Item::new(claim, source));
    work.injected(Kind::VolumeClaims, origin, claim_key(volume));
    work.note(
        Tag::Injected,
        format!("/spec/volumeClaimTemplates/{index}"),
        message,
    );
}

fn add_mount(work: &mut Work<'_, '_>, container: usize, volume: &str, path: &str) {
    let Some(target) = work
        .draft
        .set()
        .spec
        .template
        .spec
        .containers
        .get(container)
    else {
        return;
    };
    let (key, index) = (mount_key(&target.name, path), target.volume_mounts.len());
    work.draft.insert_mount(container, index, volume, path);
    let value = json!({"name": volume, "mountPath": path});
    work.record
        .insert(key.clone(), Item::new(value, SOURCE_ANNOTATION));
    work.injected(Kind::VolumeClaims, Origin::Annotation, key);
    work.note(
        Tag::Injected,
        format!("/spec/template/spec/containers/{container}/volumeMounts/{index}"),
        format!("{volume:?} mounted at {path} as the annotation asks; write it in the manifest"),
    );
}

/// A claim as it is written into a set.
fn claim(volume: &str, request: &Request, policy: &VolumeClaims) -> Value {
    let modes = request.access_modes.as_ref();
    let modes = modes
        .filter(|modes| !modes.is_empty())
        .unwrap_or(&policy.access_modes);
    let storage = request.storage.as_ref().unwrap_or(&policy.storage);
    let class = request.storage_class_name.as_ref();
    // Argo CD compares the manifest with what is stored, where the API server has filled in the first two
    let mut claim = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": volume},
        "spec": {"accessModes": modes, "resources": {"requests": {"storage": storage}}},
    });
    if let Some(class) = class.or(policy.storage_class_name.as_ref())
        && let Some(spec) = claim.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.insert("storageClassName".to_owned(), json!(class));
    }
    claim
}

/// Fills in what a claim lacks: from 1.34 the API server refuses it otherwise.
fn complete(work: &mut Work<'_, '_>, index: usize) {
    let policy = &work.policy.inject.volume_claims;
    if work.slips.may_hide_parts_of_claim(index) {
        return;
    }
    let Some(claim) = work.draft.set().spec.volume_claim_templates.get(index) else {
        return;
    };
    let mut added = serde_json::Map::new();
    let mut words = Vec::new();
    if !claim.has_access_modes() {
        added.insert("accessModes".to_owned(), json!(policy.access_modes));
        words.push(policy.access_modes.join(", "));
    }
    if !claim.has_storage_request() {
        added.insert("storage".to_owned(), json!(policy.storage));
        words.push(policy.storage.clone());
    }
    if added.is_empty() {
        return;
    }
    let key = completion_key(&claim.metadata.name);
    work.draft
        .complete_claim(index, &policy.access_modes, &policy.storage);
    work.record
        .insert(key.clone(), Item::new(Value::Object(added), SOURCE_POLICY));
    work.injected(Kind::VolumeClaims, Origin::Policy, key);
    work.note(
        Tag::Injected,
        format!("/spec/volumeClaimTemplates/{index}/spec"),
        format!("{} added; write it in the manifest", words.join(" and ")),
    );
}

/// A path as two that mean the same are written alike: no doubled or trailing slash, no `.`, `..` resolved.
pub(super) fn clean_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests;
