//! What becomes of a mount that we added for an annotation.

use super::claims::{self, clean_path};
use super::record::{Record, State, mount_key};
use super::work::{Work, Write};
use super::{Kind, Origin, Tag};
use crate::statefulset::Old;
use crate::statefulset::set::{Container, Set, VolumeMount};

/// A recorded mount.
struct Ours {
    key: String,
    container: String,
    volume: String,
    path: String,
    state: State,
}

/// What is to be done about a recorded mount.
enum Fate {
    /// Nothing.
    Stays,
    /// Only its state changes.
    Becomes(State),
    /// It goes: the user's own mount of the claim, or of that path, stands beside it.
    Yields(usize),
    /// It goes: the user wants nothing injected.
    Withdrawn(usize),
    /// The user mounts another volume at its path.
    Lost(usize),
    /// It comes back.
    PutBack(usize),
}

/// Looks after every recorded mount.
pub(super) fn settle(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    for ours in recorded(&work.record) {
        let containers = &work.draft.set().spec.template.spec.containers;
        let mounts = containers
            .iter()
            .map(|container| 1 + container.volume_mounts.len());
        if !work.steps.take(mounts.sum()) {
            return;
        }
        let Some(index) = containers
            .iter()
            .position(|container| container.name == *ours.container)
        else {
            continue;
        };
        let fate = fate(work.draft.set(), index, &ours, write);
        work.step(|work| apply(work, index, &ours, &fate));
    }
}

fn recorded(record: &Record) -> Vec<Ours> {
    let mounts = record.items().filter_map(|(key, item)| {
        let (container, _) = key.strip_prefix("mount/")?.split_once('/')?;
        let path = item.value.get("mountPath")?.as_str()?;
        Some(Ours {
            key: mount_key(container, path),
            container: container.to_owned(),
            volume: item.value.get("name")?.as_str()?.to_owned(),
            path: path.to_owned(),
            state: item.state,
        })
    });
    mounts.filter(|ours| ours.state != State::Adopted).collect()
}

fn fate(set: &Set<'_>, index: usize, ours: &Ours, write: &Write<'_, '_>) -> Fate {
    let Some(container) = set.container(index) else {
        return Fate::Stays;
    };
    let mounts = &container.volume_mounts;
    let Some(at) = mounts
        .iter()
        .position(|mount| mount.mount_path == *ours.path)
    else {
        return missing(set, container, ours, write);
    };
    let Some(mount) = mounts.get(at) else {
        return Fate::Stays;
    };
    let stands = is(mount, ours);
    let rival = mounts.iter().enumerate().any(|(other, mount)| {
        other != at
            && (mount.name == *ours.volume
                || clean_path(&mount.mount_path) == clean_path(&ours.path))
    });
    match (stands, ours.state) {
        (false, State::Injected) if mount.name != *ours.volume => Fate::Lost(at),
        (true, _) if rival && write.template_changed => Fate::Yields(at),
        (true, State::Injected) if write.dropped => Fate::Becomes(State::Adopted),
        (true, State::Injected) if !write.wants(Kind::VolumeClaims) && write.template_changed => {
            Fate::Withdrawn(at)
        }
        _ => Fate::Stays,
    }
}

fn is(mount: &VolumeMount<'_>, ours: &Ours) -> bool {
    mount.name == *ours.volume
        && mount.mount_path == *ours.path
        && !mount.read_only
        && mount.sub_path.is_empty()
        && mount.sub_path_expr.is_empty()
}

/// A mount that is gone. Dropped with its record it was no decision. One that had made way comes back when the user's own
/// goes, as long as the annotation still asks for it: a revert must lead to the very template that was there before.
fn missing(set: &Set<'_>, container: &Container<'_>, ours: &Ours, write: &Write<'_, '_>) -> Fate {
    let mounted_elsewhere = container.volume_mounts.iter().any(|mount| {
        mount.name == *ours.volume || clean_path(&mount.mount_path) == clean_path(&ours.path)
    });
    let wanted = write.wants(Kind::VolumeClaims) && write.template_changed && !mounted_elsewhere;
    match ours.state {
        State::Injected if write.dropped && wanted => {
            let stored = write.old.and_then(|old| stored_place(old, ours));
            stored.map_or(Fate::Becomes(State::Removed), Fate::PutBack)
        }
        State::Injected if mounted_elsewhere => Fate::Becomes(State::Yielded),
        State::Injected => Fate::Becomes(State::Removed),
        State::Yielded if wanted && is_asked_for(set, ours) => Fate::PutBack(usize::MAX),
        _ => Fate::Stays,
    }
}

fn stored_place(old: &Old<'_>, ours: &Ours) -> Option<usize> {
    let mut containers = old.set.spec.template.spec.containers.iter();
    let container = containers.find(|container| container.name == *ours.container)?;
    container
        .volume_mounts
        .iter()
        .position(|mount| is(mount, ours))
}

fn is_asked_for(set: &Set<'_>, ours: &Ours) -> bool {
    set.spec.claim(&ours.volume).is_some()
        && claims::request(set, &ours.volume).is_some_and(|request| request.mount_path == ours.path)
}

/// Takes our mount out and leaves its tombstone.
fn give_up(work: &mut Work<'_, '_>, container: usize, at: usize, ours: &Ours, why: &str) {
    work.draft.remove_mount(container, at);
    work.record.set_state(&ours.key, State::Yielded);
    work.note(
        Tag::Yielded,
        format!("/spec/template/spec/containers/{container}/volumeMounts"),
        format!("ours of {:?} at {} {why}", ours.volume, ours.path),
    );
}

fn apply(work: &mut Work<'_, '_>, container: usize, ours: &Ours, fate: &Fate) {
    let mounts = format!("/spec/template/spec/containers/{container}/volumeMounts");
    let (volume, path) = (&ours.volume, &ours.path);
    match *fate {
        Fate::Stays => {}
        Fate::Becomes(state) => work.record.set_state(&ours.key, state),
        Fate::Yields(at) => give_up(work, container, at, ours, "made way for your own"),
        Fate::Withdrawn(at) => {
            give_up(
                work,
                container,
                at,
                ours,
                "removed, as steadyset.io/inject asks",
            );
        }
        Fate::Lost(at) => {
            work.record.set_state(&ours.key, State::Yielded);
            work.note(
                Tag::Yielded,
                format!("{mounts}/{at}"),
                format!("yours stands at {path}; the injected claim {volume:?} is not used there"),
            );
        }
        Fate::PutBack(at) => {
            work.draft.insert_mount(container, at, volume, path);
            work.record.set_state(&ours.key, State::Injected);
            work.injected(Kind::VolumeClaims, Origin::Record, ours.key.clone());
            work.note(
                Tag::Injected,
                mounts,
                format!("{volume:?} at {path} put back; write it in the manifest"),
            );
        }
    }
}
