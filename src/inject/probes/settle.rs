//! What becomes of a readiness probe that we injected.

use serde::Deserialize;
use serde_json::Value;

use crate::inject::record::{State, readiness_key};
use crate::inject::work::{Work, Write};
use crate::inject::{Kind, Origin, Tag};
use crate::patch::ProbeField;
use crate::subject::probe::Probe;
use crate::subject::set::Container;

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
    /// It goes: the user wants nothing injected.
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
}

/// Decides what becomes of a recorded probe.
pub(super) fn fate(case: &Case<'_>, write: &Write<'_, '_>) -> Fate {
    let creates = write.old.is_none();
    let stored = |probe: &Probe<'_>| creates || case.old.is_some_and(|old| old == probe);
    let Some(new) = case.new else {
        return gone(case, write);
    };
    if case.state == State::Adopted {
        return Fate::Stays;
    }
    if new.handlers() == 2 {
        let held =
            |probe: &Probe<'_>| creates || case.old.is_some_and(|old| has_handler(old, probe));
        let is_merged = |ours: &Probe<'static>| has_handler(new, ours) && held(ours);
        return match case.ours.iter().position(is_merged) {
            Some(value) if write.template_changed => Fate::Yields(value),
            _ => Fate::Stays,
        };
    }
    let Some(exact) = case.ours.iter().find(|probe| *probe == new) else {
        let own = !case.ours.iter().any(|probe| has_handler(new, probe));
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
    if case.state != State::Removed && !write.wants(Kind::ReadinessProbe) {
        return Fate::Withdrawn;
    }
    Fate::Stands
}

/// A container without a probe. Where the record is there as well, whoever took out ours meant it; where both are gone, the
/// object was written from a file that never knew it.
fn gone(case: &Case<'_>, write: &Write<'_, '_>) -> Fate {
    let wanted = write.template_changed && write.wants(Kind::ReadinessProbe);
    let stored = case.ours.iter().position(|ours| case.old == Some(ours));
    match (case.state, stored) {
        (State::Injected, Some(value)) if write.dropped && wanted => Fate::PutBack(value),
        (State::Injected, Some(_)) if write.dropped => Fate::Becomes(State::Yielded),
        (State::Injected, _) => Fate::Becomes(State::Removed),
        (State::Yielded, _) if wanted => Fate::Restored,
        _ => Fate::Stays,
    }
}

/// Whether a probe has the handler of another, exactly.
fn has_handler(probe: &Probe<'_>, other: &Probe<'_>) -> bool {
    let exec = other.exec.is_some() && probe.exec == other.exec;
    let http = other.http_get.is_some() && probe.http_get == other.http_get;
    let tcp = other.tcp_socket.is_some() && probe.tcp_socket == other.tcp_socket;
    exec || http || tcp
}

/// Looks after the recorded probe of every container.
pub(in crate::inject) fn settle(work: &mut Work<'_, '_>, write: &Write<'_, '_>) {
    for index in 0..work.draft.set().spec.template.spec.containers.len() {
        settle_container(work, write, index);
    }
}

fn settle_container(work: &mut Work<'_, '_>, write: &Write<'_, '_>, index: usize) {
    let Some(container) = work.draft.set().spec.template.spec.containers.get(index) else {
        return;
    };
    let key = readiness_key(&container.name);
    let Some(item) = work.record.get(&key) else {
        return;
    };
    let ours: Vec<_> = item.values().filter_map(parse).collect();
    let old = write
        .old
        .and_then(|old| old.set.spec.template.spec.container(&container.name));
    let case = Case {
        new: container.readiness_probe.as_ref(),
        old: old.and_then(|old| old.readiness_probe.as_ref()),
        ours: &ours,
        state: item.state,
    };
    let fate = fate(&case, write);
    let authored = match write.old {
        Some(old) if matches!(fate, Fate::Yields(_)) => old.authored_probe_fields(&container.name),
        _ => Vec::new(),
    };
    let mut place = Place { work, key, index };
    match fate {
        Fate::Stays => {}
        Fate::Becomes(state) => place.becomes(state),
        Fate::Yields(value) => {
            if let Some(ours) = ours.get(value) {
                place.yields(ours, &authored);
            }
        }
        Fate::Withdrawn => place.withdraw(),
        Fate::PutBack(value) => {
            place.put_back(value);
            place.follow(old);
        }
        Fate::Restored => place.restore(),
        Fate::Stands => place.follow(old),
    }
}

fn parse(value: &Value) -> Option<Probe<'static>> {
    Probe::deserialize(value.clone()).ok()
}

/// A container whose probe is looked after.
struct Place<'p, 'w, 'a> {
    work: &'p mut Work<'w, 'a>,
    key: String,
    index: usize,
}

impl<'a> Place<'_, '_, 'a> {
    fn becomes(&mut self, state: State) {
        self.work.record.set_state(&self.key, state);
    }

    fn note(&mut self, tag: Tag, message: String) {
        let pointer = format!(
            "/spec/template/spec/containers/{}/readinessProbe",
            self.index
        );
        self.work.note(tag, pointer, message);
    }

    fn container(&self) -> Option<&Container<'a>> {
        self.work
            .draft
            .set()
            .spec
            .template
            .spec
            .containers
            .get(self.index)
    }

    /// A tombstone of a probe that was taken out on purpose stays one: it must not come back when the user's own goes.
    fn yields(&mut self, ours: &Probe<'_>, authored: &[String]) {
        let Some(standing) = self
            .container()
            .and_then(|container| container.readiness_probe.clone())
        else {
            return;
        };
        let fields = [
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
                ProbeField::PeriodSeconds,
                stands(standing.period_seconds, ours.period_seconds),
            ),
            (
                ProbeField::TimeoutSeconds,
                stands(standing.timeout_seconds, ours.timeout_seconds),
            ),
            (
                ProbeField::SuccessThreshold,
                stands(standing.success_threshold, ours.success_threshold),
            ),
            (
                ProbeField::FailureThreshold,
                stands(standing.failure_threshold, ours.failure_threshold),
            ),
        ];
        let is_his = |field: ProbeField| authored.iter().any(|name| name == field.name());
        let fields = fields
            .into_iter()
            .filter(|(field, ours)| *ours && !is_his(*field));
        for (field, _) in fields {
            self.work
                .draft
                .remove_from_readiness_probe(self.index, field);
        }
        if self
            .work
            .record
            .get(&self.key)
            .is_some_and(|item| item.state != State::Removed)
        {
            self.becomes(State::Yielded);
        }
        self.note(
            Tag::Yielded,
            "the injected probe made way for your own".to_owned(),
        );
    }

    /// It yields to the annotation: a revert of both brings it back.
    fn withdraw(&mut self) {
        self.work.draft.remove_readiness_probe(self.index);
        self.becomes(State::Yielded);
        self.note(
            Tag::Yielded,
            "the injected probe was removed, as steadyset.io/inject asks".to_owned(),
        );
    }

    /// Puts back a recorded value: the latest (0) or one that it followed.
    fn put_back(&mut self, value: usize) {
        let Some(item) = self.work.record.get(&self.key) else {
            return;
        };
        let Some(probe) = item.values().nth(value).and_then(parse) else {
            return;
        };
        self.work.draft.set_readiness_probe(self.index, probe);
        self.becomes(State::Injected);
        self.work
            .injected(Kind::ReadinessProbe, Origin::Record, self.key.clone());
        self.note(
            Tag::Injected,
            "put back; write it in the manifest, or your own".to_owned(),
        );
    }
}

fn stands(standing: Option<i64>, ours: Option<i64>) -> bool {
    ours.is_some() && standing == ours
}

#[cfg(test)]
mod tests;
