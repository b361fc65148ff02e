//! Replicas of the product as the shipped manifests run it: certificates of its own, kept in a Secret, published.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::https::{Client, Response};
use super::program::{Program, Stdout};
use super::rest::Rest;
use super::wait::eventually;

/// The namespace of the shipped manifests.
pub const NAMESPACE: &str = "steadyset-system";

/// The name of the Service and of both webhook configurations there.
pub const NAME: &str = "steadyset";

/// The name of the Secret there.
pub const SECRET: &str = "steadyset-self-signed";

/// How long the product may take to become ready on a busy machine.
const READY: Duration = Duration::from_mins(1);

/// One process of the product.
#[derive(Debug)]
pub struct Replica {
    /// The process.
    pub program: Program,
    /// Where it serves and where it is probed, once it has said so.
    ports: OnceLock<[u16; 2]>,
}

impl Replica {
    /// Starts one with a token of the product's account; `name` is the log's, `args` are further ones of `serve`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(cluster: &Cluster, name: &str, args: &str) -> Result<Self> {
        let of = |object: &str| format!("{NAMESPACE}/{object}");
        let own = format!(
            "--self-signed --service={} --secret={} --webhook-configuration={NAME} {args}",
            of(NAME),
            of(SECRET)
        );
        Self::start_with(cluster, name, &own)
    }

    /// The same with certificates from elsewhere.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(cluster: &Cluster, name: &str, args: &str) -> Result<Self> {
        Self::with_kubeconfig(cluster, name, cluster.account()?, args)
    }

    /// The same with the rights of another account.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn with_kubeconfig(
        cluster: &Cluster,
        name: &str,
        kubeconfig: &Path,
        args: &str,
    ) -> Result<Self> {
        let mut command = Command::new(cluster.steadyset());
        command
            .args(["serve", "--log-format=json"])
            .args(["--listen=127.0.0.1:0", "--probe-listen=127.0.0.1:0"])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(args.split_whitespace());
        Ok(Self {
            program: cluster.plane().spawn(name, &mut command, Stdout::Log)?,
            ports: OnceLock::new(),
        })
    }

    /// Where it serves.
    ///
    /// # Errors
    /// When it does not listen within a minute.
    pub fn port(&self) -> Result<u16> {
        self.ports().map(|[port, _]| port)
    }

    /// A client of its probe port.
    fn probes(&self) -> Result<Client> {
        self.ports().map(|[_, probes]| Client::plain(probes))
    }

    /// The kernel has chosen the ports.
    fn ports(&self) -> Result<[u16; 2]> {
        if let Some(ports) = self.ports.get() {
            return Ok(*ports);
        }
        let ports = eventually("where it listens", READY, || {
            let log = self.program.log();
            let line = log.lines().find(|line| line.contains("\"listening\""));
            let line: Value = serde_json::from_str(line.with_context(|| log.clone())?)?;
            let port = |field: &str| {
                let address: SocketAddr = line[field].as_str().context("no address")?.parse()?;
                anyhow::Ok(address.port())
            };
            Ok([port("webhook")?, port("probes")?])
        })?;
        Ok(*self.ports.get_or_init(|| ports))
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in a minute; with what is not, and the end of its log.
    pub fn ready(&mut self) -> Result<()> {
        let probes = self.probes()?;
        self.program.ready(READY, || {
            let response = probes.get("/readyz?verbose")?;
            ensure!(response.status == 200, "{}", response.text());
            Ok(())
        })
    }

    /// What `/readyz?verbose` says.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn readiness(&self) -> Result<(u16, String)> {
        let response = self.probes()?.get("/readyz?verbose")?;
        Ok((response.status, response.text()))
    }

    /// The value of a metric by its name and labels, as `/metrics` writes them.
    ///
    /// # Errors
    /// When there is no such sample.
    pub fn metric(&self, sample: &str) -> Result<f64> {
        let text = self.probes()?.get("/metrics")?.text();
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        let value = value.with_context(|| format!("no {sample} in\n{text}"))?;
        Ok(value.parse()?)
    }

    /// The sum of the samples of a metric.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metric_sum(&self, name: &str) -> Result<f64> {
        let text = self.probes()?.get("/metrics")?.text();
        let samples = text.lines().filter(|line| line.starts_with(name));
        let values = samples.filter_map(|line| line.rsplit_once(' '));
        values.map(|(_, value)| Ok(value.parse::<f64>()?)).sum()
    }

    /// Waits for a line of its log.
    ///
    /// # Errors
    /// When it does not come in a minute.
    pub fn logged(&self, text: &str) -> Result<()> {
        eventually(text, READY, || {
            let log = self.program.log();
            ensure!(log.contains(text), "not in its log:\n{log}");
            Ok(())
        })
    }
}

/// The Service as the shipped manifests name it, but one that leads to loopback.
pub fn service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost"}})
}

/// The caBundles of a kind of configuration (`mutating`, `validating`), as PEM.
///
/// # Errors
/// When it is not there.
pub fn bundles(cluster: &Cluster, kind: &str) -> Result<Vec<String>> {
    let line = format!("get {kind}webhookconfiguration {NAME} -o json");
    let object = cluster.kubectl(&line)?.json()?;
    let webhooks = object["webhooks"].as_array().context("no webhooks")?;
    let bundles = webhooks.iter().map(|webhook| {
        let text = webhook["clientConfig"]["caBundle"].as_str();
        decode(text.unwrap_or_default())
    });
    bundles.collect()
}

/// Takes the caBundles of these webhooks of a kind away.
///
/// # Errors
/// When they are not there.
pub fn clear(rest: &Rest, kind: &str, webhooks: &[usize]) -> Result<()> {
    let path = configuration(kind);
    let removed = webhooks
        .iter()
        .map(|at| json!({"op": "remove", "path": format!("/webhooks/{at}/clientConfig/caBundle")}));
    rest.patch(&path, &removed.collect()).map(drop)
}

fn configuration(kind: &str) -> String {
    format!("/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations/{NAME}")
}

/// Takes the caBundles of these webhooks of a kind away, and says how long it takes until they are there again.
///
/// # Errors
/// When they are not within a minute.
pub fn empty(rest: &Rest, kind: &str, webhooks: &[usize]) -> Result<Duration> {
    let path = configuration(kind);
    let held = |answer: &Response| -> Result<Vec<Value>> {
        let object = answer.json()?;
        let of = |at: &usize| object["webhooks"][*at]["clientConfig"]["caBundle"].clone();
        Ok(webhooks.iter().map(of).collect())
    };
    let before = held(&rest.get(&path)?)?;
    clear(rest, kind, webhooks)?;
    let emptied = Instant::now();
    eventually("the caBundle", READY, || {
        let now = held(&rest.get(&path)?)?;
        ensure!(now == before, "{now:?}");
        Ok(emptied.elapsed())
    })
}

/// The text of a key of the Secret.
///
/// # Errors
/// When there is none.
pub fn secret(cluster: &Cluster, key: &str) -> Result<String> {
    let line = format!("get secret {SECRET} -n {NAMESPACE} -o json");
    let object = cluster.kubectl(&line)?.json()?;
    decode(object["data"][key].as_str().context("no such key")?)
}

fn decode(text: &str) -> Result<String> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text)?;
    Ok(String::from_utf8(bytes)?)
}
