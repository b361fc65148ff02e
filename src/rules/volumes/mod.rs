//! Volumes, the claims of each pod, and where containers mount them.

use crate::subject::set::{Claim, Container, Spec};

pub mod claims;
pub mod mounts;
pub mod retention;
pub mod storage_class;
pub mod usage;

/// Where a container uses a volume or claim.
struct Use<'s> {
    /// JSON pointer to the mount or device.
    pointer: String,
    container: &'s str,
    volume: &'s str,
    is_device: bool,
}

/// Every mount and device of every container.
fn uses<'s>(spec: &'s Spec<'_>) -> Vec<Use<'s>> {
    let containers = spec.template.spec.all_containers();
    containers
        .flat_map(|(pointer, container)| uses_of(&pointer, container))
        .collect()
}

fn uses_of<'s>(pointer: &str, container: &'s Container<'_>) -> Vec<Use<'s>> {
    let of = |list: &str, index: usize, volume: &'s str| Use {
        pointer: format!("{pointer}/{list}/{index}"),
        container: &container.name,
        volume,
        is_device: list == "volumeDevices",
    };
    let mounts = container.volume_mounts.iter().enumerate();
    let devices = container.volume_devices.iter().enumerate();
    mounts
        .map(|(index, mount)| of("volumeMounts", index, &mount.name))
        .chain(devices.map(|(index, device)| of("volumeDevices", index, &device.name)))
        .collect()
}

/// The uses of what nobody declares.
fn dangling<'s>(spec: &'s Spec<'_>) -> impl Iterator<Item = Use<'s>> {
    let volumes = &spec.template.spec.volumes;
    let is_declared = |name: &str| {
        volumes.iter().any(|volume| volume.name == name) || claim(spec, name).is_some()
    };
    uses(spec)
        .into_iter()
        .filter(move |used| !is_declared(used.volume))
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

fn is_used(spec: &Spec<'_>, volume: &str) -> bool {
    let pod = &spec.template.spec;
    let mut containers = pod.containers.iter().chain(&pod.init_containers);
    containers.any(|container| {
        let mut mounts = container.volume_mounts.iter();
        let mut devices = container.volume_devices.iter();
        mounts.any(|mount| mount.name == volume) || devices.any(|device| device.name == volume)
    })
}
