//! What a user who may write StatefulSets in one namespace, and nothing else, gains from what he writes into them: nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{SOON, denied, put};
use crate::Test;
use crate::given::{claim, web};
use crate::support::{Cluster, Namespace, Output, eventually};

pub const TESTS: &[Test] = &[
    (
        "a_forged_record_gains_no_service",
        a_forged_record_gains_no_service,
    ),
    (
        "a_forged_record_injects_and_excuses_nothing",
        a_forged_record_injects_and_excuses_nothing,
    ),
    (
        "a_forged_owner_excuses_nothing",
        a_forged_owner_excuses_nothing,
    ),
    (
        "what_passes_because_of_an_owner_is_counted",
        what_passes_because_of_an_owner_is_counted,
    ),
    (
        "a_user_with_rights_on_services_gets_one_made",
        a_user_with_rights_on_services_gets_one_made,
    ),
    (
        "a_policy_that_allows_it_later_has_it_made",
        a_policy_that_allows_it_later_has_it_made,
    ),
];

const RECORD: &str = "steadyset.io/injected";

/// A person; a ServiceAccount is called the same.
const USER: &str = "mallory";

/// A namespace in which the user may write StatefulSets, under this policy.
fn with_user<'c>(cluster: &'c Cluster, policy: &Value) -> Result<Namespace<'c>> {
    let ns = super::under(cluster, &first(policy))?;
    grant(&ns, "sets", "apps", "statefulsets")?;
    Ok(ns)
}

/// Before the policies of tests that run beside this one.
fn first(policy: &Value) -> Value {
    let mut policy = policy.clone();
    policy["priority"] = json!(1);
    policy
}

fn grant(ns: &Namespace<'_>, role: &str, group: &str, resource: &str) -> Result<()> {
    let subjects = [
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}),
        json!({"kind": "ServiceAccount", "name": USER, "namespace": ns.name()}),
    ];
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": role},
            "rules": [{"apiGroups": [group], "resources": [resource], "verbs": ["*"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}, "subjects": subjects},
    ]});
    ns.kubectl("apply -f -")?.stdin(list.to_string()).ok()?;
    let question = format!("auth can-i create {resource}.{group} --as={USER}");
    eventually("the role", SOON, || {
        ns.kubectl(question.trim_end_matches('.'))?.ok().map(drop)
    })
}

fn account(ns: &Namespace<'_>) -> String {
    format!("system:serviceaccount:{}:{USER}", ns.name())
}

/// A record which claims that we keep this Service.
fn claiming(service: &str) -> String {
    let item =
        json!({"state": "injected", "value": service, "source": "policy", "version": "0.1.0"});
    json!({"service-name": item}).to_string()
}

/// The set `web` with this Service and a record that claims it.
fn forged(service: &str, more: &Value) -> Value {
    let mut set = web(&json!({"serviceName": service}));
    set["metadata"]["annotations"] = json!({RECORD: claiming(service)});
    json_patch::merge(&mut set, more);
    set
}

fn write(ns: &Namespace<'_>, line: &str, user: &str, object: &Value) -> Result<Output> {
    let line = format!("{line} -f - --as={user}");
    ns.kubectl(&line)?.stdin(object.to_string()).run()
}

fn creates(ns: &Namespace<'_>, object: &Value) -> Result<()> {
    let output = write(ns, "create", USER, object)?;
    ensure!(output.status == 0, "{output}");
    Ok(())
}

fn policy_of(mode: &str, rights: bool) -> Value {
    json!({"inject": {"serviceName": {"mode": mode, "requireServiceRights": rights}}})
}

/// Writes a record that claims `web-pods` into a set that is stored without one.
fn claims_later(ns: &Namespace<'_>) -> Result<()> {
    let mut plain = web(&json!({"serviceName": "web-pods"}));
    plain["metadata"]["annotations"] = json!({"steadyset.io/inject": "none"});
    creates(ns, &plain)?;
    let line = format!("annotate sts web --overwrite --as={USER}");
    let record = format!("{RECORD}={}", claiming("web-pods"));
    ns.kubectl(&line)?.arg(record).ok().map(drop)
}

/// The same with a change of the spec.
fn claims_with_a_change(ns: &Namespace<'_>) -> Result<()> {
    creates(ns, &web(&json!({"serviceName": "web-pods"})))?;
    let changed = forged("web-pods", &json!({"spec": {"replicas": 3}}));
    let output = write(ns, "replace", USER, &changed)?;
    ensure!(output.status == 0, "{output}");
    Ok(())
}

type Attempt = (&'static str, Value, fn(&Namespace<'_>) -> Result<()>);

/// Each attempt to have a Service made: under which policy, and how.
fn attempts() -> Vec<Attempt> {
    let never = || policy_of("Never", false);
    let makes = || policy_of("LinkOrCreate", false);
    let asks = || policy_of("LinkOrCreate", true);
    let whole: fn(&Namespace<'_>) -> Result<()> = |ns| creates(ns, &forged("web-pods", &json!({})));
    vec![
        ("a record under Never", never(), whole),
        ("a record under Link", policy_of("Link", false), whole),
        (
            "a record in a set that no policy is for",
            json!({"match": {"objectSelector": {"matchLabels": {"app": "other"}}}}),
            whole,
        ),
        (
            "a record in a later write of metadata",
            never(),
            claims_later,
        ),
        ("a record in a later change", never(), claims_with_a_change),
        (
            "a record in a later change, under LinkOrCreate",
            makes(),
            claims_with_a_change,
        ),
        ("a record of another name", makes(), |ns| {
            creates(ns, &forged("vault", &json!({})))
        }),
        ("a record of another set's name", makes(), |ns| {
            creates(ns, &forged("api-pods", &json!({})))
        }),
        (
            "a record in a set of a selector that no Service has",
            makes(),
            |ns| {
                let expressions = json!([{"key": "app", "operator": "Exists"}]);
                creates(
                    ns,
                    &forged(
                        "web-pods",
                        &json!({"spec": {"selector": {"matchExpressions": expressions}}}),
                    ),
                )
            },
        ),
        ("a record beside an owner", makes(), |ns| {
            let owners = json!([owner("example.com/v1", "Db")]);
            creates(
                ns,
                &forged(
                    "web-pods",
                    &json!({"metadata": {"ownerReferences": owners}}),
                ),
            )
        }),
        ("no name, without rights on Services", asks(), |ns| {
            creates(ns, &web(&json!({})))
        }),
        ("a record, without rights on Services", asks(), whole),
        (
            "a record in a later change, without rights",
            asks(),
            claims_with_a_change,
        ),
    ]
}

fn a_forged_record_gains_no_service(cluster: &Cluster) -> Result<()> {
    let mut tried = Vec::new();
    for (what, policy, attempt) in attempts() {
        let ns = with_user(cluster, &policy)?;
        attempt(&ns).context(what)?;
        tried.push((what, ns));
    }
    let taken = taken_name(cluster)?;
    // the controller looks in the order in which it hears: what comes last is there when all before has been looked at
    let last = with_user(cluster, &policy_of("LinkOrCreate", false))?;
    creates(&last, &web(&json!({})))?;
    last.await_object("svc/web-pods", SOON, |_| Ok(()))?;
    for (what, ns) in tried {
        let services = ns.kubectl("get svc -o name")?.ok()?;
        ensure!(services.stdout.is_empty(), "{what}: {}", services.stdout);
    }
    let (ns, before) = taken;
    let after = ns.get("svc/web-pods")?;
    ensure!(after == before, "a Service that is not ours: {after}");
    Ok(())
}

/// A set whose record claims the name of a Service that somebody else has made.
fn taken_name(cluster: &Cluster) -> Result<(Namespace<'_>, Value)> {
    let ns = with_user(cluster, &policy_of("LinkOrCreate", false))?;
    ns.kubectl("create service clusterip web-pods --tcp=80")?
        .ok()?;
    let before = ns.get("svc/web-pods")?;
    creates(&ns, &forged("web-pods", &json!({})))?;
    Ok((ns, before))
}

fn a_forged_record_injects_and_excuses_nothing(cluster: &Cluster) -> Result<()> {
    let off = json!({
        "inject": {"serviceName": {"mode": "Never"}, "readinessProbe": {"mode": "Never"}, "volumeClaims": {"mode": "Never"}},
        "rules": {"service-missing": "Deny"},
    });
    let ns = with_user(cluster, &off)?;
    let output = write(&ns, "create", USER, &forged("web-pods", &json!({})))?;
    ensure!(
        output.status == 1 && output.stderr.contains("[service-missing]"),
        "a rule is silenced: {output}"
    );
    let probe = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 3600, "timeoutSeconds": 3, "successThreshold": 1, "failureThreshold": 3});
    let mount = json!({"name": "data", "mountPath": "/data"});
    let claimed = claim("data");
    for state in ["injected", "yielded", "removed"] {
        let item = |value: &Value, source: &str| json!({"state": state, "value": value, "source": source, "version": "0.1.0"});
        let record = json!({
            "readiness-probe/web": item(&probe, "port"),
            "mount/web/data": item(&mount, "annotation"),
            "claim/data": item(&claimed, "policy"),
        });
        let mut set = web(&json!({}));
        set["metadata"]["annotations"] = json!({
            RECORD: record.to_string(),
            "steadyset.io/claim-data": json!({"mountPath": "/data"}).to_string(),
        });
        let output = write(&ns, "create --dry-run=server -o json", USER, &set)?;
        ensure!(output.status == 0, "{state}: {output}");
        let stored: Value = serde_json::from_str(&output.stdout)?;
        let container = &stored["spec"]["template"]["spec"]["containers"][0];
        for (what, value) in [
            ("probe", &container["readinessProbe"]),
            ("mount", &container["volumeMounts"]),
            ("claim", &stored["spec"]["volumeClaimTemplates"]),
        ] {
            ensure!(value.is_null(), "{state}: a {what} is gained: {value}");
        }
    }
    Ok(())
}

fn owner(version: &str, kind: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "name": "mine", "uid": "00000000-0000-0000-0000-000000000001", "controller": true})
}

/// The set that the rules deny, with an owner.
fn owned(version: &str, kind: &str) -> Value {
    let mut set = web(&denied());
    set["metadata"]["ownerReferences"] = json!([owner(version, kind)]);
    set
}

fn refused(output: &Output) -> Result<()> {
    let by_us = output.stderr.contains("[claim-mode-mismatch]");
    ensure!(output.status == 1 && by_us, "{output}");
    Ok(())
}

fn a_forged_owner_excuses_nothing(cluster: &Cluster) -> Result<()> {
    let ns = with_user(
        cluster,
        &json!({"profile": "Strict", "exemptions": {"allow": false}}),
    )?;
    let account = account(&ns);
    for (what, user, version, kind) in [
        ("his own ConfigMap", USER, "v1", "ConfigMap"),
        ("a Deployment", USER, "apps/v1", "Deployment"),
        (
            "a custom resource, as a person",
            USER,
            "example.com/v1",
            "Db",
        ),
        (
            "a ConfigMap, as a ServiceAccount",
            &account,
            "v1",
            "ConfigMap",
        ),
        ("a Job, as a ServiceAccount", &account, "batch/v1", "Job"),
        (
            "an Ingress, as a ServiceAccount",
            &account,
            "networking.k8s.io/v1",
            "Ingress",
        ),
    ] {
        refused(&write(&ns, "create", user, &owned(version, kind))?).context(what)?;
    }
    let trusted = json!([{"group": "example.com", "kind": "Db", "users": ["system:serviceaccount:operators:*"]}]);
    put(
        &ns,
        &first(&json!({"profile": "Strict", "trustedControllers": trusted})),
    )?;
    for (what, version, kind) in [
        ("a kind that is not trusted", "example.com/v1", "Cache"),
        ("a group that is not trusted", "example.org/v1", "Db"),
        (
            "a trusted kind, as an account that is not",
            "example.com/v1",
            "Db",
        ),
    ] {
        refused(&write(&ns, "create", &account, &owned(version, kind))?).context(what)?;
    }
    put(&ns, &first(&json!({"profile": "Default"})))?;
    let mut plain = web(&json!({}));
    plain["metadata"]["ownerReferences"] = json!([owner("v1", "ConfigMap")]);
    creates(&ns, &plain)?;
    let bad = json!({"spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}}});
    let line = format!("patch sts web --as={USER} --type=merge -p");
    let output = ns.kubectl(&line)?.arg(bad.to_string()).run()?;
    ensure!(
        output.status == 1 && output.stderr.contains("[max-unavailable-invalid]"),
        "a change under an owner that was added before: {output}"
    );
    // metadata alone is never refused
    ns.kubectl(&format!("label sts web a=b --as={USER}"))?
        .ok()?;
    Ok(())
}

fn what_passes_because_of_an_owner_is_counted(cluster: &Cluster) -> Result<()> {
    let trusted = json!([{"group": "example.com", "kind": "Db", "users": ["system:serviceaccount:*:mallory"]}]);
    let ns = with_user(cluster, &json!({"trustedControllers": trusted}))?;
    let webhook = cluster.webhook()?;
    let counted = || webhook.metric_sum("steadyset_spared_total", "claim-mode-mismatch");
    let before = counted()?;
    let output = write(&ns, "create", &account(&ns), &owned("example.com/v1", "Db"))?;
    ensure!(output.status == 0, "{output}");
    ensure!(
        output.stderr.contains("[claim-mode-mismatch]"),
        "it is warned of: {output}"
    );
    ensure!(counted()? > before, "it is not counted");
    let set = ns.get("sts/web")?;
    let injected = &set["metadata"]["annotations"][RECORD];
    ensure!(
        injected.is_null(),
        "an owner switches injection off: {injected}"
    );
    Ok(())
}

fn a_user_with_rights_on_services_gets_one_made(cluster: &Cluster) -> Result<()> {
    let ns = with_user(cluster, &policy_of("LinkOrCreate", true))?;
    grant(&ns, "services", "", "services")?;
    creates(&ns, &web(&json!({})))?;
    ns.await_object("svc/web-pods", SOON, |_| Ok(())).map(drop)
}

fn a_policy_that_allows_it_later_has_it_made(cluster: &Cluster) -> Result<()> {
    let ns = with_user(cluster, &policy_of("LinkOrCreate", false))?;
    creates(&ns, &web(&json!({})))?;
    let made = ns.await_object("svc/web-pods", SOON, |_| Ok(()))?;
    put(&ns, &first(&policy_of("Never", false)))?;
    // a Service that is there stays: pods find each other by it
    let kept = ns.get("svc/web-pods")?;
    ensure!(kept["metadata"]["uid"] == made["metadata"]["uid"], "{kept}");
    ns.kubectl("delete svc web-pods")?.ok()?;
    put(&ns, &first(&policy_of("LinkOrCreate", false)))?;
    ns.await_object("svc/web-pods", Duration::from_mins(1), |_| Ok(()))
        .map(drop)
}
