//! The cluster as its API server tells it: watched, asked now and then, and looked up without waiting.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::Notify;

use super::cache::Cache;

use super::governing_service::LinkedSet;
use super::rights::Rights;
use crate::cluster_view::prune::Class;
use crate::cluster_view::{
    ClusterView, DisruptionBudget, Lookup, NamespaceLabels, Pod, Service, ServiceKeeping,
};
use crate::kube_client::reason;
use crate::model::version::ServerVersion;
use crate::server::health::Gate;
use crate::statefulset::set::Labels;

/// How often the version and our rights are asked again: an upgraded API server, or a changed role, needs no restart.
const REFRESH: Duration = Duration::from_mins(5);

/// The same while they are not known.
const RETRY: Duration = Duration::from_secs(2);

/// How long it may take to answer.
const LIMIT: Duration = Duration::from_secs(30);

/// What the API server answers about itself and us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answers {
    version: Option<ServerVersion>,
    may_create_services: bool,
}

/// What is known of a cluster with an API server. Every look-up of [`ClusterView`] is answered from memory.
pub struct Cluster {
    client: Client,
    assumed_version: Option<ServerVersion>,
    answers: ArcSwapOption<Answers>,
    /// The API server has refused what it was thought to allow.
    refused: Notify,
    pub(super) services: Cache<Service>,
    pub(super) sets: Cache<LinkedSet>,
    pub(super) classes: Cache<Class>,
    pub(super) budgets: Cache<DisruptionBudget>,
    pub(super) namespaces: Cache<NamespaceLabels>,
    pub(super) rights: Rights,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Cluster {
    /// A cluster of which nothing is known yet. `assumed_version` is what the operator says the version is; the API server
    /// is asked where he says nothing.
    #[must_use]
    pub fn new(client: Client, assumed_version: Option<ServerVersion>) -> Self {
        Self {
            client,
            assumed_version,
            answers: ArcSwapOption::empty(),
            refused: Notify::new(),
            services: Cache::default(),
            sets: Cache::default(),
            classes: Cache::default(),
            budgets: Cache::default(),
            namespaces: Cache::default(),
            rights: Rights::default(),
        }
    }

    /// The client, for questions that no cache answers.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The set of that name, if we keep its governing Service.
    pub(super) fn linked_set(&self, namespace: &str, name: &str) -> Option<Arc<LinkedSet>> {
        self.sets.get(namespace, name).found()
    }

    /// Has our rights asked for again: the API server has just refused to create a Service.
    pub(super) fn note_refusal(&self) {
        self.refused.notify_one();
    }

    /// Asks for the version and for our rights, again and again.
    pub(super) async fn keep_asking(&self, asked: Gate) {
        loop {
            let pause = match tokio::time::timeout(LIMIT, self.ask()).await {
                Ok(Ok(())) => {
                    asked.set(true);
                    REFRESH
                }
                Ok(Err(error)) => {
                    tracing::warn!(
                        reason = reason(&error),
                        "the API server cannot be asked; it is tried again"
                    );
                    RETRY
                }
                Err(_) => {
                    tracing::warn!("the API server does not answer; it is tried again");
                    RETRY
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.refused.notified() => {}
            }
        }
    }

    /// A question that we may not ask has an answer, too: nothing is known, and nothing may be done.
    async fn ask(&self) -> kube::Result<()> {
        let info = if_allowed(self.client.apiserver_version().await)?;
        let answers = Answers {
            version: info.and_then(|info| info.git_version.parse().ok()),
            may_create_services: if_allowed(self.may_create_services().await)?.unwrap_or(false),
        };
        let before = self.answers.swap(Some(Arc::new(answers)));
        if before.as_deref() != Some(&answers) {
            tracing::info!(
                version = answers.version.map(|version| version.to_string()),
                may_create_services = answers.may_create_services,
                "the API server answers"
            );
        }
        Ok(())
    }

    async fn may_create_services(&self) -> kube::Result<bool> {
        let attributes = ResourceAttributes {
            verb: Some("create".to_owned()),
            resource: Some("services".to_owned()),
            version: Some("v1".to_owned()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let question = SelfSubjectAccessReview {
            spec,
            ..SelfSubjectAccessReview::default()
        };
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let answer = api.create(&PostParams::default(), &question).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

fn if_allowed<T>(answer: kube::Result<T>) -> kube::Result<Option<T>> {
    match answer {
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
        answer => answer.map(Some),
    }
}

impl ClusterView for Cluster {
    fn version(&self) -> Option<ServerVersion> {
        self.assumed_version
            .or_else(|| self.answers.load().as_deref()?.version)
    }

    fn service(&self, namespace: &str, name: &str) -> Lookup<Arc<Service>> {
        self.services.get(namespace, name)
    }

    fn services(&self, namespace: &str) -> Lookup<Vec<Arc<Service>>> {
        self.services.list(namespace)
    }

    fn storage_class(&self, name: &str) -> Lookup<()> {
        self.classes.get("", name).map(drop)
    }

    fn default_storage_class(&self) -> Lookup<()> {
        match self.classes.list("") {
            Lookup::Found(classes) if classes.iter().any(|class| class.default) => {
                Lookup::Found(())
            }
            Lookup::Found(_) | Lookup::Absent => Lookup::Absent,
            Lookup::Unknown => Lookup::Unknown,
        }
    }

    fn namespace_labels(&self, namespace: &str) -> Lookup<Arc<NamespaceLabels>> {
        self.namespaces.get("", namespace)
    }

    fn disruption_budgets(
        &self,
        namespace: &str,
        labels: &Labels<'_>,
    ) -> Lookup<Vec<Arc<DisruptionBudget>>> {
        self.budgets.list(namespace).map(|mut budgets| {
            budgets.retain(|budget| budget.selects(labels));
            budgets
        })
    }

    /// None as far as nobody has asked: a review asks when it would inject.
    fn orphaned_pods(&self) -> Lookup<Vec<Pod>> {
        Lookup::Absent
    }

    /// A Service that may be created is kept only where the sets, too, are heard of.
    fn keeps_services(&self) -> ServiceKeeping {
        match self.answers.load().as_deref() {
            Some(answers) if answers.may_create_services && self.sets.is_known() => {
                ServiceKeeping::Kept
            }
            Some(_) => ServiceKeeping::Forbidden,
            None => ServiceKeeping::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::cluster::cache::Objects;
    use crate::cluster::testing::{client, forbidden, review, until, version};

    #[tokio::test]
    async fn version_and_rights_are_asked_for_and_again_after_a_refusal() {
        let asked = Arc::new(AtomicU32::new(35));
        let minor = Arc::clone(&asked);
        let (client, _) = client(move |question| {
            let minor = minor.load(Ordering::Relaxed);
            Some(if question.ends_with("/version") {
                version(minor)
            } else {
                review(minor == 35)
            })
        });
        let cluster = Arc::new(Cluster::new(client, None));
        assert_eq!(
            (cluster.version(), cluster.keeps_services()),
            (None, ServiceKeeping::Nobody)
        );
        let (gate, asking) = (Gate::default(), Arc::clone(&cluster));
        let asking = tokio::spawn({
            let gate = gate.clone();
            async move { asking.keep_asking(gate).await }
        });
        until(|| gate.is_open()).await;
        assert_eq!(cluster.version().unwrap().to_string(), "1.35.2");
        assert_eq!(
            cluster.keeps_services(),
            ServiceKeeping::Forbidden,
            "sets are not heard of"
        );
        cluster.sets.replace(Objects::new());
        assert_eq!(cluster.keeps_services(), ServiceKeeping::Kept);

        asked.store(36, Ordering::Relaxed);
        cluster.note_refusal();
        until(|| cluster.keeps_services() == ServiceKeeping::Forbidden).await;
        assert_eq!(cluster.version().unwrap().to_string(), "1.36.2");
        asking.abort();
    }

    #[tokio::test]
    async fn what_may_not_be_asked_is_answered_too() {
        let cluster = Cluster::new(client(|_| Some(forbidden())).0, None);
        cluster.ask().await.unwrap();
        assert_eq!(cluster.version(), None);
        assert_eq!(cluster.keeps_services(), ServiceKeeping::Forbidden);
    }

    #[test]
    fn the_operator_knows_the_version_better() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let assumed = "1.34".parse().unwrap();
        let cluster = Cluster::new(client(|_| None).0, Some(assumed));
        assert_eq!(cluster.version(), Some(assumed));
    }
}
