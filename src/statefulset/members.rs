//! The members of a spec, each as it is written: what is equal is seen from its bytes and decoded once.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::value::MapDeserializer;

use super::TEMPLATE;
use super::set::Spec;
use crate::model::json::{Reader, Unread, items};

/// The members of a spec in the order in which they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Members<'a> {
    /// Passes over the spec here once and keeps where its members stand.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Unread> {
        let mut members = Vec::with_capacity(16);
        reader.each_member(|key, reader| {
            members.push((key, reader.slice()?));
            Ok(())
        })?;
        Ok(Self(members))
    }

    /// The text of a member; of a repeated key the last counts.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let mut members = self.0.iter().rev();
        members.find(|(name, _)| name == key).map(|(_, text)| *text)
    }

    /// The claims as they are written.
    pub(super) fn claims(&self) -> Vec<&'a str> {
        self.get("volumeClaimTemplates")
            .map(items)
            .unwrap_or_default()
    }

    /// The spec that the members make up, with or without the template.
    pub(super) fn decode(&self, without_template: bool) -> Result<Spec<'a>, Unread> {
        let members = self
            .0
            .iter()
            .filter(|(name, _)| !(without_template && name == TEMPLATE));
        Spec::deserialize(MapDeserializer::new(
            members.map(|(name, text)| (&**name, Reader::new(text))),
        ))
    }
}
