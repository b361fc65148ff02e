//! The rights that a release needs to keep its own certificates: what fails without each.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::SOON;
use super::release::{KINDS, Release};
use crate::Test;
use crate::support::{Cluster, Helm, eventually};

pub const TESTS: &[Test] = &[(
    "each_right_of_the_certificates_is_needed",
    each_right_of_the_certificates_is_needed,
)];

/// What a process does with its rights, from the start on.
type Task = fn(&Release<'_>, Duration) -> Result<()>;

/// Tasks, and the resources and verbs without each of which they fail.
const NEEDS: &[(Task, &[(&str, &str)])] = &[
    (
        becomes_ready,
        &[
            ("secrets", "create"),
            ("secrets", "list"),
            ("mutatingwebhookconfigurations", "list"),
            ("mutatingwebhookconfigurations", "patch"),
            ("validatingwebhookconfigurations", "list"),
            ("validatingwebhookconfigurations", "patch"),
        ],
    ),
    (writes_the_secret_again, &[("secrets", "watch")]),
    (mends_the_secret, &[("secrets", "update")]),
    (
        publishes_again,
        &[
            ("mutatingwebhookconfigurations", "watch"),
            ("validatingwebhookconfigurations", "watch"),
        ],
    ),
];

const PATIENCE: Duration = Duration::from_secs(5);

fn becomes_ready(release: &Release<'_>, within: Duration) -> Result<()> {
    release.start_within(within).map(drop)
}

fn secret(release: &Release<'_>) -> Result<Value> {
    let line = format!("get secret {}-self-signed -o json", release.name);
    let found: Value = serde_json::from_str(&release.kubectl(&line)?.stdout)?;
    Ok(found["data"].clone())
}

/// The Secret holds again what it held, whatever was done to it.
fn again(release: &Release<'_>, within: Duration, line: &str) -> Result<()> {
    let _process = release.start_within(within)?;
    let before = secret(release)?;
    release.kubectl(&format!("{line} secret {}-self-signed", release.name))?;
    eventually("the Secret", within, || {
        ensure!(secret(release)? == before, "it holds something else");
        Ok(())
    })
}

fn writes_the_secret_again(release: &Release<'_>, within: Duration) -> Result<()> {
    again(release, within, "delete")
}

fn mends_the_secret(release: &Release<'_>, within: Duration) -> Result<()> {
    again(
        release,
        within,
        "patch --type=merge -p {\"data\":{\"tls.crt\":\"AAAA\"}}",
    )
}

fn publishes_again(release: &Release<'_>, within: Duration) -> Result<()> {
    let _process = release.start_within(within)?;
    for kind in KINDS {
        let bundle = || -> Result<Value> {
            let entries = release.entries(kind)?;
            let first = entries.first().context("no entry")?;
            Ok(first["clientConfig"]["caBundle"].clone())
        };
        let emptied = json!([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]);
        release.kubectl(&format!(
            "patch {kind} {} --type=json -p {emptied}",
            release.name
        ))?;
        eventually("the caBundle", within, || {
            ensure!(!bundle()?.is_null(), "of {kind} is not published");
            Ok(())
        })?;
    }
    Ok(())
}

/// The role that a resource is in, as the chart has installed it.
fn role(release: &Release<'_>, resource: &str) -> Result<Value> {
    let kind = if resource == "secrets" {
        "role"
    } else {
        "clusterrole"
    };
    let found = release.kubectl(&format!("get {kind} {} -o json", release.name))?;
    Ok(serde_json::from_str(&found.stdout)?)
}

/// The role without that verb on that resource; the rest of a rule for several resources stays.
fn without(role: &Value, resource: &str, verb: &str) -> Result<Value> {
    let mut role = role.clone();
    let rules = role["rules"].as_array_mut().context("no rules")?;
    let mut added = Vec::new();
    for rule in rules.iter_mut() {
        let words =
            |field: &Value| -> Result<Vec<String>> { Ok(serde_json::from_value(field.clone())?) };
        let (mut resources, mut verbs) = (words(&rule["resources"])?, words(&rule["verbs"])?);
        if !resources.iter().any(|name| name == resource) || !verbs.iter().any(|name| name == verb)
        {
            continue;
        }
        verbs.retain(|name| name != verb);
        resources.retain(|name| name != resource);
        let mut rest = rule.clone();
        rest["resources"] = json!([resource]);
        rest["verbs"] = json!(verbs);
        added.push(rest);
        rule["resources"] = json!(resources);
    }
    ensure!(!added.is_empty(), "{verb} on {resource} is not granted");
    rules.extend(added);
    rules.retain(|rule| rule["resources"] != json!([]) && rule["verbs"] != json!([]));
    Ok(role)
}

fn apply(release: &Release<'_>, role: &Value) -> Result<()> {
    let mut role = role.clone();
    role["metadata"]["resourceVersion"].take();
    release
        .cluster()
        .kubectl("replace -f -")?
        .stdin(role.to_string())
        .ok()
        .map(drop)
}

fn each_right_of_the_certificates_is_needed(cluster: &Cluster) -> Result<()> {
    let release = Release::install(cluster, Helm::V3, "kept-steadyset", &json!({}))?;
    all_are_named(&release)?;
    let mut superfluous = Vec::new();
    for (task, rights) in NEEDS {
        let began = Instant::now();
        fresh(&release)?;
        task(&release, SOON).with_context(|| format!("with all rights ({rights:?})"))?;
        let patience = PATIENCE.max(began.elapsed());
        for (resource, verb) in *rights {
            let whole = role(&release, resource)?;
            apply(&release, &without(&whole, resource, verb)?)?;
            fresh(&release)?;
            let done = task(&release, patience);
            apply(&release, &whole)?;
            match done {
                Ok(()) => superfluous.push(format!("{verb} {resource}")),
                Err(reason) => eprintln!("without {verb} {resource}: {reason:#}"),
            }
        }
    }
    ensure!(
        superfluous.is_empty(),
        "nothing fails without {superfluous:?}"
    );
    release.run_helm_plain("uninstall").map(drop)
}

/// As on the first day: no Secret, so the caBundle does not fit what comes next.
fn fresh(release: &Release<'_>) -> Result<()> {
    let line = format!(
        "delete secret {}-self-signed --ignore-not-found",
        release.name
    );
    release.kubectl(&line).map(drop)
}

/// Every verb of the Role, and of the rule about configurations, is in the table.
fn all_are_named(release: &Release<'_>) -> Result<()> {
    let named: Vec<_> = NEEDS.iter().flat_map(|(_, rights)| *rights).collect();
    let both = [
        role(release, "secrets")?,
        role(release, "mutatingwebhookconfigurations")?,
    ];
    let rules = both.iter().filter_map(|role| role["rules"].as_array());
    let ours = |rule: &&Value| {
        rule["resources"] == json!(["secrets"])
            || rule["apiGroups"][0] == "admissionregistration.k8s.io"
    };
    for rule in rules.flatten().filter(ours) {
        for resource in rule["resources"].as_array().into_iter().flatten() {
            for verb in rule["verbs"].as_array().into_iter().flatten() {
                let is_named = named
                    .iter()
                    .any(|(name, of)| resource == name && verb == of);
                if !is_named {
                    bail!("{verb} on {resource} is granted and in no test");
                }
            }
        }
    }
    Ok(())
}
