//! What the webhook says, as users see it: in kubectl, and in the Status that programs read.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::answer_rows::{DENIALS, Denial, WARNINGS};
use crate::api::Api;
use crate::given::{
    claim, error_text, no_warning_of_ours, nothing_injected, warning, warnings, web,
};
use crate::support::{Cluster, Namespace, Output};

/// Denials, warnings, and who gets none.
pub const TESTS: &[Test] = &[
    (
        "a_denial_names_the_field_and_the_way_out",
        a_denial_names_the_field_and_the_way_out,
    ),
    (
        "several_findings_are_one_answer",
        several_findings_are_one_answer,
    ),
    (
        "a_denial_is_a_status_with_causes",
        a_denial_is_a_status_with_causes,
    ),
    (
        "a_warning_is_shown_and_the_set_is_created",
        a_warning_is_shown_and_the_set_is_created,
    ),
    (
        "a_dangling_mount_is_the_servers_to_deny_and_ours_to_explain",
        a_dangling_mount_is_explained,
    ),
    (
        "a_field_that_cannot_change_is_the_servers_to_deny_and_ours_to_explain",
        an_immutable_field_is_explained,
    ),
    (
        "what_a_controller_owns_is_left_to_it",
        what_a_controller_owns_is_left_to_it,
    ),
    (
        "an_update_of_what_a_controller_owns_keeps_the_servers_422",
        an_operator_keeps_the_servers_422,
    ),
];

const CREATE: &str = "create --dry-run=server -f -";

fn denial_head(cluster: &Cluster, phase: &str) -> Result<String> {
    let webhook = cluster.webhook()?.name();
    Ok(format!(
        "admission webhook \"{phase}-create.{webhook}.steadyset.io\" denied the request: "
    ))
}

/// Every line is `steadyset: <field>: <what>; <what instead> [<rule>]`, and there are no others.
fn says_exactly(message: &str, wanted: &[(&str, &str, &str)]) -> Result<()> {
    let lines: Vec<_> = message.trim_end().lines().collect();
    ensure!(
        lines.len() == wanted.len(),
        "{} findings wanted, these came: {message}",
        wanted.len()
    );
    for (line, (field, rule, word)) in lines.iter().zip(wanted) {
        let text = line.strip_prefix(&format!("steadyset: {field}: "));
        let text = text.and_then(|text| text.strip_suffix(&format!(" [{rule}]")));
        let text =
            text.with_context(|| format!("not `steadyset: {field}: .. [{rule}]`: {line}"))?;
        ensure!(
            text.contains("; "),
            "does not say what to write instead: {line}"
        );
        ensure!(text.contains(word), "does not speak of {word}: {line}");
    }
    Ok(())
}

fn denied(ns: &Namespace<'_>, denial: &Denial) -> Result<()> {
    let set = web(&denial.spec()?);
    let output = ns.kubectl(CREATE)?.stdin(set.to_string()).refused()?;
    ensure!(output.status == 1, "{output}");
    let head = denial_head(ns.cluster(), denial.phase)?;
    let head = format!("Error from server (Forbidden): error when creating \"STDIN\": {head}");
    let error = error_text(&output);
    let message = error
        .strip_prefix(&head)
        .with_context(|| format!("no denial: {output}"))?;
    says_exactly(message, &[(denial.field, denial.rule, denial.word)])
}

fn a_denial_names_the_field_and_the_way_out(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let wrong = DENIALS.iter().filter_map(|row| {
        let error = denied(&ns, row).err()?;
        Some(format!("{}: {error:#}", row.spec))
    });
    let wrong: Vec<_> = wrong.collect();
    ensure!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        DENIALS.len(),
        wrong.join("\n")
    );
    Ok(())
}

/// Three mistakes that the server would report too, and it would stop us from ever seeing them on `/validate`.
fn three_mistakes() -> Value {
    web(&json!({
        "podManagementPolicy": "parallel",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": -1}},
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"},
    }))
}

const THREE_FINDINGS: [(&str, &str, &str); 3] = [
    (
        "spec.podManagementPolicy",
        "pod-management-policy-unknown",
        "Parallel",
    ),
    (
        "spec.updateStrategy.rollingUpdate.partition",
        "partition-negative",
        "-1",
    ),
    (
        "spec.persistentVolumeClaimRetentionPolicy.whenScaled",
        "retention-policy-unknown",
        "Retain",
    ),
];

fn several_findings_are_one_answer(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let output = ns.apply(three_mistakes().to_string())?;
    ensure!(output.status == 1, "{output}");
    let (_, message) = error_text(&output)
        .split_once(&denial_head(cluster, "mutate")?)
        .map(|(head, message)| (head.to_owned(), message.to_owned()))
        .with_context(|| format!("no denial: {output}"))?;
    says_exactly(&message, &THREE_FINDINGS)
}

fn a_denial_is_a_status_with_causes(cluster: &Cluster) -> Result<()> {
    let (ns, mut api) = (cluster.guarded_namespace()?, Api::new(cluster)?);
    let path = format!(
        "/apis/apps/v1/namespaces/{}/statefulsets?dryRun=All",
        ns.name()
    );
    let answer = api.create(&path, &three_mistakes())?;
    let status = &answer.body;
    ensure!(
        answer.code == 403 && status["code"] == 403,
        "{} {status}",
        answer.code
    );
    ensure!(status["reason"] == "Forbidden", "{status}");
    let causes = status["details"]["causes"]
        .as_array()
        .context("no causes")?;
    ensure!(causes.len() == THREE_FINDINGS.len(), "{status}");
    for (cause, (field, rule, word)) in causes.iter().zip(THREE_FINDINGS) {
        ensure!(
            cause["field"] == field && cause["reason"] == rule,
            "{cause}"
        );
        ensure!(
            cause["message"]
                .as_str()
                .is_some_and(|text| text.contains(word)),
            "{cause}"
        );
    }
    Ok(())
}

/// The rules of all our warnings, what was injected aside.
fn rules_of(output: &Output) -> BTreeSet<String> {
    let ours = warnings(output)
        .into_iter()
        .filter(|text| text.starts_with("steadyset: "));
    let tags = ours.filter_map(|text| text.rsplit_once(" [")?.1.strip_suffix(']'));
    tags.filter(|tag| *tag != "injected")
        .map(str::to_owned)
        .collect()
}

fn a_warning_is_shown_and_the_set_is_created(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let service = |name: &str, cluster_ip: Value, app: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"clusterIP": cluster_ip, "ports": [{"port": 80}], "selector": {"app": app}}})
    };
    let services = [
        service("balanced", Value::Null, "web"),
        service("elsewhere", json!("None"), "other"),
    ];
    for service in services {
        ns.kubectl("create -f -")?.stdin(service.to_string()).ok()?;
    }
    let mut wrong = Vec::new();
    for (spec, rule, word) in WARNINGS {
        let set = web(&serde_json::from_str(spec)?);
        let output = ns.kubectl(CREATE)?.stdin(set.to_string()).ok()?;
        let shown = rules_of(&output);
        let text = warning(&output, rule).unwrap_or_default();
        if shown != BTreeSet::from([(*rule).to_owned()]) || !text.contains(word) {
            wrong.push(format!(
                "{spec}: not the one warning [{rule}] that speaks of {word}: {output}"
            ));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let plain = ns
        .kubectl(CREATE)?
        .stdin(web(&json!({})).to_string())
        .ok()?;
    ensure!(rules_of(&plain).is_empty(), "{plain}");
    Ok(())
}

/// A later webhook may still add the volume, so we must not deny what the server may never have to.
fn a_dangling_mount_is_explained(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let mut set = web(&json!({}));
    let pod = &mut set["spec"]["template"]["spec"];
    pod["volumes"] = json!([{"name": "data", "emptyDir": {}}]);
    pod["containers"][0]["volumeMounts"] = json!([{"name": "Data", "mountPath": "/data"}]);
    let output = ns.kubectl(CREATE)?.stdin(set.to_string()).refused()?;
    let text = warning(&output, "mount-without-volume")?;
    ensure!(
        text.contains("\"data\""),
        "does not name the near one: {text}"
    );
    ensure!(
        error_text(&output).contains("Not found: \"Data\""),
        "{output}"
    );
    Ok(())
}

/// What operators and other tools act on is the server's own 422.
fn servers_own_422(output: &Output) -> Result<()> {
    let error = error_text(output);
    ensure!(
        error.starts_with("The StatefulSet \"web\" is invalid: "),
        "{output}"
    );
    ensure!(
        error.contains("spec: Forbidden: updates to statefulset spec"),
        "{output}"
    );
    ensure!(!error.contains("steadyset"), "{output}");
    Ok(())
}

fn an_immutable_field_is_explained(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    ensure!(
        ns.apply(web(&json!({"serviceName": "old"})).to_string())?
            .status
            == 0,
        "not created"
    );
    for (spec, field, word) in [
        (
            json!({"serviceName": "new"}),
            "serviceName",
            "rollout restart",
        ),
        (
            json!({"serviceName": "old", "podManagementPolicy": "Parallel"}),
            "podManagementPolicy",
            "--cascade=orphan",
        ),
        (
            json!({"serviceName": "old", "volumeClaimTemplates": [claim("data")]}),
            "volumeClaimTemplates",
            "--cascade=orphan",
        ),
    ] {
        let output = ns.apply(web(&spec).to_string())?;
        servers_own_422(&output)?;
        let text = warning(&output, "immutable-field-change")?;
        ensure!(
            text.starts_with(&format!("steadyset: spec.{field}: ")),
            "{text}"
        );
        ensure!(text.contains(word), "{text}");
    }
    Ok(())
}

/// The set as an operator writes it.
fn owned(spec: &Value) -> Value {
    let mut set = web(spec);
    set["metadata"]["ownerReferences"] = json!([{"apiVersion": "example.com/v1", "kind": "Db", "name": "operator",
        "uid": "6f0b2f9e-6f0a-4b5f-9b0e-3f3f4c1f7a11", "controller": true}]);
    set
}

/// Who an operator is to the API server: a `ServiceAccount`, which alone is believed to have an owner.
fn as_operator(ns: &Namespace<'_>) -> String {
    let namespace = ns.name();
    format!("--as=system:serviceaccount:{namespace}:operator --as-group=system:masters")
}

fn what_a_controller_owns_is_left_to_it(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let twice = owned(&json!({"volumeClaimTemplates": [claim("data"), claim("data")]}));
    let run = ns.kubectl(&format!("apply -f - {}", as_operator(&ns)))?;
    let output = run.stdin(twice.to_string()).run()?;
    ensure!(output.status == 0, "{output}");
    warning(&output, "claim-duplicate-name")?;
    ensure!(!output.stderr.contains("[injected]"), "{output}");
    nothing_injected(&ns.get("sts/web")?)?;
    // what the server refuses is refused, and nobody wonders why
    let policy = owned(&json!({"podManagementPolicy": "Foo"}));
    let run = ns.kubectl(&format!("{CREATE} {}", as_operator(&ns)))?;
    let refused = run.stdin(policy.to_string()).refused()?;
    ensure!(
        refused.stderr.contains("[pod-management-policy-unknown]"),
        "{refused}"
    );
    Ok(())
}

fn an_operator_keeps_the_servers_422(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    let first = ns.apply(owned(&json!({"serviceName": "old"})).to_string())?;
    ensure!(first.status == 0, "{first}");
    let wrong = json!({"serviceName": "new", "updateStrategy": {"type": "Recreate"}});
    let refused = ns.apply(owned(&wrong).to_string())?;
    servers_own_422(&refused)?;
    warning(&refused, "update-strategy-unknown")?;
    let same = ns.apply(owned(&json!({"serviceName": "old", "replicas": 1})).to_string())?;
    ensure!(same.status == 0, "{same}");
    no_warning_of_ours(&same)
}
