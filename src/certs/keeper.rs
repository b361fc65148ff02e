//! Carries out what [`plan`] decides: certificates in a Secret that all replicas share, authorities in the caBundles.
//!
//! What it may do is little: list, watch and update one Secret by name, create Secrets in its namespace (a name cannot be
//! asked for before the object is there), list, watch and patch the two configurations by name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use futures::stream::{BoxStream, select_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DynamicObject, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

use super::certificate::bundle;
use super::kept::may_be_written;
use super::pace::{Outcome, Pace};
use super::plan::{Clock, Found, Publication, Seen, Sightings, Write, plan};
use super::sync::KINDS;
use super::webhooks::{Entry, ObjectName, entries};
use super::{Kept, KeptError, Serving, Sync, Wish, watch};
use crate::kube_client::reason;
use crate::metrics::{CertificateKind, Metrics};
use crate::server::health::Gate;

/// How long the API server may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Our name in `managedFields`, and in the label of the Secret.
const NAME: &str = "steadyset";

/// What is kept where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Service that the configurations name.
    pub service: ObjectName,
    /// The Secret.
    pub secret: ObjectName,
    /// The name of both configurations.
    pub configuration: String,
    /// What certificates should be.
    pub wish: Wish,
}

/// Who has to hear of it.
#[derive(Debug)]
pub struct Told {
    /// Shows the leaf.
    pub serving: Arc<Serving>,
    /// Opened when there is a leaf to show.
    pub shown: Gate,
    /// Tells how the caBundles stand.
    pub sync: Sync,
    /// Told when certificates end.
    pub metrics: Arc<Metrics>,
}

/// Keeps the certificates of one replica.
pub struct Keeper {
    settings: Settings,
    told: Told,
    began: Instant,
    secrets: Api<Secret>,
    configurations: [Api<DynamicObject>; 2],
    secret: Option<Secret>,
    found: Found,
    known: Option<Kept>,
    shown: Option<Kept>,
    published: [Option<Published>; 2],
    sightings: Sightings,
    secret_pace: Pace,
    configuration_paces: [Pace; 2],
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A configuration as it was last seen; an absent one has no entries.
struct Published {
    version: Option<String>,
    entries: Vec<Entry>,
}

enum Event {
    Secret(Option<Box<Secret>>),
    Configuration(usize, Option<Box<DynamicObject>>),
}

impl Keeper {
    /// Nothing is read or written yet.
    #[must_use]
    pub fn new(client: &Client, settings: Settings, told: Told) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), &settings.secret.namespace),
            configurations: watch::configurations(client),
            settings,
            told,
            began: Instant::now(),
            secret: None,
            found: Found::Unknown,
            known: None,
            shown: None,
            published: [None, None],
            sightings: Sightings::default(),
            secret_pace: Pace::default(),
            configuration_paces: [Pace::default(), Pace::default()],
        }
    }

    /// Keeps them for as long as the process lives.
    pub async fn run(mut self) {
        let mut events = self.events();
        let mut pause = Duration::MAX;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.take_in(event),
                    None => return,
                },
                () = tokio::time::sleep(pause) => {}
            }
            pause = self.act().await;
        }
    }

    fn events(&self) -> impl futures::Stream<Item = Event> + Unpin + use<> {
        let secret = watch::named(self.secrets.clone(), "secrets", &self.settings.secret.name);
        let secret: BoxStream<'_, _> = secret
            .map(|secret| Event::Secret(secret.map(Box::new)))
            .boxed();
        let both = self.configurations.iter().cloned().zip(KINDS).enumerate();
        let both = both.map(|(at, (api, kind))| {
            let objects = watch::named(api, kind, &self.settings.configuration);
            objects
                .map(move |object| Event::Configuration(at, object.map(Box::new)))
                .boxed()
        });
        select_all(both.chain([secret]))
    }

    fn take_in(&mut self, event: Event) {
        match event {
            Event::Secret(secret) => self.take_in_secret(secret.map(|secret| *secret)),
            Event::Configuration(at, object) => {
                self.take_in_configuration(at, object.as_deref());
            }
        }
    }

    fn take_in_secret(&mut self, secret: Option<Secret>) {
        let data = secret.as_ref().and_then(|secret| secret.data.as_ref());
        let data = data.cloned().unwrap_or_default();
        let found = match Kept::read(&data) {
            _ if data.is_empty() => Found::Nothing,
            Ok(kept) => {
                self.known = Some(kept);
                Found::Good
            }
            Err(_) if self.known.is_none() && !may_be_written(&data) => Found::Foreign,
            Err(error) => {
                tracing::error!(secret = %self.settings.secret, %error, "the Secret is broken; it is written again");
                Found::Broken
            }
        };
        if found == Found::Foreign && self.found != found {
            tracing::error!(secret = %self.settings.secret,
                "the Secret holds something that is not ours and is left alone; delete it, or name another by --secret");
        }
        (self.secret, self.found) = (secret, found);
    }

    fn take_in_configuration(&mut self, at: usize, object: Option<&DynamicObject>) {
        let service = Some(&self.settings.service);
        let published = Published {
            version: object.and_then(|object| object.metadata.resource_version.clone()),
            entries: object.map_or_else(Vec::new, |object| entries(&object.data, service)),
        };
        if let Some(slot) = self.published.get_mut(at) {
            *slot = Some(published);
        }
    }

    /// Does what is due, and says when to look again.
    async fn act(&mut self) -> Duration {
        let clock = self.clock();
        let entries = self.published.iter().flatten();
        let entries: Vec<_> = entries.flat_map(|published| &published.entries).collect();
        self.sightings.note(&entries, clock.uptime);
        let plan = plan(&self.seen(clock));
        let mut done = plan.show && self.show();
        let pair = self.shown.as_ref().map(Kept::pair);
        let configurations = entries_of(&self.published);
        self.told.sync.report(configurations, pair, clock.now);
        if let Some(write) = plan.write.filter(|_| self.secret_pace.allows(clock.uptime)) {
            let outcome = self.write(write, clock.now).await;
            self.secret_pace.note(outcome, self.began.elapsed());
            done |= outcome == Outcome::Done;
        }
        for (at, publications) in plan.publish.iter().enumerate() {
            done |= self.publish(at, publications).await == Some(Outcome::Done);
        }
        let waits = plan.write.is_some() || plan.publish.iter().any(|all| !all.is_empty());
        match (done, waits) {
            (true, _) => Duration::ZERO,
            (false, true) => plan.again.min(Duration::from_millis(100)),
            (false, false) => plan.again,
        }
    }

    fn clock(&self) -> Clock {
        Clock {
            now: Timestamp::now(),
            uptime: self.began.elapsed(),
        }
    }

    fn seen(&self, clock: Clock) -> Seen<'_> {
        Seen {
            secret: self.found,
            known: self.known.as_ref(),
            shown: self.shown.as_ref(),
            configurations: entries_of(&self.published),
            sightings: &self.sightings,
            wish: &self.settings.wish,
            clock,
        }
    }

    /// Whether it is shown now.
    fn show(&mut self) -> bool {
        let Some(known) = self.known.clone() else {
            return false;
        };
        if let Err(error) = self.told.serving.show(known.pair().clone()) {
            tracing::error!(%error, "the certificate cannot be shown");
            return false;
        }
        let (expires, authority) = (known.leaf().ends(), known.authority().ends());
        let metrics = &self.told.metrics;
        metrics.set_certificate_expiry(CertificateKind::Authority, authority);
        self.told.shown.set(true);
        tracing::info!(expires, authority_expires = authority, "certificate shown");
        self.shown = Some(known);
        true
    }

    async fn write(&mut self, write: Write, now: Timestamp) -> Outcome {
        let kept = match self.successor(write, now) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(%error, "certificates cannot be made");
                return Outcome::Failed;
            }
        };
        let mut secret = self.secret.clone().unwrap_or_else(|| self.new_secret());
        kept.write(secret.data.get_or_insert_default());
        let (parameters, name) = (PostParams::default(), &self.settings.secret.name);
        let written = async {
            if secret.metadata.resource_version.is_some() {
                self.secrets.replace(name, &parameters, &secret).await
            } else {
                self.secrets.create(&parameters, &secret).await
            }
        };
        match within(written).await {
            Ok(secret) => {
                tracing::info!(secret = %self.settings.secret, what = ?write, "certificates written");
                self.take_in_secret(Some(secret));
                Outcome::Done
            }
            Err(failure) => failure.outcome("the Secret cannot be written"),
        }
    }

    fn successor(&self, write: Write, now: Timestamp) -> Result<Kept, KeptError> {
        let wish = &self.settings.wish;
        match (write, &self.known) {
            (Write::First, _) | (_, None) => Kept::new(wish, now),
            (Write::Again, Some(known)) => Ok(known.clone()),
            (Write::Leaf, Some(known)) => known.with_new_leaf(wish, now),
            (Write::Authority, Some(known)) => known.with_new_authority(wish, now),
        }
    }

    fn new_secret(&self) -> Secret {
        let labels = [("app.kubernetes.io/managed-by".to_owned(), NAME.to_owned())];
        Secret {
            metadata: ObjectMeta {
                name: Some(self.settings.secret.name.clone()),
                labels: Some(labels.into()),
                ..ObjectMeta::default()
            },
            ..Secret::default()
        }
    }

    /// By a strategic merge patch, which finds a webhook by its name, and a `resourceVersion`, so that nobody's change is
    /// lost.
    async fn publish(&mut self, at: usize, publications: &[Publication]) -> Option<Outcome> {
        let version = self.published.get(at)?.as_ref()?.version.clone();
        let pace = self.configuration_paces.get_mut(at)?;
        if publications.is_empty() || !pace.allows(self.began.elapsed()) {
            return None;
        }
        let webhooks = publications.iter().map(|publication| {
            let bundle = STANDARD.encode(bundle(&publication.bundle));
            json!({"name": publication.webhook, "clientConfig": {"caBundle": bundle}})
        });
        let patch = json!({
            "metadata": {"resourceVersion": version},
            "webhooks": webhooks.collect::<Vec<_>>(),
        });
        let parameters = PatchParams {
            field_manager: Some(NAME.to_owned()),
            ..PatchParams::default()
        };
        let api = self.configurations.get(at)?;
        let (name, patch) = (&self.settings.configuration, Patch::Strategic(patch));
        let patched = api.patch(name, &parameters, &patch);
        let outcome = match within(patched).await {
            Ok(object) => {
                let kind = KINDS.get(at);
                tracing::info!(kind, name, "caBundle published");
                self.take_in_configuration(at, Some(&object));
                Outcome::Done
            }
            Err(failure) => failure.outcome("the caBundle cannot be published"),
        };
        let uptime = self.began.elapsed();
        self.configuration_paces.get_mut(at)?.note(outcome, uptime);
        Some(outcome)
    }
}

fn entries_of(published: &[Option<Published>; 2]) -> [Option<&[Entry]>; 2] {
    published.each_ref().map(|published| {
        let published = published.as_ref()?;
        Some(published.entries.as_slice())
    })
}

/// Why nothing was written.
enum Failure {
    Refused(kube::Error),
    Silent,
}

async fn within<T>(written: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(LIMIT, written).await {
        Ok(written) => written.map_err(Failure::Refused),
        Err(_) => Err(Failure::Silent),
    }
}

impl Failure {
    /// Another replica was first, or the object has gone: the watch tells.
    fn outcome(&self, what: &'static str) -> Outcome {
        match self {
            Self::Refused(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                tracing::debug!(reason = status.message, "somebody else was first");
                Outcome::Conflict
            }
            Self::Refused(error) => {
                tracing::error!(reason = reason(error), "{what}; it is tried again");
                Outcome::Failed
            }
            Self::Silent => {
                tracing::error!(
                    reason = "the API server does not answer",
                    "{what}; it is tried again"
                );
                Outcome::Failed
            }
        }
    }
}
