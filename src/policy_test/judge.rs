//! Runs a case.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::to_raw_value;
use thiserror::Error;

use super::compare::{difference, found};
use super::{Case, Expected};
use crate::cluster_view::ServiceKeeping;
use crate::cluster_view::manifests::{InvalidManifest, Kind, Manifests};
use crate::model::finding::Phase;
use crate::model::rules::{self, UnknownRule};
use crate::model::version::{InvalidVersion, ServerVersion};
use crate::policy::Policies;
use crate::policy::compile::compile;
use crate::review::{Verdict, review};
use crate::statefulset::Undecodable;
use crate::strict::Authored;
use crate::yaml::read;

/// A case that cannot be run.
#[derive(Debug, Error)]
pub enum Broken {
    /// Its policy has faults.
    #[error("policy: {0}")]
    Policy(String),
    /// It expects what no rule can find.
    #[error("expect: {0}")]
    Rule(#[from] UnknownRule),
    /// It names no version.
    #[error("kubeVersion: {0}")]
    Version(#[from] InvalidVersion),
    /// What is in the cluster is not what it says it is.
    #[error("{0}")]
    Cluster(#[from] InvalidManifest),
    /// It is no set.
    #[error("{0} is no StatefulSet of apps/v1")]
    NoSet(&'static str),
    /// It is a set that cannot be read.
    #[error("{0}")]
    Set(#[from] Undecodable),
    /// It has no `metadata` or `spec` that can be read.
    #[error("object: {0}")]
    Object(#[from] read::Broken),
    /// It cannot be written as JSON.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

impl Case {
    /// Judges the write and compares: `None` where it comes out as expected, else the difference, as lines. `shared` are the
    /// policies of a case without its own, `now` is when a case happens that does not say it.
    ///
    /// # Errors
    ///
    /// [`Broken`] if the case cannot be run.
    pub fn run(&self, shared: &Policies, now: Timestamp) -> Result<Option<String>, Broken> {
        self.expect.check()?;
        let verdict = match &self.policy {
            Some(spec) => self.judge(&self.compile(spec)?, now)?,
            None => self.judge(shared, now)?,
        };
        let found: Expected = found(verdict, &self.expect)?;
        Ok(difference(&self.expect, &found))
    }

    fn compile(&self, spec: &Value) -> Result<Policies, Broken> {
        let policy = compile(&self.name, spec).map_err(|rejected| {
            let faults: Vec<String> = rejected.faults.iter().map(ToString::to_string).collect();
            Broken::Policy(faults.join("\n"))
        })?;
        Ok(Policies::from(policy))
    }

    /// `None` where no policy is for the set, or there is nothing to judge.
    fn judge(&self, policies: &Policies, now: Timestamp) -> Result<Option<Verdict>, Broken> {
        let text = set("object", &self.object)?.to_string();
        let Some(document) = read::documents(&text).next() else {
            return Ok(None);
        };
        let authored = Authored::read(&document?.read()?)?;
        let old = self.old_object.as_ref();
        let old = old.map(|old| to_raw_value(set("oldObject", old)?).map_err(Broken::from));
        let old = old.transpose()?;
        let cluster = self.cluster()?;
        let subject = authored.subject(namespace(&self.object), old.as_deref())?;
        let now = self.now.unwrap_or(now);
        Ok(subject.and_then(|subject| review(policies, subject, &cluster, Phase::File, now)))
    }

    /// A cluster in which steadyset may keep Services.
    fn cluster(&self) -> Result<Manifests, Broken> {
        let version = self.kube_version.as_deref();
        let version = version.map(str::parse::<ServerVersion>).transpose()?;
        let mut cluster = Manifests::new(version, ServiceKeeping::Kept);
        if let Some(held) = self.may_exempt {
            cluster = cluster.with_exempt_verb(held);
        }
        for (kind, objects) in [
            (Kind::Service, &self.services),
            (Kind::PodDisruptionBudget, &self.pod_disruption_budgets),
            (Kind::StorageClass, &self.storage_classes),
            (Kind::Namespace, &self.namespaces),
        ] {
            let Some(objects) = objects else {
                continue;
            };
            cluster.know(kind);
            for object in objects {
                cluster.add(kind, object, namespace(&self.object))?;
            }
        }
        Ok(cluster)
    }
}

impl Expected {
    /// Whether every rule that it names is one: a misspelt one would never be found, or never be exempted from.
    fn check(&self) -> Result<(), Broken> {
        let found = self.findings.iter().map(|finding| &finding.rule);
        let mut names = found.chain(self.exempted.iter().flatten());
        names.try_for_each(|name| rules::find(name).map(drop))?;
        Ok(())
    }
}

/// The object, if it is what it has to be.
fn set<'v>(field: &'static str, object: &'v Value) -> Result<&'v Value, Broken> {
    let is_set = object["apiVersion"] == "apps/v1" && object["kind"] == "StatefulSet";
    is_set.then_some(object).ok_or(Broken::NoSet(field))
}

fn namespace(object: &Value) -> &str {
    let namespace = object
        .pointer("/metadata/namespace")
        .and_then(Value::as_str);
    namespace.unwrap_or("default")
}
