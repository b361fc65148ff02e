//! The controller that keeps the governing Services which we linked sets to.
//!
//! It acts on what is stored, so a dry run creates nothing. Any number of replicas may run it: every write is
//! idempotent, and where two create the same Service the second learns it by a 409.

mod events;
mod permit;
mod plan;
mod set;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::scheduler::{ScheduleRequest, scheduler};
use tokio::time::Instant;

use super::Cluster;
use super::policies::SharedPolicies;
use crate::cluster_view::ownership::FIELD_MANAGER;
use crate::kube_client::reason;
use crate::metrics::Metrics;
use events::Events;
use permit::Permit;
use plan::{Plan, plan, service};
pub(super) use set::LinkedSet;

/// How many Services are looked at at one time.
const CONCURRENCY: usize = 8;

/// How long one look and the write after it may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The first and the longest pause before a failure is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// A set whose governing Service is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) namespace: String,
    pub(super) set: String,
}

/// Where the controller is told what to look at.
#[derive(Clone, Debug)]
pub(super) struct Requests(UnboundedSender<ScheduleRequest<Key>>);

/// What the controller is told.
pub(super) type Told = UnboundedReceiver<ScheduleRequest<Key>>;

impl Requests {
    pub(super) fn new() -> (Self, Told) {
        let (sender, receiver) = unbounded();
        (Self(sender), receiver)
    }

    /// Asks for a look at once.
    pub(super) fn look(&self, namespace: &str, set: &str) {
        let (namespace, set) = (namespace.to_owned(), set.to_owned());
        self.look_after(Key { namespace, set }, Duration::ZERO);
    }

    fn look_after(&self, message: Key, pause: Duration) {
        let run_at = Instant::now() + pause;
        // without a controller there is nothing to tell it, and the process is about to end
        let _ = self.0.unbounded_send(ScheduleRequest { message, run_at });
    }
}

/// The controller.
pub(super) struct Controller {
    cluster: Arc<Cluster>,
    policies: SharedPolicies,
    requests: Requests,
    events: Events,
    metrics: Arc<Metrics>,
    failures: Mutex<HashMap<Key, u32>>,
    /// The sets whose Service's name is taken by another Service.
    taken: Mutex<HashSet<Key>>,
}

impl Controller {
    pub(super) fn new(
        cluster: Arc<Cluster>,
        policies: SharedPolicies,
        requests: Requests,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            policies,
            events: Events::new(cluster.client().clone()),
            cluster,
            requests,
            metrics,
            failures: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    /// Looks at what it is told to look at. Never ends.
    pub(super) async fn run(self, told: Told) {
        let looks = scheduler(told);
        looks
            .for_each_concurrent(CONCURRENCY, |key| self.look(key))
            .await;
    }

    async fn look(&self, key: Key) {
        let reason = match tokio::time::timeout(LIMIT, self.reconcile(&key)).await {
            Ok(Ok(())) => {
                lock(&self.failures).remove(&key);
                return;
            }
            // somebody was faster: another replica, most likely
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => {
                return self.requests.look_after(key, PAUSE.0);
            }
            Ok(Err(error)) => reason(&error),
            Err(_) => format!("no answer within {} s", LIMIT.as_secs()),
        };
        let pause = self.pause(&key);
        tracing::warn!(
            namespace = key.namespace,
            set = key.set,
            reason,
            ?pause,
            "the governing Service is not kept yet"
        );
        if let (true, Some(set)) = (
            pause == PAUSE.0,
            self.cluster.linked_set(&key.namespace, &key.set),
        ) {
            self.events.not_kept(&set, &reason).await;
        }
        self.requests.look_after(key, pause);
    }

    fn pause(&self, key: &Key) -> Duration {
        let mut failures = lock(&self.failures);
        let count = failures.entry(key.clone()).or_default();
        let pause = PAUSE.0 * 2_u32.saturating_pow(*count);
        *count = count.saturating_add(1);
        pause.min(PAUSE.1)
    }

    async fn reconcile(&self, key: &Key) -> kube::Result<()> {
        let Some(set) = self.cluster.linked_set(&key.namespace, &key.set) else {
            self.set_taken(key, false);
            return Ok(());
        };
        let services: Api<Service> = Api::namespaced(self.cluster.client().clone(), &set.namespace);
        let live = services.get_opt(&set.service).await?;
        let mut plan = plan(&set, live.as_ref());
        let mut stored = None;
        if plan != Plan::Keep {
            stored = self.permitted(key).await?;
            // what the policy in force would not have made is neither made nor kept, and whose the name is does not matter
            plan = if stored.is_some() { plan } else { Plan::Keep };
        }
        let newly_taken = self.set_taken(key, plan == Plan::Taken);
        match plan {
            Plan::Keep => Ok(()),
            Plan::Create => self.create(&services, stored).await,
            Plan::Patch(patch) => {
                let parameters = PatchParams {
                    field_manager: Some(FIELD_MANAGER.to_owned()),
                    ..PatchParams::default()
                };
                services
                    .patch(&set.service, &parameters, &Patch::Merge(patch))
                    .await?;
                tracing::info!(
                    namespace = set.namespace,
                    service = set.service,
                    "the governing Service is put right"
                );
                Ok(())
            }
            Plan::Taken => {
                if newly_taken {
                    self.events.taken(&set).await;
                }
                Ok(())
            }
        }
    }

    /// The set as it is stored, where the policy in force would have its Service made: two watches tell of the set and of its
    /// Service, and the one of the set may be the later.
    async fn permitted(&self, key: &Key) -> kube::Result<Option<LinkedSet>> {
        let sets: Api<StatefulSet> = Api::namespaced(self.cluster.client().clone(), &key.namespace);
        let Some(stored) = sets.get_opt(&key.set).await? else {
            return Ok(None);
        };
        let policies = self.policies.load_full();
        match permit::permit(&policies, &stored, &*self.cluster) {
            Permit::Given => Ok(LinkedSet::of(stored).filter(|set| !set.leaving)),
            Permit::Refused => Ok(None),
            Permit::Unknown => {
                self.requests.look_after(key.clone(), PAUSE.0);
                Ok(None)
            }
        }
    }

    /// Creates the Service of a set.
    async fn create(&self, services: &Api<Service>, set: Option<LinkedSet>) -> kube::Result<()> {
        let Some(set) = set else {
            return Ok(());
        };
        let parameters = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        match services.create(&parameters, &service(&set)).await {
            Ok(_) => {
                tracing::info!(
                    namespace = set.namespace,
                    service = set.service,
                    set = set.name,
                    "a governing Service is created"
                );
                self.events.created(&set).await;
                Ok(())
            }
            Err(error) if is_ending(&error) => Ok(()),
            Err(error) => {
                if matches!(&error, kube::Error::Api(status) if status.code == 403) {
                    self.cluster.note_refusal();
                }
                Err(error)
            }
        }
    }

    /// Notes whether the name of a set's Service is taken; answers whether that is news.
    fn set_taken(&self, key: &Key, is_taken: bool) -> bool {
        let mut taken = lock(&self.taken);
        let news = if is_taken {
            taken.insert(key.clone())
        } else {
            taken.remove(key)
        };
        let count = i64::try_from(taken.len()).unwrap_or(i64::MAX);
        self.metrics.governing_services_taken.set(count);
        is_taken && news
    }
}

/// Whether the API server creates nothing because the whole namespace is going.
fn is_ending(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 403
        && causes
            .into_iter()
            .any(|cause| cause.reason == "NamespaceTerminating")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod document_tests;
#[cfg(test)]
mod tests;
