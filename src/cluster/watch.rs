//! Follows the objects of one kind for as long as the process lives.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::cache::{Cache, Objects, insert};
use crate::kube_client::refusal;
use crate::metrics::{CacheKind, Metrics};
use crate::server::health::Gate;

/// Objects of one answer to a list. A whole answer is decoded before the first object is pruned, and the allocator keeps what that took.
const PAGE: u32 = 50;

/// A watch: of which kind, and who is told how it stands.
pub(super) struct Watch {
    pub(super) kind: CacheKind,
    /// Opened by the first whole list, or when listing is forbidden: then the kind stays unknown, and that is no reason
    /// to answer nobody.
    pub(super) gate: Gate,
    pub(super) metrics: Arc<Metrics>,
}

/// What has changed in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change<'a> {
    /// Everything may have.
    All,
    /// One object was written or deleted.
    One {
        namespace: &'a str,
        name: &'a str,
        /// Whether that changed what is kept of it.
        kept: bool,
    },
}

impl Watch {
    /// Keeps `cache` as the API server tells. Never ends; what fails is tried again after a growing pause.
    pub(super) async fn follow<K, T>(
        self,
        api: Api<K>,
        cache: &Cache<T>,
        prune: impl Fn(K) -> Option<T>,
        changed: impl Fn(Change<'_>),
    ) where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
        T: PartialEq,
    {
        self.metrics.set_cache_ready(self.kind, false);
        let config = watcher::Config::default().page_size(PAGE);
        let mut events = pin!(watcher(api, config).default_backoff());
        let mut listed = Objects::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed = Objects::new(),
                Ok(Event::InitApply(object)) => {
                    let (namespace, name) = key(&object);
                    if let Some(kept) = prune(object) {
                        insert(&mut listed, namespace, name, Arc::new(kept));
                    }
                }
                Ok(Event::InitDone) => {
                    cache.replace(std::mem::take(&mut listed));
                    self.ready();
                    changed(Change::All);
                }
                Ok(Event::Apply(object)) => set(cache, key(&object), prune(object), &changed),
                Ok(Event::Delete(object)) => set(cache, key(&object), None, &changed),
                Err(error) => self.failed(&error),
            }
        }
    }

    fn ready(&self) {
        self.metrics.set_cache_ready(self.kind, true);
        self.gate.set(true);
    }

    fn failed(&self, error: &watcher::Error) {
        let kind = self.kind.as_str();
        if let Some(refusal) = refusal(error).filter(|refusal| refusal.code == 403) {
            let reason = &refusal.message;
            tracing::warn!(
                kind,
                reason,
                "may not be watched; what depends on it is unknown until it may"
            );
            self.gate.set(true);
        } else {
            tracing::warn!(kind, %error, "the watch broke; it is tried again");
        }
    }
}

fn key<K: Resource>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn set<T: PartialEq>(
    cache: &Cache<T>,
    (namespace, name): (String, String),
    object: Option<T>,
    changed: impl Fn(Change<'_>),
) {
    let kept = cache.set(&namespace, &name, object);
    changed(Change::One {
        namespace: &namespace,
        name: &name,
        kept,
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use k8s_openapi::api::core::v1::Namespace;
    use kube::ResourceExt;
    use serde_json::{Value, json};
    use tokio::sync::Notify;

    use super::*;
    use crate::cluster::testing::{client, forbidden, list};
    use crate::cluster_view::Lookup;

    /// Follows namespaces by these answers to the lists, in order, until it asks for more. Gives the cache, whether the
    /// gate is open, and what was reported.
    async fn follow(answers: Vec<Value>) -> (Cache<String>, bool, Vec<String>) {
        let (count, told) = (AtomicUsize::new(0), Arc::new(Notify::new()));
        let (client, _) = client({
            let (count, told) = (Arc::new(count), Arc::clone(&told));
            move |question| {
                let is_list = !question.contains("watch=true");
                let next = is_list.then(|| count.fetch_add(1, Ordering::Relaxed));
                let answer = next.and_then(|next| answers.get(next).cloned());
                if answer.is_none() {
                    told.notify_one();
                }
                answer
            }
        });
        let (cache, gate, reports) = (Cache::default(), Gate::default(), Mutex::new(Vec::new()));
        let watch = Watch {
            kind: CacheKind::Namespaces,
            gate: gate.clone(),
            metrics: Arc::new(Metrics::new()),
        };
        let report = |change: Change<'_>| reports.lock().unwrap().push(format!("{change:?}"));
        let api: Api<Namespace> = Api::all(client);
        tokio::select! {
            () = watch.follow(api, &cache, |object| Some(object.name_any()), report) => panic!("it ended"),
            () = told.notified() => {}
        }
        (cache, gate.is_open(), reports.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_kind_is_known_once_a_whole_list_has_come() {
        let named = |name: &str| json!({"metadata": {"name": name}});
        let mut first = list(&json!([named("a")]));
        first["metadata"] = json!({"continue": "more"});
        let (cache, ready, _) = follow(vec![first.clone()]).await;
        assert!(!ready, "half a list is none");
        assert_eq!(cache.get("", "a"), Lookup::Unknown);
        let (cache, ready, reports) = follow(vec![first, list(&json!([named("b")]))]).await;
        assert!(ready);
        let listed = cache.list("").map(|names| names.len());
        assert_eq!(listed, Lookup::Found(2));
        assert_eq!(reports, ["All"]);
    }

    #[tokio::test]
    async fn a_kind_that_may_not_be_listed_stays_unknown_and_holds_nobody_up() {
        let (cache, ready, reports) = follow(vec![forbidden()]).await;
        assert!(ready);
        assert_eq!(cache.get("", "a"), Lookup::Unknown);
        assert!(reports.is_empty());
        let (cache, _, _) = follow(vec![forbidden(), list(&json!([]))]).await;
        assert_eq!(cache.get("", "a"), Lookup::Absent, "allowed since");
    }
}
