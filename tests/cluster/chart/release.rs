//! A release of the chart as it is shipped, but for two things: its Service leads to this machine, and its process runs here
//! with the Deployment's own arguments and a token of the chart's ServiceAccount.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::SOON;
use crate::given::web;
use crate::support::program::{Program, Stdout};
use crate::support::{
    Client, Cluster, Helm, Output, control_plane, eventually, manifests, metric_sum,
};

/// The label of the namespaces that a release is for, so that several fit one cluster.
const LABEL: &str = "steadyset.io/test-release";

/// Where the chart mounts a certificate that it is given.
const MOUNTED: &str = "/etc/steadyset/tls";

/// A release, and what it was installed with.
pub struct Release<'c> {
    cluster: &'c Cluster,
    pub helm: Helm,
    /// The name of the release and of its namespace.
    pub name: String,
    values: Value,
    certificates: PathBuf,
    probes: Client,
    /// A namespace that it is for.
    pub guarded: String,
}

impl<'c> Release<'c> {
    /// Installs the chart with further values.
    pub fn install(cluster: &'c Cluster, helm: Helm, name: &str, more: &Value) -> Result<Self> {
        let (port, probes) = (control_plane::free_port()?, control_plane::free_port()?);
        let mut values = json!({
            "ports": {"webhook": port, "probes": probes},
            "service": {"port": port},
            "webhook": {"namespaceSelector": {"matchLabels": {LABEL: name}}},
        });
        json_patch::merge(&mut values, more);
        let is_given = values["certificates"]["mode"] == "secret";
        let release = Self {
            cluster,
            helm,
            name: name.to_owned(),
            values,
            certificates: cluster.plane().dir().join(name),
            probes: Client::plain(probes),
            guarded: format!("{name}-guarded"),
        };
        release.namespaces()?;
        if is_given {
            release.certificate()?;
        }
        release.run_helm("install")?;
        release.redirect()?;
        if is_given {
            release.publish()?;
        }
        Ok(release)
    }

    fn namespaces(&self) -> Result<()> {
        let restricted = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        for (name, labels) in [
            (&self.name, restricted),
            (&self.guarded, json!({ LABEL: self.name })),
        ] {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name, "labels": labels}});
            self.cluster
                .kubectl("create -f -")?
                .stdin(namespace.to_string())
                .ok()?;
        }
        Ok(())
    }

    /// A certificate as its administrator makes it.
    fn certificate(&self) -> Result<()> {
        let name = format!("{0}.{0}.svc", self.name);
        self.cluster
            .run_steadyset(&format!("certs generate --dns {name} --out"))
            .arg(&self.certificates)
            .ok()?;
        let file = |name: &str| self.certificates.join(name).display().to_string();
        self.kubectl(&format!(
            "create secret tls given --cert={} --key={}",
            file("tls.crt"),
            file("tls.key")
        ))
        .map(drop)
    }

    /// `helm install` or `helm upgrade`, with the values.
    pub fn run_helm(&self, verb: &str) -> Result<Output> {
        let line = format!("{verb} {0} -n {0} --values=-", self.name);
        let run = self.cluster.helm(self.helm, &line)?;
        run.arg(manifests::chart())
            .stdin(self.values.to_string())
            .ok()
    }

    /// Another command of Helm about the release: `uninstall`, `get notes`.
    pub fn run_helm_plain(&self, verb: &str) -> Result<Output> {
        let line = format!("{verb} {0} -n {0}", self.name);
        self.cluster.helm(self.helm, &line)?.ok()
    }

    /// `helm upgrade` with other values. The Service is put in place again, and led here again.
    pub fn upgrade(&mut self, values: &Value) -> Result<()> {
        json_patch::merge(&mut self.values, values);
        self.kubectl(&format!("delete service {}", self.name))?;
        self.run_helm("upgrade")?;
        self.redirect()
    }

    /// The Service leads to this machine; it keeps its name, and so the certificate fits.
    fn redirect(&self) -> Result<()> {
        self.kubectl(&format!("delete service {}", self.name))?;
        let service = json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": self.name, "namespace": self.name},
            "spec": {"type": "ExternalName", "externalName": "localhost"}});
        self.cluster
            .kubectl("create -f -")?
            .stdin(service.to_string())
            .ok()
            .map(drop)
    }

    /// The caBundle, as the administrator of a given certificate writes it.
    fn publish(&self) -> Result<()> {
        let authority = std::fs::read(self.certificates.join("ca.crt"))?;
        let bundle = STANDARD.encode(authority);
        for kind in KINDS {
            let entries = self.entries(kind)?;
            let patch: Vec<_> = (0..entries.len())
                .map(|entry| {
                    json!({"op": "add", "path": format!("/webhooks/{entry}/clientConfig/caBundle"), "value": bundle})
                })
                .collect();
            self.cluster
                .kubectl(&format!("patch {kind} {} --type=json -p", self.name))?
                .arg(json!(patch).to_string())
                .ok()?;
        }
        Ok(())
    }

    /// The entries of a configuration.
    pub fn entries(&self, kind: &str) -> Result<Vec<Value>> {
        let mut found = self
            .cluster
            .kubectl(&format!("get {kind} {} -o json", self.name))?
            .json()?;
        serde_json::from_value(found["webhooks"].take()).context("no webhooks")
    }

    /// kubectl in its own namespace.
    pub fn kubectl(&self, line: &str) -> Result<Output> {
        self.cluster
            .kubectl(&format!("-n {} {line}", self.name))?
            .ok()
    }

    /// kubectl in the namespace that it is for.
    pub fn user(&self, line: &str) -> Result<crate::support::Run> {
        self.cluster.kubectl(&format!("-n {} {line}", self.guarded))
    }

    /// The cluster that it is in.
    pub fn cluster(&self) -> &'c Cluster {
        self.cluster
    }

    /// Starts what a pod of the Deployment would run, and waits until the API server calls it.
    pub fn start(&self) -> Result<Program> {
        let program = self.start_within(SOON)?;
        self.answers()?;
        Ok(program)
    }

    /// The same, and waits until it is ready.
    pub fn start_within(&self, within: Duration) -> Result<Program> {
        let deployment = self.kubectl(&format!("get deployment {} -o json", self.name))?;
        let mut deployment: Value = serde_json::from_str(&deployment.stdout)?;
        let pod = &mut deployment["spec"]["template"]["spec"];
        let account = pod["serviceAccountName"].as_str().context("no account")?;
        let kubeconfig = self.cluster.token_kubeconfig(&self.name, account)?;
        let args: Vec<String> = serde_json::from_value(pod["containers"][0]["args"].take())?;
        let given = self.certificates.display().to_string();
        let args = args.iter().map(|arg| arg.replace(MOUNTED, &given));
        let mut command = Command::new(self.cluster.steadyset());
        command.args(args).env("STEADYSET_KUBECONFIG", kubeconfig);
        let plane = self.cluster.plane();
        let mut program = plane.spawn(&self.name, &mut command, Stdout::Log)?;
        program.ready(within, || {
            let answer = self.probes.get("/readyz?verbose")?;
            ensure!(answer.status == 200, "{}", answer.text());
            Ok(())
        })?;
        Ok(program)
    }

    /// Waits until a write is answered by the process.
    pub fn answers(&self) -> Result<()> {
        eventually("an answer of the release", SOON, || {
            let output = self.create("asked", "--dry-run=server")?;
            ensure!(output.status == 0, "{output}");
            ensure!(output.stderr.contains("[injected]"), "{output}");
            Ok(())
        })
    }

    /// Creates a set that the product would fill in.
    pub fn create(&self, name: &str, extra: &str) -> Result<Output> {
        let mut set = web(&json!({"replicas": 0}));
        set["metadata"]["name"] = json!(name);
        self.user(&format!("create {extra} -f -"))?
            .stdin(set.to_string())
            .run()
    }

    /// The reviews that were answered by an endpoint (`endpoint="mutate"`), or by both.
    pub fn calls(&self, label: &str) -> Result<f64> {
        metric_sum(
            &self.metrics()?,
            "steadyset_admission_requests_total",
            label,
        )
    }

    /// The page of metrics of the process.
    pub fn metrics(&self) -> Result<String> {
        Ok(self.probes.get("/metrics")?.text())
    }
}

/// Both kinds of configuration.
pub const KINDS: [&str; 2] = [
    "mutatingwebhookconfiguration",
    "validatingwebhookconfiguration",
];
