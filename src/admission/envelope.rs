//! The request half of an `AdmissionReview`, read from the body without copying it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::metrics::Operation;
use crate::model::json::{Reader, Unread, from_text};
use crate::statefulset::view::{Text, view};
use crate::statefulset::{self, Met};

/// The only version spoken (`admissionReviewVersions: [v1]`; v1beta1 is gone since Kubernetes 1.22).
const API_VERSION: &str = "admission.k8s.io/v1";

/// What kube-apiserver asks about. The objects stay as they came: most reviews need few of their fields, and a field
/// that nobody reads must not be able to make a review fail.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// To be echoed in the answer; never empty.
    pub uid: Cow<'a, str>,
    /// `create`, `update`, `delete`, `connect`, or unknown.
    pub operation: Operation,
    /// Whether the object is an `apps/v1` StatefulSet and the request is for the set itself, not for a subresource.
    pub is_stateful_set: bool,
    /// The namespace of the object, empty for cluster-scoped ones.
    pub namespace: Cow<'a, str>,
    /// The name of the object; empty on CREATE with `generateName`.
    pub name: Cow<'a, str>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// Who asks, by name.
    pub user: Cow<'a, str>,
    /// Who asks, as it came (`authentication.k8s.io/v1`, `UserInfo`).
    pub user_info: Option<&'a str>,
    /// The object as it will be; nothing on DELETE.
    pub object: Option<Met<'a>>,
    /// The object as it is; nothing on CREATE.
    pub old_object: Option<Met<'a>>,
}

/// A body that is not a review we can answer.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, or JSON of another shape.
    #[error("the body is not an AdmissionReview: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of another kind or version.
    #[error("the body is `{api_version}` `{kind}`; send `admission.k8s.io/v1` `AdmissionReview`")]
    Kind {
        /// The version that came.
        api_version: String,
        /// The kind that came.
        kind: String,
    },
    /// An answer, or nothing.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// Without uid no answer can be matched to its request.
    #[error("the request has no uid")]
    NoUid,
}

impl<'a> Envelope<'a> {
    /// Reads a body, and the objects in it where they are met.
    ///
    /// # Errors
    ///
    /// When the body is no `AdmissionReview` of version v1 with a request that has a uid.
    pub fn read(body: &'a [u8]) -> Result<Self, EnvelopeError> {
        let review = match std::str::from_utf8(body).map(Review::read) {
            Ok(Ok(review)) => review,
            Ok(Err(_)) | Err(_) => serde_json::from_slice(body)?,
        };
        if review.api_version != API_VERSION || review.kind != "AdmissionReview" {
            let (api_version, kind) = (clip(&review.api_version), clip(&review.kind));
            return Err(EnvelopeError::Kind { api_version, kind });
        }
        Self::from_request(review.request.ok_or(EnvelopeError::NoRequest)?)
    }

    fn from_request(request: Request<'a>) -> Result<Self, EnvelopeError> {
        if request.uid.is_empty() {
            return Err(EnvelopeError::NoUid);
        }
        Ok(Self {
            is_stateful_set: request.is_for_a_set(),
            uid: request.uid.0,
            operation: operation(&request.operation),
            namespace: request.namespace.0,
            name: request.name.0,
            dry_run: request.dry_run,
            user: user_name(request.user_info.0)?,
            user_info: request.user_info.0,
            object: request.object.0,
            old_object: request.old_object.0,
        })
    }
}

fn user_name(user: Option<&str>) -> serde_json::Result<Cow<'_, str>> {
    let Some(user) = user else {
        return Ok(Cow::default());
    };
    let user: UserInfo<'_> = from_text(user).or_else(|Unread| serde_json::from_str(user))?;
    Ok(user.username.0)
}

fn operation(text: &str) -> Operation {
    match text {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        "DELETE" => Operation::Delete,
        "CONNECT" => Operation::Connect,
        _ => Operation::Unknown,
    }
}

/// What a stranger sent goes back to them, but not at any length.
fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

view! {
    struct Review<'a> {
        "apiVersion" => api_version: Text<'a>,
        "kind" => kind: Text<'a>,
        "request" => request: Option<Request<'a>>,
    }
}

view! {
    struct Request<'a> {
        "uid" => uid: Text<'a>,
        "kind" => kind: Gvk<'a>,
        "subResource" => sub_resource: Text<'a>,
        "operation" => operation: Text<'a>,
        "namespace" => namespace: Text<'a>,
        "name" => name: Text<'a>,
        "dryRun" => dry_run: bool,
        "userInfo" => user_info: Written<'a>,
        "object" => object: Object<'a>,
        "oldObject" => old_object: Object<'a>,
    }
}

/// A value that is kept as it is written.
#[derive(Clone, Debug, Default)]
struct Written<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Written<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Option<&RawValue> = Option::deserialize(deserializer)?;
        Ok(Self(raw.map(RawValue::get)))
    }
}

/// An object of the request.
#[derive(Clone, Debug, Default)]
struct Object<'a>(Option<Met<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        Ok(Self(written.0.map(Met::Text)))
    }
}

impl<'a> Review<'a> {
    /// What `serde_json` reads, in one pass; where that fails, `serde_json` decides.
    fn read(text: &'a str) -> Result<Self, Unread> {
        let mut reader = Reader::new(text);
        if reader.null()? {
            return Err(Unread);
        }
        let mut review = Self::default();
        reader.each_member(|key, reader| {
            match &*key {
                "apiVersion" => review.api_version = reader.value()?,
                "kind" => review.kind = reader.value()?,
                "request" => review.request = Request::read(reader)?,
                _ => reader.pass_over()?,
            }
            Ok(())
        })?;
        reader.end()?;
        Ok(review)
    }
}

impl<'a> Request<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Option<Self>, Unread> {
        if reader.null()? {
            return Ok(None);
        }
        let mut request = Self::default();
        let mut read_for = None;
        reader.each_member(|key, reader| {
            match &*key {
                "uid" => request.uid = reader.value()?,
                "kind" => request.kind = reader.value()?,
                "subResource" => request.sub_resource = reader.value()?,
                "operation" => request.operation = reader.value()?,
                "namespace" => request.namespace = reader.value()?,
                "name" => request.name = reader.value()?,
                "dryRun" => request.dry_run = reader.value()?,
                "userInfo" => {
                    let text = reader.slice()?;
                    request.user_info = Written((text != "null").then_some(text));
                }
                "object" => {
                    read_for = request.reads_for();
                    request.object = Object(Met::read(reader, read_for)?);
                }
                "oldObject" => {
                    request.old_object = Object(Met::read(reader, request.reads_for())?);
                }
                _ => reader.pass_over()?,
            }
            Ok(())
        })?;
        // of a key repeated behind the object the last counts
        if read_for.is_some() && read_for != request.reads_for() {
            return Err(Unread);
        }
        Ok(Some(request))
    }

    /// For what an object would be read: known from the fields before it, which kube-apiserver sends first.
    fn reads_for(&self) -> Option<statefulset::Operation> {
        match operation(&self.operation) {
            _ if !self.is_for_a_set() => None,
            Operation::Create => Some(statefulset::Operation::Create),
            Operation::Update => Some(statefulset::Operation::Update),
            _ => None,
        }
    }

    fn is_for_a_set(&self) -> bool {
        self.sub_resource.is_empty() && self.kind.is_stateful_set()
    }
}

view! {
    struct Gvk<'a> {
        "group" => group: Text<'a>,
        "version" => version: Text<'a>,
        "kind" => kind: Text<'a>,
    }
}

view! {
    struct UserInfo<'a> {
        "username" => username: Text<'a>,
    }
}

impl Gvk<'_> {
    fn is_stateful_set(&self) -> bool {
        self.group == "apps" && self.version == "v1" && self.kind == "StatefulSet"
    }
}

#[cfg(test)]
mod tests {
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
}
