//! What a process has around the sets that it judges.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::cluster_view::NoCluster;
use crate::evaluate::{Verdict, evaluate};
use crate::model::finding::Phase;
use crate::policy::Policies;
use crate::statefulset::Subject;

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
    /// the API server does. Answers `None` where no policy is for it.
    pub async fn judge(
        &self,
        policies: &Policies,
        write: Write<'_>,
        phase: Phase,
        deadline: Instant,
    ) -> Option<Verdict> {
        match self {
            Self::Offline(nothing) => {
                let policy = policies.select(&write.subject, nothing)?;
                let now = Timestamp::now();
                Some(evaluate(policy, write.subject, nothing, phase, now))
            }
            Self::Live(cluster) => {
                // else every future around it would carry the room for its questions along
                Box::pin(cluster.judge(policies, write, phase, deadline)).await
            }
        }
    }
}

/// A set on its way into the cluster, and who brings it.
#[derive(Clone, Debug)]
pub struct Write<'a> {
    /// The set.
    pub subject: Subject<'a>,
    /// The user, as `userInfo` of the review has him (`authentication.k8s.io/v1`, `UserInfo`).
    pub user: Option<&'a str>,
}
