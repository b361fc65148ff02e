//! The few questions that may wait for the API server before a review.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use kube::Api;
use kube::api::ListParams;
use tokio::time::Instant;

use super::orphans::orphaned_pods;
use crate::change::Change;
use crate::cluster::Cluster;
use crate::cluster_view::Overlay;
use crate::cluster_view::prune;
use crate::cluster_view::{ClusterView, Lookup, NamespaceLabels, Service};
use crate::inject::record::Record;
use crate::kube_client::reason;
use crate::policy::Policies;
use crate::policy::exemption::Exemption;
use crate::review::{Verdict, policy_for};
use crate::statefulset::Operation;
use crate::statefulset::set::{MatchExpression, Selector, Set};
use crate::strict::Subject;

impl Cluster {
    /// The cluster as a review is to see it, with at most a few questions to the API server: for the labels of a namespace, where the
    /// cache may not know it yet (in `kubectl apply` of a folder it was created milliseconds ago), and for the right of the user
    /// (`userInfo` of the review) to exempt, where the policy asks for it.
    ///
    /// Each question gets half of the time left until `deadline`; one that fails or takes longer leaves its answer
    /// unknown. Most reviews ask nothing and never wait.
    pub async fn look_up(
        &self,
        policies: &Policies,
        subject: &Subject<'_>,
        user: Option<&str>,
        deadline: Instant,
    ) -> Overlay<'_> {
        let namespace = &*subject.namespace;
        let mut view = Overlay::new(self);
        if policies.read_namespace_labels() && self.namespace_labels(namespace).found().is_none() {
            view.set_namespace_labels(self.ask_for_labels(namespace, deadline).await);
        }
        let Some(policy) = policy_for(policies, subject, &view) else {
            return view;
        };
        if policy.asks_for_service_rights() && subject.operation() == Operation::Create {
            let right = self.may_create_services_in(namespace, user, deadline);
            view.set_service_right(right.await);
        }
        if policy.exemptions.require_verb && Exemption::of(&subject.set).is_some() {
            view.set_exempt_verb(self.may_exempt(policy, user, deadline).await);
        }
        view
    }

    /// Asks what a verdict leaves open, each once, both at the same time: for the Services of the namespace, where those in question
    /// may be younger than the cache, and for the pods that an earlier set left, where the verdict would change what a new set makes
    /// of them. Answers whether the review has to be made again with what the view knows now.
    pub async fn look_further(
        &self,
        view: &mut Overlay<'_>,
        subject: &Subject<'_>,
        verdict: &Verdict,
        deadline: Instant,
    ) -> bool {
        if subject.operation() != Operation::Create {
            return false;
        }
        let (namespace, set) = (&*subject.namespace, &subject.set);
        let reaches_pods = verdict.changes.iter().any(Change::touches_pods);
        let asks_pods = reaches_pods && !view.knows_orphaned_pods();
        let asks_services = !view.knows_services() && self.lacks_services(namespace, set);
        let services = only_if(asks_services, || self.ask_for_services(namespace, deadline));
        let pods = only_if(asks_pods, || {
            orphaned_pods(self.client(), namespace, set, deadline)
        });
        let (services, pods) = tokio::join!(services, pods);
        let are_pods_there = pods.as_ref().is_some_and(|pods| *pods != Lookup::Absent);
        if let Some(pods) = pods {
            view.set_orphaned_pods(pods);
        }
        if let Some(services) = services {
            view.set_services(services);
        }
        are_pods_there || asks_services
    }

    /// The labels of a namespace that the cache does not know.
    async fn ask_for_labels(
        &self,
        namespace: &str,
        deadline: Instant,
    ) -> Lookup<Arc<NamespaceLabels>> {
        let api: Api<core::Namespace> = Api::all(self.client().clone());
        let found = answer("namespace", deadline, api.get_opt(namespace)).await;
        match found {
            Some(Some(object)) => {
                Lookup::Found(Arc::new(object.metadata.labels.unwrap_or_default()))
            }
            Some(None) => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// Whether the Service that a new set names, or could be linked to, may be younger than the cache. One that we are yet
    /// to create is not looked for.
    fn lacks_services(&self, namespace: &str, set: &Set<'_>) -> bool {
        let name = &*set.spec.service_name;
        if name.is_empty() {
            return true;
        }
        let kept = || Record::of(set).is_some_and(|record| record.kept_service() == Some(name));
        self.service(namespace, name).found().is_none() && !kept()
    }

    async fn ask_for_services(
        &self,
        namespace: &str,
        deadline: Instant,
    ) -> Lookup<Vec<Arc<Service>>> {
        let api: Api<core::Service> = Api::namespaced(self.client().clone(), namespace);
        let parameters = ListParams::default();
        let Some(list) = answer("services", deadline, api.list(&parameters)).await else {
            return Lookup::Unknown;
        };
        let services = list.items.into_iter().map(prune::service).map(Arc::new);
        Lookup::Found(services.collect())
    }
}

/// The answer to a question that is asked only on a condition.
async fn only_if<F: Future>(asks: bool, question: impl FnOnce() -> F) -> Option<F::Output> {
    if asks {
        // a question is large, and every review would carry it along
        Some(Box::pin(question()).await)
    } else {
        None
    }
}

/// What was asked, if the answer comes within half of the time left.
pub(super) async fn answer<T>(
    what: &str,
    deadline: Instant,
    question: impl Future<Output = kube::Result<T>>,
) -> Option<T> {
    let limit = deadline.saturating_duration_since(Instant::now()) / 2;
    match tokio::time::timeout(limit, question).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::warn!(
                what,
                reason = reason(&error),
                "the API server could not be asked; the answer is unknown"
            );
            None
        }
        Err(_) => {
            warn_late(what, limit);
            None
        }
    }
}

fn warn_late(what: &str, limit: Duration) {
    let milliseconds = limit.as_millis();
    tracing::warn!(
        what,
        milliseconds,
        "the API server has not answered in time; the answer is unknown"
    );
}

/// A selector as the query parameter `labelSelector` has it.
pub(super) fn selector_text(selector: &Selector<'_>) -> String {
    let labels = selector
        .match_labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().map(requirement);
    labels.chain(expressions).collect::<Vec<_>>().join(",")
}

fn requirement(expression: &MatchExpression<'_>) -> String {
    let key = &expression.key;
    let values = || {
        let values: Vec<_> = expression.values.iter().map(|value| &**value).collect();
        values.join(",")
    };
    match &*expression.operator {
        "In" => format!("{key} in ({})", values()),
        "NotIn" => format!("{key} notin ({})", values()),
        "DoesNotExist" => format!("!{key}"),
        // `Exists`; the server refuses any other
        _ => key.to_string(),
    }
}

#[cfg(test)]
mod tests;
