//! The counters of rules and injections: every series exists from the start.

use std::collections::HashMap;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::labels::{ORIGINS, action, origin_text};
use crate::inject::{Kind, Origin};
use crate::model::finding::Action;
use crate::rules;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    rule: &'static str,
    action: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InjectionLabels {
    kind: &'static str,
    source: &'static str,
}

/// The one label `rule`.
type RuleLabel = [(&'static str, &'static str); 1];

/// Findings by rule and action.
pub(super) fn findings(registry: &mut Registry) -> HashMap<(&'static str, Action), Counter> {
    let family = Family::<FindingLabels, Counter>::default();
    let mut counters = HashMap::new();
    for rule in rules::all() {
        for of in [Action::Deny, Action::Warn, Action::Audit] {
            let labels = FindingLabels {
                rule: rule.id,
                action: action(of),
            };
            counters.insert((rule.id, of), family.get_or_create_owned(&labels));
        }
    }
    registry.register("findings", "Findings, dry runs not counted", family);
    counters
}

/// Injections by what was injected and where its value comes from.
pub(super) fn injections(registry: &mut Registry) -> HashMap<(Kind, Origin), Counter> {
    let family = Family::<InjectionLabels, Counter>::default();
    let mut counters = HashMap::new();
    for kind in Kind::ALL {
        for origin in ORIGINS {
            let labels = InjectionLabels {
                kind: kind.word(),
                source: origin_text(origin),
            };
            counters.insert((kind, origin), family.get_or_create_owned(&labels));
        }
    }
    registry.register("injections", "Injections, dry runs not counted", family);
    counters
}

/// A counter for each rule.
pub(super) fn by_rule(
    registry: &mut Registry,
    name: &'static str,
    help: &'static str,
) -> HashMap<&'static str, Counter> {
    let family = Family::<RuleLabel, Counter>::default();
    let counters = rules::all().iter().map(|rule| {
        let counter = family.get_or_create_owned(&[("rule", rule.id)]);
        (rule.id, counter)
    });
    let counters = counters.collect();
    registry.register(name, help, family);
    counters
}
