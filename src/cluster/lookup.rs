//! One review with a cluster to ask: the verdict, and the few questions that may wait for the API server before it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::{Api, ResourceExt};
use tokio::time::Instant;

use super::overlay::Overlay;
use super::{Cluster, ClusterView, Lookup, Service, prune};
use crate::evaluate::{Verdict, evaluate};
use crate::policy::Policy;
use crate::rules::Phase;
use crate::subject::set::{MatchExpression, Selector, Set};
use crate::subject::{Operation, Source, Subject, Undecodable};

impl Cluster {
    /// Judges a set as [`evaluate`] does, with at most two questions to the API server: for the namespace's Services,
    /// where the cache may not know the one in question yet (in `kubectl apply` of a folder it was created milliseconds
    /// ago), and for orphaned pods, where something would be injected into a new set.
    ///
    /// Each question gets half of the time left until `deadline`; one that fails or takes longer leaves its answer
    /// unknown. Answers `None` where there is nothing to judge. Most reviews ask nothing and never wait.
    ///
    /// # Errors
    ///
    /// [`Undecodable`] if a field that is read has the wrong type.
    pub(super) async fn judge(
        &self,
        policy: &Policy,
        source: Source<'_>,
        phase: Phase,
        deadline: Instant,
    ) -> Result<Option<Verdict>, Undecodable> {
        let Some(subject) = Subject::decode(source)? else {
            return Ok(None);
        };
        let namespace = source.namespace;
        let creates = subject.operation() == Operation::Create;
        let mut view = Overlay::new(self);
        if creates && self.lacks_services(namespace, &subject.set) {
            view.set_services(self.ask_for_services(namespace, deadline).await);
        }
        let verdict = evaluate(policy, subject, &view, phase);
        if !creates || verdict.injections.is_empty() {
            return Ok(Some(verdict));
        }
        let Some(subject) = Subject::decode(source)? else {
            return Ok(None);
        };
        match self
            .ask_for_orphans(namespace, &subject.set, deadline)
            .await
        {
            Lookup::Absent => Ok(Some(verdict)),
            pods => {
                view.set_orphaned_pods(pods);
                Ok(Some(evaluate(policy, subject, &view, phase)))
            }
        }
    }

    /// Whether the Service that a new set names, or could be linked to, may be younger than the cache.
    fn lacks_services(&self, namespace: &str, set: &Set<'_>) -> bool {
        let name = &*set.spec.service_name;
        name.is_empty() || self.service(namespace, name).found().is_none()
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

    /// The pods that the set would adopt: a set that cannot match any has none.
    async fn ask_for_orphans(
        &self,
        namespace: &str,
        set: &Set<'_>,
        deadline: Instant,
    ) -> Lookup<Vec<String>> {
        let name = &*set.metadata.name;
        let Some(selector) = set.spec.selector.as_ref().filter(|_| !name.is_empty()) else {
            return Lookup::Absent;
        };
        let api: Api<core::Pod> = Api::namespaced(self.client().clone(), namespace);
        let parameters = ListParams::default().labels(&selector_text(selector));
        let Some(list) = answer("pods", deadline, api.list_metadata(&parameters)).await else {
            return Lookup::Unknown;
        };
        let orphans: Vec<_> = list
            .iter()
            .filter(|pod| is_orphan(pod, name))
            .map(ResourceExt::name_any)
            .collect();
        if orphans.is_empty() {
            Lookup::Absent
        } else {
            Lookup::Found(orphans)
        }
    }
}

/// What was asked, if the answer comes within half of the time left.
async fn answer<T>(
    what: &str,
    deadline: Instant,
    question: impl Future<Output = kube::Result<T>>,
) -> Option<T> {
    let limit = deadline.saturating_duration_since(Instant::now()) / 2;
    match tokio::time::timeout(limit, question).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::warn!(what, %error, "the API server could not be asked; the answer is unknown");
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

/// A pod that the set's controller would adopt (`kubernetes/kubernetes:pkg/controller/controller_ref_manager.go`): it is
/// called `<set>-N`, nothing controls it, and it is not going away.
fn is_orphan(pod: &PartialObjectMeta<core::Pod>, set: &str) -> bool {
    let name = pod.name_any();
    let ordinal = name
        .strip_prefix(set)
        .and_then(|rest| rest.strip_prefix('-'));
    let of_the_set = ordinal
        .is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let controlled = pod
        .owner_references()
        .iter()
        .any(|owner| owner.controller == Some(true));
    of_the_set && !controlled && pod.metadata.deletion_timestamp.is_none()
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
