//! Exemptions: who gets one, for how long, and what is said of it.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{SOON, creates, denied, put, under};
use crate::Test;
use crate::given::{warning, web};
use crate::support::{Cluster, Output, eventually};

pub const TESTS: &[Test] = &[
    (
        "an_exemption_counts_with_a_reason",
        an_exemption_counts_with_a_reason,
    ),
    ("an_exemption_ends", an_exemption_ends),
    ("a_policy_allows_none", a_policy_allows_none),
    ("the_verb_decides_who_may", the_verb_decides_who_may),
];

const RULE: &str = "claim-mode-mismatch";

fn exempt(reason: &str) -> Value {
    json!({"steadyset.io/exempt": reason})
}

fn refused(output: &Output) -> Result<()> {
    ensure!(
        output.status == 1 && output.stderr.contains(&format!("[{RULE}]")),
        "{output}"
    );
    Ok(())
}

fn says(output: &Output, text: &str) -> Result<()> {
    let said = warning(output, "exempted")?;
    let field = "steadyset: metadata.annotations[steadyset.io/exempt]: ";
    ensure!(said == format!("{field}{text} [exempted]"), "{said}");
    Ok(())
}

fn an_exemption_counts_with_a_reason(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({}))?;
    let webhook = cluster.webhook()?;
    let counted = || webhook.metric_sum("steadyset_exemptions_total", RULE);
    let before = counted()?;
    let mut set = web(&denied());
    set["metadata"]["annotations"] = exempt(&format!("{RULE}: see OPS-7"));
    let output = ns.kubectl("create -f -")?.stdin(set.to_string()).ok()?;
    says(&output, &format!("exempted from {RULE}: see OPS-7"))?;
    ensure!(counted()? > before, "the exemption is not counted");
    let output = creates(&ns, &denied(), &exempt(RULE))?;
    refused(&output)?;
    let said = warning(&output, "annotation-invalid")?;
    ensure!(
        said.contains("it has no reason, so nothing is exempted; write rule-id: reason"),
        "{said}"
    );
    Ok(())
}

/// A second or two from now; the clock of the webhook is this one.
fn soon() -> Result<String> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let end = since + Duration::from_secs(3);
    Ok(jiff::Timestamp::from_second(i64::try_from(end.as_secs())?)?.to_string())
}

fn an_exemption_ends(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({}))?;
    let end = soon()?;
    let mut annotations = exempt(&format!("{RULE}: until the disk is made anew"));
    annotations["steadyset.io/exempt-until"] = json!(end);
    let mut set = web(&denied());
    set["metadata"]["annotations"] = annotations.clone();
    let output = ns.kubectl("create -f -")?.stdin(set.to_string()).ok()?;
    says(
        &output,
        &format!("exempted from {RULE} until {end}: until the disk is made anew"),
    )?;
    let ended = format!("the exemption from {RULE} ended at {end}");
    eventually("the end", SOON, || {
        let output = creates(&ns, &denied(), &annotations)?;
        refused(&output)?;
        says(&output, &ended)
    })?;
    let output = ns
        .kubectl("patch sts web -p")?
        .arg(r#"{"spec":{"replicas":3}}"#)
        .ok()?;
    says(&output, &ended).context("an old sin is not punished, but the end is told")
}

fn a_policy_allows_none(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({"exemptions": {"allow": false}}))?;
    let start = format!(
        "the exemption from {RULE} does not count: policy {}",
        ns.name()
    );
    let annotations = exempt(&format!("{RULE}: please"));
    let output = creates(&ns, &denied(), &annotations)?;
    refused(&output)?;
    says(&output, &format!("{start} allows none"))?;
    put(&ns, &json!({"exemptions": {"forbidRules": [RULE]}}))?;
    let output = creates(&ns, &denied(), &annotations)?;
    refused(&output)?;
    says(&output, &format!("{start} allows none from this rule"))
}

/// Two users who may create sets; one of them may exempt.
fn the_verb_decides_who_may(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({"exemptions": {"requireVerb": true}}))?;
    let role = |name: &str, rules: Value, user: &str| {
        json!([
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": user}]},
        ])
    };
    let write =
        json!([{"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["create", "get"]}]);
    let exempts = json!([{"apiGroups": ["steadyset.io"], "resources": ["statefulsetpolicies"],
        "resourceNames": [ns.name()], "verbs": ["exempt"]}]);
    for objects in [
        role("writers", write, "writers"),
        role("exempters", exempts, "exempters"),
    ] {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        cluster
            .kubectl("apply -f -")?
            .stdin(list.to_string())
            .ok()?;
    }
    let mut set = web(&denied());
    set["metadata"]["annotations"] = exempt(&format!("{RULE}: see OPS-7"));
    let as_user = |groups: &str| -> Result<Output> {
        let line = format!("create --dry-run=server -f - --as=jane {groups}");
        ns.kubectl(&line)?.stdin(set.to_string()).run()
    };
    eventually("the roles", SOON, || {
        let output = as_user("--as-group=writers --as-group=exempters")?;
        ensure!(output.status == 0, "{output}");
        says(&output, &format!("exempted from {RULE}: see OPS-7"))
    })?;
    let output = as_user("--as-group=writers")?;
    refused(&output)?;
    let title = ns.name();
    says(
        &output,
        &format!(
            "the exemption from {RULE} does not count: policy {title} asks for the verb exempt on \
             statefulsetpolicies.steadyset.io, which you do not hold"
        ),
    )
}
