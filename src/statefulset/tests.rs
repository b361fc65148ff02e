//! The views read JSON as the API server does.

use serde_json::value::RawValue;

use super::*;
use crate::strict::{Source, Subject};

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
    let deleting =
        raw(r#"{"metadata":{"deletionTimestamp":"2026-11-21T00:00:00Z"},"spec":{"replicas":2}}"#);
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
