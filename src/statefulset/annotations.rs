//! The annotations of ours on a set; all others are skipped, kubectl's copy of the whole manifest among them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::view::Text;

/// The prefix of every annotation that we read or write.
pub const PREFIX: &str = "steadyset.io/";
/// Narrows what is injected: `none`, or a comma list of kinds.
pub const INJECT: &str = "steadyset.io/inject";
/// The record of what was injected, written by us alone.
pub const INJECTED: &str = "steadyset.io/injected";
/// What a finding's owner accepts, with a reason.
pub const EXEMPT: &str = "steadyset.io/exempt";
/// Until when an exemption counts (RFC 3339).
pub const EXEMPT_UNTIL: &str = "steadyset.io/exempt-until";
/// The prefix of an annotation that asks for a claim: `steadyset.io/claim-<volume>`.
pub const CLAIM_PREFIX: &str = "steadyset.io/claim-";

/// `metadata.annotations`, of which only keys under [`PREFIX`] are kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations<'a> {
    /// Whether the object has the field, with a value other than null: a patch may then add a key below it.
    pub present: bool,
    /// Our own annotations by their full key.
    pub ours: BTreeMap<Text<'a>, Text<'a>>,
}

impl Annotations<'_> {
    /// The value of one of our annotations.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.ours.get(key).map(|value| &**value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Annotations<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnnotationsVisitor(std::marker::PhantomData))
    }
}

struct AnnotationsVisitor<'a>(std::marker::PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for AnnotationsVisitor<'a> {
    type Value = Annotations<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("annotations")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut annotations = Annotations {
            present: true,
            ours: BTreeMap::new(),
        };
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key.starts_with(PREFIX) {
                let value = map.next_value::<Option<Text<'a>>>()?.unwrap_or_default();
                annotations.ours.insert(key, value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(annotations)
    }
}
