//! Probes that an operator switches on, and those of his own images.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{created, put, under};
use crate::Test;
use crate::given::{readiness_probe, record, template};
use crate::support::Cluster;

pub const TESTS: &[Test] = &[
    (
        "liveness_probes_come_with_a_startup_probe",
        liveness_with_startup,
    ),
    (
        "own_images_are_asked_as_the_policy_says",
        own_images_are_asked,
    ),
];

fn container(set: &Value) -> &Value {
    &set["spec"]["template"]["spec"]["containers"][0]
}

fn liveness_with_startup(cluster: &Cluster) -> Result<()> {
    let ns = under(cluster, &json!({}))?;
    let probes = |set: &Value| {
        (
            container(set)["livenessProbe"].clone(),
            container(set)["startupProbe"].clone(),
        )
    };
    ensure!(
        probes(&created(&ns, &json!({}))?) == (Value::Null, Value::Null),
        "off unless told"
    );
    let on = |startup: &str| {
        json!({"inject": {"livenessProbe": {"mode": "Safe", "periodSeconds": 15, "failureThreshold": 4},
            "startupProbe": {"mode": startup, "periodSeconds": 9, "failureThreshold": 70}}})
    };
    put(&ns, &on("WithLiveness"))?;
    let set = created(&ns, &json!({}))?;
    let (liveness, startup) = probes(&set);
    ensure!(
        liveness["tcpSocket"]["port"] == "http" && liveness["periodSeconds"] == 15,
        "{liveness}"
    );
    ensure!(
        liveness["failureThreshold"] == 4 && liveness["timeoutSeconds"] == 5,
        "{liveness}"
    );
    ensure!(startup["tcpSocket"] == liveness["tcpSocket"], "{startup}");
    ensure!(
        startup["periodSeconds"] == 9 && startup["failureThreshold"] == 70,
        "{startup}"
    );
    let recorded = record(&set).as_str().unwrap_or_default().to_owned();
    ensure!(
        recorded.contains("liveness-probe/web") && recorded.contains("startup-probe/web"),
        "{recorded}"
    );
    // the user's own liveness probe is left as it is, and gets no startup probe of ours
    let own = json!({"livenessProbe": {"httpGet": {"path": "/live", "port": "http"}}});
    let (liveness, startup) = probes(&created(&ns, &json!({"template": template(&own)}))?);
    ensure!(
        liveness["httpGet"]["path"] == "/live" && startup.is_null(),
        "{liveness} {startup}"
    );
    // a database in recovery must not be killed
    let database =
        json!({"image": "postgres:17", "ports": [{"name": "postgres", "containerPort": 5432}]});
    let (liveness, startup) = probes(&created(&ns, &json!({"template": template(&database)}))?);
    ensure!(
        liveness.is_null() && startup.is_null(),
        "{liveness} {startup}"
    );
    put(
        &ns,
        &json!({"inject": {"livenessProbe": {"mode": "Always"}}}),
    )?;
    let (liveness, startup) = probes(&created(&ns, &json!({"template": template(&database)}))?);
    ensure!(
        !liveness.is_null() && startup["failureThreshold"] == 60,
        "{liveness} {startup}"
    );
    Ok(())
}

fn own_images_are_asked(cluster: &Cluster) -> Result<()> {
    let up = json!({"httpGet": {"path": "/up", "scheme": "HTTPS"}, "periodSeconds": 4, "successThreshold": 2});
    let images = json!([
        {"image": "registry.example/web", "port": "http", "readiness": up},
        {"image": "*/postgres", "port": 5432},
        {"image": "postgres", "readiness": {"exec": {"command": ["/bin/ready"]}}},
    ]);
    let ns = under(cluster, &json!({"inject": {"imageProbes": images}}))?;
    let set = created(&ns, &json!({}))?;
    let probe = readiness_probe(&set);
    ensure!(
        probe["httpGet"] == json!({"path": "/up", "port": "http", "scheme": "HTTPS"}),
        "{probe}"
    );
    ensure!(
        probe["periodSeconds"] == 4 && probe["successThreshold"] == 2,
        "{probe}"
    );
    ensure!(
        probe["timeoutSeconds"] == 3 && probe["failureThreshold"] == 3,
        "the policy's own: {probe}"
    );
    let recorded = record(&set).as_str().unwrap_or_default().to_owned();
    ensure!(
        recorded.contains(ns.name()),
        "the record names the policy: {recorded}"
    );
    let of = |image: &str| -> Result<Value> {
        let container =
            json!({"image": image, "ports": [{"name": "postgres", "containerPort": 5432}]});
        let set = created(&ns, &json!({"template": template(&container)}))?;
        Ok(readiness_probe(&set).clone())
    };
    let first = of(
        "mirror.example/library/postgres:17@sha256:e2b0c1f0a6a2ac26a1c9c5f4d8f9a4d5d2d9c2f5f8a3b7c6d1e0f9a8b7c6d5e4",
    )?;
    ensure!(
        first["tcpSocket"]["port"] == 5432 && first["exec"].is_null(),
        "before the catalogue: {first}"
    );
    let second = of("postgres:17")?;
    ensure!(
        second["exec"]["command"] == json!(["/bin/ready"]),
        "{second}"
    );
    Ok(())
}
