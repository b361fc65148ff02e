//! Volumes, the claims of each pod, and where containers mount them.

use std::collections::{HashMap, HashSet};

use crate::statefulset::defaults::Place;
use crate::statefulset::set::{Claim, Spec};

pub mod claims;
pub mod data;
pub mod fs_group;
pub mod mounts;
pub mod retention;
pub mod shared;
pub mod storage_class;
pub mod usage;
pub mod version_label;

/// Where a container uses a volume or claim.
struct Use<'s> {
    container_place: Place,
    list: &'static str,
    index: usize,
    container: &'s str,
    volume: &'s str,
}

impl Use<'_> {
    /// JSON pointer to the name in the mount or device.
    fn pointer(&self) -> String {
        let Self {
            container_place,
            list,
            index,
            ..
        } = self;
        format!("{container_place}/{list}/{index}/name")
    }

    fn is_device(&self) -> bool {
        self.list == DEVICES
    }
}

const MOUNTS: &str = "volumeMounts";
const DEVICES: &str = "volumeDevices";

/// Every mount and device of every container.
fn uses<'s, 'a>(spec: &'s Spec<'a>) -> impl Iterator<Item = Use<'s>> + use<'s, 'a> {
    let containers = spec.template.spec.all_containers();
    containers.flat_map(|(container_place, container)| {
        let of = move |list, (index, volume)| Use {
            container_place,
            list,
            index,
            container: &container.name,
            volume,
        };
        let mounts = container.volume_mounts.iter().map(|mount| &*mount.name);
        let devices = container.volume_devices.iter().map(|device| &*device.name);
        mounts
            .enumerate()
            .map(move |mount| of(MOUNTS, mount))
            .chain(devices.enumerate().map(move |device| of(DEVICES, device)))
    })
}

/// The uses of what nobody declares.
fn dangling<'s, 'a>(spec: &'s Spec<'a>) -> impl Iterator<Item = Use<'s>> + use<'s, 'a> {
    let volumes = spec.template.spec.volumes.iter();
    let claims = spec.volume_claim_templates.iter();
    let declared: HashSet<&str> = volumes
        .map(|volume| &*volume.name)
        .chain(claims.map(|claim| &*claim.metadata.name))
        .collect();
    uses(spec).filter(move |used| !declared.contains(used.volume))
}

/// The claims by name; of several of one name the first.
fn claims<'s, 'a>(spec: &'s Spec<'a>) -> HashMap<&'s str, &'s Claim<'a>> {
    let claims = spec.volume_claim_templates.iter().rev();
    claims.map(|claim| (&*claim.metadata.name, claim)).collect()
}

/// The claims that no container mounts, with their place in the list.
fn unmounted<'s, 'a>(spec: &'s Spec<'a>) -> impl Iterator<Item = (usize, &'s Claim<'a>)> {
    let claims = spec.volume_claim_templates.iter().enumerate();
    let used: HashSet<&str> = if spec.volume_claim_templates.is_empty() {
        HashSet::new()
    } else {
        uses(spec).map(|used| used.volume).collect()
    };
    claims.filter(move |(_, claim)| !used.contains(&*claim.metadata.name))
}

pub(super) fn is_used(spec: &Spec<'_>, volume: &str) -> bool {
    uses(spec).any(|used| used.volume == volume)
}
