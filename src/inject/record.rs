//! The record of what was injected: the annotation `steadyset.io/injected`.
//!
//! It never forgets. A `rollout undo` brings an old template back, and only the record knows whose probe that is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;
use crate::statefulset::annotations::INJECTED;
use crate::statefulset::probe::Slot;
use crate::statefulset::set::Set;

/// The key of the injected `serviceName`.
pub const SERVICE_NAME: &str = "service-name";

/// The source of a service name that we made up, and whose Service the controller keeps.
pub const SOURCE_POLICY: &str = "policy";

/// The longest record, in bytes: a longer one was not written by steadyset, whose patches are no longer than that.
const LONGEST: usize = 128 * 1024;

/// The key of an injected claim.
#[must_use]
pub fn claim_key(claim: &str) -> String {
    format!("claim/{claim}")
}

/// The key of what a user's claim lacked.
#[must_use]
pub fn completion_key(claim: &str) -> String {
    format!("claim-completion/{claim}")
}

/// The key of an injected mount.
#[must_use]
pub fn mount_key(container: &str, path: &str) -> String {
    format!("mount/{container}/{}", path.trim_start_matches('/'))
}

/// The key of an injected probe.
#[must_use]
pub fn probe_key(slot: Slot, container: &str) -> String {
    format!("{}/{container}", Kind::from(slot).word())
}

/// All that was ever injected into a set, by key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record {
    items: BTreeMap<String, Item>,
    /// Whether something may have been changed since it was read.
    #[serde(skip)]
    touched: bool,
}

/// One thing that was injected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What became of it.
    pub state: State,
    /// The value as it was written.
    pub value: Value,
    /// Where it comes from: `policy`, `service`, `annotation`, `port`, `catalogue/<entry>`, or
    /// `policy/<policy>` for a probe that a policy states for the image.
    pub source: String,
    /// The number of the port that a script asks; other probes name theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i64>,
    /// The product's version that wrote it.
    pub version: String,
    /// Values that this one followed: an undo may bring each of them back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
}

/// A value that was replaced because what it rested on was gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Earlier {
    /// The value as it was written.
    pub value: Value,
    /// Where it came from.
    pub source: String,
    /// The number of the port that a script asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i64>,
    /// The fingerprint of the container that it last stood in: one that is the same again gets the same value again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fits: Option<String>,
}

/// What became of an injected thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is ours.
    Injected,
    /// It made way for the user's own.
    Yielded,
    /// It was taken out on purpose.
    Removed,
    /// The user wrote the same: it is his.
    Adopted,
}

impl Item {
    /// A thing that is injected now.
    #[must_use]
    pub fn new(value: Value, source: impl Into<String>) -> Self {
        Self {
            state: State::Injected,
            value,
            source: source.into(),
            port: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            earlier: Vec::new(),
        }
    }

    /// The value and those that it followed, the latest first.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(&self.value).chain(self.earlier.iter().map(|earlier| &earlier.value))
    }

    /// One of [`Item::values`] with what it rests on.
    pub(super) fn nth(&self, index: usize) -> Option<Earlier> {
        match index.checked_sub(1) {
            None => Some(Earlier {
                value: self.value.clone(),
                source: self.source.clone(),
                port: self.port,
                fits: None,
            }),
            Some(earlier) => self.earlier.get(earlier).cloned(),
        }
    }

    /// Makes one of [`Item::values`] the latest.
    pub(super) fn make_latest(&mut self, index: usize) {
        if let Some(earlier) = index.checked_sub(1).filter(|at| *at < self.earlier.len()) {
            let chosen = self.earlier.remove(earlier);
            self.push(chosen);
        }
    }

    /// Puts a value before the others.
    pub(super) fn push(&mut self, value: Earlier) {
        self.earlier.retain(|earlier| earlier.value != value.value);
        self.earlier.extend(self.nth(0));
        self.earlier.rotate_right(1);
        self.value = value.value;
        self.source = value.source;
        self.port = value.port;
    }
}

impl Record {
    /// The record of a set; `None` where it has none, or one that cannot be read.
    #[must_use]
    pub fn of(set: &Set<'_>) -> Option<Self> {
        let text = set.metadata.annotations.get(INJECTED)?;
        if text.len() > LONGEST {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// What is recorded under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.items.get(key)
    }

    /// What is recorded under a key, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Item> {
        self.touched = true;
        self.items.get_mut(key)
    }

    /// Whether a thing is recorded as injected and as ours until now.
    #[must_use]
    pub fn is_injected(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|item| item.state == State::Injected)
    }

    /// Notes an injection.
    pub fn insert(&mut self, key: String, item: Item) {
        self.touched = true;
        self.items.insert(key, item);
    }

    /// Notes what became of an injection.
    pub fn set_state(&mut self, key: &str, state: State) {
        if let Some(item) = self.get_mut(key) {
            item.state = state;
        }
    }

    /// Whether nothing was ever injected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Forgets every key but those that `keep` keeps.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let before = self.items.len();
        self.items.retain(|key, _| keep(key));
        self.touched |= self.items.len() < before;
    }

    /// Whether it says something else than another.
    pub(super) fn differs_from(&self, other: &Self) -> bool {
        self.items != other.items
    }

    /// Whether something may have been changed since it was read.
    pub(super) fn is_touched(&self) -> bool {
        self.touched
    }

    /// Everything recorded.
    pub fn items(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.items.iter().map(|(key, item)| (key.as_str(), item))
    }

    /// The service name that we made up and whose Service the controller keeps.
    #[must_use]
    pub fn kept_service(&self) -> Option<&str> {
        self.get(SERVICE_NAME)
            .filter(|item| item.state == State::Injected && item.source == SOURCE_POLICY)
            .and_then(|item| item.value.as_str())
    }

    /// The annotation's value.
    ///
    /// # Errors
    ///
    /// None that can happen: every key is a string.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(annotations: &Value) -> Set<'static> {
        let text = json!({"metadata": {"annotations": annotations}}).to_string();
        serde_json::from_str(Box::leak(text.into_boxed_str())).unwrap()
    }

    #[test]
    fn reads_what_it_wrote() {
        let mut record = Record::default();
        record.insert(
            SERVICE_NAME.to_owned(),
            Item::new(json!("web-pods"), SOURCE_POLICY),
        );
        record.insert(
            probe_key(Slot::Readiness, "app"),
            Item::new(json!({"tcpSocket": {"port": "http"}}), "port"),
        );
        record.set_state(&probe_key(Slot::Readiness, "app"), State::Yielded);
        let stored = set(&json!({INJECTED: record.to_json().unwrap()}));
        assert!(!Record::of(&stored).unwrap().differs_from(&record));
        assert_eq!(record.kept_service(), Some("web-pods"));
        assert!(record.is_injected(SERVICE_NAME));
        assert!(!record.is_injected(&probe_key(Slot::Readiness, "app")));
    }

    #[test]
    fn a_record_that_cannot_be_read_is_none() {
        for text in ["", "{", "[]", "{\"service-name\":1}", "null"] {
            assert_eq!(Record::of(&set(&json!({INJECTED: text}))), None, "{text}");
        }
        assert_eq!(Record::of(&set(&json!({}))), None);
    }

    #[test]
    fn only_a_service_that_we_made_up_is_kept() {
        let mut record = Record::default();
        record.insert(SERVICE_NAME.to_owned(), Item::new(json!("web"), "service"));
        assert_eq!(record.kept_service(), None);
    }
}
