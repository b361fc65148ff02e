//! Certificates that the product keeps itself, with the rights of the shipped manifests and no others.

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::replica::{NAME, NAMESPACE, SECRET, bundles, empty, secret, service};
use crate::support::{Cluster, Replica, Rest, eventually, manifests};

/// What the keeper does, one after the other: there is one Secret and one name.
pub const TESTS: &[&[Test]] = &[&[
    (
        "a_replica_is_ready_when_the_bundle_in_the_cluster_verifies_it",
        a_replica_is_ready_when_the_bundle_in_the_cluster_verifies_it,
    ),
    (
        "replicas_started_at_once_agree_on_one_authority",
        replicas_started_at_once_agree,
    ),
    (
        "an_emptied_bundle_is_published_again_within_a_second",
        an_emptied_bundle_is_published_again,
    ),
    (
        "a_deleted_or_broken_secret_is_written_again",
        a_deleted_or_broken_secret_is_written_again,
    ),
    (
        "a_secret_of_somebody_else_is_left_alone",
        a_secret_of_somebody_else_is_left_alone,
    ),
    (
        "certificates_from_files_are_checked_and_never_published",
        certificates_from_files_are_checked,
    ),
]];

const SOON: Duration = Duration::from_secs(30);

const KINDS: [&str; 2] = ["mutating", "validating"];

/// Nothing of before, and nobody else.
fn alone(cluster: &Cluster) -> Result<MutexGuard<'static, ()>> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    forget(cluster)?;
    Ok(guard)
}

/// The rights of the shipped manifests.
pub fn prepare(cluster: &Cluster) -> Result<()> {
    cluster.account().map(drop)
}

fn forget(cluster: &Cluster) -> Result<()> {
    for object in [
        format!("mutatingwebhookconfiguration,validatingwebhookconfiguration {NAME}"),
        format!("secret {SECRET} -n {NAMESPACE}"),
    ] {
        let line = format!("delete --ignore-not-found {object}");
        cluster.kubectl(&line)?.ok()?;
    }
    Ok(())
}

/// The shipped configurations, on the port where a replica listens, and a Service that leads there.
fn configurations(port: u16) -> Result<Value> {
    let objects = manifests::installed()?;
    let mut items = vec![service()];
    for kind in KINDS {
        let kind = format!(
            "{}{}WebhookConfiguration",
            kind[..1].to_uppercase(),
            &kind[1..]
        );
        let mut object = manifests::of_kind(&objects, &kind)?;
        let webhooks = object["webhooks"].as_array_mut().context("no webhooks")?;
        for webhook in webhooks {
            webhook["clientConfig"]["service"]["port"] = json!(port);
        }
        items.push(object);
    }
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": items}))
}

fn apply(cluster: &Cluster, objects: &Value) -> Result<()> {
    let apply = cluster.kubectl("apply -f -")?;
    apply.stdin(objects.to_string()).ok().map(drop)
}

/// A write that the webhook must judge: the API server has dialled it, and verified it.
fn judged(cluster: &Cluster) -> Result<()> {
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "judged"}, "spec": {
        "selector": {"matchLabels": {"app": "a"}}, "podManagementPolicy": "Unknown",
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    }});
    eventually("a denial by the webhook", SOON, || {
        let create = cluster.kubectl("create -n default --dry-run=server -f -")?;
        let refused = create.stdin(set.to_string()).refused()?;
        let words = "admission webhook \"mutate-create.steadyset.io\" denied the request";
        ensure!(refused.stderr.contains(words), "{refused}");
        Ok(())
    })
}

fn published(cluster: &Cluster, authority: &str) -> Result<()> {
    for kind in KINDS {
        for bundle in bundles(cluster, kind)? {
            ensure!(bundle == authority, "{kind} has {bundle:?}");
        }
    }
    Ok(())
}

fn a_replica_is_ready_when_the_bundle_in_the_cluster_verifies_it(cluster: &Cluster) -> Result<()> {
    let _alone = alone(cluster)?;
    let mut replica = Replica::start(cluster, "certificates-first", "")?;
    replica.logged("no webhook of that configuration calls us")?;
    let (status, text) = replica.readiness()?;
    ensure!(status == 503, "{text}");
    for line in ["[+]certificate ok", "[-]ca-bundle not ready"] {
        ensure!(text.contains(line), "{text}");
    }
    ensure!(replica.metric("steadyset_ca_bundle_in_sync")? < 0.5);
    apply(cluster, &configurations(replica.port()?)?)?;
    replica.ready()?;
    published(cluster, &secret(cluster, "ca.crt")?)?;
    judged(cluster)?;
    ensure!(replica.metric("steadyset_ca_bundle_in_sync")? > 0.5);
    let now = seconds_since_1970();
    for (kind, days) in [("ca", 365.0), ("serving", 90.0)] {
        let sample = format!("steadyset_certificate_expiry_timestamp_seconds{{kind=\"{kind}\"}}");
        let left = (replica.metric(&sample)? - now) / 86_400.0;
        ensure!(
            (days - 0.1..=days).contains(&left),
            "{kind} ends in {left} days"
        );
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
fn seconds_since_1970() -> f64 {
    jiff::Timestamp::now().as_second() as f64
}

fn replicas_started_at_once_agree(cluster: &Cluster) -> Result<()> {
    let _alone = alone(cluster)?;
    for round in 0..50 {
        forget(cluster)?;
        apply(cluster, &configurations(1)?)?;
        let names = ["certificates-one", "certificates-two"];
        let mut replicas = names
            .iter()
            .map(|name| Replica::start(cluster, name, ""))
            .collect::<Result<Vec<_>>>()?;
        for replica in &mut replicas {
            replica.ready().with_context(|| format!("round {round}"))?;
        }
        published(cluster, &secret(cluster, "ca.crt")?)
            .with_context(|| format!("round {round}"))?;
        let written = |replica: &&Replica| replica.program.log().contains("certificates written");
        let writers = replicas.iter().filter(written).count();
        ensure!(
            writers == 1,
            "round {round}: {writers} replicas have written"
        );
    }
    Ok(())
}

fn an_emptied_bundle_is_published_again(cluster: &Cluster) -> Result<()> {
    let _alone = alone(cluster)?;
    let start = |name| Replica::start(cluster, name, "");
    let mut replicas = [start("certificates-three")?, start("certificates-four")?];
    apply(cluster, &configurations(replicas[0].port()?)?)?;
    for replica in &mut replicas {
        replica.ready()?;
    }
    let rest = Rest::new(cluster)?;
    for (kind, index) in [("mutating", 0), ("validating", 1), ("mutating", 1)] {
        let took = empty(&rest, kind, &[index])?;
        println!("{kind} {index}: published again after {took:?}");
        ensure!(took < Duration::from_secs(1), "{took:?}");
    }
    published(cluster, &secret(cluster, "ca.crt")?)?;
    judged(cluster)
}

fn a_deleted_or_broken_secret_is_written_again(cluster: &Cluster) -> Result<()> {
    let _alone = alone(cluster)?;
    let mut replica = Replica::start(cluster, "certificates-deleted", "")?;
    apply(cluster, &configurations(replica.port()?)?)?;
    replica.ready()?;
    let before = ["ca.crt", "ca.key", "tls.crt", "tls.key"]
        .map(|key| secret(cluster, key).unwrap_or_default());
    let again = || {
        eventually("the Secret", SOON, || {
            let keys = ["ca.crt", "ca.key", "tls.crt", "tls.key"];
            let now = keys.map(|key| secret(cluster, key).unwrap_or_default());
            ensure!(now == before, "the Secret holds something else");
            Ok(())
        })
    };
    let of = format!("secret {SECRET} -n {NAMESPACE}");
    cluster.kubectl(&format!("delete {of}"))?.ok()?;
    again()?;
    for patch in [
        json!({"data": {"ca.key": null}}),
        json!({"data": {"tls.crt": "AAAA"}}),
        json!({"data": null}),
    ] {
        let line = format!("patch {of} --type=merge -p");
        cluster.kubectl(&line)?.arg(patch.to_string()).ok()?;
        again().with_context(|| patch.to_string())?;
    }
    judged(cluster)
}

fn a_secret_of_somebody_else_is_left_alone(cluster: &Cluster) -> Result<()> {
    let _alone = alone(cluster)?;
    let line =
        format!("create secret generic {SECRET} -n {NAMESPACE} --from-literal=password=theirs");
    cluster.kubectl(&line)?.ok()?;
    let mut replica = Replica::start(cluster, "certificates-foreign", "")?;
    apply(cluster, &configurations(replica.port()?)?)?;
    replica.logged("the Secret holds something that is not ours and is left alone")?;
    ensure!(secret(cluster, "password")? == "theirs");
    let (status, text) = replica.readiness()?;
    ensure!(
        status == 503 && text.contains("[-]certificate not ready"),
        "{text}"
    );
    cluster
        .kubectl(&format!("delete secret {SECRET} -n {NAMESPACE}"))?
        .ok()?;
    replica.ready()?;
    judged(cluster)
}

fn certificates_from_files_are_checked(cluster: &Cluster) -> Result<()> {
    let _alone = alone(cluster)?;
    let folder = tempfile::tempdir()?;
    let out = folder.path();
    let line = format!(
        "certs generate --dns {NAME}.{NAMESPACE}.svc --out {}",
        out.display()
    );
    cluster.run_steadyset(&line).ok()?;
    let args = format!(
        "--tls-cert {0}/tls.crt --tls-key {0}/tls.key --webhook-configuration {NAME} --service {NAMESPACE}/{NAME}",
        out.display()
    );
    let mut replica = Replica::start_with(cluster, "certificates-files", &args)?;
    apply(cluster, &configurations(replica.port()?)?)?;
    replica.logged("not ready: a caBundle does not verify the certificate that is shown")?;
    ensure!(replica.readiness()?.1.contains("[-]ca-bundle not ready"));
    let authority = fs::read_to_string(out.join("ca.crt"))?;
    let set_bundle = |text: &str| -> Result<()> {
        use base64::Engine;
        let bundle = base64::engine::general_purpose::STANDARD.encode(text);
        for kind in KINDS {
            let patch = json!([0, 1].map(|index| {
                json!({"op": "add", "path": format!("/webhooks/{index}/clientConfig/caBundle"), "value": bundle})
            }));
            let line = format!("patch {kind}webhookconfiguration {NAME} --type=json -p");
            cluster.kubectl(&line)?.arg(patch.to_string()).ok()?;
        }
        Ok(())
    };
    set_bundle(&authority)?;
    replica.ready()?;
    judged(cluster)?;
    set_bundle("")?;
    eventually("out of sync", SOON, || {
        ensure!(replica.metric("steadyset_ca_bundle_in_sync")? < 0.5);
        Ok(())
    })?;
    let error = "\"level\":\"ERROR\"";
    ensure!(replica.program.log().contains(error), "no error in its log");
    ensure!(replica.readiness()?.0 == 200, "once ready, always ready");
    published(cluster, "")
}
