//! A mount without a volume where a claim would be a guess: nothing is added, and the answer says what was meant.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Test;
use crate::support::{Cluster, Output};
use crate::web::{self, CLAIMS, MOUNTS, Web};

/// When a dangling mount gets no claim.
pub const TESTS: &[Test] = &[
    (
        "a_folder_for_data_gets_a_claim",
        a_folder_for_data_gets_a_claim,
    ),
    ("a_doubtful_mount_gets_none", a_doubtful_mount_gets_none),
    (
        "of_two_dangling_mounts_neither_gets_a_claim",
        of_two_dangling_mounts_neither_gets_a_claim,
    ),
];

fn mounting(mount: &Value) -> Value {
    web::with(web::plain(), MOUNTS, json!([mount]))
}

fn at(path: &str) -> Value {
    mounting(&json!({"name": "data", "mountPath": path}))
}

fn beside_volume(name: &str) -> Value {
    let volumes = json!([{"name": name, "emptyDir": {}}]);
    web::with(web::dangling(), "/spec/template/spec/volumes", volumes)
}

fn beside_unmounted_claim(name: &str) -> Value {
    let claim = json!({"metadata": {"name": name}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}});
    web::with(web::dangling(), CLAIMS, json!([claim]))
}

fn only_in_an_init_container() -> Value {
    let mut init = json!({"name": "init", "image": "registry.example/init:1"});
    init["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    web::with(
        web::plain(),
        "/spec/template/spec/initContainers",
        json!([init]),
    )
}

/// `kubectl create --dry-run=server`, whatever comes of it.
fn dry_run(web: &Web<'_>, file: &Value) -> Result<Output> {
    let run = web.ns.kubectl("create --dry-run=server -o json -f -")?;
    run.stdin(file.to_string()).run()
}

fn claims(output: &Output) -> Result<Vec<Value>> {
    ensure!(output.status == 0, "{output}");
    let set: Value = serde_json::from_str(&output.stdout)?;
    let claims = set.pointer(CLAIMS).and_then(Value::as_array);
    Ok(claims
        .context("no claims")?
        .iter()
        .map(|claim| claim["metadata"]["name"].clone())
        .collect())
}

fn a_folder_for_data_gets_a_claim(cluster: &Cluster) -> Result<()> {
    let web = Web::absent(cluster)?;
    for path in ["/data", "/var/lib/web", "/opt/app-1.2/data"] {
        let output = dry_run(&web, &at(path))?;
        ensure!(claims(&output)? == ["data"], "{path}: {output}");
    }
    let also_in_init = web::with(
        only_in_an_init_container(),
        MOUNTS,
        json!([{"name": "data", "mountPath": "/data"}]),
    );
    let output = dry_run(&web, &also_in_init)?;
    ensure!(claims(&output)? == ["data"], "{output}");
    Ok(())
}

fn a_doubtful_mount_gets_none(cluster: &Cluster) -> Result<()> {
    let web = Web::absent(cluster)?;
    let mount = json!({"name": "data", "mountPath": "/data"});
    let cases = [
        (
            "a part of a volume",
            mounting(&web::with(mount.clone(), "/subPath", json!("web"))),
        ),
        (
            "read-only",
            mounting(&web::with(mount, "/readOnly", json!(true))),
        ),
        ("the root", at("/")),
        ("configuration", at("/etc/web")),
        ("configuration, less plainly", at("/opt/../etc/web")),
        ("run-time state", at("/run/web")),
        ("run-time state, its older place", at("/var/run/web")),
        ("scratch", at("/tmp/web")),
        ("a file", at("/data/web.conf")),
        ("a volume with one more letter", beside_volume("datas")),
        ("a volume with a longer name", beside_volume("data-dir")),
        (
            "a claim that nothing mounts",
            beside_unmounted_claim("storage"),
        ),
        ("only an init container", only_in_an_init_container()),
    ];
    for (what, file) in cases {
        let output = dry_run(&web, &file)?;
        // the server's own denial, and beside it our line on what was probably meant
        ensure!(output.status != 0, "{what} was accepted: {output}");
        for said in ["Not found: \"data\"", "[mount-without-volume]"] {
            ensure!(
                output.stderr.contains(said),
                "{what}: no {said} in {output}"
            );
        }
    }
    Ok(())
}

fn of_two_dangling_mounts_neither_gets_a_claim(cluster: &Cluster) -> Result<()> {
    let web = Web::absent(cluster)?;
    let mut file = web::dangling();
    let mounts = file
        .pointer_mut(MOUNTS)
        .and_then(Value::as_array_mut)
        .context("mounts")?;
    mounts.push(json!({"name": "settings", "mountPath": "/etc/web"}));
    let output = dry_run(&web, &file)?;
    ensure!(
        output.stderr.contains("Not found: \"settings\""),
        "{output}"
    );
    ensure!(output.stderr.contains("Not found: \"data\""), "{output}");
    Ok(())
}
