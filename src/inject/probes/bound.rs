//! Which recorded probes of a new set are none of ours.

use super::derive::holds;
use super::settle::values;
use super::{Site, probe_key};
use crate::inject::record::State;
use crate::statefulset::probe::Slot;
use crate::statefulset::set::Container;

/// The keys of probes that the record claims as ours, that stand in the set, and that we could not have written there.
pub(in crate::inject) fn not_ours(site: Site<'_>) -> Vec<String> {
    let containers = &site.set.spec.template.spec.containers;
    let places = containers
        .iter()
        .flat_map(|container| Slot::ALL.map(|slot| (container, slot)));
    let foreign = places.filter(|(container, slot)| is_foreign(site, container, *slot));
    foreign
        .map(|(container, slot)| probe_key(slot, &container.name))
        .collect()
}

fn is_foreign(site: Site<'_>, container: &Container<'_>, slot: Slot) -> bool {
    let key = probe_key(slot, &container.name);
    let item = site.record.get(&key);
    let claimed = item.filter(|item| item.state == State::Injected);
    let (Some(item), Some(standing)) = (claimed, slot.of(container)) else {
        return false;
    };
    let at = values(item).position(|value| value == *standing);
    let recorded = at.and_then(|at| item.nth(at));
    recorded.is_some_and(|recorded| !holds(&recorded, slot, site, container, standing))
}
