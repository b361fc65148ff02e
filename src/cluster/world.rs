//! What a process has around the sets that it judges.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Cluster, NoCluster};
use crate::evaluate::{Verdict, evaluate};
use crate::policy::Policy;
use crate::rules::Phase;
use crate::subject::{Source, Subject, Undecodable};

/// A cluster to look things up in, or none.
#[derive(Clone, Debug)]
pub enum World {
    /// No API server is asked.
    Offline(NoCluster),
    /// An API server is watched, and asked where the watch may be late.
    Live(Arc<Cluster>),
}

impl World {
    /// Judges a set with what is known of the world around it, and answers before `deadline` whatever the API server does.
    /// Answers `None` where there is nothing to judge.
    ///
    /// # Errors
    ///
    /// [`Undecodable`] if a field that is read has the wrong type.
    pub async fn judge(
        &self,
        policy: &Policy,
        source: Source<'_>,
        phase: Phase,
        deadline: Instant,
    ) -> Result<Option<Verdict>, Undecodable> {
        match self {
            Self::Offline(nothing) => {
                let subject = Subject::decode(source)?;
                Ok(subject.map(|subject| evaluate(policy, subject, nothing, phase)))
            }
            Self::Live(cluster) => cluster.judge(policy, source, phase, deadline).await,
        }
    }
}
