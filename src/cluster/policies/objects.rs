//! Policies as objects of the cluster: watched, compiled, and told what became of them in their status.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, CustomResourceExt, ResourceExt};
use serde_json::{Value, json};

use super::{Origin, Said, Store};
use crate::kube_client::refusal;
use crate::policy::Policy;
use crate::policy::compile::{Rejected, compile};
use crate::policy::spec::{PolicyStatus, StatefulSetPolicy};
use crate::server::health::Gate;

/// Writes of one status at most, as long as its policy stays as it is.
const TRIES: u32 = 5;

/// How long writing a status may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Characters of a condition's message at most; the API server takes 32768.
const LONGEST: usize = 4096;

/// The policies of a cluster.
pub struct Objects {
    api: Api<DynamicObject>,
    store: Arc<Store>,
    /// Opened once it is known which policies there are, or that they may not be read.
    gate: Gate,
}

impl Objects {
    /// The policies that `client` can read. From now on `store` waits for them.
    #[must_use]
    pub fn new(client: Client, store: Arc<Store>, gate: Gate) -> Self {
        store.await_objects();
        let resource: ApiResource = StatefulSetPolicy::api_resource();
        Self {
            api: Api::all_with(client, &resource),
            store,
            gate,
        }
    }

    /// Keeps the store as the cluster has it. Never ends; what fails is tried again after a growing pause.
    pub async fn follow(self) {
        let mut events =
            pin!(watcher(self.api.clone(), watcher::Config::default()).default_backoff());
        let mut listed: Vec<DynamicObject> = Vec::new();
        let mut told = Told::new();
        let mut refused = None;
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed.clear(),
                Ok(Event::InitApply(object)) => listed.push(object),
                Ok(Event::InitDone) => {
                    let all: Vec<Said> = listed.iter().map(said).collect();
                    self.store.replace(Origin::Objects, all.clone());
                    self.gate.set(true);
                    refused = None;
                    for (object, (name, policy)) in listed.drain(..).zip(all) {
                        log(&name, &policy);
                        self.tell(&object, &policy, &mut told);
                    }
                }
                Ok(Event::Apply(object)) => {
                    let (name, policy) = said(&object);
                    if self
                        .store
                        .set(Origin::Objects, (name.clone(), policy.clone()))
                    {
                        log(&name, &policy);
                    }
                    self.tell(&object, &policy, &mut told);
                }
                Ok(Event::Delete(object)) => self.store.remove(Origin::Objects, &object.name_any()),
                Err(error) => {
                    let code = refusal(&error).map(|refusal| refusal.code);
                    self.failed(&error, code, refused == code);
                    refused = code;
                }
            }
        }
    }

    /// Takes note of a failure. A refusal that is `known`, because it came the last time too, is not told again: it comes every second.
    fn failed(&self, error: &watcher::Error, code: Option<u16>, known: bool) {
        match code {
            Some(404 | 403) if known => {}
            Some(404) => {
                tracing::info!(
                    "the cluster knows no StatefulSetPolicy; the definition is what `steadyset crd` prints"
                );
                self.store.replace(Origin::Objects, Vec::new());
                self.gate.set(true);
            }
            Some(403) => {
                tracing::error!(%error, "policies may not be read; until they may, nothing is injected and findings warn at most");
                self.store.unreadable(Origin::Objects);
                self.gate.set(true);
            }
            _ => {
                tracing::warn!(kind = "statefulsetpolicies", %error, "the watch broke; it is tried again");
            }
        }
    }

    /// Writes the condition `Accepted` where it says something else, beside the watch: the next change must not wait for it. Every
    /// replica wants the same, so whoever is first has done it, and the others are told so by a conflict. Replicas of two
    /// versions may not want the same; they give up after a few tries.
    fn tell(&self, object: &DynamicObject, policy: &Result<Policy, Rejected>, told: &mut Told) {
        let Some(condition) = due(object, policy) else {
            return;
        };
        let name = object.name_any();
        let generation = object.metadata.generation;
        let (of, tries) = told.entry(name.clone()).or_default();
        if *of != generation {
            (*of, *tries) = (generation, 0);
        }
        if *tries == TRIES {
            return;
        }
        *tries += 1;
        let patch = json!({
            "metadata": {"resourceVersion": object.metadata.resource_version},
            "status": {"conditions": [condition]},
        });
        tokio::spawn(write_status(self.api.clone(), name, patch));
    }
}

/// How often the status of each policy was written, and for which generation of it.
type Told = HashMap<String, (Option<i64>, u32)>;

async fn write_status(api: Api<DynamicObject>, name: String, patch: Value) {
    let (parameters, patch) = (PatchParams::default(), Patch::Merge(&patch));
    let written = api.patch_status(&name, &parameters, &patch);
    match tokio::time::timeout(LIMIT, written).await {
        Ok(Ok(_)) => {}
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 404 | 409) => {}
        Ok(Err(error)) => tracing::warn!(policy = name, %error, "the status cannot be written"),
        Err(_) => tracing::warn!(policy = name, "the status cannot be written in time"),
    }
}

fn said(object: &DynamicObject) -> Said {
    let name = object.name_any();
    let nothing = json!({});
    let spec = object.data.get("spec").filter(|spec| !spec.is_null());
    let policy = compile(&name, spec.unwrap_or(&nothing));
    (name, policy)
}

fn log(name: &str, policy: &Result<Policy, Rejected>) {
    match policy {
        Ok(_) => tracing::info!(policy = name, "policy in force"),
        Err(rejected) => {
            tracing::error!(
                policy = name,
                faults = message(rejected),
                "a policy is refused; its last good form stays in force"
            );
        }
    }
}

fn message(rejected: &Rejected) -> String {
    let faults: Vec<String> = rejected.faults.iter().map(ToString::to_string).collect();
    faults.join("; ").chars().take(LONGEST).collect()
}

/// The condition that the object should have and has not.
fn due(object: &DynamicObject, policy: &Result<Policy, Rejected>) -> Option<Condition> {
    let status = object.data.get("status").cloned().unwrap_or(Value::Null);
    let status: PolicyStatus = serde_json::from_value(status).unwrap_or_default();
    let stored = status
        .conditions
        .into_iter()
        .find(|stored| stored.type_ == "Accepted");
    let (status, reason, message) = match policy {
        Ok(_) => ("True", "Compiled", "in force as it stands".to_owned()),
        Err(rejected) => ("False", "Invalid", message(rejected)),
    };
    let since = stored
        .as_ref()
        .filter(|stored| stored.status == status)
        .map_or_else(
            || Time(Timestamp::now()),
            |stored| stored.last_transition_time.clone(),
        );
    let condition = Condition {
        type_: "Accepted".to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        observed_generation: object.metadata.generation,
        last_transition_time: since,
    };
    (stored.as_ref() != Some(&condition)).then_some(condition)
}
