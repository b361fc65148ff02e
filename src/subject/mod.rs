//! The subject of a verdict: a borrowed view of the set as it would be stored, and of the one it replaces.
//!
//! The views read only what rules and injections need. Whatever else an object holds, today's or next year's, is neither
//! built nor able to make the decode fail.

use std::borrow::Cow;

use serde_json::value::RawValue;
use thiserror::Error;

pub mod annotations;
mod facts;
pub mod probe;
pub mod set;
pub mod view;

use set::Set;
use view::view;

/// What is asked of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A set that does not exist yet.
    Create,
    /// A write to a set that does.
    Update,
}

/// Where a set comes from, before it is decoded.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The set's namespace; what the request says is authoritative.
    pub namespace: &'a str,
    /// The set as the user wants it.
    pub object: &'a RawValue,
    /// The set as it is stored; present makes it an UPDATE.
    pub old_object: Option<&'a RawValue>,
}

/// A set that cannot be read: a field that a rule needs holds something else than Kubernetes allows there.
#[derive(Debug, Error)]
#[error("the StatefulSet cannot be read: {0}")]
pub struct Undecodable(#[from] serde_json::Error);

/// A set to be judged.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The set's namespace.
    pub namespace: Cow<'a, str>,
    /// The set as the user wants it.
    pub set: Set<'a>,
    /// What it replaces; `None` on CREATE.
    pub old: Option<Old<'a>>,
}

/// The stored set that an UPDATE replaces.
#[derive(Clone, Debug)]
pub struct Old<'a> {
    /// The stored set.
    pub set: Set<'a>,
    /// Whether the pod template differs, byte for byte as the API server encodes it: a controller revision depends on no
    /// less than that.
    pub template_changed: bool,
    /// The stored claims as they are written, to be put back unchanged.
    pub raw_claims: Vec<&'a RawValue>,
}

impl<'a> Subject<'a> {
    /// Reads a set and, on UPDATE, the one it replaces.
    ///
    /// Answers `None` where there is nothing to judge: the set is being deleted, or the write leaves its spec as it is.
    ///
    /// # Errors
    ///
    /// [`Undecodable`] if a field that a rule reads has the wrong type.
    pub fn decode(source: Source<'a>) -> Result<Option<Self>, Undecodable> {
        let Some(old_object) = source.old_object else {
            let set: Set<'a> = serde_json::from_str(source.object.get())?;
            return Ok(Self::judged(source.namespace, set, None));
        };
        let new_spec = SpecOutline::of(source.object)?;
        let old_spec = SpecOutline::of(old_object)?;
        if new_spec.raw() == old_spec.raw() {
            return Ok(None);
        }
        let old = Old {
            set: serde_json::from_str(old_object.get())?,
            template_changed: new_spec.template()? != old_spec.template()?,
            raw_claims: old_spec.claims()?,
        };
        let set = serde_json::from_str(source.object.get())?;
        Ok(Self::judged(source.namespace, set, Some(old)))
    }

    fn judged(namespace: &'a str, set: Set<'a>, old: Option<Old<'a>>) -> Option<Self> {
        if set.metadata.deletion_timestamp.is_some() {
            return None;
        }
        Some(Self {
            namespace: Cow::Borrowed(namespace),
            set,
            old,
        })
    }

    /// Whether the set is new or replaces another.
    #[must_use]
    pub fn operation(&self) -> Operation {
        if self.old.is_some() {
            Operation::Update
        } else {
            Operation::Create
        }
    }

    /// Whether this write changes the pod template of a stored set.
    #[must_use]
    pub fn template_changed(&self) -> bool {
        self.old.as_ref().is_some_and(|old| old.template_changed)
    }
}

view! {
    struct Outline<'a> {
        "spec" => spec: Option<&'a RawValue>,
    }
}

view! {
    struct SpecFields<'a> {
        "template" => template: Option<&'a RawValue>,
        "volumeClaimTemplates" => claims: Vec<&'a RawValue>,
    }
}

/// The bytes of a set's `spec`, looked into no further than a comparison needs.
struct SpecOutline<'a>(Option<&'a RawValue>);

impl<'a> SpecOutline<'a> {
    fn of(object: &'a RawValue) -> Result<Self, Undecodable> {
        let outline: Outline<'a> = serde_json::from_str(object.get())?;
        Ok(Self(outline.spec))
    }

    fn raw(&self) -> Option<&'a str> {
        self.0.map(RawValue::get)
    }

    fn fields(&self) -> Result<SpecFields<'a>, Undecodable> {
        self.raw().map_or_else(
            || Ok(SpecFields::default()),
            |raw| Ok(serde_json::from_str(raw)?),
        )
    }

    fn template(&self) -> Result<Option<&'a str>, Undecodable> {
        Ok(self.fields()?.template.map(RawValue::get))
    }

    fn claims(&self) -> Result<Vec<&'a RawValue>, Undecodable> {
        Ok(self.fields()?.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn source<'a>(object: &'a RawValue, old_object: Option<&'a RawValue>) -> Source<'a> {
        Source {
            namespace: "shop",
            object,
            old_object,
        }
    }

    #[test]
    fn null_is_absent_and_the_last_of_a_repeated_key_wins() {
        let object = raw(
            r#"{"metadata":{"name":"old","name":"web","annotations":null},"spec":{"replicas":null,"serviceName":null,
            "template":null,"volumeClaimTemplates":null,"updateStrategy":{"rollingUpdate":{"partition":9}},
            "updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}"#,
        );
        let set = Subject::decode(source(&object, None)).unwrap().unwrap().set;
        assert_eq!(set.metadata.name, "web");
        assert!(!set.metadata.annotations.present);
        assert_eq!((set.spec.replicas(), &*set.spec.service_name), (1, ""));
        assert_eq!(set.spec.update_strategy.kind(), "OnDelete");
        assert_eq!(set.spec.update_strategy.rolling_update, None);
    }

    #[test]
    fn only_our_annotations_are_built() {
        let object = raw(
            r#"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","a":null,
            "steadyset.io/inject":"none"}}}"#,
        );
        let annotations = Subject::decode(source(&object, None))
            .unwrap()
            .unwrap()
            .set
            .metadata
            .annotations;
        assert_eq!((annotations.present, annotations.ours.len()), (true, 1));
        assert_eq!(annotations.get(annotations::INJECT), Some("none"));
    }

    #[test]
    fn depth_in_a_skipped_field_changes_nothing_and_in_a_read_one_is_undecodable() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let skipped = raw(&format!(
            r#"{{"spec":{{"minReadySeconds":{deep}}},"status":{{"x":{deep}}}}}"#
        ));
        assert!(Subject::decode(source(&skipped, None)).unwrap().is_some());
        let read = raw(&format!(r#"{{"spec":{{"template":{deep}}}}}"#));
        assert!(Subject::decode(source(&read, None)).is_err());
    }

    #[test]
    fn a_write_that_leaves_the_spec_or_comes_while_deleting_is_not_judged() {
        let old = raw(r#"{"metadata":{"labels":{}},"spec":{"replicas":1}}"#);
        let labelled = raw(r#"{"metadata":{"labels":{"a":"b"}},"spec":{"replicas":1}}"#);
        let deleting = raw(
            r#"{"metadata":{"deletionTimestamp":"2026-11-21T00:00:00Z"},"spec":{"replicas":2}}"#,
        );
        for object in [&labelled, &deleting] {
            assert!(
                Subject::decode(source(object, Some(&old)))
                    .unwrap()
                    .is_none()
            );
        }
    }

    #[test]
    fn a_template_change_is_seen_in_any_byte_of_it() {
        let old = raw(r#"{"spec":{"replicas":1,"template":{"spec":{"unknown":1}}}}"#);
        for (object, changed) in [
            (
                r#"{"spec":{"replicas":2,"template":{"spec":{"unknown":1}}}}"#,
                false,
            ),
            (
                r#"{"spec":{"replicas":1,"template":{"spec":{"unknown":2}}}}"#,
                true,
            ),
        ] {
            let object = raw(object);
            let subject = Subject::decode(source(&object, Some(&old)))
                .unwrap()
                .unwrap();
            assert_eq!(subject.operation(), Operation::Update);
            assert_eq!(subject.template_changed(), changed);
        }
    }

    #[test]
    fn a_volume_knows_where_it_comes_from() {
        let object = raw(
            r#"{"spec":{"template":{"spec":{"volumes":[{"name":"a","emptyDir":{}},{"secret":null,"name":"b"}]}}}}"#,
        );
        let set = Subject::decode(source(&object, None)).unwrap().unwrap().set;
        let sources: Vec<_> = set
            .spec
            .template
            .spec
            .volumes
            .iter()
            .map(|volume| volume.sources.len())
            .collect();
        assert_eq!(sources, [1, 0]);
    }
}
