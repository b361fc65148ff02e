//! What a process has around the sets that it judges.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::rights::User;
use crate::cluster::Cluster;
use crate::cluster_view::{NoCluster, Overlay};
use crate::evaluate::{Verdict, evaluate};
use crate::model::finding::Phase;
use crate::policy::Policies;
use crate::statefulset::{Source, Subject, Undecodable};

/// A cluster to look things up in, or none.
#[derive(Clone, Debug)]
pub enum World {
    /// No API server is asked.
    Offline(NoCluster),
    /// An API server is watched, and asked where the watch may be late.
    Live(Arc<Cluster>),
}

impl World {
    /// Judges a set by the policy that is for it, with what is known of the world around it, and answers before `deadline` whatever
    /// the API server does. Answers `None` where there is nothing to judge.
    ///
    /// # Errors
    ///
    /// [`Undecodable`] if a field that is read has the wrong type.
    pub async fn judge(
        &self,
        policies: &Policies,
        write: Write<'_>,
        phase: Phase,
        deadline: Instant,
    ) -> Result<Option<Verdict>, Undecodable> {
        match self {
            Self::Offline(nothing) => {
                let Some(subject) = Subject::decode(write.source)? else {
                    return Ok(None);
                };
                let mut view = Overlay::new(nothing);
                if subject.set.is_controlled() {
                    view.set_author(write.author());
                }
                let policy = policies.select(&subject, &view);
                Ok(policy.map(|policy| evaluate(policy, subject, &view, phase, Timestamp::now())))
            }
            Self::Live(cluster) => cluster.judge(policies, write, phase, deadline).await,
        }
    }
}

/// A set on its way into the cluster, and who brings it.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The set.
    pub source: Source<'a>,
    /// The user, as `userInfo` of the review has him (`authentication.k8s.io/v1`, `UserInfo`).
    pub user: Option<&'a RawValue>,
}

impl Write<'_> {
    /// The user's name; empty where none is given, which is nobody's.
    pub(super) fn author(&self) -> String {
        let written = self.user.map_or("{}", RawValue::get);
        let user = serde_json::from_str::<User<'_>>(written);
        user.map(|user| user.username.to_string())
            .unwrap_or_default()
    }
}
