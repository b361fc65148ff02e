//! Exemptions: rules that a set's owner accepts breaking, by annotation, with a reason and an end.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Policy;
use crate::cluster_view::Lookup;
use crate::model::rules;
use crate::model::spelling::nearest;
use crate::model::text::{clipped, quoted};
use crate::statefulset::annotations::{EXEMPT, EXEMPT_UNTIL};
use crate::statefulset::set::Set;

/// The most characters of a reason that are shown.
const REASON: usize = 1_000;

/// What a set says of its exemptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption<'s> {
    rules: Vec<&'static str>,
    reason: &'s str,
    until: Option<Until<'s>>,
}

/// The end of an exemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Until<'s> {
    at: Timestamp,
    written: &'s str,
}

/// What becomes of a finding of an exempted rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// The set does not ask to be exempted from the rule.
    None,
    /// The finding is dropped, and this is said.
    Counts(String),
    /// The finding stands, and this is said beside it.
    CountsNot(String),
}

impl<'s> Exemption<'s> {
    /// Reads the annotations of a set; `None` where it asks for no exemption, or in words that cannot be read, of which the rule
    /// `annotation-invalid` speaks.
    #[must_use]
    pub fn of(set: &'s Set<'_>) -> Option<Self> {
        let annotations = &set.metadata.annotations;
        let (rules, reason) = parse(annotations.get(EXEMPT)?).ok()?;
        let until = match annotations.get(EXEMPT_UNTIL) {
            None => None,
            Some(written) => Some(Until {
                at: parse_until(written).ok()?,
                written,
            }),
        };
        Some(Self {
            rules,
            reason,
            until,
        })
    }

    /// Whether it speaks of a rule and its time is over.
    #[must_use]
    pub fn is_expired(&self, id: &'static str, now: Timestamp) -> bool {
        self.rules.contains(&id) && self.until.is_some_and(|until| until.at <= now)
    }

    /// What becomes of a finding of that rule. `verb` says whether the user of this write holds the verb `exempt`.
    #[must_use]
    pub fn applies(
        &self,
        id: &'static str,
        policy: &Policy,
        verb: &Lookup<()>,
        now: Timestamp,
    ) -> Use {
        if !self.rules.contains(&id) {
            return Use::None;
        }
        if let Some(until) = self.until.filter(|until| until.at <= now) {
            return Use::CountsNot(format!(
                "the exemption from {id} ended at {}",
                until.written
            ));
        }
        match refusal(id, policy, verb) {
            Some(reason) => {
                Use::CountsNot(format!("the exemption from {id} does not count: {reason}"))
            }
            None => Use::Counts(self.describe(id)),
        }
    }

    fn describe(&self, id: &str) -> String {
        let until = self
            .until
            .map_or_else(String::new, |until| format!(" until {}", until.written));
        format!(
            "exempted from {id}{until}: {}",
            clipped(self.reason, REASON)
        )
    }
}

/// Why an exemption that is asked for does not count.
fn refusal(id: &'static str, policy: &Policy, verb: &Lookup<()>) -> Option<String> {
    let exemptions = &policy.exemptions;
    let title = policy.title();
    if !exemptions.allow {
        return Some(format!("policy {title} allows none"));
    }
    if exemptions.forbid_rules.contains(&id) {
        return Some(format!("policy {title} allows none from this rule"));
    }
    match verb {
        _ if !exemptions.require_verb => None,
        Lookup::Found(()) => None,
        Lookup::Absent => Some(format!(
            "policy {title} asks for the verb exempt on statefulsetpolicies.steadyset.io, which you do not hold"
        )),
        Lookup::Unknown => Some(format!(
            "policy {title} asks for the verb exempt, and whether you hold it could not be asked"
        )),
    }
}

/// The rules and the reason of `rule-id[,rule-id]: reason`.
///
/// # Errors
///
/// What is wrong, and what to write instead.
pub fn parse(text: &str) -> Result<(Vec<&'static str>, &str), (String, String)> {
    let form = || "write rule-id: reason".to_owned();
    let (ids, reason) = text.split_once(':').unwrap_or((text, ""));
    let mut rules = Vec::new();
    for id in ids.split(',').map(str::trim) {
        let Some(rule) = rules::named(id) else {
            let near = nearest(id, rules::RULES.iter().map(|rule| rule.id));
            let help = near.map_or_else(form, |near| format!("did you mean {near}?"));
            return Err((
                format!("there is no rule {}, so nothing is exempted", quoted(id)),
                help,
            ));
        };
        rules.push(rule.id);
    }
    match reason.trim() {
        "" => Err((
            "it has no reason, so nothing is exempted".to_owned(),
            form(),
        )),
        reason => Ok((rules, reason)),
    }
}

/// The end of an exemption: an RFC 3339 time, or a date, whose first moment in UTC it is.
///
/// # Errors
///
/// What is wrong, and what to write instead.
pub fn parse_until(text: &str) -> Result<Timestamp, (String, String)> {
    let text = text.trim();
    let date = || -> Option<Timestamp> {
        let date: Date = text.parse().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(date).ok_or_else(|| {
        (
            format!("{} is no time, so nothing is exempted", quoted(text)),
            "write one such as 2027-01-31T00:00:00Z".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::Exemptions;

    /// What a set with these annotations meets in 2026 for the rule `service-missing`.
    fn meets(exempt: &str, until: Option<&str>, policy: &Policy, verb: &Lookup<()>) -> Use {
        let mut annotations = json!({EXEMPT: exempt});
        if let Some(until) = until {
            annotations[EXEMPT_UNTIL] = json!(until);
        }
        let set = json!({"metadata": {"annotations": annotations}}).to_string();
        let set: Set<'_> = serde_json::from_str(&set).unwrap();
        let rule = rules::named("service-missing").unwrap();
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        Exemption::of(&set).map_or(Use::None, |exemption| {
            exemption.applies(rule.id, policy, verb, now)
        })
    }

    fn by_default(exempt: &str, until: Option<&str>) -> Use {
        meets(exempt, until, &Policy::default(), &Lookup::Unknown)
    }

    #[test]
    fn an_exemption_counts_until_it_ends() {
        let counts = |text: &str| Use::Counts(text.to_owned());
        let ended = |text: &str| Use::CountsNot(text.to_owned());
        for (exempt, until, expected) in [
            (
                "service-missing: made later",
                None,
                counts("exempted from service-missing: made later"),
            ),
            (
                "claim-unmounted, service-missing: see OPS-7: later",
                Some("2027-01-01T00:00:00Z"),
                counts(
                    "exempted from service-missing until 2027-01-01T00:00:00Z: see OPS-7: later",
                ),
            ),
            (
                "service-missing: a",
                Some("2026-11-22"),
                counts("exempted from service-missing until 2026-11-22: a"),
            ),
            (
                "service-missing: a",
                Some("2026-11-21T13:00:00+01:00"),
                ended("the exemption from service-missing ended at 2026-11-21T13:00:00+01:00"),
            ),
            (
                "service-missing: a",
                Some("2026-11-21"),
                ended("the exemption from service-missing ended at 2026-11-21"),
            ),
            ("claim-unmounted: a", None, Use::None),
            ("service-missing", None, Use::None),
            ("service-missing: ", None, Use::None),
            ("service-missing, nonsense: a", None, Use::None),
            ("service-missing: a", Some("soon"), Use::None),
        ] {
            assert_eq!(by_default(exempt, until), expected, "{exempt} {until:?}");
        }
    }

    #[test]
    fn the_policy_decides_who_may() {
        let exemptions = |exemptions: Exemptions| Policy {
            name: "shop".to_owned(),
            exemptions,
            ..Policy::default()
        };
        let none = exemptions(Exemptions {
            allow: false,
            ..Exemptions::default()
        });
        let forbidden = exemptions(Exemptions {
            forbid_rules: vec!["service-missing"],
            ..Exemptions::default()
        });
        let verb = exemptions(Exemptions {
            require_verb: true,
            ..Exemptions::default()
        });
        let start = "the exemption from service-missing does not count: policy shop";
        for (policy, held, expected) in [
            (&none, Lookup::Found(()), Some("allows none")),
            (
                &forbidden,
                Lookup::Found(()),
                Some("allows none from this rule"),
            ),
            (&verb, Lookup::Found(()), None),
            (
                &verb,
                Lookup::Absent,
                Some(
                    "asks for the verb exempt on statefulsetpolicies.steadyset.io, which you do not hold",
                ),
            ),
            (
                &verb,
                Lookup::Unknown,
                Some("asks for the verb exempt, and whether you hold it could not be asked"),
            ),
        ] {
            let expected = expected.map_or_else(
                || Use::Counts("exempted from service-missing: a".to_owned()),
                |reason| Use::CountsNot(format!("{start} {reason}")),
            );
            assert_eq!(meets("service-missing: a", None, policy, &held), expected);
        }
    }
}
