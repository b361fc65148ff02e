//! What a cluster has of the sets that are to be fixed, and of what stands beside them.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;
use tokio::time::{Instant, timeout};

use crate::audit;
use crate::change::Change;
use crate::cluster::orphaned_pods;
use crate::cluster_view::manifests::{Kind, Manifests, Object};
use crate::cluster_view::{Lookup, Pod};
use crate::fix::service::release;
use crate::fix::{Key, Known, parsed};
use crate::kube_client::ConnectError;
use crate::review::report::{Options, Report, Row};
use crate::statefulset::set::Set;

/// How long an answer may take: a cluster that says nothing must not hold up a release for ever.
const LIMIT: Duration = Duration::from_secs(20);

/// The cluster cannot be asked for what everything depends on.
#[derive(Debug, Error)]
pub enum Unanswered {
    /// There is no cluster to be asked.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It does not answer, or refuses.
    #[error("{0} cannot be asked for")]
    Question(String, #[source] Box<kube::Error>),
    /// It takes too long.
    #[error("{0} cannot be asked for: the API server has not answered within {LIMIT:?}")]
    Late(String),
}

impl Unanswered {
    fn is_forbidden(&self) -> bool {
        matches!(self, Self::Question(_, error) if matches!(&**error, kube::Error::Api(status) if status.code == 403))
    }
}

/// Completes how sets are judged by what the cluster says of itself: its version, and its policies where the user named none.
///
/// # Errors
///
/// [`Unanswered`] if the cluster cannot be reached. One that does not tell its version or its policies is judged without.
pub async fn complete(
    client: &Client,
    options: &mut Options,
    has_policies: bool,
    notes: &mut Vec<String>,
) -> Result<(), Unanswered> {
    if options.kube_version.is_none() {
        let asked = limited("the version of the cluster", client.apiserver_version()).await;
        options.kube_version = if_allowed(asked)?.and_then(|info| info.git_version.parse().ok());
    }
    if !has_policies {
        let asked = async {
            let policies = audit::live::policies(client, notes).await;
            policies.map_err(|audit::live::Unlistable(error)| error)
        };
        options.policies = limited("the policies of the cluster", asked).await?;
    }
    Ok(())
}

/// Asks for the stored sets, and puts what stands beside them into `around`.
///
/// # Errors
///
/// [`Unanswered`] if a set may not be read: everything depends on whether it is new. What else may not be read is unknown, and a
/// note says so.
pub(super) async fn ask(
    client: &Client,
    sets: &BTreeSet<Key>,
    options: &Options,
    (around, report): (&mut Manifests, &mut Report),
) -> Result<Known, Unanswered> {
    let mut known = Known::default();
    for key in sets {
        let (namespace, name) = (segment(&key.0), segment(&key.1));
        let path = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}");
        let what = format!("StatefulSet {}/{}", key.0, key.1);
        if let Some(stored) = get(client, &what, path).await? {
            known.stored.insert(key.clone(), stored);
        }
    }
    let namespaces: BTreeSet<&str> = sets.iter().map(|(namespace, _)| &**namespace).collect();
    for namespace in namespaces {
        let mut objects = services(client, namespace, (&mut *around, &mut *report)).await?;
        known.services.extend(objects.iter().map(|(_, service)| {
            let name = service.pointer("/metadata/name").and_then(Value::as_str);
            let key = (namespace.to_owned(), name.unwrap_or_default().to_owned());
            (key, release(service))
        }));
        if options.policies.read_namespace_labels() {
            let path = format!("/api/v1/namespaces/{}", segment(namespace));
            let asked = get(client, &format!("namespace {namespace}"), path).await;
            let found = noted(asked, report)?.flatten();
            objects.extend(found.map(|object| (Kind::Namespace, parsed(&object))));
        }
        for (kind, object) in objects {
            // what the server stores is of the right types
            if let Ok(object) = Object::read(kind, &object, namespace) {
                around.put(object);
            }
        }
    }
    Ok(known)
}

async fn services(
    client: &Client,
    namespace: &str,
    (around, report): (&mut Manifests, &mut Report),
) -> Result<Vec<(Kind, Value)>, Unanswered> {
    let path = format!("/api/v1/namespaces/{}/services", segment(namespace));
    let what = format!("the Services of namespace {namespace}");
    let Some(list) = noted(get(client, &what, path).await, report)? else {
        return Ok(Vec::new());
    };
    around.know(Kind::Service);
    let mut list = list.map(|list| parsed(&list)).unwrap_or_default();
    let items = list.get_mut("items").map(Value::take);
    let items: Vec<Value> = items
        .and_then(|items| serde_json::from_value(items).ok())
        .unwrap_or_default();
    Ok(items
        .into_iter()
        .map(|item| (Kind::Service, item))
        .collect())
}

/// The pods of earlier sets where a new one would be changed.
pub(super) async fn orphans(
    client: &Client,
    row: &Row,
    set: &RawValue,
) -> Option<Lookup<Vec<Pod>>> {
    if !row.changes.iter().any(Change::touches_pods) {
        return None;
    }
    let set: Set<'_> = serde_json::from_str(set.get()).ok()?;
    // the question gets half of the time left
    let deadline = Instant::now() + LIMIT * 2;
    let pods = orphaned_pods(client, &row.namespace, &set, deadline).await;
    let unlike = pods.map(|mut pods| {
        pods.retain(|pod| !row.changes.iter().all(|change| change.is_in(pod)));
        pods
    });
    let are_none = match &unlike {
        Lookup::Found(pods) => pods.is_empty(),
        Lookup::Absent => true,
        Lookup::Unknown => false,
    };
    (!are_none).then_some(unlike)
}

/// An object as the API server writes it; `None` where there is none.
async fn get(
    client: &Client,
    what: &str,
    path: String,
) -> Result<Option<Box<RawValue>>, Unanswered> {
    let asked = async {
        let request = http::Request::get(path)
            .body(Vec::new())
            .map_err(kube::Error::HttpError)?;
        match client.request_text(request).await {
            Ok(text) => RawValue::from_string(text)
                .map(Some)
                .map_err(kube::Error::SerdeError),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error),
        }
    };
    limited(what, asked).await
}

async fn limited<T>(
    what: &str,
    question: impl Future<Output = kube::Result<T>>,
) -> Result<T, Unanswered> {
    match timeout(LIMIT, question).await {
        Ok(answer) => {
            answer.map_err(|error| Unanswered::Question(what.to_owned(), Box::new(error)))
        }
        Err(_) => Err(Unanswered::Late(what.to_owned())),
    }
}

fn if_allowed<T>(asked: Result<T, Unanswered>) -> Result<Option<T>, Unanswered> {
    match asked {
        Err(error) if error.is_forbidden() => Ok(None),
        asked => asked.map(Some),
    }
}

fn noted<T>(asked: Result<T, Unanswered>, report: &mut Report) -> Result<Option<T>, Unanswered> {
    if let Err(error) = &asked
        && error.is_forbidden()
    {
        let note = format!("{error}: what depends on it is judged by the input alone");
        report.notes.push(note);
    }
    if_allowed(asked)
}

/// A name as a part of a path.
fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect()
}
