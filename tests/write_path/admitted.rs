//! The namespaces, and what admits the sets of each.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::support::program::{Program, Stdout};
use crate::support::{Cluster, Namespace, Webhook, eventually};
use crate::{null_webhook, sets};

/// How long the API server may take to learn of a configuration.
const SOON: Duration = Duration::from_mins(1);

/// The native policies, for the namespaces that are labelled `native`.
const POLICIES: &str = include_str!("policies.yaml");

/// A namespace, and what admits its sets.
#[derive(Debug)]
pub struct Admission<'c> {
    /// What the table calls it.
    pub name: &'static str,
    pub namespace: Namespace<'c>,
    /// The process of the webhook.
    pub webhook: Option<u32>,
    /// Whether the others are compared with it.
    pub is_native: bool,
    /// Held while it is asked.
    _program: Option<Program>,
}

/// All cases, each in force: it is shown to inject, where it does, and to refuse.
pub fn cases(cluster: &Cluster) -> Result<Vec<Admission<'_>>> {
    let webhook = cluster.webhook()?;
    let nothing = Admission::new("nothing", cluster, None)?;
    let program = null_pair(cluster, webhook)?;
    let null = Admission::new("two null webhooks", cluster, Some("null"))?;
    let null = null.by(program);
    cluster.kubectl("apply -f -")?.stdin(POLICIES).ok()?;
    let mut native = Admission::new("native policies", cluster, Some("native"))?;
    native.is_native = true;
    let mut product = Admission::new("steadyset", cluster, Some(webhook.name()))?;
    product.webhook = Some(webhook.program().pid());
    null.refuses(&sets::set("refused"), "admission webhook")?;
    native.refuses(&sets::killed(), "ValidatingAdmissionPolicy")?;
    product.refuses(&sets::misspelled(), "admission webhook")?;
    for case in [&native, &product] {
        case.injects()?;
    }
    Ok(vec![nothing, null, native, product])
}

impl<'c> Admission<'c> {
    fn new(name: &'static str, cluster: &'c Cluster, label: Option<&str>) -> Result<Self> {
        let namespace = cluster.namespace()?;
        if let Some(label) = label {
            let own = namespace.name();
            let line = format!("label namespace {own} {}={label}", Webhook::LABEL);
            cluster.kubectl(&line)?.ok()?;
        }
        namespace.apply(sets::service().to_string())?;
        Ok(Self {
            name,
            namespace,
            webhook: None,
            is_native: false,
            _program: None,
        })
    }

    fn by(self, program: Program) -> Self {
        Self {
            webhook: Some(program.pid()),
            _program: Some(program),
            ..self
        }
    }

    fn dry_run(&self, set: &Value) -> Result<crate::support::Run> {
        let create = self
            .namespace
            .kubectl("create --dry-run=server -o json -f -")?;
        Ok(create.stdin(set.to_string()))
    }

    /// Waits until this set is refused in these words.
    fn refuses(&self, set: &Value, words: &str) -> Result<()> {
        eventually(&format!("a refusal by {}", self.name), SOON, || {
            let refused = self.dry_run(set)?.refused()?;
            ensure!(refused.stderr.contains(words), "{refused}");
            Ok(())
        })
    }

    /// Waits until a set is linked and probed.
    fn injects(&self) -> Result<()> {
        eventually(&format!("an injection by {}", self.name), SOON, || {
            let set = self.dry_run(&sets::set("injected"))?.json()?;
            let linked = &set["spec"]["serviceName"];
            ensure!(linked == sets::SERVICE, "serviceName is {linked}");
            let container = &set["spec"]["template"]["spec"]["containers"][0];
            let port = &container["readinessProbe"]["tcpSocket"]["port"];
            ensure!(!port.is_null(), "no probe: {container}");
            Ok(())
        })
    }
}

/// A webhook that does nothing, registered as the product is.
fn null_pair(cluster: &Cluster, product: &Webhook) -> Result<Program> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(null_webhook::SWITCH, "1");
    let mut program = cluster
        .plane()
        .spawn("null-webhook", &mut command, Stdout::Piped)?;
    let mut line = String::new();
    let stdout = program.stdout().context("stdout is not piped")?;
    BufReader::new(stdout).read_line(&mut line)?;
    program.alive()?;
    let listening: null_webhook::Listening = serde_json::from_str(&line)?;
    let mut configurations = product.configurations()?;
    let items = configurations["items"].as_array_mut();
    for item in items.into_iter().flatten() {
        item["metadata"]["name"] = json!("null");
        let entries = item["webhooks"].as_array_mut();
        for entry in entries.into_iter().flatten() {
            entry["clientConfig"] = json!({"url": format!("https://{}/", listening.address), "caBundle": listening.ca_bundle});
            entry["namespaceSelector"] = json!({"matchLabels": {Webhook::LABEL: "null"}});
        }
    }
    let apply = cluster.kubectl("apply -f -")?;
    apply.stdin(configurations.to_string()).ok()?;
    Ok(program)
}
