//! Where policies come from while the process runs: files that are looked at again and again, and the objects of the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::policy::compile::{Rejected, unknown_policy};
use crate::policy::schema::Fault;
use crate::policy::{Policies, Policy};

pub mod files;
pub mod objects;

/// The policies in force: one snapshot for the whole of a review.
pub type SharedPolicies = Arc<ArcSwap<Policies>>;

/// The policies in force, for what acts on them of itself.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The snapshot.
    pub policies: SharedPolicies,
    /// Changes with every new snapshot.
    pub changes: watch::Receiver<()>,
}

/// Puts together what the sources say, and publishes it as one snapshot.
#[derive(Debug)]
pub struct Store {
    published: SharedPolicies,
    /// Told of every new snapshot.
    changes: watch::Sender<()>,
    metrics: Arc<Metrics>,
    known: Mutex<Known>,
}

/// What the sources have said.
#[derive(Debug, Default)]
struct Known {
    files: Source,
    objects: Source,
    /// Names that are in both.
    taken: BTreeSet<String>,
}

/// What one source has said.
#[derive(Debug, Default)]
struct Source {
    /// The last good form of each policy, or what stands in for it.
    policies: BTreeMap<String, Arc<Policy>>,
    /// Those of which the current form is refused, and why.
    rejected: BTreeMap<String, Vec<Fault>>,
    /// Whether the source as a whole cannot be read at the moment.
    unreadable: bool,
    /// Whether it is still to say which policies there are.
    awaited: bool,
}

/// Which source speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Files of `--config`.
    Files,
    /// Objects of the cluster.
    Objects,
}

/// What a source says of one policy.
pub type Said = (String, Result<Policy, Rejected>);

impl Store {
    /// No policy exists: the built-in default is in force.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let store = Self {
            published: SharedPolicies::default(),
            changes: watch::Sender::new(()),
            metrics,
            known: Mutex::default(),
        };
        store.change(|_| {});
        store
    }

    /// The snapshot in force, now and later.
    #[must_use]
    pub fn shared(&self) -> SharedPolicies {
        Arc::clone(&self.published)
    }

    /// The snapshot in force, and word of every new one.
    #[must_use]
    pub fn followed(&self) -> InForce {
        InForce {
            policies: self.shared(),
            changes: self.changes.subscribe(),
        }
    }

    /// Says that the cluster is still to tell which policies there are. Until then every set is judged with care: nothing is injected,
    /// and findings warn at most.
    pub fn await_objects(&self) {
        self.change(|known| known.objects.awaited = true);
    }

    /// Replaces all that a source has said.
    pub fn replace(&self, origin: Origin, said: Vec<Said>) {
        self.change(|known| known.source(origin).replace(said));
    }

    /// Notes what a source says of one policy; answers whether it says something new. A write to its status does not.
    pub fn set(&self, origin: Origin, said: Said) -> bool {
        let mut new = false;
        self.change(|known| new = known.source(origin).set(said));
        new
    }

    /// Forgets a policy that is no longer there.
    pub fn remove(&self, origin: Origin, name: &str) {
        self.change(|known| known.source(origin).remove(name));
    }

    /// Notes that a source cannot be read: what it said last stays in force.
    pub fn unreadable(&self, origin: Origin) {
        self.change(|known| known.source(origin).unreadable = true);
    }

    /// A change is rare, and a review takes no lock: it loads what is published here.
    fn change(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut known);
        let policies = known.all();
        let count = i64::try_from(policies.len()).unwrap_or(i64::MAX);
        self.metrics.policies.set(count);
        let success = known.files.is_good() && known.objects.is_good();
        self.metrics.policy_reload_success.set(i64::from(success));
        let snapshot = if known.objects.awaited {
            Policies::new(
                policies
                    .into_iter()
                    .chain([Arc::new(unknown_policy())])
                    .collect(),
            )
        } else {
            Policies::new(policies)
        };
        if **self.published.load() != snapshot {
            self.published.store(Arc::new(snapshot));
            self.changes.send_replace(());
        }
    }
}

impl Known {
    fn source(&mut self, origin: Origin) -> &mut Source {
        match origin {
            Origin::Files => &mut self.files,
            Origin::Objects => &mut self.objects,
        }
    }

    /// Of one name in a file and in the cluster the object wins.
    fn all(&mut self) -> Vec<Arc<Policy>> {
        let (files, objects) = (&self.files.policies, &self.objects.policies);
        let taken: BTreeSet<String> = files
            .keys()
            .filter(|name| objects.contains_key(*name))
            .cloned()
            .collect();
        for name in taken.difference(&self.taken) {
            tracing::warn!(
                policy = name,
                "a file and an object have this name; the object is in force"
            );
        }
        let left = files.iter().filter(|(name, _)| !taken.contains(*name));
        let left = left.map(|(_, policy)| policy);
        let all = objects.values().chain(left).cloned().collect();
        self.taken = taken;
        all
    }
}

impl Source {
    fn replace(&mut self, said: Vec<Said>) {
        let named: BTreeSet<&String> = said.iter().map(|(name, _)| name).collect();
        self.policies.retain(|name, _| named.contains(name));
        self.rejected.retain(|name, _| named.contains(name));
        self.unreadable = false;
        self.awaited = false;
        for said in said {
            self.set(said);
        }
    }

    /// Answers whether that is new.
    fn set(&mut self, (name, policy): Said) -> bool {
        match policy {
            Ok(policy) => {
                let was_rejected = self.rejected.remove(&name);
                let before = self.policies.get(&name).map(|before| &**before);
                if before == Some(&policy) {
                    return was_rejected.is_some();
                }
                self.policies.insert(name, Arc::new(policy));
                true
            }
            Err(rejected) => {
                let Rejected { faults, stand_in } = rejected;
                self.policies
                    .entry(name.clone())
                    .or_insert_with(|| Arc::new(*stand_in));
                self.rejected.insert(name, faults.clone()) != Some(faults)
            }
        }
    }

    fn remove(&mut self, name: &str) {
        self.policies.remove(name);
        self.rejected.remove(name);
    }

    fn is_good(&self) -> bool {
        self.rejected.is_empty() && !self.unreadable
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::Enforcement;
    use crate::policy::compile::compile;

    fn said(name: &str, spec: &Value) -> Said {
        (name.to_owned(), compile(name, spec))
    }

    /// Name, priority and enforcement of what is in force, and the two metrics.
    fn state(store: &Store) -> (Vec<String>, i64, i64) {
        let policies = store.shared().load_full();
        let policies = policies.iter().map(|policy| {
            format!(
                "{} {} {:?}",
                policy.title(),
                policy.priority,
                policy.enforcement
            )
        });
        let metrics = &store.metrics;
        (
            policies.collect(),
            metrics.policies.get(),
            metrics.policy_reload_success.get(),
        )
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    fn store() -> Store {
        Store::new(Arc::new(Metrics::new()))
    }

    #[test]
    fn a_refused_policy_keeps_its_last_good_form() {
        let store = store();
        assert_eq!(
            state(&store),
            (strings(&["the built-in default 0 Enforce"]), 0, 1)
        );
        store.set(Origin::Objects, said("a", &json!({"priority": 1})));
        let good = (strings(&["a 1 Enforce"]), 1, 1);
        assert_eq!(state(&store), good);
        store.set(
            Origin::Objects,
            said("a", &json!({"priority": 2, "profile": "Nonsense"})),
        );
        assert_eq!(state(&store), (good.0.clone(), 1, 0));
        store.set(Origin::Objects, said("a", &json!({"priority": 3})));
        assert_eq!(state(&store), (strings(&["a 3 Enforce"]), 1, 1));
        store.remove(Origin::Objects, "a");
        assert_eq!(
            state(&store),
            (strings(&["the built-in default 0 Enforce"]), 0, 1)
        );
    }

    #[test]
    fn one_without_a_last_good_form_is_stood_in_for() {
        let store = store();
        store.replace(
            Origin::Objects,
            vec![
                said("a", &json!({"profile": "Nonsense"})),
                said("b", &json!({})),
            ],
        );
        assert_eq!(state(&store), (strings(&["a 0 Warn", "b 0 Enforce"]), 2, 0));
        store.replace(Origin::Objects, vec![said("b", &json!({}))]);
        assert_eq!(state(&store), (strings(&["b 0 Enforce"]), 1, 1));
    }

    #[test]
    fn of_one_name_the_object_wins() {
        let store = store();
        store.replace(
            Origin::Files,
            vec![said("a", &json!({"priority": 1})), said("b", &json!({}))],
        );
        store.set(Origin::Objects, said("a", &json!({"priority": 2})));
        assert_eq!(state(&store).0, ["a 2 Enforce", "b 0 Enforce"]);
        store.remove(Origin::Objects, "a");
        assert_eq!(state(&store).0, ["a 1 Enforce", "b 0 Enforce"]);
    }

    #[test]
    fn what_is_not_known_yet_is_met_with_care() {
        let store = store();
        store.replace(Origin::Files, vec![said("a", &json!({}))]);
        store.await_objects();
        let policies = store.shared().load_full();
        let first = policies.iter().next().unwrap();
        assert_eq!(
            (first.priority, first.enforcement),
            (i32::MAX, Enforcement::Warn)
        );
        store.unreadable(Origin::Objects);
        assert_eq!(state(&store).2, 0);
        store.replace(Origin::Objects, Vec::new());
        assert_eq!(state(&store), (strings(&["a 0 Enforce"]), 1, 1));
    }
}
