//! Which policy is for a set.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::compile::unknown_policy;
use super::{Glob, Policy, RuleAction};
use crate::cluster_view::{ClusterView, Lookup};
use crate::model::rules;
use crate::statefulset::annotations::INJECTED;
use crate::statefulset::set::{Labels, Selector, Set};
use crate::strict::Subject;

/// The label that the API server gives every namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Which sets a policy is for; all must hold, and the default is for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matcher {
    /// Namespaces by name: one of these, or any where it is empty.
    pub include: Vec<Glob>,
    /// Namespaces by name: none of these.
    pub exclude: Vec<Glob>,
    /// Namespaces by label.
    pub namespaces: Selector<'static>,
    /// Sets by label.
    pub objects: Selector<'static>,
}

/// All policies at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Policies {
    /// The first that matches counts.
    ordered: Vec<Arc<Policy>>,
    /// Whether the label of a namespace matters to any of them.
    by_namespace_labels: bool,
    /// For a set that none of them is for, and into which something was injected earlier.
    keeper: Arc<Policy>,
}

impl Default for Policies {
    /// No policy exists: the built-in default is for every set.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl From<Policy> for Policies {
    fn from(policy: Policy) -> Self {
        Self::new(vec![Arc::new(policy)])
    }
}

impl Policies {
    /// Orders policies by priority, the highest first, then by name. Where there is none the built-in default counts.
    #[must_use]
    pub fn new(mut policies: Vec<Arc<Policy>>) -> Self {
        if policies.is_empty() {
            policies.push(Arc::default());
        }
        policies.sort_by(|a, b| {
            b.priority
                .cmp(&a.priority)
                .then_with(|| a.name.cmp(&b.name))
        });
        Self {
            by_namespace_labels: policies
                .iter()
                .any(|policy| !policy.matches.namespaces.is_empty()),
            ordered: policies,
            keeper: keeper(),
        }
    }

    /// The policy for every set while it cannot be told which one it is: nothing is injected, and findings warn at most.
    #[must_use]
    pub fn fallback() -> &'static Policy {
        static CAREFUL: LazyLock<Policy> = LazyLock::new(unknown_policy);
        &CAREFUL
    }

    /// Whether a selection may depend on the labels of the set's namespace.
    #[must_use]
    pub fn read_namespace_labels(&self) -> bool {
        self.by_namespace_labels
    }

    /// The policy for a set; `None` where policies exist and none is for it: then it is neither judged nor changed. Only what was
    /// injected into it earlier is still put back and makes way on UPDATE: without that the server would refuse every further apply
    /// of its file.
    ///
    /// On UPDATE the labels of the stored set count beside the new ones, as they do in a webhook configuration. Of a namespace
    /// that is not known only its name is: the label `kubernetes.io/metadata.name`.
    #[must_use]
    pub fn select(&self, subject: &Subject<'_>, cluster: &dyn ClusterView) -> Option<&Policy> {
        let mut namespace = NamespaceLabels {
            name: &subject.namespace,
            cluster,
            labels: None,
        };
        self.ordered
            .iter()
            .find(|policy| policy.matches.holds(subject, &mut namespace))
            .or_else(|| was_injected(subject).then_some(&self.keeper))
            .map(|policy| &**policy)
    }

    /// All of them, in the order in which they are asked.
    pub fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.ordered.iter().map(|policy| &**policy)
    }
}

/// Injects nothing that is new, and has every rule silent.
fn keeper() -> Arc<Policy> {
    static KEEPER: LazyLock<Arc<Policy>> = LazyLock::new(|| {
        let ids = rules::RULES.iter().map(|rule| rule.id);
        Arc::new(Policy {
            rules: ids.map(|id| (id, RuleAction::Ignore)).collect(),
            ..unknown_policy()
        })
    });
    Arc::clone(&KEEPER)
}

fn was_injected(subject: &Subject<'_>) -> bool {
    let recorded = |set: &Set<'_>| set.metadata.annotations.get(INJECTED).is_some();
    let old = subject.old.as_ref();
    old.is_some_and(|old| recorded(&old.set) || recorded(&subject.set))
}

impl Matcher {
    fn holds(&self, subject: &Subject<'_>, namespace: &mut NamespaceLabels<'_>) -> bool {
        let of = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(namespace.name));
        (self.include.is_empty() || of(&self.include))
            && !of(&self.exclude)
            && (self.namespaces.is_empty() || namespace.are_selected_by(&self.namespaces))
            && self.selects_set(subject)
    }

    fn selects_set(&self, subject: &Subject<'_>) -> bool {
        let selects = |labels: &Labels<'_>| {
            self.objects
                .selects(|key| labels.get(key).map(|value| &**value))
        };
        let old = subject.old.as_ref();
        selects(&subject.set.metadata.labels)
            || old.is_some_and(|old| selects(&old.set.metadata.labels))
    }
}

/// The labels of a namespace, looked up when they are first asked for.
struct NamespaceLabels<'n> {
    name: &'n str,
    cluster: &'n dyn ClusterView,
    labels: Option<Arc<BTreeMap<String, String>>>,
}

impl NamespaceLabels<'_> {
    fn are_selected_by(&mut self, selector: &Selector<'_>) -> bool {
        let labels = self.labels();
        selector.selects(|key| labels.get(key).map(String::as_str))
    }

    fn labels(&mut self) -> &BTreeMap<String, String> {
        let (name, cluster) = (self.name, self.cluster);
        self.labels
            .get_or_insert_with(|| match cluster.namespace_labels(name) {
                Lookup::Found(labels) => labels,
                Lookup::Absent | Lookup::Unknown => {
                    Arc::new(BTreeMap::from([(NAME_LABEL.to_owned(), name.to_owned())]))
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster_view::NoCluster;
    use crate::policy::compile::compile;
    use crate::strict::Source;

    fn policies(specs: &[(&str, Value)]) -> Policies {
        let compiled = specs
            .iter()
            .map(|(name, spec)| Arc::new(compile(name, spec).unwrap()));
        Policies::new(compiled.collect())
    }

    fn selected(
        policies: &Policies,
        namespace: &str,
        labels: &Value,
        old: Option<&Value>,
    ) -> String {
        let set = |labels: &Value, replicas: i64| {
            to_raw_value(&json!({"metadata": {"labels": labels}, "spec": {"replicas": replicas}}))
                .unwrap()
        };
        let (object, old) = (set(labels, 1), old.map(|old| set(old, 2)));
        let source = Source {
            namespace,
            object: &object,
            old_object: old.as_deref(),
        };
        let subject = Subject::decode(source).unwrap().unwrap();
        let policy = policies.select(&subject, &NoCluster::default());
        policy.map_or("none", Policy::title).to_owned()
    }

    #[test]
    fn the_highest_priority_counts_then_the_name() {
        let all = policies(&[
            ("b", json!({})),
            ("a", json!({})),
            (
                "shop",
                json!({"priority": 1, "match": {"namespaces": {"include": ["shop*"], "exclude": ["*-test"]}}}),
            ),
        ]);
        for (namespace, expected) in [
            ("shop", "shop"),
            ("shop-eu", "shop"),
            ("shop-test", "a"),
            ("bank", "a"),
        ] {
            assert_eq!(selected(&all, namespace, &json!({}), None), expected);
        }
    }

    #[test]
    fn the_default_is_for_all_only_where_no_policy_exists() {
        assert_eq!(
            selected(&Policies::default(), "shop", &json!({}), None),
            "the built-in default"
        );
        let one = policies(&[(
            "shop",
            json!({"match": {"namespaces": {"include": ["shop"]}}}),
        )]);
        assert_eq!(selected(&one, "bank", &json!({}), None), "none");
    }

    #[test]
    fn a_set_is_selected_by_its_labels_and_by_those_it_had() {
        let gold = policies(&[(
            "gold",
            json!({"match": {"objectSelector": {
            "matchLabels": {"tier": "gold"}, "matchExpressions": [{"key": "loose", "operator": "DoesNotExist"}]}}}),
        )]);
        let (with, without) = (json!({"tier": "gold"}), json!({"tier": "tin"}));
        assert_eq!(selected(&gold, "shop", &with, None), "gold");
        assert_eq!(selected(&gold, "shop", &without, None), "none");
        assert_eq!(selected(&gold, "shop", &without, Some(&with)), "gold");
        assert_eq!(
            selected(&gold, "shop", &json!({"tier": "gold", "loose": ""}), None),
            "none"
        );
    }

    #[test]
    fn of_an_unknown_namespace_the_name_is_known() {
        let by_label = |label: &str| {
            policies(&[(
                "p",
                json!({"match": {"namespaceSelector": {"matchLabels": {label: "shop"}}}}),
            )])
        };
        assert!(by_label("team").read_namespace_labels());
        assert_eq!(
            selected(
                &by_label("kubernetes.io/metadata.name"),
                "shop",
                &json!({}),
                None
            ),
            "p"
        );
        assert_eq!(
            selected(&by_label("team"), "shop", &json!({}), None),
            "none"
        );
    }

    #[test]
    fn what_was_injected_is_kept_where_no_policy_is_for_the_set() {
        let elsewhere = policies(&[(
            "shop",
            json!({"match": {"namespaces": {"include": ["shop"]}}}),
        )]);
        let set = |replicas: i64, record: bool| {
            let mut set = json!({"metadata": {"name": "web"}, "spec": {"replicas": replicas}});
            if record {
                set["metadata"]["annotations"] = json!({INJECTED: "{}"});
            }
            to_raw_value(&set).unwrap()
        };
        for (old, new, kept) in [
            (Some(set(1, true)), set(2, false), true),
            (Some(set(1, true)), set(2, true), true),
            (Some(set(1, false)), set(2, false), false),
            (None, set(2, true), false),
        ] {
            let source = Source {
                namespace: "bank",
                object: &new,
                old_object: old.as_deref(),
            };
            let subject = Subject::decode(source).unwrap().unwrap();
            let policy = elsewhere.select(&subject, &NoCluster::default());
            assert_eq!(policy.is_some(), kept);
            let silent = |policy: &Policy| {
                policy
                    .rules
                    .values()
                    .all(|action| *action == RuleAction::Ignore)
            };
            assert!(policy.is_none_or(silent));
        }
    }
}
