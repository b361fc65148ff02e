//! A live cluster: what is stored, judged as if it were created now.

use std::sync::Arc;

use kube::Client;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::cluster_view::ServiceKeeping;
use crate::cluster_view::manifests::{Kind, Manifests};
use crate::policy::compile::compile;
use crate::policy::{Policies, Policy};
use crate::review::Verdict;
use crate::review::report::{Options, Place, Report, Row, Unreadable};
use crate::statefulset::Undecodable;
use crate::statefulset::set::Metadata;
use crate::strict::{Source, Subject};

/// Objects asked for at one time: memory stays bounded whatever the size of the cluster.
const PAGE: u32 = 500;

/// The `StatefulSet`s of a cluster cannot be had.
#[derive(Debug, Error)]
#[error("the StatefulSets cannot be listed: {0}")]
pub struct Unlistable(#[from] pub(crate) kube::Error);

/// The policies that the cluster holds, for an audit that is given none. One that cannot be compiled is stood in for, as a webhook that
/// has just started would; `notes` says so.
///
/// # Errors
///
/// [`Unlistable`] if the cluster cannot be reached. A cluster that knows no policies, or does not let them be listed, has none.
pub async fn policies(client: &Client, notes: &mut Vec<String>) -> Result<Policies, Unlistable> {
    const PATH: &str = "/apis/steadyset.io/v1alpha1/statefulsetpolicies";
    let mut pages = Pages::new(client, PATH.to_owned());
    let mut policies = Vec::new();
    loop {
        match pages.next().await {
            Ok(Some(page)) => {
                policies.extend(page.iter().filter_map(|object| policy(object, notes)));
            }
            Ok(None) => return Ok(Policies::new(policies)),
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Policies::default()),
            Err(kube::Error::Api(status)) if status.code == 403 => {
                notes.push("the policies of the cluster may not be listed: the built-in default is assumed".to_owned());
                return Ok(Policies::default());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn policy(object: &RawValue, notes: &mut Vec<String>) -> Option<Arc<Policy>> {
    let object: Value = serde_json::from_str(object.get()).ok()?;
    let name = object.pointer("/metadata/name")?.as_str()?;
    let nothing = Value::Object(serde_json::Map::new());
    let spec = object.get("spec").unwrap_or(&nothing);
    let compiled = compile(name, spec).unwrap_or_else(|rejected| {
        let faults: Vec<String> = rejected.faults.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "policy {name} is refused, and judged by with care: {}",
            faults.join("; ")
        ));
        *rejected.stand_in
    });
    Some(Arc::new(compiled))
}

/// Audits the sets of one namespace, or of all.
///
/// # Errors
///
/// [`Unlistable`] if the cluster cannot be reached, or the sets may not be listed. What else may not be listed is unknown to the rules,
/// and a note says so.
pub async fn audit(
    client: &Client,
    namespace: Option<&str>,
    options: &Options,
) -> Result<Report, Unlistable> {
    let mut report = Report::default();
    let around = look_around(client, namespace, options, &mut report).await?;
    let path = match namespace {
        Some(namespace) => format!("/apis/apps/v1/namespaces/{namespace}/statefulsets"),
        None => "/apis/apps/v1/statefulsets".to_owned(),
    };
    let mut pages = Pages::new(client, path);
    while let Some(page) = pages.next().await? {
        for object in page {
            judge(&object, &around, options, &mut report);
        }
    }
    report.note_owners();
    Ok(report)
}

async fn look_around(
    client: &Client,
    namespace: Option<&str>,
    options: &Options,
    report: &mut Report,
) -> Result<Manifests, Unlistable> {
    let version = match options.kube_version {
        Some(version) => Some(version),
        None => client.apiserver_version().await?.git_version.parse().ok(),
    };
    let mut around = Manifests::new(version, ServiceKeeping::Kept);
    let within = namespace.map_or_else(String::new, |namespace| format!("/namespaces/{namespace}"));
    for (kind, path) in [
        (Kind::Service, format!("/api/v1{within}/services")),
        (
            Kind::PodDisruptionBudget,
            format!("/apis/policy/v1{within}/poddisruptionbudgets"),
        ),
        (
            Kind::StorageClass,
            "/apis/storage.k8s.io/v1/storageclasses".to_owned(),
        ),
        (Kind::Namespace, "/api/v1/namespaces".to_owned()),
    ] {
        let mut pages = Pages::new(client, path.clone());
        around.know(kind);
        loop {
            match pages.next().await {
                Ok(Some(page)) => take_up(kind, &page, &mut around, report),
                Ok(None) => break,
                Err(kube::Error::Api(status)) if status.code == 403 => {
                    around.forget(kind);
                    report.notes.push(format!(
                        "{path} may not be listed: what depends on it is not judged"
                    ));
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(around)
}

fn take_up(kind: Kind, page: &[Box<RawValue>], around: &mut Manifests, report: &mut Report) {
    for object in page {
        let added = serde_json::from_str::<Value>(object.get())
            .map_err(|error| error.to_string())
            .and_then(|value| {
                around
                    .add(kind, &value, "default")
                    .map_err(|error| error.to_string())
            });
        if let Err(error) = added {
            report.notes.push(error);
        }
    }
}

#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

fn judge(object: &RawValue, around: &Manifests, options: &Options, report: &mut Report) {
    let Ok(Identity { metadata }) = serde_json::from_str(object.get()) else {
        report
            .notes
            .push("a StatefulSet without readable metadata was passed over".to_owned());
        return;
    };
    let (namespace, name) = (metadata.namespace.to_string(), metadata.name.to_string());
    match verdict(&namespace, object, around, options) {
        Ok(verdict) => report.rows.push(Row::of(
            (Place::Cluster, namespace, name),
            verdict,
            options,
            |_| None,
        )),
        Err(error) => report.errors.push(Unreadable {
            path: format!("cluster: {namespace}/{name}"),
            line: 1,
            column: 1,
            message: error.to_string(),
        }),
    }
}

fn verdict(
    namespace: &str,
    object: &RawValue,
    around: &Manifests,
    options: &Options,
) -> Result<Verdict, Undecodable> {
    let source = Source {
        namespace,
        object,
        old_object: None,
    };
    let Some(subject) = Subject::decode(source)? else {
        return Ok(Verdict::default());
    };
    Ok(options.verdict(subject, around))
}

/// A list, page by page.
struct Pages<'c> {
    client: &'c Client,
    path: String,
    /// Where the next page begins; empty for the first.
    token: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(default)]
    items: Vec<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    token: String,
}

impl<'c> Pages<'c> {
    fn new(client: &'c Client, path: String) -> Self {
        Self {
            client,
            path,
            token: Some(String::new()),
        }
    }

    async fn next(&mut self) -> kube::Result<Option<Vec<Box<RawValue>>>> {
        let Some(token) = self.token.take() else {
            return Ok(None);
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &PAGE.to_string());
        if !token.is_empty() {
            query.append_pair("continue", &token);
        }
        let uri = format!("{}?{}", self.path, query.finish());
        let request = http::Request::get(uri)
            .body(Vec::new())
            .map_err(kube::Error::HttpError)?;
        let text = self.client.request_text(request).await?;
        let page: Page = serde_json::from_str(&text).map_err(kube::Error::SerdeError)?;
        self.token = Some(page.metadata.token).filter(|token| !token.is_empty());
        Ok(Some(page.items))
    }
}
