//! What the user who writes may do: a question to the API server, remembered for seconds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;
use tokio::time::Instant;

use super::lookup::answer;
use crate::cluster::Cluster;
use crate::cluster_view::Lookup;
use crate::policy::Policy;
use crate::statefulset::view::{Text, view};

/// How long an answer counts: a review calls twice, and a folder of sets is applied at once; a right that is taken away is gone
/// soon.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Answers remembered at most.
const ROOM: usize = 1024;

view! {
    /// `UserInfo` (`authentication.k8s.io/v1`).
    struct User<'a> {
        "username" => username: Text<'a>,
        "uid" => uid: Text<'a>,
        "groups" => groups: Vec<Text<'a>>,
        "extra" => extra: BTreeMap<Text<'a>, Vec<Text<'a>>>,
    }
}

/// What was answered, by right and user, and when.
#[derive(Debug, Default)]
pub(super) struct Rights(Mutex<HashMap<(String, String), (Instant, bool)>>);

impl Rights {
    fn recall(&self, key: &(String, String)) -> Option<bool> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, allowed) = answers.get(key)?;
        (asked.elapsed() < REMEMBERED).then_some(*allowed)
    }

    fn remember(&self, key: (String, String), allowed: bool) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ROOM {
            answers.retain(|_, (asked, _)| asked.elapsed() < REMEMBERED);
        }
        if answers.len() < ROOM {
            answers.insert(key, (Instant::now(), allowed));
        }
    }
}

impl Cluster {
    /// Whether a user holds the verb `exempt` on a policy.
    pub(super) async fn may_exempt(
        &self,
        policy: &Policy,
        user: Option<&str>,
        deadline: Instant,
    ) -> Lookup<()> {
        let attributes = ResourceAttributes {
            verb: Some("exempt".to_owned()),
            group: Some("steadyset.io".to_owned()),
            resource: Some("statefulsetpolicies".to_owned()),
            version: Some("v1alpha1".to_owned()),
            name: Some(policy.name.clone()),
            ..ResourceAttributes::default()
        };
        self.may(attributes, user, deadline).await
    }

    /// Whether a user may create Services in a namespace.
    pub(super) async fn may_create_services_in(
        &self,
        namespace: &str,
        user: Option<&str>,
        deadline: Instant,
    ) -> Lookup<()> {
        let attributes = ResourceAttributes {
            verb: Some("create".to_owned()),
            resource: Some("services".to_owned()),
            version: Some("v1".to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ResourceAttributes::default()
        };
        self.may(attributes, user, deadline).await
    }

    async fn may(
        &self,
        attributes: ResourceAttributes,
        user: Option<&str>,
        deadline: Instant,
    ) -> Lookup<()> {
        let written = user.unwrap_or("{}");
        let place = attributes.name.as_ref().or(attributes.namespace.as_ref());
        let right = format!("{:?} {place:?}", attributes.verb);
        let key = (right, written.to_owned());
        if let Some(allowed) = self.rights.recall(&key) {
            return held(allowed);
        }
        let Some(allowed) = self.ask_for_right(attributes, written, deadline).await else {
            return Lookup::Unknown;
        };
        self.rights.remember(key, allowed);
        held(allowed)
    }

    async fn ask_for_right(
        &self,
        attributes: ResourceAttributes,
        user: &str,
        deadline: Instant,
    ) -> Option<bool> {
        let user: User<'_> = serde_json::from_str(user).ok()?;
        let api: Api<SubjectAccessReview> = Api::all(self.client().clone());
        let (parameters, question) = (PostParams::default(), question(attributes, &user));
        let answered = answer("access", deadline, api.create(&parameters, &question)).await?;
        Some(answered.status.is_some_and(|status| status.allowed))
    }
}

fn held(allowed: bool) -> Lookup<()> {
    if allowed {
        Lookup::Found(())
    } else {
        Lookup::Absent
    }
}

fn question(attributes: ResourceAttributes, user: &User<'_>) -> SubjectAccessReview {
    let texts = |texts: &[Text<'_>]| texts.iter().map(Text::to_string).collect::<Vec<_>>();
    let extra = user.extra.iter();
    SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(user.username.to_string()),
            uid: Some(user.uid.to_string()),
            groups: Some(texts(&user.groups)),
            extra: Some(
                extra
                    .map(|(key, values)| (key.to_string(), texts(values)))
                    .collect(),
            ),
            resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    }
}
