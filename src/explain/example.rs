//! The examples of a rule's page, run as the product runs a file.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::to_raw_value;
use thiserror::Error;

use crate::cluster_view::ServiceKeeping;
use crate::cluster_view::manifests::{InvalidManifest, Kind, Manifests};
use crate::model::finding::{Finding, Phase};
use crate::model::version::{InvalidVersion, ServerVersion};
use crate::policy::Policies;
use crate::review::review;
use crate::rules::{BASE, Docs};
use crate::statefulset::Undecodable;
use crate::strict::Subject;
use crate::strict::{self, Authored};
use crate::yaml::read;
use crate::yaml::values;

/// The namespace of an example.
const NAMESPACE: &str = "default";

/// An example that cannot be run.
#[derive(Debug, Error)]
pub enum Broken {
    /// It is no YAML.
    #[error("an example is no YAML: {0}")]
    Yaml(String),
    /// It is no manifest.
    #[error("an example is no manifest: {0}")]
    Manifest(#[from] crate::yaml::read::Broken),
    /// It cannot be written as JSON.
    #[error("an example is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// What stands beside it is not what it says it is.
    #[error("an example's cluster: {0}")]
    Cluster(#[from] InvalidManifest),
    /// It names no version.
    #[error("an example's server: {0}")]
    Version(#[from] InvalidVersion),
    /// It is no set.
    #[error("an example: {0}")]
    Set(#[from] Undecodable),
}

/// What the built-in policy finds in the rule's example.
///
/// # Errors
///
/// [`Broken`] if it cannot be run.
pub fn found(docs: &Docs) -> Result<Vec<Finding>, Broken> {
    judge(docs, docs.example, docs.cluster)
}

/// What is still found in the example put right; nothing, where it has none.
///
/// # Errors
///
/// [`Broken`] if it cannot be run.
pub fn left(docs: &Docs) -> Result<Vec<Finding>, Broken> {
    if docs.fixed.is_empty() {
        return Ok(Vec::new());
    }
    let cluster = if docs.fixed_cluster.is_empty() {
        docs.cluster
    } else {
        docs.fixed_cluster
    };
    judge(docs, docs.fixed, cluster)
}

fn judge(docs: &Docs, example: &str, cluster: &str) -> Result<Vec<Finding>, Broken> {
    let stored = match docs.stored {
        "" => None,
        stored => Some(to_raw_value(&set(stored)?)?),
    };
    let text = text(example)?;
    let cluster = world(docs, cluster)?;
    let Some(document) = read::documents(&text).next() else {
        return Ok(Vec::new());
    };
    let document = document?;
    let mut authored = Authored::read(&document.read()?)?;
    if let Some(slips) = strict::identity(&document.api_version, &document.kind) {
        authored.slips = slips;
    }
    let subject = authored.subject(NAMESPACE, stored.as_deref())?;
    let is_judged = |subject: &Subject<'_>| subject.slips.is_final() || subject.is_whole();
    let Some(subject) = subject.filter(is_judged) else {
        return Ok(Vec::new());
    };
    let now = Timestamp::UNIX_EPOCH;
    let verdict = review(&Policies::default(), subject, &cluster, Phase::File, now);
    Ok(verdict.unwrap_or_default().findings)
}

/// The text of an example: its own, where it is a whole manifest, and else that of the set that its changes make.
fn text(example: &str) -> Result<String, Broken> {
    match whole(example)? {
        Some(_) => Ok(example.to_owned()),
        None => Ok(set(example)?.to_string()),
    }
}

/// The set of an example that is a whole manifest, as kubectl reads it.
fn whole(example: &str) -> Result<Option<Value>, Broken> {
    let Some(document) = read::documents(example).next() else {
        return Ok(None);
    };
    let json = document?.read()?.json()?;
    Ok(Some(serde_json::from_str(json.get())?))
}

/// The set that an example's `changes` make of [`BASE`].
///
/// # Errors
///
/// [`Broken::Yaml`] if they are no YAML.
pub fn set(changes: &str) -> Result<Value, Broken> {
    let mut set = Value::Null;
    let changes = match whole(changes)? {
        Some(own) => vec![own],
        None => documents(changes)?,
    };
    for document in documents(BASE)?.iter().chain(&changes) {
        json_patch::merge(&mut set, document);
    }
    Ok(set)
}

/// The cluster that the documents `around` an example make up.
///
/// # Errors
///
/// [`Broken`] if they cannot be read.
pub fn world(docs: &Docs, around: &str) -> Result<Manifests, Broken> {
    let version = match docs.version {
        "" => None,
        version => Some(version.parse::<ServerVersion>()?),
    };
    let mut cluster = Manifests::new(version, ServiceKeeping::Kept);
    for document in documents(around)? {
        if let Some(kind) = Kind::of(&document) {
            cluster.add(kind, &document, NAMESPACE)?;
        }
    }
    Ok(cluster)
}

fn documents(text: &str) -> Result<Vec<Value>, Broken> {
    values::documents(text).map_err(Broken::Yaml)
}
