//! A probe of ours and the container around it: what it rested on may be gone, or be there again.

use sha2::{Digest, Sha256};

use super::{Place, parse};
use crate::catalogue::repository;
use crate::inject::Tag;
use crate::inject::probes::derive::{
    derive_any, derive_from, founded, holds, is_permitted, is_silent,
};
use crate::inject::probes::{Proposed, SOURCE_IMAGE, image, is_on, origin};
use crate::inject::record::{Earlier, State};
use crate::statefulset::set::Container;

impl Place<'_, '_, '_> {
    /// Brings back the latest recorded value that holds again, whatever the policy injects by now: a revert must lead to the very
    /// template that was there before.
    pub(super) fn restore(&mut self) {
        let Some(count) = self
            .work
            .record
            .get(&self.key)
            .map(|item| item.values().count())
        else {
            return;
        };
        let Some(at) = (0..count).find(|value| self.holds_again(*value)) else {
            return;
        };
        if let Some(item) = self.work.record.get_mut(&self.key) {
            item.make_latest(at);
            self.put_back(0);
        }
    }

    /// Leaves a probe that is still founded exactly as it is, even if today's defaults differ. One whose port or program is
    /// gone follows: to one that it followed itself, where that holds again, else to what fits now. A container that is
    /// what it once was gets what it had then: a revert must lead to the very template that was there before.
    pub(super) fn follow(&mut self, old: Option<&Container<'_>>) {
        let Some((standing, is_founded)) = self.standing(old) else {
            return;
        };
        if let Some(item) = self.work.record.get_mut(&self.key) {
            item.make_latest(standing);
        }
        let known = self
            .fitting()
            .or_else(|| self.holding().filter(|_| !is_founded));
        if let Some(earlier) = known {
            return self.follow_to(earlier, old);
        }
        if is_founded {
            return;
        }
        if let Some(derived) = self.derive_like_before() {
            return self.follow_anew(derived, old);
        }
        self.work.draft.remove_probe(self.index, self.slot);
        self.becomes(State::Yielded);
        self.note(
            Tag::Yielded,
            "the injected probe was removed: what it asked is gone",
        );
    }

    /// The earlier value that stood in a container such as this.
    fn fitting(&self) -> Option<usize> {
        let item = self.work.record.get(&self.key)?;
        if item.earlier.is_empty() {
            return None;
        }
        let fingerprint = fingerprint(self.container()?);
        let fits = |value: &usize| {
            let recorded = item.nth(*value);
            recorded.is_some_and(|recorded| recorded.fits.as_ref() == Some(&fingerprint))
        };
        let mut earlier = 1..=item.earlier.len();
        earlier.find(|value| fits(value) && self.holds_again(*value))
    }

    /// The latest of the earlier values that holds again.
    fn holding(&self) -> Option<usize> {
        let item = self.work.record.get(&self.key)?;
        let mut earlier = 1..=item.earlier.len();
        earlier.find(|value| self.holds_again(*value))
    }

    /// What fits now, from the same source if that has something, whatever `Safe` says of a set that has to form: it has
    /// lived with such a probe.
    fn derive_like_before(&self) -> Option<Proposed> {
        if !is_on(self.slot, self.work.policy) {
            return None;
        }
        let source = &self.work.record.get(&self.key)?.source;
        let (slot, site, container) = (self.slot, self.work.site(), self.container()?);
        derive_from(source, slot, site, container).or_else(|| derive_any(slot, site, container))
    }

    /// Which recorded value the container has, and whether what it rests on is there.
    fn standing(&self, old: Option<&Container<'_>>) -> Option<(usize, bool)> {
        let (item, container) = (self.work.record.get(&self.key)?, self.container()?);
        let probe = self.probe()?;
        let standing = item
            .values()
            .position(|value| parse(value).as_ref() == Some(probe))?;
        let recorded = item.nth(standing)?;
        let founded = if recorded.source.starts_with(SOURCE_IMAGE) {
            image::is_founded(container, old, probe)
        } else {
            founded(&recorded, container, probe)
        };
        // The policy is asked again only about a container that has become another one: what runs must not change with it.
        let same = |old: &Container<'_>| repository(&old.image) == repository(&container.image);
        let permitted = is_permitted(self.slot, self.work.site(), container)
            || old.is_some_and(same) && !is_silent(container);
        Some((standing, founded && permitted))
    }

    /// Whether a recorded value is one of ours and what it rests on is there: the record could be forged.
    fn holds_again(&self, value: usize) -> bool {
        let item = self.work.record.get(&self.key);
        let Some(recorded) = item.and_then(|item| item.nth(value)) else {
            return false;
        };
        let asked = parse(&recorded.value).zip(self.container());
        asked.is_some_and(|(probe, container)| {
            holds(&recorded, self.slot, self.work.site(), container, &probe)
        })
    }

    fn follow_anew(&mut self, derived: Proposed, old: Option<&Container<'_>>) {
        let (Ok(value), Some(item)) = (
            serde_json::to_value(&derived.probe),
            self.work.record.get_mut(&self.key),
        ) else {
            return;
        };
        item.earlier.push(Earlier {
            value,
            source: derived.source,
            port: derived.port,
            fits: None,
        });
        let last = item.earlier.len();
        self.follow_to(last, old);
    }

    fn follow_to(&mut self, value: usize, old: Option<&Container<'_>>) {
        let Some(item) = self.work.record.get_mut(&self.key) else {
            return;
        };
        item.make_latest(value);
        if let Some(left) = item.earlier.first_mut() {
            left.fits = old.map(fingerprint);
        }
        item.state = State::Injected;
        let origin = origin(&item.source);
        let Some(probe) = parse(&item.value) else {
            return;
        };
        self.work.draft.set_probe(self.index, self.slot, probe);
        self.work
            .injected(self.slot.into(), origin, self.key.clone());
        self.note(
            Tag::Injected,
            "the injected probe follows your change of the container",
        );
    }
}

/// What a probe is derived from, in a few characters.
fn fingerprint(container: &Container<'_>) -> String {
    const LENGTH: usize = 8;
    let ports: Vec<_> = container
        .ports
        .iter()
        .map(|port| (&*port.name, port.container_port, &*port.protocol))
        .collect();
    let program = (&*container.image, &container.command, &container.args);
    let hash = format!("{:x}", Sha256::digest(format!("{program:?}{ports:?}")));
    hash.get(..LENGTH).unwrap_or(&hash).to_owned()
}
