//! Probes that restart, where a policy switches them on; and those that it states for images of its own.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Test;
use crate::support::{Cluster, Webhook, WebhookSettings};
use crate::web::{self, CONTAINER, IMAGE, PORTS, PROBE, PROBE_KEY, Tool, Web};

/// What becomes of liveness and startup probes that we injected.
pub const TESTS: &[Test] = &[
    (
        "a_liveness_probe_comes_with_a_startup_probe",
        a_liveness_probe_comes_with_a_startup_probe,
    ),
    (
        "both_go_for_the_users_own_and_come_back",
        both_go_for_the_users_own_and_come_back,
    ),
    (
        "a_policy_states_the_probe_of_its_image",
        a_policy_states_the_probe_of_its_image,
    ),
];

const LIVE: &str = "/spec/template/spec/containers/0/livenessProbe";
const START: &str = "/spec/template/spec/containers/0/startupProbe";

/// A webhook whose policy is read from a file.
struct Guard {
    webhook: Webhook,
    _folder: TempDir,
}

impl Guard {
    fn with(cluster: &Cluster, name: &str, inject: &Value) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let policy = json!({"apiVersion": "steadyset.io/v1alpha1", "kind": "StatefulSetPolicy",
            "metadata": {"name": name}, "spec": {"inject": inject}});
        fs::write(folder.path().join("policy.yaml"), policy.to_string())?;
        let settings = WebhookSettings::named(name);
        let settings = settings.args(&format!("--config {}", folder.path().display()));
        Ok(Self {
            webhook: Webhook::start(cluster, &settings)?,
            _folder: folder,
        })
    }

    /// The set, written for the first time, with its pods.
    fn running<'c>(&self, cluster: &'c Cluster, tool: Tool, file: &Value) -> Result<Web<'c>> {
        let web = Web {
            ns: cluster.namespace_of(&self.webhook)?,
        };
        web.roll_out(tool, file)?;
        Ok(web)
    }
}

fn restarting(cluster: &Cluster, name: &str) -> Result<Guard> {
    Guard::with(cluster, name, &json!({"livenessProbe": {"mode": "Safe"}}))
}

fn tcp(port: &str, period: i64, failures: i64) -> Value {
    json!({"tcpSocket": {"port": port}, "periodSeconds": period, "timeoutSeconds": 5, "successThreshold": 1,
        "failureThreshold": failures})
}

fn both_are_there(web: &Web<'_>, port: &str) -> Result<()> {
    web.expect(LIVE, &tcp(port, 20, 6))?;
    web.expect(START, &tcp(port, 10, 60))
}

fn none_is_there(web: &Web<'_>) -> Result<()> {
    web.expect(LIVE, &Value::Null)?;
    web.expect(START, &Value::Null)
}

fn a_liveness_probe_comes_with_a_startup_probe(cluster: &Cluster) -> Result<()> {
    let guard = restarting(cluster, "restarting")?;
    for tool in Tool::ALL {
        let web = guard.running(cluster, tool.first(), &web::plain())?;
        both_are_there(&web, "http")?;
        web.expect(PROBE, &web::our_probe())?;
        let before = web.footprint()?;
        web.write(tool, &web::plain())?;
        both_are_there(&web, "http")?;
        web.untouched_since(&before)?;
        let renamed = web::with(
            web::plain(),
            PORTS,
            json!([{"name": "web", "containerPort": 8080}]),
        );
        web.roll_out(tool, &renamed)?;
        both_are_there(&web, "web")?;
        web.write(tool, &renamed)?;
        both_are_there(&web, "web")?;
    }
    let database = web::with(web::plain(), IMAGE, json!("mysql:8.4"));
    let web = guard.running(cluster, Tool::Apply, &database)?;
    none_is_there(&web)?;
    ensure!(
        web.at(PROBE)?.is_object(),
        "it is asked whether it is ready"
    );
    Ok(())
}

fn both_go_for_the_users_own_and_come_back(cluster: &Cluster) -> Result<()> {
    let guard = restarting(cluster, "yielding")?;
    let own = json!({"httpGet": {"path": "/alive", "port": "http"}});
    for tool in Tool::APPLIES {
        let web = guard.running(cluster, tool, &web::plain())?;
        both_are_there(&web, "http")?;
        let file = web::with(web::plain(), LIVE, own.clone());
        let output = web.roll_out(tool, &file)?;
        for field in ["livenessProbe", "startupProbe"] {
            let mut lines = output.stderr.lines();
            let told = lines.any(|line| line.contains(field) && line.ends_with("[yielded]"));
            ensure!(told, "{field}: {output}");
        }
        let mut whole = web::own_probe();
        whole["httpGet"]["path"] = json!("/alive");
        web.expect(LIVE, &whole)?;
        web.expect(START, &Value::Null)?;
        for slot in ["liveness-probe/web", "startup-probe/web"] {
            web.expect_state(slot, "yielded")?;
        }
        web.settled(tool, &file)?;
        let two = web.footprint()?.revisions;
        web.undo()?;
        both_are_there(&web, "http")?;
        web.roll_out(tool, &file)?;
        web.expect(LIVE, &whole)?;
        web.roll_out(tool, &web::plain())?;
        both_are_there(&web, "http")?;
        let after = web.footprint()?.revisions;
        ensure!(after == two, "{two:?} became {after:?}");
    }
    Ok(())
}

fn a_policy_states_the_probe_of_its_image(cluster: &Cluster) -> Result<()> {
    let stated = json!([{"image": "registry.example/*", "port": 9000, "readiness": {"grpc": {"service": "web"}, "initialDelaySeconds": 4}}]);
    let guard = Guard::with(cluster, "stating", &json!({"imageProbes": stated}))?;
    let probe = json!({"grpc": {"port": 9000, "service": "web"}, "initialDelaySeconds": 4, "periodSeconds": 10,
        "timeoutSeconds": 3, "successThreshold": 1, "failureThreshold": 3});
    for tool in Tool::APPLIES {
        let web = guard.running(cluster, tool, &web::plain())?;
        web.expect(PROBE, &probe)?;
        let record = web::record(&web.set()?)?;
        ensure!(
            record[PROBE_KEY]["source"] == "policy/stating",
            "{record:#}"
        );
        web.settled(tool, &web::plain())?;
        let other = web::with(
            web::plain(),
            &format!("{CONTAINER}/image"),
            json!("nginx:1"),
        );
        web.roll_out(tool, &other)?;
        web.expect(PROBE, &web::our_probe())?;
        web.undo()?;
        web.expect(PROBE, &probe)?;
        web.roll_out(tool, &web::with_own_probe())?;
        web.expect(PROBE, &web::own_probe())?;
        web.settled(tool, &web::with_own_probe())?;
    }
    Ok(())
}
