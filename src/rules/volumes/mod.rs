//! Volumes, the claims of each pod, and where containers mount them.

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
    let volumes = &spec.template.spec.volumes;
    let is_declared = |name: &str| {
        volumes.iter().any(|volume| volume.name == name) || claim(spec, name).is_some()
    };
    uses(spec).filter(move |used| !is_declared(used.volume))
}

fn claim<'s, 'a>(spec: &'s Spec<'a>, name: &str) -> Option<&'s Claim<'a>> {
    let mut claims = spec.volume_claim_templates.iter();
    claims.find(|claim| claim.metadata.name == name)
}

/// The claims that no container mounts, with their place in the list.
fn unmounted<'s, 'a>(spec: &'s Spec<'a>) -> impl Iterator<Item = (usize, &'s Claim<'a>)> {
    let claims = spec.volume_claim_templates.iter().enumerate();
    claims.filter(|(_, claim)| !is_used(spec, &claim.metadata.name))
}

pub(super) fn is_used(spec: &Spec<'_>, volume: &str) -> bool {
    let pod = &spec.template.spec;
    let mut containers = pod.containers.iter().chain(&pod.init_containers);
    containers.any(|container| {
        let mut mounts = container.volume_mounts.iter();
        let mut devices = container.volume_devices.iter();
        mounts.any(|mount| mount.name == volume) || devices.any(|device| device.name == volume)
    })
}
