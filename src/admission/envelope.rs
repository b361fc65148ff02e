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
mod tests;
