//! Whether the caBundles verify what is shown: told by metric, log and readiness.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::select_all;
use jiff::Timestamp;
use kube::Client;
use tokio::sync::watch::Receiver;

use super::Pair;
use super::plan::in_sync;
use super::watch::{configurations, named};
use super::webhooks::{Entry, ObjectName, entries};
use crate::metrics::Metrics;
use crate::server::health::Gate;

/// The names of the two kinds, in the order of [`configurations`].
pub(super) const KINDS: [&str; 2] = [
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
];

/// How often a look is due though nothing has changed: certificates end.
const LOOK: Duration = Duration::from_secs(10);

/// Tells how the caBundles stand.
///
/// Readiness is given once and never taken back: a bundle that fits nobody would make every replica unready at once, and
/// help nobody.
#[derive(Debug)]
pub struct Sync {
    metrics: Arc<Metrics>,
    gate: Gate,
    /// The webhooks that were told of last, and whether all was well.
    told: Option<(bool, Vec<String>)>,
}

impl Sync {
    /// Nothing is known yet; `gate` is opened when the bundles first fit.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, gate: Gate) -> Self {
        Self {
            metrics,
            gate,
            told: None,
        }
    }

    /// Tells, once both kinds of configuration are known.
    pub(super) fn report(
        &mut self,
        configurations: [Option<&[Entry]>; 2],
        pair: Option<&Pair>,
        now: Timestamp,
    ) {
        let [Some(mutating), Some(validating)] = configurations else {
            return;
        };
        let all = mutating.iter().chain(validating);
        let fits = in_sync(pair, all.clone(), now);
        self.metrics.set_ca_bundle_in_sync(fits);
        let unfit = all.filter(|entry| !pair.is_some_and(|pair| entry.verifies(pair, now)));
        let webhooks: Vec<_> = unfit.map(|entry| entry.name.clone()).collect();
        if self.told.as_ref() == Some(&(fits, webhooks.clone())) {
            return;
        }
        match (fits, self.gate.is_open(), webhooks.is_empty()) {
            (true, ..) => {
                self.gate.set(true);
                tracing::info!("every caBundle verifies the certificate that is shown");
            }
            (false, _, true) => tracing::warn!("no webhook of that configuration calls us"),
            (false, false, false) => tracing::info!(
                ?webhooks,
                "not ready: a caBundle does not verify the certificate that is shown"
            ),
            (false, true, false) => tracing::error!(
                ?webhooks,
                "a caBundle does not verify the certificate that is shown"
            ),
        }
        self.told = Some((fits, webhooks));
    }
}

/// Watches the configurations of certificates that somebody else keeps, and writes nothing.
pub struct Checker {
    /// How to reach the API server.
    pub client: Client,
    /// The name of both configurations.
    pub configuration: String,
    /// Whose webhooks; all of them where it is not said.
    pub service: Option<ObjectName>,
    /// What is shown.
    pub shown: Receiver<Option<Pair>>,
    /// Who tells.
    pub sync: Sync,
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checker")
            .field("configuration", &self.configuration)
            .finish_non_exhaustive()
    }
}

impl Checker {
    /// Looks whenever something changes, for ever.
    pub async fn run(mut self) {
        let watches = configurations(&self.client)
            .into_iter()
            .zip(KINDS)
            .enumerate();
        let mut changes = select_all(watches.map(|(at, (api, kind))| {
            let objects = named(api, kind, &self.configuration);
            objects.map(move |object| (at, object)).boxed()
        }));
        let mut known: [Option<Vec<Entry>>; 2] = [None, None];
        loop {
            tokio::select! {
                Some((at, object)) = changes.next() => {
                    let service = self.service.as_ref();
                    let found = object.map(|object| entries(&object.data, service));
                    if let Some(known) = known.get_mut(at) {
                        *known = Some(found.unwrap_or_default());
                    }
                }
                Ok(()) = self.shown.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            let pair = self.shown.borrow_and_update().clone();
            let configurations = known.each_ref().map(Option::as_deref);
            self.sync
                .report(configurations, pair.as_ref(), Timestamp::now());
        }
    }
}
