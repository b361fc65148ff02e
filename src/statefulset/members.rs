//! The members of a JSON object, each as it is written: what is equal is seen from its bytes and decoded once.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::TEMPLATE;
use super::set::Spec;
use super::view::Text;

/// The members of a spec in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl PartialEq for Members<'_> {
    fn eq(&self, other: &Self) -> bool {
        let pairs = || self.0.iter().zip(&other.0);
        self.0.len() == other.0.len()
            && pairs().all(|(one, two)| one.0 == two.0 && one.1.get() == two.1.get())
    }
}

impl<'a> Members<'a> {
    /// The value of a member; of a repeated key the last counts.
    pub(super) fn get(&self, key: &str) -> Option<&'a RawValue> {
        let mut members = self.0.iter().rev();
        members
            .find(|(name, _)| **name == *key)
            .map(|(_, value)| *value)
    }

    /// The claims as they are written.
    pub(super) fn claims(&self) -> serde_json::Result<Vec<&'a RawValue>> {
        let claims = self.get("volumeClaimTemplates").map(RawValue::get);
        let claims: Option<Option<_>> = claims.map(serde_json::from_str).transpose()?;
        Ok(claims.flatten().unwrap_or_default())
    }

    /// The spec that the members make up, with or without the template.
    pub(super) fn decode(&self, without_template: bool) -> serde_json::Result<Spec<'a>> {
        let members = self
            .0
            .iter()
            .filter(|(name, _)| !(without_template && **name == *TEMPLATE));
        Spec::deserialize(MapDeserializer::new(
            members.map(|(name, value)| (&**name, *value)),
        ))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(std::marker::PhantomData))
    }
}

struct MembersVisitor<'a>(std::marker::PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for MembersVisitor<'a> {
    type Value = Members<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
