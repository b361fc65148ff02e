//! A release through its life: installed, answering, upgraded, switched off, taken away.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::SOON;
use super::release::{KINDS, Release};
use crate::Test;
use crate::given::all_injected;
use crate::support::{Cluster, Helm, Run, eventually};

pub const TESTS: &[Test] = &[
    (
        "a_release_answers_is_upgraded_and_goes_with_helm_3",
        |cluster| a_release_answers_is_upgraded_and_goes(cluster, Helm::V3, "life-3", &json!({})),
    ),
    (
        "a_release_answers_is_upgraded_and_goes_with_helm_4",
        |cluster| a_release_answers_is_upgraded_and_goes(cluster, Helm::V4, "life-4", &json!({})),
    ),
    (
        "a_release_with_a_certificate_that_is_given_keeps_its_bundle",
        |cluster| {
            let given = json!({"certificates": {"mode": "secret", "secretName": "given"}});
            a_release_answers_is_upgraded_and_goes(cluster, Helm::V4, "given", &given)
        },
    ),
    (
        "without_an_answer_each_failure_policy_does_what_is_said_of_it",
        without_an_answer,
    ),
    ("its_pods_are_restricted", its_pods_are_restricted),
];

fn bundles(release: &Release<'_>) -> Result<Vec<Value>> {
    let mut bundles = Vec::new();
    for kind in KINDS {
        let entries = release.entries(kind)?;
        ensure!(entries.len() == 2, "{kind}: {entries:?}");
        bundles.extend(
            entries
                .iter()
                .map(|entry| entry["clientConfig"]["caBundle"].clone()),
        );
    }
    Ok(bundles)
}

fn a_release_answers_is_upgraded_and_goes(
    cluster: &Cluster,
    helm: Helm,
    name: &str,
    values: &Value,
) -> Result<()> {
    let full = format!("{name}-steadyset");
    let mut release = Release::install(cluster, helm, &full, values)?;
    let program = release.start()?;
    let created = release.create("web", "-o json")?;
    ensure!(created.status == 0, "{created}");
    all_injected(&serde_json::from_str(&created.stdout)?)?;

    let before = bundles(&release)?;
    ensure!(
        before
            .iter()
            .all(|bundle| bundle.as_str().is_some_and(|text| !text.is_empty())),
        "{before:?}"
    );
    release.upgrade(&json!({"webhook": {"timeoutSeconds": 7}}))?;
    for kind in KINDS {
        let entries = release.entries(kind)?;
        let all = entries.iter().all(|entry| entry["timeoutSeconds"] == 7);
        ensure!(all, "not upgraded: {entries:?}");
    }
    ensure!(
        bundles(&release)? == before,
        "the upgrade has changed the caBundle"
    );
    release.answers()?;

    release.run_helm_plain("uninstall")?;
    drop(program);
    leaves_nothing_that_blocks(cluster, &release)
}

/// The set that was filled in stays and can be written, a new one is created, and nobody waits for an answer.
fn leaves_nothing_that_blocks(cluster: &Cluster, release: &Release<'_>) -> Result<()> {
    let label = format!("app.kubernetes.io/instance={}", release.name);
    let kinds = "deploy,svc,sa,pdb,netpol,role,rolebinding,cm,clusterrole,clusterrolebinding,\
                 mutatingwebhookconfiguration,validatingwebhookconfiguration";
    let line = format!("get {kinds} -A -l {label} -o name");
    let left = cluster.kubectl(&line)?.ok()?;
    ensure!(left.stdout.trim().is_empty(), "left: {left}");
    eventually("a write that nobody judges", SOON, || {
        let created = release.create("after", "--dry-run=server")?;
        ensure!(created.status == 0, "{created}");
        ensure!(created.stderr.is_empty(), "{created}");
        Ok(())
    })?;
    release.create("after", "")?;
    release
        .user("set image sts/web web=registry.example/web:2")?
        .ok()?;
    release.user("delete sts web after")?.ok().map(drop)
}

/// The process never runs here: this is the day on which every replica is gone.
fn without_an_answer(cluster: &Cluster) -> Result<()> {
    let mut release = Release::install(cluster, Helm::V4, "away-steadyset", &json!({}))?;
    // Ignore: everything goes through, unchecked
    let created = release.create("web", "-o json")?;
    ensure!(created.status == 0, "{created}");
    let set: Value = serde_json::from_str(&created.stdout)?;
    crate::given::nothing_injected(&set)?;

    release.upgrade(&json!({"webhook": {"failurePolicy": "Fail"}}))?;
    eventually("a refusal", SOON, || {
        let refused = release.create("other", "--dry-run=server")?;
        let why = "failed calling webhook \"mutate-create.steadyset.io\"";
        ensure!(
            refused.status != 0 && refused.stderr.contains(why),
            "{refused}"
        );
        Ok(())
    })?;
    // what runs can be changed, scaled, labelled and deleted all the same
    for line in [
        "set image sts/web web=registry.example/web:2",
        "scale sts web --replicas=1",
        "label sts web a=b",
        "delete sts web",
    ] {
        release.user(line)?.ok()?;
    }
    // and so can what is not looked at
    let elsewhere = cluster.namespace()?;
    elsewhere
        .kubectl("create -f -")?
        .stdin(crate::given::web(&json!({})).to_string())
        .ok()?;

    off_switch(cluster, &release)?;
    eventually("a write after the off switch", SOON, || {
        let created = release.create("other", "--dry-run=server")?;
        ensure!(
            created.status == 0 && created.stderr.is_empty(),
            "{created}"
        );
        Ok(())
    })?;
    // a later upgrade switches it on again
    release.upgrade(&json!({}))?;
    for kind in KINDS {
        release.entries(kind)?;
    }
    release.run_helm_plain("uninstall").map(drop)
}

/// The very line that Helm showed when it installed the release.
fn off_switch(cluster: &Cluster, release: &Release<'_>) -> Result<()> {
    let notes = release.run_helm_plain("get notes")?.stdout;
    let line = notes
        .lines()
        .find_map(|line| line.trim().strip_prefix("kubectl delete "));
    let line = line.with_context(|| format!("no off switch in {notes}"))?;
    let deleted = cluster.kubectl(&format!("delete {line}"))?.ok()?;
    ensure!(deleted.stdout.lines().count() == 2, "{deleted}");
    let documented = include_str!("../../../docs/operating.md");
    let wanted = format!(
        "kubectl delete {}",
        line.replace(&release.name, "steadyset")
    );
    ensure!(
        documented.contains(&wanted),
        "the docs do not say `{wanted}`"
    );
    Ok(())
}

/// Admission for pods refuses in a namespace that enforces `restricted` what would not be.
fn its_pods_are_restricted(cluster: &Cluster) -> Result<()> {
    let release = Release::install(cluster, Helm::V3, "restricted-steadyset", &json!({}))?;
    let deployment = release.kubectl("get deployment restricted-steadyset -o json")?;
    let deployment: Value = serde_json::from_str(&deployment.stdout)?;
    let template = &deployment["spec"]["template"];
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"]});
    pod["metadata"]["name"] = json!("one");
    let create = |pod: &Value| -> Result<Run> {
        let line = format!("-n {} create --dry-run=server -f -", release.name);
        Ok(cluster.kubectl(&line)?.stdin(pod.to_string()))
    };
    create(&pod)?.ok()?;
    pod["spec"]["containers"][0]["securityContext"]["capabilities"] = json!({});
    let refused = create(&pod)?.refused()?;
    ensure!(refused.stderr.contains("restricted"), "{refused}");
    release.run_helm_plain("uninstall").map(drop)
}
