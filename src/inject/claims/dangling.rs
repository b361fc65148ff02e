//! Which dangling mounts mean a claim. A wrong claim is worse than a denial: a disk where a `ConfigMap` or a credential
//! belongs. Of 23 real sets with such a mount 17 did not mean one.

use crate::model::name::is_dns_label;
use crate::model::spelling;
use crate::statefulset::set::{Container, PodSpec, Set, Spec, VolumeMount};

/// Folders that are configuration, run-time files or scratch space.
const NOT_FOR_DATA: [&str; 4] = ["/etc", "/run", "/var/run", "/tmp"];

/// The volumes that are mounted, declared nowhere, and surely meant as claims.
pub(super) fn mounts(set: &Set<'_>) -> Vec<String> {
    let spec = &set.spec;
    if !spec
        .volume_claim_templates
        .iter()
        .all(|claim| is_mounted(spec, &claim.metadata.name))
    {
        return Vec::new();
    }
    let mut names: Vec<String> = Vec::new();
    let containers = spec.template.spec.containers.iter();
    for mount in containers.flat_map(|container| &container.volume_mounts) {
        let name = &*mount.name;
        if !names.iter().any(|known| known == name) && means_a_claim(spec, name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn containers<'s, 'a>(pods: &'s PodSpec<'a>) -> impl Iterator<Item = &'s Container<'a>> {
    pods.containers.iter().chain(&pods.init_containers)
}

fn is_mounted(spec: &Spec<'_>, claim: &str) -> bool {
    containers(&spec.template.spec).any(|container| {
        container
            .volume_mounts
            .iter()
            .any(|mount| mount.name == *claim)
            || container
                .volume_devices
                .iter()
                .any(|device| device.name == *claim)
    })
}

fn means_a_claim(spec: &Spec<'_>, name: &str) -> bool {
    let pods = &spec.template.spec;
    let declared = || {
        let claims = spec.volume_claim_templates.iter();
        claims
            .map(|claim| &*claim.metadata.name)
            .chain(pods.volumes.iter().map(|volume| &*volume.name))
    };
    if declared().any(|other| other == name) {
        return false;
    }
    let mut everywhere = containers(pods)
        .flat_map(|container| &container.volume_mounts)
        .filter(|mount| mount.name == *name);
    let mut here = pods
        .containers
        .iter()
        .flat_map(|container| &container.volume_mounts)
        .filter(|mount| mount.name == *name);
    let mut devices = containers(pods).flat_map(|container| &container.volume_devices);
    is_dns_label(name)
        && !declared().any(|other| is_near(name, other))
        && everywhere.all(is_of_data)
        && here.any(|mount| !mount.read_only)
        && !devices.any(|device| device.name == *name)
}

/// Whether one name may be the other misspelt, in one letter too.
fn is_near(name: &str, other: &str) -> bool {
    spelling::is_near(name, other)
        || other.starts_with(name)
        || name.starts_with(other)
        || strsim::levenshtein(name, other) <= 1
}

/// Whether a mount looks like a folder for data.
fn is_of_data(mount: &VolumeMount<'_>) -> bool {
    let path = super::clean_path(&mount.mount_path);
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_file = last.find('.').is_some_and(|dot| dot > 0);
    let below = |folder: &&str| {
        path.strip_prefix(*folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    mount.mount_path.starts_with('/')
        && mount.sub_path.is_empty()
        && mount.sub_path_expr.is_empty()
        && path != "/"
        && !is_file
        && !NOT_FOR_DATA.iter().any(below)
}
