//! Which dangling mounts mean a claim. A wrong claim is worse than a denial: a disk where a `ConfigMap` or a credential
//! belongs. Of 23 real sets with such a mount 17 did not mean one.

use std::collections::{HashMap, HashSet};

use crate::model::name::is_dns_label;
use crate::model::spelling;
use crate::model::steps::Steps;
use crate::statefulset::set::{PodSpec, Set, Spec, VolumeMount};

/// Folders that are configuration, run-time files or scratch space.
const NOT_FOR_DATA: [&str; 4] = ["/etc", "/run", "/var/run", "/tmp"];

/// The volumes that are mounted, declared nowhere, and surely meant as claims.
pub(super) fn mounts(set: &Set<'_>, steps: &Steps) -> Vec<String> {
    let spec = &set.spec;
    let declared = declared(spec);
    let pods = &spec.template.spec;
    let here = pods.containers.iter();
    if here
        .flat_map(|container| &container.volume_mounts)
        .all(|mount| declared.contains(&*mount.name))
    {
        return Vec::new();
    }
    let uses = Uses::of(pods);
    let mut claims = spec.volume_claim_templates.iter();
    if !claims.all(|claim| uses.is_mounted(&claim.metadata.name)) {
        return Vec::new();
    }
    let mut seen: HashSet<&str> = HashSet::new();
    let mut names: Vec<String> = Vec::new();
    let here = pods.containers.iter();
    for mount in here.flat_map(|container| &container.volume_mounts) {
        let name = &*mount.name;
        if !seen.insert(name)
            || declared.contains(name)
            || !is_dns_label(name)
            || !uses.means_data(name)
        {
            continue;
        }
        if !steps.take(COMPARISON * declared.len()) {
            return Vec::new();
        }
        if !declared.iter().any(|other| is_near(name, other)) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The steps of a comparison of two names: it takes the product of their lengths.
const COMPARISON: usize = 16;

/// The names of all claims and volumes.
fn declared<'s>(spec: &'s Spec<'_>) -> HashSet<&'s str> {
    let claims = spec.volume_claim_templates.iter();
    let volumes = spec.template.spec.volumes.iter();
    claims
        .map(|claim| &*claim.metadata.name)
        .chain(volumes.map(|volume| &*volume.name))
        .collect()
}

/// How the containers use volumes, by name.
struct Uses<'s> {
    /// Whether every mount looks like a folder for data, and a container, not only an init container, writes to one.
    mounts: HashMap<&'s str, (bool, bool)>,
    devices: HashSet<&'s str>,
}

impl<'s> Uses<'s> {
    fn of(pods: &'s PodSpec<'_>) -> Self {
        let mut mounts: HashMap<&str, (bool, bool)> = HashMap::new();
        let lists = [(&pods.containers, true), (&pods.init_containers, false)];
        for (containers, runs) in lists {
            for mount in containers
                .iter()
                .flat_map(|container| &container.volume_mounts)
            {
                let (data, written) = mounts.entry(&mount.name).or_insert((true, false));
                *data = *data && is_of_data(mount);
                *written = *written || runs && !mount.read_only;
            }
        }
        let containers = pods.containers.iter().chain(&pods.init_containers);
        let devices = containers.flat_map(|container| &container.volume_devices);
        Self {
            mounts,
            devices: devices.map(|device| &*device.name).collect(),
        }
    }

    fn is_mounted(&self, name: &str) -> bool {
        self.mounts.contains_key(name) || self.devices.contains(name)
    }

    fn means_data(&self, name: &str) -> bool {
        self.mounts.get(name) == Some(&(true, true)) && !self.devices.contains(name)
    }
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
