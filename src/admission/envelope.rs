//! The request half of an `AdmissionReview`, read from the body without copying it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::metrics::Operation;
use crate::statefulset::view::{Text, view};

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
    pub user_info: Option<&'a RawValue>,
    /// The object as it will be; nothing on DELETE.
    pub object: Option<&'a RawValue>,
    /// The object as it is; nothing on CREATE.
    pub old_object: Option<&'a RawValue>,
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
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// When the body is no `AdmissionReview` of version v1 with a request that has a uid.
    pub fn read(body: &'a [u8]) -> Result<Self, EnvelopeError> {
        let review: Review<'a> = serde_json::from_slice(body)?;
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
            uid: request.uid.0,
            operation: operation(&request.operation),
            is_stateful_set: request.sub_resource.is_empty() && request.kind.is_stateful_set(),
            namespace: request.namespace.0,
            name: request.name.0,
            dry_run: request.dry_run,
            user: user_name(request.user_info)?,
            user_info: request.user_info,
            object: request.object,
            old_object: request.old_object,
        })
    }
}

fn user_name(user: Option<&RawValue>) -> serde_json::Result<Cow<'_, str>> {
    let Some(user) = user else {
        return Ok(Cow::default());
    };
    let user: UserInfo<'_> = serde_json::from_str(user.get())?;
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
        "userInfo" => user_info: Option<&'a RawValue>,
        "object" => object: Option<&'a RawValue>,
        "oldObject" => old_object: Option<&'a RawValue>,
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
        assert_eq!(envelope.object.map(RawValue::get), Some(r#"{"a":[1]}"#));
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
        assert_eq!(
            (&*envelope.uid, envelope.object.map(RawValue::get)),
            ("b", Some(r#"{"a":2}"#))
        );
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
