//! Least rights: what fails without each of the verbs that the chart grants, on a control plane where nobody else does the
//! work.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::tasks;
use crate::Test;
use crate::support::{Cluster, Namespace, Webhook, WebhookSettings, manifests};

/// One test, because each of its processes must be the only one.
pub const TESTS: &[Test] = &[("each_of_them_is_needed", each_of_them_is_needed)];

/// What needs a right; fails at the latest when the time is over.
pub type Task = fn(&Namespace<'_>, &Webhook, Duration) -> Result<()>;

/// A task, and the verbs on resources without each of which it fails.
struct Need {
    task: Task,
    /// Resources, as `group/resource`, and verbs.
    rights: &'static [(&'static str, &'static str)],
    /// A verb that is taken away in any case.
    beside: Option<&'static str>,
}

const fn need(task: Task, rights: &'static [(&'static str, &'static str)]) -> Need {
    Need {
        task,
        rights,
        beside: None,
    }
}

const NEEDS: &[Need] = &[
    need(
        tasks::a_set_is_linked_to_a_service,
        &[("/services", "list")],
    ),
    need(
        tasks::a_set_gets_its_service,
        &[
            ("/services", "get"),
            ("/services", "create"),
            ("apps/statefulsets", "get"),
            ("apps/statefulsets", "list"),
            ("apps/statefulsets", "watch"),
        ],
    ),
    need(
        tasks::a_service_deleted_by_hand_comes_back,
        &[("/services", "watch")],
    ),
    need(tasks::a_service_is_put_right, &[("/services", "patch")]),
    need(
        tasks::an_orphaned_service_is_adopted,
        &[("/services", "delete")],
    ),
    need(
        tasks::a_name_that_is_taken_is_told,
        &[("events.k8s.io/events", "create")],
    ),
    need(
        tasks::it_is_told_again,
        &[("events.k8s.io/events", "patch")],
    ),
    need(
        tasks::a_class_is_missed_until_it_is_there,
        &[
            ("storage.k8s.io/storageclasses", "list"),
            ("storage.k8s.io/storageclasses", "watch"),
        ],
    ),
    need(
        tasks::budgets_that_block_are_seen,
        &[
            ("policy/poddisruptionbudgets", "list"),
            ("policy/poddisruptionbudgets", "watch"),
        ],
    ),
    need(tasks::namespaces_are_known, &[("/namespaces", "list")]),
    need(
        tasks::a_namespace_that_gets_a_label_is_selected,
        &[("/namespaces", "watch")],
    ),
    // asked for only while the watch has not told of a namespace, so without the watch
    Need {
        task: tasks::a_new_namespace_is_selected,
        rights: &[("/namespaces", "get")],
        beside: Some("watch"),
    },
    need(
        tasks::a_policy_is_in_force,
        &[
            ("steadyset.io/statefulsetpolicies", "list"),
            ("steadyset.io/statefulsetpolicies", "watch"),
        ],
    ),
    need(
        tasks::a_policy_is_accepted,
        &[("steadyset.io/statefulsetpolicies/status", "patch")],
    ),
    need(
        tasks::who_holds_the_verb_may_exempt,
        &[("authorization.k8s.io/subjectaccessreviews", "create")],
    ),
    need(tasks::orphans_are_not_restarted, &[("/pods", "list")]),
];

/// The least that a task is given to fail.
const PATIENCE: Duration = Duration::from_secs(4);

pub fn prepare(cluster: &Cluster) -> Result<()> {
    cluster
        .kubectl("apply --server-side -f")?
        .arg(manifests::definitions())
        .ok()?;
    let established =
        "wait --for=condition=Established crd/statefulsetpolicies.steadyset.io --timeout=30s";
    cluster.kubectl(established)?.ok().map(drop)
}

fn each_of_them_is_needed(cluster: &Cluster) -> Result<()> {
    let granted = granted()?;
    let named = NEEDS.iter().flat_map(|need| need.rights);
    let named: BTreeSet<_> = named
        .map(|(resource, verb)| ((*resource).to_owned(), (*verb).to_owned()))
        .collect();
    ensure!(
        granted == named,
        "granted and in no test: {:?}; in a test and not granted: {:?}",
        granted.difference(&named),
        named.difference(&granted)
    );
    let mut superfluous = Vec::new();
    for (number, need) in NEEDS.iter().enumerate() {
        superfluous.extend(need.superfluous(cluster, number)?);
    }
    ensure!(
        superfluous.is_empty(),
        "nothing fails without {superfluous:?}"
    );
    Ok(())
}

impl Need {
    /// Which of its rights are not needed, after it was done once with all of them.
    fn superfluous(&self, cluster: &Cluster, number: usize) -> Result<Vec<String>> {
        let began = Instant::now();
        let resource = self.rights.first().map_or("", |(resource, _)| resource);
        let account = |verb: &str, resource: &str| Account {
            cluster,
            name: format!("{number}-{verb}-{}", resource.replace(['/', '.'], "-")),
        };
        account("all", resource)
            .tries(
                self,
                resource,
                self.beside.as_slice(),
                Duration::from_mins(1),
            )
            .with_context(|| format!("with all rights ({:?})", self.rights))?;
        let patience = PATIENCE.max(began.elapsed());
        let mut superfluous = Vec::new();
        for (resource, verb) in self.rights {
            let without = [self.beside.as_slice(), &[verb]].concat();
            let tried = account(verb, resource).tries(self, resource, &without, patience);
            match tried {
                Ok(()) => superfluous.push(format!("{verb} {resource}")),
                Err(reason) => eprintln!("without {verb} {resource}: {reason:#}"),
            }
        }
        Ok(superfluous)
    }
}

/// The verbs that the shipped `ClusterRole` grants. Those of the certificates are the business of their own tests.
fn granted() -> Result<BTreeSet<(String, String)>> {
    let mut granted = BTreeSet::new();
    for rule in rules()? {
        for (resource, verb) in pairs(&rule)? {
            ensure!(granted.insert((resource, verb)), "granted twice: {rule}");
        }
    }
    Ok(granted)
}

fn rules() -> Result<Vec<Value>> {
    let mut role = manifests::of_kind(&manifests::installed()?, "ClusterRole")?;
    let rules: Vec<Value> = serde_json::from_value(role["rules"].take())?;
    let of_certificates = |rule: &Value| rule["apiGroups"][0] == "admissionregistration.k8s.io";
    Ok(rules
        .into_iter()
        .filter(|rule| !of_certificates(rule))
        .collect())
}

fn words(value: &Value) -> Result<Vec<String>> {
    serde_json::from_value(value.clone()).with_context(|| format!("no words: {value}"))
}

/// Every `group/resource` with every verb of a rule.
fn pairs(rule: &Value) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for group in words(&rule["apiGroups"])? {
        for resource in words(&rule["resources"])? {
            for verb in words(&rule["verbs"])? {
                pairs.push((format!("{group}/{resource}"), verb));
            }
        }
    }
    Ok(pairs)
}

/// An account with some of the rights.
struct Account<'c> {
    cluster: &'c Cluster,
    name: String,
}

impl Account<'_> {
    /// Does the task as this account without these verbs on the resource.
    fn tries(&self, need: &Need, resource: &str, without: &[&str], within: Duration) -> Result<()> {
        self.grant(resource, without)?;
        let ns = self.cluster.namespace()?;
        let kubeconfig = self.cluster.token_kubeconfig("default", &self.name)?;
        let settings = WebhookSettings::named(&self.name).kubeconfig(kubeconfig);
        let webhook = Webhook::start(self.cluster, &settings)?;
        let done = ns
            .guard(&webhook)
            .and_then(|()| (need.task)(&ns, &webhook, within));
        // what is left of it must not be the next one's
        self.cluster
            .kubectl("delete statefulsetpolicies --all")?
            .ok()?;
        ns.kubectl("delete sts,svc,pdb --all")?.ok()?;
        done
    }

    fn grant(&self, resource: &str, without: &[&str]) -> Result<()> {
        let mut rules = rules()?;
        for rule in &mut rules {
            let mut verbs = words(&rule["verbs"])?;
            let of_it = pairs(rule)?.iter().any(|(name, _)| name == resource);
            verbs.retain(|verb| !(of_it && without.contains(&verb.as_str())));
            rule["verbs"] = json!(verbs);
        }
        rules.retain(|rule| rule["verbs"] != json!([]));
        if rules.is_empty() {
            bail!("no rule is left");
        }
        let (name, api) = (&self.name, "rbac.authorization.k8s.io/v1");
        let account = json!({"kind": "ServiceAccount", "name": name, "namespace": "default"});
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "default"}},
            {"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
            {"apiVersion": api, "kind": "ClusterRoleBinding", "metadata": {"name": name}, "subjects": [account],
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}},
        ]});
        self.cluster
            .kubectl("apply -f -")?
            .stdin(list.to_string())
            .ok()
            .map(drop)
    }
}
