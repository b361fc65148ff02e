//! Watches of the few objects that certificates are about, each by its name.

use std::fmt::Debug;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, watch_object};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

/// The first and the longest pause between two tries: an emptied caBundle is to be noticed soon after the API server is
/// back.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// A pause that doubles.
struct Growing(Duration);

impl Iterator for Growing {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (pause * 2).min(PAUSE.1);
        Some(pause)
    }
}

impl Backoff for Growing {
    fn reset(&mut self) {
        self.0 = PAUSE.0;
    }
}

/// Both kinds of configuration. They are read as JSON: what is newer than our types stays whole.
pub(super) fn configurations(client: &Client) -> [Api<DynamicObject>; 2] {
    [
        ApiResource::erase::<MutatingWebhookConfiguration>(&()),
        ApiResource::erase::<ValidatingWebhookConfiguration>(&()),
    ]
    .map(|resource| Api::all_with(client.clone(), &resource))
}

/// The object whenever it changes, `None` when it is not there. Never ends; what fails is tried again after a growing pause.
pub(super) fn named<K>(api: Api<K>, what: &'static str, name: &str) -> BoxStream<'static, Option<K>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let objects = watch_object(api, name).backoff(Growing(PAUSE.0));
    let name = name.to_owned();
    let mut last = String::new();
    let heard = objects.map(move |object| match object {
        Ok(object) => {
            last.clear();
            Some(object)
        }
        Err(error) => {
            warn(what, &name, &error, &mut last);
            None
        }
    });
    heard.filter_map(futures::future::ready).boxed()
}

/// Once for every new reason.
fn warn(what: &str, name: &str, error: &watcher::Error, last: &mut String) {
    let reason = crate::kube_client::refusal(error)
        .map_or_else(|| error.to_string(), |refusal| refusal.message.clone());
    if reason != *last {
        tracing::warn!(
            kind = what,
            name,
            reason,
            "cannot be watched; it is tried again"
        );
        *last = reason;
    }
}
