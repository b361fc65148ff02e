//! Everything that runs beside the requests: the watches, the questions, the controller.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use super::Cluster;
use super::cache::Cache;
use super::governing_service::{Controller, LinkedSet, Requests};
use super::policies::InForce;
use super::watch::{Change, Watch};
use crate::cluster_view::prune;
use crate::metrics::{CacheKind, Metrics};
use crate::server::health::Readiness;

impl Cluster {
    /// Starts to learn, by tasks that never end; each gives its name should it end after all. Adds what must be known
    /// before requests are answered to `readiness`.
    pub fn start(
        self: &Arc<Self>,
        metrics: &Arc<Metrics>,
        readiness: &mut Readiness,
        tasks: &mut JoinSet<&'static str>,
        policies: InForce,
    ) {
        let mut start = Start {
            cluster: self,
            metrics,
            readiness,
            tasks,
        };
        start.questions();
        start.governing_services(policies);
        let class = |object: StorageClass| Some(prune::class(&object));
        start.watch(
            CacheKind::StorageClasses,
            |cluster| &cluster.classes,
            class,
            ignore,
        );
        let budget = |object: PodDisruptionBudget| Some(prune::budget(object));
        start.watch(
            CacheKind::PodDisruptionBudgets,
            |cluster| &cluster.budgets,
            budget,
            ignore,
        );
        let namespace = |object: core::Namespace| Some(object.metadata.labels.unwrap_or_default());
        start.watch(
            CacheKind::Namespaces,
            |cluster| &cluster.namespaces,
            namespace,
            ignore,
        );
    }

    /// Only what is kept of a set matters: its status changes all the time.
    fn sets_changed(&self, change: Change<'_>, tell: &Requests) {
        match change {
            Change::All => self.look_at_all(tell),
            Change::One { kept: false, .. } => {}
            Change::One {
                namespace, name, ..
            } => tell.look(namespace, name),
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
        let kept = services
            .iter()
            .filter(|service| service.kept_for.is_some())
            .count();
        metrics
            .governing_services
            .set(i64::try_from(kept).unwrap_or(i64::MAX));
    }

    fn look_at_all(&self, tell: &Requests) {
        for set in self.sets.all() {
            tell.look(&set.namespace, &set.name);
        }
    }
}

/// Nobody needs to hear of a change.
fn ignore(_: &Cluster, _: Change<'_>) {}

/// What starting a task needs.
struct Start<'s> {
    cluster: &'s Arc<Cluster>,
    metrics: &'s Arc<Metrics>,
    readiness: &'s mut Readiness,
    tasks: &'s mut JoinSet<&'static str>,
}

impl Start<'_> {
    fn questions(&mut self) {
        let asked = self.readiness.gate("api-server");
        let cluster = Arc::clone(self.cluster);
        self.task("questions to the API server", async move {
            cluster.keep_asking(asked).await;
        });
    }

    fn governing_services(&mut self, policies: InForce) {
        let (requests, told) = Requests::new();
        let (tell, metrics) = (requests.clone(), Arc::clone(self.metrics));
        self.watch(
            CacheKind::Services,
            |cluster| &cluster.services,
            |object: core::Service| Some(prune::service(object)),
            move |cluster, change| cluster.services_changed(change, &tell, &metrics),
        );
        let tell = requests.clone();
        self.watch(
            CacheKind::StatefulSets,
            |cluster| &cluster.sets,
            |object: StatefulSet| LinkedSet::of(object),
            move |cluster, change| cluster.sets_changed(change, &tell),
        );
        let InForce {
            policies,
            mut changes,
        } = policies;
        let (cluster, tell) = (Arc::clone(self.cluster), requests.clone());
        self.task("policies of the governing Services", async move {
            while changes.changed().await.is_ok() {
                cluster.look_at_all(&tell);
            }
        });
        let (cluster, metrics) = (Arc::clone(self.cluster), Arc::clone(self.metrics));
        let controller = Controller::new(cluster, policies, requests, metrics);
        self.task("controller of governing Services", controller.run(told));
    }

    fn watch<K, T>(
        &mut self,
        kind: CacheKind,
        cache: fn(&Cluster) -> &Cache<T>,
        prune: fn(K) -> Option<T>,
        changed: impl Fn(&Cluster, Change<'_>) + Send + Sync + 'static,
    ) where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
        T: PartialEq + Send + Sync + 'static,
    {
        let watch = Watch {
            kind,
            gate: self.readiness.gate(kind.as_str()),
            metrics: Arc::clone(self.metrics),
        };
        let cluster = Arc::clone(self.cluster);
        let api: Api<K> = Api::all(cluster.client().clone());
        self.task(kind.as_str(), async move {
            let changed = |change: Change<'_>| changed(&cluster, change);
            watch.follow(api, cache(&cluster), prune, changed).await;
        });
    }

    fn task(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            work.await;
            name
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::policies::Store;
    use crate::cluster::testing::{client, list, review, until, version};
    use crate::cluster_view::ClusterView;
    use crate::server::Lifecycle;

    /// A cluster without objects; `silent` answers no question whose text contains it.
    fn answer(question: &str, silent: &str) -> Option<Value> {
        if question.contains("watch=true") || question.contains(silent) {
            return None;
        }
        Some(match question.rsplit_once(' ') {
            Some((_, "/version")) => version(36),
            _ if question.starts_with("POST") => review(true),
            _ => list(&json!([])),
        })
    }

    /// How many of the watched kinds and the version are known.
    fn known(metrics: &Metrics, cluster: &Cluster) -> usize {
        let text = metrics.encode().unwrap();
        let ready =
            |line: &&str| line.starts_with("steadyset_cache_ready{") && line.ends_with(" 1");
        text.lines().filter(ready).count() + usize::from(cluster.version().is_some())
    }

    #[tokio::test]
    async fn everything_that_is_looked_up_is_waited_for() {
        const KINDS: [&str; 5] = [
            "services",
            "statefulsets",
            "storageclasses",
            "poddisruptionbudgets",
            "namespaces",
        ];
        for silent in ["nothing", "version"].into_iter().chain(KINDS) {
            let (client, _) = client(move |question| answer(question, &format!("/{silent}")));
            let (cluster, metrics) = (
                Arc::new(Cluster::new(client, None)),
                Arc::new(Metrics::new()),
            );
            let (mut readiness, mut tasks) = (Readiness::new(Lifecycle::new()), JoinSet::new());
            let store = Store::new(Arc::clone(&metrics));
            cluster.start(&metrics, &mut readiness, &mut tasks, store.followed());
            if silent == "nothing" {
                until(|| readiness.is_ready()).await;
                assert_eq!(known(&metrics, &cluster), KINDS.len() + 1);
            } else {
                until(|| known(&metrics, &cluster) == KINDS.len()).await;
                assert!(!readiness.is_ready(), "ready without {silent}");
            }
        }
    }
}
