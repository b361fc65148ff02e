//! What the webhook knows of the cluster when it judges, and the Service that a new set is linked to.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::given::web;
use crate::support::{Cluster, Namespace, Output, Webhook, WebhookSettings};

/// What it knows, with which rights, and what it makes of that.
pub const TESTS: &[Test] = &[
    (
        "every_cache_is_filled_with_the_rights_of_the_manifest",
        every_cache_is_filled_with_the_rights_of_the_manifest,
    ),
    (
        "a_set_without_a_service_gets_one_that_is_kept",
        a_set_without_a_service_gets_one_that_is_kept,
    ),
    (
        "a_service_of_the_same_apply_is_linked",
        a_service_of_the_same_apply_is_linked,
    ),
    (
        "of_two_candidates_none_is_linked",
        of_two_candidates_none_is_linked,
    ),
    (
        "a_service_with_an_address_is_never_linked",
        a_service_with_an_address_is_never_linked,
    ),
    ("a_dry_run_creates_nothing", a_dry_run_creates_nothing),
    (
        "without_rights_it_links_and_says_what_it_cannot",
        without_rights_it_links_and_says_what_it_cannot,
    ),
];

/// How long the controller may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

fn every_cache_is_filled_with_the_rights_of_the_manifest(cluster: &Cluster) -> Result<()> {
    let webhook = cluster.webhook()?;
    let kinds = [
        "services",
        "statefulsets",
        "storageclasses",
        "poddisruptionbudgets",
        "namespaces",
    ];
    for kind in kinds {
        let ready = webhook.metric_sum("steadyset_cache_ready", &format!("kind=\"{kind}\""))?;
        ensure!(ready > 0.0, "{kind}: {}", webhook.log());
    }
    Ok(())
}

/// A set that names no Service, with pods labelled `app=<name>`.
fn unlinked(name: &str) -> Value {
    let labels = json!({"app": name});
    let mut set = web(
        &json!({"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}),
    );
    set["metadata"]["name"] = json!(name);
    set
}

fn headless(name: &str, app: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"clusterIP": "None", "selector": {"app": app}, "ports": [{"port": 8080}]}})
}

/// `kubectl apply` of all objects at once, in this order.
fn apply(ns: &Namespace<'_>, objects: &[Value]) -> Result<Output> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    ns.kubectl("apply -f -")?.stdin(list.to_string()).ok()
}

fn service_name(ns: &Namespace<'_>, set: &str) -> Result<String> {
    let set = ns.get(&format!("sts/{set}"))?;
    Ok(set["spec"]["serviceName"]
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

fn a_set_without_a_service_gets_one_that_is_kept(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let output = apply(&ns, &[unlinked("web")])?;
    ensure!(output.stderr.contains("\"web-pods\""), "{output}");
    ensure!(!output.stderr.contains("service-missing"), "{output}");
    ensure!(service_name(&ns, "web")? == "web-pods", "{output}");
    let service = ns.await_object("svc/web-pods", SOON, |_| Ok(()))?;
    let owner = &service["metadata"]["ownerReferences"][0];
    ensure!(
        owner["uid"] == ns.get("sts/web")?["metadata"]["uid"],
        "{service}"
    );
    ns.rolled_out("web")?;
    ns.kubectl("delete sts web")?.ok()?;
    ns.await_gone("svc/web-pods", SOON)
}

fn a_service_of_the_same_apply_is_linked(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    for attempt in 0..5 {
        let (set, service) = (format!("web{attempt}"), format!("names{attempt}"));
        let output = apply(&ns, &[headless(&service, &set), unlinked(&set)])?;
        ensure!(service_name(&ns, &set)? == service, "{output}");
    }
    ns.kubectl("get svc web0-pods")?.refused().map(drop)
}

fn of_two_candidates_none_is_linked(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let output = apply(
        &ns,
        &[
            headless("one", "web"),
            headless("two", "web"),
            unlinked("web"),
        ],
    )?;
    let warning = output
        .stderr
        .lines()
        .find(|line| line.contains("one") && line.contains("two"));
    ensure!(warning.is_some(), "no warning names both: {output}");
    ensure!(service_name(&ns, "web")?.is_empty(), "{output}");
    Ok(())
}

fn a_service_with_an_address_is_never_linked(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let mut balancing = headless("web", "web");
    balancing["spec"]["clusterIP"] = Value::Null;
    let output = apply(
        &ns,
        &[balancing, headless("other", "other"), unlinked("web")],
    )?;
    ensure!(service_name(&ns, "web")? == "web-pods", "{output}");
    let stays = ns.get("svc/web")?;
    ensure!(stays["spec"]["clusterIP"] != "None", "{stays}");
    ns.await_object("svc/web-pods", SOON, |_| Ok(())).map(drop)
}

fn a_dry_run_creates_nothing(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let dry = ns
        .kubectl("apply --dry-run=server -o json -f -")?
        .stdin(unlinked("web").to_string())
        .json()?;
    ensure!(dry["spec"]["serviceName"] == "web-pods", "{dry}");
    // a set that comes later is served, so an earlier one would have been seen
    apply(&ns, &[unlinked("later")])?;
    ns.await_object("svc/later-pods", SOON, |_| Ok(()))?;
    ns.kubectl("get svc web-pods")?.refused()?;
    ns.kubectl("get sts web")?.refused().map(drop)
}

/// An account that may read all the product reads, but for budgets, and create nothing.
const READER: &str = r#"
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ServiceAccount, metadata: {name: reader, namespace: NAMESPACE}}
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: reader}
    rules:
      - {apiGroups: [storage.k8s.io], resources: [storageclasses], verbs: [list, watch]}
      - {apiGroups: [apps], resources: [statefulsets], verbs: [list, watch]}
      - {apiGroups: [""], resources: [services, pods, namespaces], verbs: [list, watch]}
      - {apiGroups: [steadyset.io], resources: [statefulsetpolicies], verbs: [list, watch]}
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: reader}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
    subjects: [{kind: ServiceAccount, name: reader, namespace: NAMESPACE}]
"#;

fn without_rights_it_links_and_says_what_it_cannot(cluster: &Cluster) -> Result<()> {
    let home = cluster.namespace()?;
    home.kubectl("apply -f -")?
        .stdin(READER.replace("NAMESPACE", home.name()))
        .ok()?;
    let account = cluster.token_kubeconfig(home.name(), "reader")?;
    let webhook = Webhook::start(
        cluster,
        &WebhookSettings::named("reader").kubeconfig(account),
    )?;
    let budgets = webhook.metric_sum("steadyset_cache_ready", "kind=\"poddisruptionbudgets\"")?;
    ensure!(budgets == 0.0, "they may not be listed");

    let ns = cluster.namespace_of(&webhook)?;
    let output = apply(&ns, &[unlinked("web")])?;
    ensure!(
        output.stderr.contains("may not create Services"),
        "{output}"
    );
    ensure!(service_name(&ns, "web")?.is_empty(), "{output}");
    let output = apply(&ns, &[headless("names", "db"), unlinked("db")])?;
    ensure!(service_name(&ns, "db")? == "names", "{output}");
    Ok(())
}
