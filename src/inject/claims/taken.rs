//! The names and paths that are taken in a set, to be looked up for each claim that is asked for.

use std::collections::{HashMap, HashSet};

use super::{Request, clean_path};
use crate::statefulset::set::{Container, Set};

/// What a claim that is asked for must not collide with.
pub(super) struct Taken {
    /// The claims. Each annotation has another name, so those that are added need not be.
    pub(super) claims: HashSet<String>,
    /// The volumes of the template.
    pub(super) volumes: HashSet<String>,
    /// The mounts of each container that was asked for.
    mounts: HashMap<usize, Mounts>,
}

/// The mounts of a container.
#[derive(Default)]
struct Mounts {
    volumes: HashSet<String>,
    paths: HashSet<String>,
}

impl Taken {
    pub(super) fn of(set: &Set<'_>) -> Self {
        let claims = set.spec.volume_claim_templates.iter();
        let volumes = set.spec.template.spec.volumes.iter();
        Self {
            claims: claims
                .map(|claim| claim.metadata.name.to_string())
                .collect(),
            volumes: volumes.map(|volume| volume.name.to_string()).collect(),
            mounts: HashMap::new(),
        }
    }

    /// The container of a request and whether it mounts the volume already.
    pub(super) fn place(
        &mut self,
        containers: &[Container<'_>],
        volume: &str,
        request: &Request,
    ) -> Result<(usize, bool), &'static str> {
        let index = request
            .container_index(containers)
            .ok_or("it does not say which container mounts it")?;
        let container = containers.get(index);
        let mounts = self
            .mounts
            .entry(index)
            .or_insert_with(|| container.map(Mounts::of).unwrap_or_default());
        if mounts.volumes.contains(volume) {
            return Ok((index, true));
        }
        if mounts.paths.contains(&clean_path(&request.mount_path)) {
            return Err("another volume is mounted at that path");
        }
        Ok((index, false))
    }

    /// Notes a mount that was added.
    pub(super) fn mount(&mut self, container: usize, volume: &str, path: &str) {
        let mounts = self.mounts.entry(container).or_default();
        mounts.volumes.insert(volume.to_owned());
        mounts.paths.insert(clean_path(path));
    }
}

impl Mounts {
    fn of(container: &Container<'_>) -> Self {
        let mounts = &container.volume_mounts;
        Self {
            volumes: mounts.iter().map(|mount| mount.name.to_string()).collect(),
            paths: mounts
                .iter()
                .map(|mount| clean_path(&mount.mount_path))
                .collect(),
        }
    }
}
