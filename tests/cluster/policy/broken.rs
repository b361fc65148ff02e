//! Policies that are wrong, applied to a webhook that is in force.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{accepted, creates, denied, policy, under};
use crate::Test;
use crate::given::{nothing_injected, warning};
use crate::support::{Cluster, Namespace, Webhook, WebhookSettings};

pub const TESTS: &[Test] = &[
    (
        "what_the_schema_can_say_the_api_server_refuses",
        what_the_schema_can_say,
    ),
    (
        "a_broken_policy_leaves_its_last_good_form",
        a_broken_policy_leaves_its_last_good_form,
    ),
    (
        "without_a_last_good_form_care_is_taken",
        without_a_last_good_form_care_is_taken,
    ),
    ("a_broken_config_is_no_start", a_broken_config_is_no_start),
];

fn refused(ns: &Namespace<'_>, spec: &Value, words: &str) -> Result<()> {
    let output = ns.apply(policy(ns, spec).to_string())?;
    ensure!(
        output.status != 0 && output.stderr.contains(words),
        "{spec}: {output}"
    );
    Ok(())
}

fn what_the_schema_can_say(cluster: &Cluster) -> Result<()> {
    let ns = cluster.guarded_namespace()?;
    for (spec, words) in [
        (
            json!({"profile": "strict"}),
            "Unsupported value: \"strict\"",
        ),
        (json!({"enforcement": false}), "must be of type string"),
        (json!({"prioritty": 1}), "unknown field \"spec.prioritty\""),
        (
            json!({"rules": {"service-mising": "Warn"}}),
            "there is no rule of such an id",
        ),
        (
            json!({"rules": {"immutable-field-change": "Deny"}}),
            "never deny",
        ),
        (
            json!({"rules": {"service-missing": "Off"}}),
            "Unsupported value: \"Off\"",
        ),
        (
            json!({"exemptions": {"forbidRules": ["nonsense"]}}),
            "there is no rule of such an id",
        ),
        (
            json!({"inject": {"volumeClaims": {"storage": "much"}}}),
            "must be a size such as 1Gi",
        ),
        (
            json!({"inject": {"volumeClaims": {"accessModes": ["RWO"]}}}),
            "Unsupported value: \"RWO\"",
        ),
        (
            json!({"inject": {"readinessProbe": {"periodSeconds": 0}}}),
            "should be greater than or equal to 1",
        ),
        (
            json!({"inject": {"imageProbes": [{"port": 1}]}}),
            "spec.inject.imageProbes[0].image: Required value",
        ),
    ] {
        refused(&ns, &spec, words)?;
    }
    Ok(())
}

/// A pattern that no schema can judge.
fn wrong() -> Value {
    json!({"enforcement": "Audit", "match": {"namespaces": {"exclude": ["a["]}}, "rules": {"claim-mode-mismatch": "Ignore"}})
}

fn a_broken_policy_leaves_its_last_good_form(cluster: &Cluster) -> Result<()> {
    let ns = under(
        cluster,
        &json!({"inject": {"readinessProbe": {"periodSeconds": 7}}}),
    )?;
    let webhook = cluster.webhook()?;
    let output = ns.apply(policy(&ns, &wrong()).to_string())?;
    ensure!(output.status == 0, "the API server cannot know: {output}");
    let message = accepted(&ns, "False")?;
    ensure!(
        message
            == "spec.match.namespaces.exclude[0]: \"a[\" is no pattern: unclosed character class; missing ']'",
        "{message}"
    );
    ensure!(webhook.metric_sum("steadyset_policy_reload_success", "")? < 0.5);
    let output = creates(&ns, &denied(), &json!({}))?;
    ensure!(
        output.status == 1 && output.stderr.contains("[claim-mode-mismatch]"),
        "{output}"
    );
    ensure!(
        webhook.log().contains("a policy is refused"),
        "not in the log"
    );
    super::put(
        &ns,
        &json!({"enforcement": "Warn", "match": {"namespaces": {"exclude": null}}}),
    )?;
    let output = creates(&ns, &denied(), &json!({}))?;
    ensure!(output.status == 0, "{output}");
    warning(&output, "claim-mode-mismatch").map(drop)
}

/// A webhook that starts beside a policy which was never good.
fn without_a_last_good_form_care_is_taken(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let wrong = json!({"inject": {"imageProbes": [{"image": "a[", "port": 80}]}});
    let output = ns.apply(policy(&ns, &wrong).to_string())?;
    ensure!(output.status == 0, "{output}");
    let webhook = Webhook::start(cluster, &WebhookSettings::named("careful"))?;
    let line = format!("label namespace {} {}=careful", ns.name(), Webhook::LABEL);
    cluster.kubectl(&line)?.ok()?;
    let output = crate::support::eventually("a warning", super::SOON, || {
        let output = creates(&ns, &denied(), &json!({}))?;
        ensure!(output.status == 0, "{output}");
        warning(&output, "claim-mode-mismatch")?;
        Ok(output)
    })?;
    nothing_injected(&serde_json::from_str(&output.stdout)?)?;
    drop(webhook);
    let line = format!("delete statefulsetpolicy {}", ns.name());
    cluster.kubectl(&line)?.ok().map(drop)
}

fn a_broken_config_is_no_start(cluster: &Cluster) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("policies.yaml");
    std::fs::write(
        &file,
        "apiVersion: steadyset.io/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: a}\nspec: {profile: strict, priorty: 1}\n",
    )?;
    let line = format!(
        "serve --ephemeral-cert --no-cluster --config {}",
        file.display()
    );
    let output = cluster.run_steadyset(&line).run()?;
    ensure!(output.status == 2, "{output}");
    for fault in [
        "policies.yaml: a: spec.priorty: there is no such field; did you mean priority?",
        "policies.yaml: a: spec.profile: \"strict\" is none of Default, Strict, Permissive; did you mean Strict?",
    ] {
        ensure!(output.stderr.contains(fault), "{output}");
    }
    Ok(())
}
