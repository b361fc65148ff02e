//! The product itself, as a process of its own, registered with the API server.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::command::Run;
use super::control_plane::free_port;
use super::https::{Client, Response};
use super::manifests;
use super::program::{Program, Stdout};

/// How long the product may take to become ready on a busy machine.
const READY: Duration = Duration::from_mins(1);

/// How a webhook is started and registered.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// The value of [`Webhook::LABEL`] on the namespaces it guards; part of its configurations' names.
    pub name: String,
    /// Further arguments of `steadyset serve`.
    pub args: Vec<String>,
    /// `Fail` or `Ignore`.
    pub failure_policy: &'static str,
    /// How long the API server waits.
    pub timeout_seconds: u8,
    /// Runs with `--no-cluster` instead of a token.
    pub offline: bool,
    /// A kubeconfig of another account than the product's own.
    pub kubeconfig: Option<PathBuf>,
}

/// A running webhook. Dropping it removes its registration, then stops it.
#[derive(Debug)]
pub struct Webhook {
    settings: WebhookSettings,
    program: Program,
    port: u16,
    ca_bundle: String,
    client: Client,
    probes: Client,
    /// `kubectl` and the administrator's kubeconfig, to take the registration back.
    kubectl: [std::path::PathBuf; 2],
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            name: "on".to_owned(),
            args: Vec::new(),
            failure_policy: "Fail",
            timeout_seconds: 5,
            offline: false,
            kubeconfig: None,
        }
    }
}

impl WebhookSettings {
    /// Another name, for a second webhook beside the shared one.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// A webhook that asks no API server.
    pub fn offline(mut self) -> Self {
        self.offline = true;
        self
    }

    /// A webhook with the rights of another account.
    pub fn kubeconfig(mut self, path: PathBuf) -> Self {
        self.kubeconfig = Some(path);
        self
    }

    /// More arguments of `steadyset serve`, split at white space.
    pub fn args(mut self, line: &str) -> Self {
        self.args.extend(line.split_whitespace().map(str::to_owned));
        self
    }
}

impl Webhook {
    /// The label that puts a namespace under a webhook.
    pub const LABEL: &'static str = "steadyset.io/test-webhook";

    /// Starts the product with a token of its ServiceAccount, never as administrator, and registers it.
    ///
    /// # Errors
    /// When it does not become ready; with the end of its log.
    pub fn start(cluster: &Cluster, settings: &WebhookSettings) -> Result<Self> {
        let webhook = Self::start_unregistered(cluster, settings)?;
        webhook.register()?;
        Ok(webhook)
    }

    /// The same, unknown to the API server: for tests and benchmarks that call it themselves.
    ///
    /// # Errors
    /// When it does not become ready; with the end of its log.
    pub fn start_unregistered(cluster: &Cluster, settings: &WebhookSettings) -> Result<Self> {
        let (port, probe_port) = (free_port()?, free_port()?);
        let mut command = Command::new(cluster.steadyset());
        command
            .args(["serve", "--ephemeral-cert", "--log-format", "json"])
            .arg(format!("--listen=127.0.0.1:{port}"))
            .arg(format!("--probe-listen=127.0.0.1:{probe_port}"))
            .args(&settings.args);
        if settings.offline {
            command.arg("--no-cluster");
        } else {
            let own = settings
                .kubeconfig
                .as_deref()
                .map_or_else(|| cluster.account(), Ok);
            command.arg("--kubeconfig").arg(own?);
        }
        let name = format!("steadyset-{}", settings.name);
        let mut program = cluster.plane().spawn(&name, &mut command, Stdout::Piped)?;
        let ca_bundle = first_line(&mut program)?;
        let ca_pem = String::from_utf8(
            STANDARD
                .decode(&ca_bundle)
                .context("the caBundle is not base64")?,
        )?;
        let probes = Client::plain(probe_port);
        program.ready(READY, || {
            let response = probes.get("/readyz?verbose")?;
            ensure!(
                response.status == 200,
                "/readyz says {}: {}",
                response.status,
                response.text()
            );
            Ok(())
        })?;
        let kubectl = [
            cluster.plane().tools().path("kubectl")?,
            cluster.plane().admin_kubeconfig().to_owned(),
        ];
        let client = Client::tls(port, &ca_pem)?;
        Ok(Self {
            settings: settings.clone(),
            program,
            port,
            ca_bundle,
            client,
            probes,
            kubectl,
        })
    }

    /// Its name: the value of [`Webhook::LABEL`].
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The port of its HTTPS server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A client of its HTTPS server that trusts its certificate.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A client of its probe port.
    pub fn probes(&self) -> &Client {
        &self.probes
    }

    /// Its process.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Everything it has logged, one JSON object a line.
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// An AdmissionReview sent straight to `/mutate` or `/validate`.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn review(&self, path: &str, review: &Value) -> Result<Response> {
        self.client.post_json(path, review.to_string())
    }

    /// The sum of a metric's samples whose labels contain this text (`endpoint="mutate"`, or nothing).
    ///
    /// # Errors
    /// When the metrics cannot be read.
    pub fn metric_sum(&self, name: &str, label: &str) -> Result<f64> {
        metric_sum(&self.probes.get("/metrics")?.text(), name, label)
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// When it does not end within `within`.
    pub fn terminate(&mut self, within: Duration) -> Result<ExitStatus> {
        self.program.terminate()?;
        self.program.ended(within)
    }

    /// The two configurations that put it in force: those that are shipped, for its own namespaces and its own address.
    ///
    /// # Errors
    /// When the shipped manifests cannot be read.
    pub fn configurations(&self) -> Result<Value> {
        let shipped = manifests::installed()?.into_iter();
        let mut items: Vec<_> = shipped
            .filter(|object| object["webhooks"].is_array())
            .collect();
        for object in &mut items {
            object["metadata"] = json!({"name": format!("steadyset-{}", self.name())});
            for entry in object["webhooks"].as_array_mut().into_iter().flatten() {
                self.redirect(entry)?;
            }
        }
        ensure!(items.len() == 2, "not two configurations: {items:?}");
        Ok(json!({"apiVersion": "v1", "kind": "List", "items": items}))
    }

    /// An entry as it is shipped, but for this webhook; its rules and conditions stay.
    fn redirect(&self, entry: &mut Value) -> Result<()> {
        let path = entry["clientConfig"]["service"]["path"].take();
        let path = path.as_str().context("no path")?;
        let shipped = entry["name"].as_str().context("no name")?;
        let (operation, domain) = shipped.split_once('.').context("no domain")?;
        let own = json!({
            "name": format!("{operation}.{}.{domain}", self.name()),
            "clientConfig": {"url": format!("https://127.0.0.1:{}{path}", self.port), "caBundle": self.ca_bundle},
            "namespaceSelector": {"matchLabels": {Self::LABEL: self.name()}},
            "failurePolicy": self.settings.failure_policy,
            "timeoutSeconds": self.settings.timeout_seconds,
        });
        let entry = entry.as_object_mut().context("no object")?;
        entry.extend(own.as_object().cloned().unwrap_or_default());
        Ok(())
    }

    /// Puts it in force, and waits until the API server calls it.
    ///
    /// # Errors
    /// When the API server does not take it up.
    pub fn register(&self) -> Result<()> {
        self.kubectl("apply -f -")
            .stdin(self.configurations()?.to_string())
            .ok()?;
        self.in_force()
    }

    /// Takes it out of force.
    ///
    /// # Errors
    /// When kubectl fails.
    pub fn unregister(&self) -> Result<()> {
        let kinds = "mutatingwebhookconfigurations,validatingwebhookconfigurations";
        let line = format!(
            "delete {kinds} steadyset-{} --ignore-not-found",
            self.name()
        );
        self.kubectl(&line).ok().map(drop)
    }

    /// The API server learns of a registration a moment later: both phases must have been called for a dry run.
    fn in_force(&self) -> Result<()> {
        let guarded = format!("in-force-{}", self.name());
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": guarded, "labels": {Self::LABEL: self.name()}}});
        self.kubectl("apply -f -")
            .stdin(namespace.to_string())
            .ok()?;
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "probe"}, "spec": {
            "selector": {"matchLabels": {"app": "probe"}}, "serviceName": "probe",
            "template": {"metadata": {"labels": {"app": "probe"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        }});
        let line = format!("create -n {guarded} --dry-run=server -f -");
        super::eventually("the webhook in force", READY, || {
            self.kubectl(&line).stdin(set.to_string()).ok()?;
            for endpoint in ["mutate", "validate"] {
                let label = format!("endpoint=\"{endpoint}\"");
                let calls = self.metric_sum("steadyset_admission_requests_total", &label)?;
                ensure!(calls > 0.0, "the API server has not called /{endpoint}");
            }
            Ok(())
        })
    }

    fn kubectl(&self, line: &str) -> Run {
        let [program, kubeconfig] = &self.kubectl;
        Run::new(program, line).env("KUBECONFIG", kubeconfig)
    }
}

/// The sum of a metric's samples in this text whose labels contain another (`endpoint="mutate"`, or nothing).
///
/// # Errors
/// When a value is no number.
pub fn metric_sum(text: &str, name: &str, label: &str) -> Result<f64> {
    let samples = text.lines().filter_map(|line| {
        let (sample, value) = line.rsplit_once(' ')?;
        let labels = sample.strip_prefix(name)?;
        let whole = labels.is_empty() || labels.starts_with('{');
        (whole && labels.contains(label)).then_some(value)
    });
    samples.map(|value| Ok(value.parse::<f64>()?)).sum()
}

impl Drop for Webhook {
    fn drop(&mut self) {
        if let Err(error) = self.unregister() {
            eprintln!(
                "the registration of webhook {} stays: {error:#}",
                self.name()
            );
        }
    }
}

/// The first line on stdout: the caBundle. The rest is read and dropped, so that the pipe never fills.
fn first_line(program: &mut Program) -> Result<String> {
    let stdout = program.stdout().context("stdout is not piped")?;
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let line = receiver.recv_timeout(READY);
    program.alive()?;
    line.with_context(|| {
        format!(
            "{} printed no caBundle; its log:\n{}",
            program.name,
            program.log()
        )
    })
}
