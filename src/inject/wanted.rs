//! `steadyset.io/inject`: what the user lets us inject.

use super::Kind;
use crate::statefulset::annotations::INJECT;
use crate::statefulset::set::Set;

/// What a set lets us inject; the policy decides whether we do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted(Option<Vec<Kind>>);

impl Wanted {
    /// Reads the annotation of a set; one that cannot be understood lets nothing in.
    #[must_use]
    pub fn of(set: &Set<'_>) -> Self {
        let Some(text) = set.metadata.annotations.get(INJECT) else {
            return Self(None);
        };
        Self(Some(parse(text).unwrap_or_default()))
    }

    /// Whether that kind is let in.
    #[must_use]
    pub fn allows(&self, kind: Kind) -> bool {
        self.0.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

/// The words that a list may hold.
pub fn words() -> impl Iterator<Item = &'static str> {
    Kind::ALL.into_iter().map(Kind::word)
}

/// The kinds that a text names: `none`, or a comma list.
///
/// # Errors
///
/// The first word that is none of these.
pub fn parse(text: &str) -> Result<Vec<Kind>, &str> {
    let text = text.trim();
    if text == "none" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(str::trim)
        .map(|word| {
            let known = Kind::ALL.into_iter().find(|kind| kind.word() == word);
            known.ok_or(word)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrows_to_what_it_names() {
        let (probe, name, claims) = (Kind::ReadinessProbe, Kind::ServiceName, Kind::VolumeClaims);
        let cases = [
            ("none", Ok(vec![])),
            (" none ", Ok(vec![])),
            ("readiness-probe", Ok(vec![probe])),
            ("service-name, volume-claims", Ok(vec![name, claims])),
            ("liveness-probe", Ok(vec![Kind::LivenessProbe])),
            ("startup-probe", Ok(vec![Kind::StartupProbe])),
            ("readiness-probe,none", Err("none")),
            ("readiness", Err("readiness")),
            ("", Err("")),
            ("readiness-probe,", Err("")),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn no_annotation_narrows_nothing_and_an_unknown_word_lets_nothing_in() {
        assert!(Wanted(None).allows(Kind::ServiceName));
        let text = r#"{"metadata":{"annotations":{"steadyset.io/inject":"service-name,foo"}}}"#;
        let set = serde_json::from_str(text).unwrap();
        assert!(!Wanted::of(&set).allows(Kind::ServiceName));
    }
}
