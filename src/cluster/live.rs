//! The cluster as its API server tells it: watched, asked now and then, and looked up without waiting.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::cache::Cache;
use super::governing_service::{Controller, LinkedSet, Requests};
use super::prune::{self, Class};
use super::watch::{Change, Watch};
use super::{ClusterView, Lookup, ServerVersion, Service, ServiceKeeping};
use crate::metrics::{CacheKind, Metrics};
use crate::server::health::{Gate, Readiness};

/// How often the version and our rights are asked again: an upgraded API server, or a changed role, needs no restart.
const REFRESH: Duration = Duration::from_mins(5);

/// The same while they are not known.
const RETRY: Duration = Duration::from_secs(2);

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
    services: Cache<Service>,
    sets: Cache<LinkedSet>,
    classes: Cache<Class>,
    budgets: Cache<()>,
    namespaces: Cache<()>,
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
        }
    }

    /// Starts to learn, by tasks that never end; each gives its name should it end after all. Adds what must be known
    /// before requests are answered to `readiness`.
    pub fn start(
        self: &Arc<Self>,
        metrics: &Arc<Metrics>,
        readiness: &mut Readiness,
        tasks: &mut JoinSet<&'static str>,
    ) {
        let asked = readiness.gate("api-server");
        self.spawn(
            tasks,
            "the questions to the API server",
            |cluster| async move {
                cluster.keep_asking(asked).await;
            },
        );
        let mut watch = |kind: CacheKind| Watch {
            kind,
            gate: readiness.gate(kind.as_str()),
            metrics: Arc::clone(metrics),
        };
        let (requests, told) = Requests::new();
        let services = watch(CacheKind::Services);
        let (tell, counts) = (requests.clone(), Arc::clone(metrics));
        self.spawn(tasks, "the watch of Services", |cluster| async move {
            let api: Api<core::Service> = Api::all(cluster.client.clone());
            let prune = |object| Some(prune::service(object));
            let changed = |change: Change<'_>| cluster.services_changed(change, &tell, &counts);
            services
                .follow(api, &cluster.services, prune, changed)
                .await;
        });
        let sets = watch(CacheKind::StatefulSets);
        let tell = requests.clone();
        self.spawn(tasks, "the watch of StatefulSets", |cluster| async move {
            let api: Api<StatefulSet> = Api::all(cluster.client.clone());
            let changed = |change: Change<'_>| cluster.sets_changed(change, &tell);
            sets.follow(api, &cluster.sets, LinkedSet::of, changed)
                .await;
        });
        let metrics = Arc::clone(metrics);
        self.spawn(
            tasks,
            "the controller of governing Services",
            |cluster| async move {
                Controller::new(cluster, requests, metrics).run(told).await;
            },
        );
        let classes = watch(CacheKind::StorageClasses);
        self.spawn(tasks, "the watch of StorageClasses", |cluster| async move {
            let api: Api<StorageClass> = Api::all(cluster.client.clone());
            let prune = |object| Some(prune::class(&object));
            classes.follow(api, &cluster.classes, prune, |_| {}).await;
        });
        let budgets = watch(CacheKind::PodDisruptionBudgets);
        self.spawn(
            tasks,
            "the watch of PodDisruptionBudgets",
            |cluster| async move {
                let api: Api<PodDisruptionBudget> = Api::all(cluster.client.clone());
                budgets
                    .follow(api, &cluster.budgets, |_| Some(()), |_| {})
                    .await;
            },
        );
        let namespaces = watch(CacheKind::Namespaces);
        self.spawn(tasks, "the watch of Namespaces", |cluster| async move {
            let api: Api<core::Namespace> = Api::all(cluster.client.clone());
            namespaces
                .follow(api, &cluster.namespaces, |_| Some(()), |_| {})
                .await;
        });
    }

    /// The client, for questions that no cache answers.
    pub(super) fn client(&self) -> &Client {
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

    fn sets_changed(&self, change: Change<'_>, tell: &Requests) {
        match change {
            Change::All => self.look_at_all(tell),
            Change::One {
                namespace,
                name,
                kept,
            } if kept => tell.look(namespace, name),
            // a status, or a set that nothing is kept for
            Change::One { .. } => {}
        }
    }

    /// Whatever happened to a Service, and whoever wrote it: the sets that it governs are looked at.
    fn services_changed(&self, change: Change<'_>, tell: &Requests, metrics: &Metrics) {
        match change {
            Change::All => self.look_at_all(tell),
            Change::One {
                namespace, name, ..
            } => {
                let sets = self.sets.list(namespace).found().unwrap_or_default();
                let governed = sets.iter().filter(|set| set.service == name);
                governed.for_each(|set| tell.look(namespace, &set.name));
            }
        }
        let services = self.services.all();
        let kept = services.iter().filter(|service| service.kept_for.is_some());
        metrics
            .governing_services
            .set(i64::try_from(kept.count()).unwrap_or(i64::MAX));
    }

    fn look_at_all(&self, tell: &Requests) {
        for set in self.sets.all() {
            tell.look(&set.namespace, &set.name);
        }
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(
        self: &Arc<Self>,
        tasks: &mut JoinSet<&'static str>,
        name: &'static str,
        run: impl FnOnce(Arc<Self>) -> F,
    ) {
        let running = run(Arc::clone(self));
        tasks.spawn(async move {
            running.await;
            name
        });
    }

    /// Asks for the version and for our rights, again and again.
    async fn keep_asking(&self, asked: Gate) {
        loop {
            let pause = match self.ask().await {
                Ok(()) => {
                    asked.set(true);
                    REFRESH
                }
                Err(error) => {
                    tracing::warn!(%error, "the API server cannot be asked; it is tried again");
                    RETRY
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.refused.notified() => {}
            }
        }
    }

    async fn ask(&self) -> kube::Result<()> {
        let info = self.client.apiserver_version().await?;
        let version = info.git_version.parse().ok();
        let answers = Answers {
            version,
            may_create_services: self.may_create_services().await?,
        };
        let before = self.answers.swap(Some(Arc::new(answers)));
        if before.as_deref() != Some(&answers) {
            let may_create_services = answers.may_create_services;
            tracing::info!(
                version = info.git_version,
                may_create_services,
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

    /// None as far as nobody has asked: a review asks when it would inject.
    fn orphaned_pods(&self) -> Lookup<Vec<String>> {
        Lookup::Absent
    }

    fn keeps_services(&self) -> ServiceKeeping {
        match self.answers.load().as_deref() {
            Some(answers) if answers.may_create_services => ServiceKeeping::Kept,
            Some(_) => ServiceKeeping::Forbidden,
            None => ServiceKeeping::Nobody,
        }
    }
}
