//! Which dangling mount means a claim. A wrong claim is worse than a denial: a disk where a `ConfigMap`, a JDK or a credential
//! belongs. Of 23 real sets with such a mount 17 did not mean one, so a claim needs evidence that data is kept there.

use std::collections::HashSet;

use super::clean_path;
use crate::catalogue;
use crate::model::name::is_dns_label;
use crate::model::spelling;
use crate::statefulset::set::{Container, PodSpec, Set, VolumeMount};
use crate::strict::Slips;

/// Folders that are configuration, run-time files or scratch space.
const NOT_FOR_DATA: [&str; 4] = ["/etc", "/run", "/var/run", "/tmp"];

/// Folders below which programs keep data.
const FOR_DATA: [&str; 5] = ["/data", "/var/lib", "/var/data", "/bitnami", "/srv"];

/// What a name or the last part of a path says where data is kept.
const DATA_WORDS: [&str; 17] = [
    "data",
    "datadir",
    "datastore",
    "database",
    "databases",
    "db",
    "dbs",
    "pgdata",
    "storage",
    "state",
    "store",
    "stores",
    "wal",
    "wals",
    "waldir",
    "journal",
    "journals",
];

/// What a name or the last part of a path says where something else than data is meant, whatever else it says.
const OTHER_WORDS: [&str; 44] = [
    "bin",
    "ca",
    "cache",
    "cert",
    "certificate",
    "certificates",
    "certs",
    "conf",
    "config",
    "configmap",
    "configs",
    "configuration",
    "credential",
    "credentials",
    "dashboards",
    "dshm",
    "init",
    "initdb",
    "java",
    "jdk",
    "jre",
    "key",
    "keys",
    "keystore",
    "lib",
    "libs",
    "license",
    "pass",
    "password",
    "passwords",
    "plugins",
    "properties",
    "script",
    "scripts",
    "secret",
    "secrets",
    "shm",
    "sock",
    "socket",
    "ssl",
    "tls",
    "tmp",
    "token",
    "truststore",
];

/// The volume that is mounted, declared nowhere, and meant as a claim.
pub(super) fn claim(set: &Set<'_>, slips: &Slips) -> Option<String> {
    let spec = &set.spec;
    let pods = &spec.template.spec;
    if !spec.volume_claim_templates.is_empty() || slips.may_hide_volumes() {
        return None;
    }
    let name = only_dangling(pods)?;
    means_a_claim(pods, name).then(|| name.to_owned())
}

fn containers<'s, 'a>(pods: &'s PodSpec<'a>) -> impl Iterator<Item = &'s Container<'a>> {
    pods.containers.iter().chain(&pods.init_containers)
}

/// The one name that is used and not declared; `None` where there are several.
fn only_dangling<'s>(pods: &'s PodSpec<'_>) -> Option<&'s str> {
    let declared: HashSet<&str> = pods.volumes.iter().map(|volume| &*volume.name).collect();
    let mut used = containers(pods)
        .flat_map(|container| {
            let mounts = container.volume_mounts.iter().map(|mount| &*mount.name);
            let devices = container.volume_devices.iter().map(|device| &*device.name);
            mounts.chain(devices)
        })
        .filter(|name| !declared.contains(name));
    let first = used.next()?;
    used.all(|name| name == first).then_some(first)
}

fn means_a_claim(pods: &PodSpec<'_>, name: &str) -> bool {
    let mut volumes = pods.volumes.iter();
    let mut devices = containers(pods).flat_map(|container| &container.volume_devices);
    let mut everywhere = containers(pods).flat_map(|container| &container.volume_mounts);
    is_dns_label(name)
        && !volumes.any(|volume| is_near(name, &volume.name))
        && !devices.any(|device| device.name == *name)
        && everywhere.all(|mount| mount.name != *name || may_be_data(mount))
        && pods.containers.iter().any(|container| {
            let mut mounts = container.volume_mounts.iter();
            mounts.any(|mount| {
                mount.name == *name
                    && !mount.read_only
                    && (says_data(mount) || is_of_image(container, mount))
            })
        })
}

/// Whether the image is known to keep its data there, below or above it.
fn is_of_image(container: &Container<'_>, mount: &VolumeMount<'_>) -> bool {
    let path = clean_path(&mount.mount_path);
    let system = catalogue::by_image(&container.image);
    let folders = system.map(|system| system.data_folders(&container.image));
    folders
        .into_iter()
        .flatten()
        .any(|folder| is_below(&path, folder.path) || is_below(folder.path, &path))
}

/// Whether one name may be the other misspelt, in one letter too.
fn is_near(name: &str, other: &str) -> bool {
    spelling::is_near(name, other)
        || other.starts_with(name)
        || name.starts_with(other)
        || strsim::levenshtein(name, other) <= 1
}

/// Whether nothing says that a mount is no folder for data.
fn may_be_data(mount: &VolumeMount<'_>) -> bool {
    let path = clean_path(&mount.mount_path);
    let last = last_part(&path);
    let is_file = last.find('.').is_some_and(|dot| dot > 0);
    mount.mount_path.starts_with('/')
        && mount.sub_path.is_empty()
        && mount.sub_path_expr.is_empty()
        && path != "/"
        && !is_file
        && !NOT_FOR_DATA.iter().any(|folder| is_below(&path, folder))
        && !has_word(&mount.name, &OTHER_WORDS)
        && !has_word(last, &OTHER_WORDS)
}

/// Whether the name or the path says that data is kept there.
fn says_data(mount: &VolumeMount<'_>) -> bool {
    let path = clean_path(&mount.mount_path);
    let says = |text: &str| {
        has_word(text, &DATA_WORDS) || words(text).any(|word| word.starts_with("persist"))
    };
    says(&mount.name)
        || says(last_part(&path))
        || FOR_DATA.iter().any(|folder| is_below(&path, folder))
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(['-', '_', '.']).map(str::to_ascii_lowercase)
}

fn has_word(text: &str, known: &[&str]) -> bool {
    words(text).any(|word| known.contains(&word.as_str()))
}
