//! The few questions that may wait for the API server before a review.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use json_patch::PatchOperation;
use k8s_openapi::api::core::v1 as core;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use super::orphans::{fits, is_orphan};
use crate::cluster::Cluster;
use crate::cluster_view::Overlay;
use crate::cluster_view::prune;
use crate::cluster_view::{ClusterView, Lookup, NamespaceLabels, Service};
use crate::inject::reaches_pods;
use crate::inject::record::Record;
use crate::kube_client::reason;
use crate::policy::Policies;
use crate::policy::exemption::Exemption;
use crate::review::{Verdict, policy_for};
use crate::statefulset::set::{MatchExpression, Selector, Set};
use crate::statefulset::{Operation, Subject};

impl Cluster {
    /// The cluster as a review is to see it, with at most a few questions to the API server: for the labels of a namespace and for
    /// its Services, where the cache may not know those in question yet (in `kubectl apply` of a folder they were created
    /// milliseconds ago), and for the right of the user (`userInfo` of the review) to exempt, where the policy asks for it.
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
        if subject.operation() == Operation::Create && self.lacks_services(namespace, &subject.set)
        {
            view.set_services(self.ask_for_services(namespace, deadline).await);
        }
        view
    }

    /// Asks for the pods that an earlier set left, where a verdict would change what a new set makes of them. Answers whether there
    /// are any, and the review has to be made again with what the view knows now.
    pub async fn look_up_orphans(
        &self,
        view: &mut Overlay<'_>,
        subject: &Subject<'_>,
        verdict: &Verdict,
        deadline: Instant,
    ) -> bool {
        if subject.operation() != Operation::Create || !reaches_pods(&verdict.operations) {
            return false;
        }
        let place = (self.client(), &*subject.namespace);
        let pods = orphaned_pods(place, &subject.set, &verdict.operations, deadline).await;
        let are_there = pods != Lookup::Absent;
        view.set_orphaned_pods(pods);
        are_there
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

/// The pods that an earlier set left in a namespace and that these changes of the new set would restart or block.
pub(crate) async fn orphaned_pods(
    (client, namespace): (&Client, &str),
    set: &Set<'_>,
    changes: &[PatchOperation],
    deadline: Instant,
) -> Lookup<Vec<String>> {
    let pods = ask_for_pods((client, namespace), set, deadline).await;
    orphans(pods, set, changes)
}

/// The pods that match the set's selector.
async fn ask_for_pods(
    (client, namespace): (&Client, &str),
    set: &Set<'_>,
    deadline: Instant,
) -> Lookup<Vec<core::Pod>> {
    let Some(selector) = &set.spec.selector else {
        return Lookup::Absent;
    };
    let api: Api<core::Pod> = Api::namespaced(client.clone(), namespace);
    let parameters = ListParams::default().labels(&selector_text(selector));
    let list = answer("pods", deadline, api.list(&parameters)).await;
    list.map_or(Lookup::Unknown, |list| Lookup::Found(list.items))
}

/// The names of the orphans among the pods that the changes of the set would restart or block.
fn orphans(
    pods: Lookup<Vec<core::Pod>>,
    set: &Set<'_>,
    changes: &[PatchOperation],
) -> Lookup<Vec<String>> {
    let pods = match pods {
        Lookup::Found(pods) => pods,
        Lookup::Absent => return Lookup::Absent,
        Lookup::Unknown => return Lookup::Unknown,
    };
    let orphans = pods.iter().filter(|pod| is_orphan(pod, &set.metadata.name));
    let unlike = orphans.filter(|pod| !fits(pod, set, changes));
    let names: Vec<_> = unlike.map(ResourceExt::name_any).collect();
    if names.is_empty() {
        Lookup::Absent
    } else {
        Lookup::Found(names)
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
fn selector_text(selector: &Selector<'_>) -> String {
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
