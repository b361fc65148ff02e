//! What becomes of a probe that we injected.

use serde::Deserialize;
use serde_json::Value;

use super::liveness;
use crate::change::ProbeField;
use crate::inject::record::{Item, State, probe_key};
use crate::inject::work::{Work, Write};
use crate::inject::{Origin, Tag};
use crate::model::pointer::container_field;
use crate::statefulset::probe::{Probe, Slot};
use crate::statefulset::set::Container;

mod follow;

/// What is to be done about a recorded probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing.
    Stays,
    /// Only its state changes.
    Becomes(State),
    /// The handler of this value of ours goes, and its numbers that still stand: the user's own was merged beside it.
    Yields(usize),
    /// It goes: the user wants nothing injected, or what it stood beside is not ours any longer.
    Withdrawn,
    /// This value of ours comes back: a write from a file dropped it.
    PutBack(usize),
    /// It had made way, and what it made way for is gone: a revert must lead to the very template that was there before.
    Restored,
    /// It stands alone, and the user changed the template around it.
    Stands,
}

/// A recorded probe and the container that it is for.
pub(super) struct Case<'c> {
    /// The container's probe as the user wants it.
    pub(super) new: Option<&'c Probe<'c>>,
    /// The stored one; that of another container of the name is none.
    pub(super) old: Option<&'c Probe<'c>>,
    /// Every value of ours that an undo may bring back, the latest first.
    pub(super) ours: &'c [Probe<'static>],
    /// Its state.
    pub(super) state: State,
    /// Whether the user lets it stay.
    pub(super) wanted: bool,
}

/// Decides what becomes of a recorded probe.
pub(super) fn fate(case: &Case<'_>, write: &Write<'_, '_>) -> Fate {
    let creates = write.old.is_none();
    let stored = |probe: &Probe<'_>| creates || case.old.is_some_and(|old| old == probe);
    // a server-side apply that takes a handler out leaves numbers that an undo came to own, which no server accepts alone
    let Some(new) = case.new.filter(|new| new.handlers() > 0) else {
        return gone(case, write);
    };
    if case.state == State::Adopted {
        return Fate::Stays;
    }
    if new.handlers() == 2 {
        let held =
            |probe: &Probe<'_>| creates || case.old.is_some_and(|old| old.has_handler_of(probe));
        let is_merged = |ours: &Probe<'static>| new.has_handler_of(ours) && held(ours);
        return match case.ours.iter().position(is_merged) {
            Some(value) if write.template_changed => Fate::Yields(value),
            _ => Fate::Stays,
        };
    }
    let Some(exact) = case.ours.iter().find(|probe| *probe == new) else {
        let own = !case.ours.iter().any(|probe| new.has_handler_of(probe));
        return match case.state {
            State::Injected if own => Fate::Becomes(State::Yielded),
            _ => Fate::Stays,
        };
    };
    if write.dropped {
        return Fate::Becomes(State::Adopted);
    }
    if !write.template_changed || !stored(exact) {
        return Fate::Stays;
    }
    if case.state != State::Removed && !case.wanted {
        return Fate::Withdrawn;
    }
    Fate::Stands
}

/// A container without a probe. Where the record is there as well, whoever took out ours meant it; where both are gone, the
/// object was written from a file that never knew it.
fn gone(case: &Case<'_>, write: &Write<'_, '_>) -> Fate {
    // on CREATE numbers without a handler are what the author wrote, and the API server says what they lack
    let is_own = write.old.is_none() && case.new.is_some();
    let wanted = write.template_changed && case.wanted && !is_own;
    let stored = case.ours.iter().position(|ours| case.old == Some(ours));
    match (case.state, stored) {
        (State::Injected, Some(value)) if write.dropped && wanted => Fate::PutBack(value),
        (State::Injected, Some(_)) if write.dropped => Fate::Becomes(State::Yielded),
        (State::Injected, _) => Fate::Becomes(State::Removed),
        (State::Yielded, _) if wanted => Fate::Restored,
        _ => Fate::Stays,
    }
}

/// How many bytes of an object are read in a step.
const BYTES_A_STEP: usize = 16;

/// Looks after every recorded probe; what stands beside another follows it.
pub(in crate::inject) fn settle(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    for index in 0..work.draft.set().spec.template.spec.containers.len() {
        for slot in Slot::ALL {
            work.step(|work| settle_probe(work, write, index, slot));
        }
    }
}

fn settle_probe(work: &mut Work<'_, '_>, write: &Write<'_, '_>, index: usize, slot: Slot) {
    let Some(container) = work.draft.set().container(index) else {
        return;
    };
    let key = probe_key(slot, &container.name);
    let Some(item) = work.record.get(&key) else {
        return;
    };
    let ours: Vec<_> = values(item).collect();
    let old = write
        .old
        .and_then(|old| old.set.spec.template.spec.container(&container.name));
    let wanted = match slot {
        Slot::Readiness => write.wants(slot.into()),
        Slot::Liveness => liveness::is_wanted(&work.record, container, write),
        Slot::Startup => {
            write.wants(slot.into()) && liveness::is_beside_ours(&work.record, container)
        }
    };
    let case = Case {
        new: slot.of(container),
        old: old.and_then(|old| slot.of(old)),
        ours: &ours,
        state: item.state,
        wanted,
    };
    let fate = fate(&case, write);
    let authored = match write.old {
        // it reads the whole object, once for each probe
        Some(old)
            if matches!(fate, Fate::Yields(_))
                && work.steps.take(old.written_length() / BYTES_A_STEP) =>
        {
            old.authored_probe_fields(&container.name, slot)
        }
        _ => Vec::new(),
    };
    let mut place = Place {
        work,
        key,
        index,
        slot,
    };
    match fate {
        Fate::Stays => {}
        Fate::Becomes(state) => place.becomes(state),
        Fate::Yields(value) => {
            if let Some(ours) = ours.get(value) {
                place.yields(ours, &authored);
            }
        }
        Fate::Withdrawn => place.withdraw(write),
        Fate::PutBack(value) => {
            place.put_back(value);
            place.follow(old);
        }
        Fate::Restored => place.restore(),
        Fate::Stands => place.follow(old),
    }
}

/// Every value of ours that is recorded, the latest first.
pub(super) fn values(item: &Item) -> impl Iterator<Item = Probe<'static>> {
    item.values().filter_map(parse)
}

fn parse(value: &Value) -> Option<Probe<'static>> {
    Probe::deserialize(value.clone()).ok()
}

/// A container whose probe is looked after.
struct Place<'p, 'w, 'a> {
    work: &'p mut Work<'w, 'a>,
    key: String,
    index: usize,
    slot: Slot,
}

impl<'a> Place<'_, '_, 'a> {
    fn becomes(&mut self, state: State) {
        self.work.record.set_state(&self.key, state);
    }

    fn note(&mut self, tag: Tag, message: &str) {
        let pointer = container_field(self.index, self.slot.field());
        self.work.note(tag, pointer, message.to_owned());
    }

    fn container(&self) -> Option<&Container<'a>> {
        self.work.draft.set().container(self.index)
    }

    fn probe(&self) -> Option<&Probe<'a>> {
        self.slot.of(self.container()?)
    }

    /// A tombstone of a probe that was taken out on purpose stays one: it must not come back when the user's own goes.
    fn yields(&mut self, ours: &Probe<'_>, authored: &[String]) {
        let Some(standing) = self.probe() else {
            return;
        };
        let fields = of_ours(standing, ours);
        let is_his = |field: ProbeField| authored.iter().any(|name| name == field.name());
        let fields = fields
            .into_iter()
            .filter(|(field, ours)| *ours && !is_his(*field));
        for (field, _) in fields {
            self.work
                .draft
                .remove_from_probe(self.index, self.slot, field);
        }
        if self
            .work
            .record
            .get(&self.key)
            .is_some_and(|item| item.state != State::Removed)
        {
            self.becomes(State::Yielded);
        }
        self.note(Tag::Yielded, "the injected probe made way for your own");
    }

    /// It yields to the annotation, or to the probe that it has nothing to do with: a revert brings it back.
    fn withdraw(&mut self, write: &Write<'_, '_>) {
        self.work.draft.remove_probe(self.index, self.slot);
        self.becomes(State::Yielded);
        let why = if write.wants(self.slot.into()) && self.slot == Slot::Startup {
            "the injected probe was removed with the injected livenessProbe"
        } else {
            "the injected probe was removed, as steadyset.io/inject asks"
        };
        self.note(Tag::Yielded, why);
    }

    /// Puts back a recorded value: the latest (0) or one that it followed.
    fn put_back(&mut self, value: usize) {
        let Some(item) = self.work.record.get(&self.key) else {
            return;
        };
        let Some(probe) = item.values().nth(value).and_then(parse) else {
            return;
        };
        self.work.draft.set_probe(self.index, self.slot, probe);
        self.becomes(State::Injected);
        self.work
            .injected(self.slot.into(), Origin::Record, self.key.clone());
        self.note(
            Tag::Injected,
            "put back; write it in the manifest, or your own",
        );
    }
}

/// The parts of a standing probe, and whether each is as ours has it.
fn of_ours(standing: &Probe<'_>, ours: &Probe<'_>) -> [(ProbeField, bool); 9] {
    let stands = |field: fn(&Probe<'_>) -> Option<i64>| {
        field(ours).is_some() && field(standing) == field(ours)
    };
    [
        (
            ProbeField::Exec,
            ours.exec.is_some() && standing.exec == ours.exec,
        ),
        (
            ProbeField::HttpGet,
            ours.http_get.is_some() && standing.http_get == ours.http_get,
        ),
        (
            ProbeField::TcpSocket,
            ours.tcp_socket.is_some() && standing.tcp_socket == ours.tcp_socket,
        ),
        (
            ProbeField::Grpc,
            ours.grpc.is_some() && standing.grpc == ours.grpc,
        ),
        (
            ProbeField::InitialDelaySeconds,
            stands(|probe| probe.initial_delay_seconds),
        ),
        (
            ProbeField::PeriodSeconds,
            stands(|probe| probe.period_seconds),
        ),
        (
            ProbeField::TimeoutSeconds,
            stands(|probe| probe.timeout_seconds),
        ),
        (
            ProbeField::SuccessThreshold,
            stands(|probe| probe.success_threshold),
        ),
        (
            ProbeField::FailureThreshold,
            stands(|probe| probe.failure_threshold),
        ),
    ]
}

#[cfg(test)]
mod tests;
