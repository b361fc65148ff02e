//! What a body is read as, and what is said of one that is none.

use super::*;

const KIND: &str = r#""kind":{"group":"apps","version":"v1","kind":"StatefulSet"}"#;

fn review(request: &str) -> String {
    format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{request}}}"#
    )
}

#[test]
fn objects_and_texts_borrow_from_the_body() {
    let body = review(&format!(
        r#"{{"uid":"u","operation":"UPDATE",{KIND},"namespace":"n","name":"web","dryRun":true,
        "userInfo":{{"username":"me","groups":["g"]}},"object":{{"a":[1]}},"oldObject":null}}"#
    ));
    let envelope = Envelope::read(body.as_bytes()).unwrap();
    assert!(matches!(envelope.uid, Cow::Borrowed("u")));
    assert!(matches!(envelope.object, Some(Met::Outline(_))));
    assert!(envelope.old_object.is_none() && envelope.dry_run && envelope.is_stateful_set);
    assert_eq!(
        (&*envelope.namespace, &*envelope.name, &*envelope.user),
        ("n", "web", "me")
    );
    assert_eq!(envelope.operation, Operation::Update);
}

#[test]
fn of_a_repeated_key_the_last_counts() {
    let body = review(&format!(
        r#"{{"uid":"a",{KIND},"uid":"b","object":{{"a":1}},"object":{{"a":2}}}}"#
    ));
    let envelope = Envelope::read(body.as_bytes()).unwrap();
    assert_eq!(envelope.uid, "b");
    assert!(matches!(envelope.object, Some(Met::Text(r#"{"a":2}"#))));
}

#[test]
fn an_object_is_read_where_it_is_met_if_the_operation_is_known_and_kept_as_text_if_not() {
    let met = |fields: &str| {
        let body = review(&format!(r#"{{"uid":"u",{fields}}}"#));
        match Envelope::read(body.as_bytes()).unwrap().object {
            Some(Met::Set(set)) => format!("set {}", set.metadata.name),
            Some(Met::Outline(_)) => "outline".to_owned(),
            Some(Met::Text(text)) => text.to_owned(),
            None => "none".to_owned(),
        }
    };
    let set = r#""object":{"metadata":{"name":"web"}}"#;
    let text = r#"{"metadata":{"name":"web"}}"#;
    let (create, update) = (r#""operation":"CREATE""#, r#""operation":"UPDATE""#);
    for (fields, expected) in [
        (format!("{KIND},{create},{set}"), "set web"),
        (format!("{KIND},{update},{set}"), "outline"),
        (format!("{KIND},{set},{create}"), text),
        (format!("{create},{set},{KIND}"), text),
        (
            format!(r#"{KIND},"subResource":"scale",{create},{set}"#),
            text,
        ),
        (format!("{KIND},{create},{set},{update}"), text),
        (
            format!(r#"{KIND},{create},"object":{{"metadata":[]}}"#),
            r#"{"metadata":[]}"#,
        ),
        (format!(r#"{KIND},{create},"object":null"#), "none"),
        (format!(r#"{KIND},{create},{set},"object":null"#), "none"),
    ] {
        assert_eq!(met(&fields), expected, "{fields}");
    }
}

#[test]
fn what_is_skipped_may_hold_what_is_no_json_and_what_is_read_may_not() {
    for (fields, is_read) in [
        (r#""options":{"a":nul,"b":[01]}"#, true),
        (r#""name":nul"#, false),
        (r#""options":{"a":"#, false),
    ] {
        let body = review(&format!(r#"{{"uid":"u",{fields}}}"#));
        assert_eq!(Envelope::read(body.as_bytes()).is_ok(), is_read, "{body}");
    }
}

#[test]
fn null_is_absent() {
    let body = review(
        r#"{"uid":"u","kind":null,"name":null,"dryRun":null,"userInfo":null,"subResource":null}"#,
    );
    let envelope = Envelope::read(body.as_bytes()).unwrap();
    assert!(!envelope.is_stateful_set && !envelope.dry_run && envelope.name.is_empty());
}

#[test]
fn only_the_set_itself_is_a_stateful_set() {
    for request in [
        format!(r#"{{"uid":"u",{KIND},"subResource":"status"}}"#),
        r#"{"uid":"u","kind":{"group":"apps","version":"v1beta1","kind":"StatefulSet"}}"#.to_owned(),
        r#"{"uid":"u","kind":{"group":"autoscaling","version":"v1","kind":"Scale"},"subResource":"scale"}"#.to_owned(),
    ] {
        let body = review(&request);
        assert!(!Envelope::read(body.as_bytes()).unwrap().is_stateful_set, "{request}");
    }
}

#[test]
fn says_what_is_wrong_with_a_body() {
    for (body, text) in [
        (
            String::new(),
            "the body is not an AdmissionReview: EOF while parsing a value at line 1 column 0",
        ),
        (
            "[]".to_owned(),
            "the body is not an AdmissionReview: invalid type: sequence, expected an object",
        ),
        (
            "{}".to_owned(),
            "the body is `` ``; send `admission.k8s.io/v1` `AdmissionReview`",
        ),
        (
            review("{}").replace("/v1", "/v1beta1"),
            "the body is `admission.k8s.io/v1beta1` `AdmissionReview`; send",
        ),
        (review("null"), "the AdmissionReview has no request"),
        (review("{}"), "the request has no uid"),
        (review(r#"{"uid":null}"#), "the request has no uid"),
        (review(r#"{"uid":""}"#), "the request has no uid"),
        (
            review(r#"{"uid":7}"#),
            "the body is not an AdmissionReview: invalid type: integer `7`, expected a string",
        ),
    ] {
        let error = Envelope::read(body.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(text), "{body}: {error}");
    }
}

#[test]
fn depth_in_what_is_skipped_changes_nothing() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let body = review(&format!(
        r#"{{"uid":"u",{KIND},"options":{deep},"object":{{"a":{deep}}}}}"#
    ));
    assert!(Envelope::read(body.as_bytes()).is_ok());
    let body = review(&format!(r#"{{"uid":{deep}}}"#));
    assert!(matches!(
        Envelope::read(body.as_bytes()),
        Err(EnvelopeError::Json(_))
    ));
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(
        cut in 0_usize..400,
        place in 0_usize..400,
        inserted in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..8),
    ) {
        let mut body = review(&format!(
            r#"{{"uid":"u",{KIND},"name":"\u00e9","object":{{"a":[1,{{"b":"c"}}]}},"oldObject":null}}"#
        ))
        .into_bytes();
        let place = place.min(body.len());
        body.splice(place..(place + cut).min(body.len()), inserted);
        if let Ok(envelope) = Envelope::read(&body) {
            proptest::prop_assert!(!envelope.uid.is_empty());
        }
    }
}
