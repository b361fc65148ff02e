//! The cluster as its users see it: kubectl, Helm, namespaces, and the webhook in front of some of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};

use super::command::{Output, Run};
use super::control_plane::ControlPlane;
use super::manifests;
use super::pki;
use super::wait::eventually;
use super::webhook::{Webhook, WebhookSettings};

/// What kind of cluster is wanted.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The product's program.
    pub steadyset: PathBuf,
    /// Run scheduler, controllers and kwok too, so that sets get pods and pods become Ready.
    pub workloads: bool,
}

/// A control plane and what is needed to use it.
#[derive(Debug)]
pub struct Cluster {
    // dropped in this order: the webhook still needs the API server
    webhook: OnceLock<Result<Webhook, String>>,
    account: OnceLock<Result<PathBuf, String>>,
    plane: ControlPlane,
    steadyset: PathBuf,
    counter: AtomicU32,
}

/// Which Helm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helm {
    /// Helm 3: three-way merge on the client.
    V3,
    /// Helm 4: server-side apply.
    V4,
}

/// A namespace of one test.
#[derive(Debug, Clone, Copy)]
pub struct Namespace<'a> {
    cluster: &'a Cluster,
    name: &'a str,
}

impl Settings {
    /// A whole cluster for the program at `steadyset` (`env!("CARGO_BIN_EXE_steadyset")` in tests).
    pub fn new(steadyset: impl Into<PathBuf>) -> Self {
        Self {
            steadyset: steadyset.into(),
            workloads: true,
        }
    }

    /// A whole cluster for the program that was built beside this example.
    ///
    /// # Errors
    /// When it was not built.
    pub fn beside_example() -> Result<Self> {
        let example = std::env::current_exe()?;
        let profile = example.parent().and_then(Path::parent);
        let steadyset = profile
            .context("an example lies in a folder")?
            .join("steadyset");
        ensure!(
            steadyset.is_file(),
            "{} is not there: run `cargo build --bin steadyset` first, as make does",
            steadyset.display()
        );
        Ok(Self::new(steadyset))
    }

    /// Without what runs StatefulSets: enough for reviews and dry runs, and faster.
    pub fn without_workloads(mut self) -> Self {
        self.workloads = false;
        self
    }
}

impl Cluster {
    /// Boots a control plane.
    ///
    /// # Errors
    /// When it does not come up; the message says why, with the logs.
    pub fn boot(settings: &Settings) -> Result<Self> {
        Ok(Self {
            webhook: OnceLock::new(),
            account: OnceLock::new(),
            plane: ControlPlane::boot(settings.workloads)?,
            steadyset: settings.steadyset.clone(),
            counter: AtomicU32::new(0),
        })
    }

    /// The programs behind it.
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// The product's program.
    pub fn steadyset(&self) -> &Path {
        &self.steadyset
    }

    /// The shared webhook, started by whoever asks first. It guards [`Cluster::guarded_namespace`].
    ///
    /// # Errors
    /// When it does not come up, now or for the first who asked.
    pub fn webhook(&self) -> Result<&Webhook> {
        let start = || {
            Webhook::start(self, &WebhookSettings::default()).map_err(|error| format!("{error:#}"))
        };
        self.webhook
            .get_or_init(start)
            .as_ref()
            .map_err(|error| anyhow!("the webhook did not start: {error}"))
    }

    /// The kubeconfig of the product's ServiceAccount, which has the rights that the chart grants and no others.
    ///
    /// # Errors
    /// When the manifest is refused.
    pub fn account(&self) -> Result<&Path> {
        let grant = || {
            self.kubectl("apply -l app.kubernetes.io/component=access -f")?
                .arg(manifests::install())
                .ok()?;
            self.token_kubeconfig(manifests::NAMESPACE, "steadyset")
        };
        let granted = self
            .account
            .get_or_init(|| grant().map_err(|error| format!("{error:#}")));
        granted.as_deref().map_err(|error| anyhow!("{error}"))
    }

    /// kubectl as the administrator; `line` is split at white space.
    ///
    /// # Errors
    /// When there is no kubectl.
    pub fn kubectl(&self, line: &str) -> Result<Run> {
        self.kubectl_as(self.plane.admin_kubeconfig(), line)
    }

    /// kubectl with another kubeconfig.
    ///
    /// # Errors
    /// When there is no kubectl.
    pub fn kubectl_as(&self, kubeconfig: &Path, line: &str) -> Result<Run> {
        let run = Run::new(&self.plane.tools().path("kubectl")?, line);
        Ok(run
            .env("KUBECONFIG", kubeconfig)
            .env("KUBECACHEDIR", self.plane.dir().join("kubectl-cache")))
    }

    /// Helm as the administrator, with configuration and caches of its own.
    ///
    /// # Errors
    /// When there is no such Helm.
    pub fn helm(&self, version: Helm, line: &str) -> Result<Run> {
        let name = version.program();
        let home = self.plane.dir().join(name);
        let mut run = Run::new(&self.plane.tools().path(name)?, line)
            .env("KUBECONFIG", self.plane.admin_kubeconfig());
        for folder in ["CACHE", "CONFIG", "DATA"] {
            run = run.env(&format!("HELM_{folder}_HOME"), home.join(folder));
        }
        Ok(run)
    }

    /// The product's own command line, as the administrator.
    pub fn run_steadyset(&self, line: &str) -> Run {
        Run::new(&self.steadyset, line).env("KUBECONFIG", self.plane.admin_kubeconfig())
    }

    /// A new namespace that no webhook guards.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn namespace(&self) -> Result<Namespace<'_>> {
        self.labelled_namespace(&json!({}))
    }

    /// A new namespace that the shared webhook guards.
    ///
    /// # Errors
    /// When the webhook does not come up, or the namespace cannot be created.
    pub fn guarded_namespace(&self) -> Result<Namespace<'_>> {
        self.namespace_of(self.webhook()?)
    }

    /// A new namespace that this webhook guards.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn namespace_of(&self, webhook: &Webhook) -> Result<Namespace<'_>> {
        self.labelled_namespace(&json!({ Webhook::LABEL: webhook.name() }))
    }

    fn labelled_namespace(&self, labels: &Value) -> Result<Namespace<'_>> {
        let name = format!("test-{}", self.counter.fetch_add(1, Ordering::Relaxed));
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        self.kubectl("create -f -")?
            .stdin(object.to_string())
            .ok()?;
        // a few bytes for each test, in exchange for a Namespace that can be copied
        Ok(Namespace {
            cluster: self,
            name: name.leak(),
        })
    }

    /// A kubeconfig with a token of this ServiceAccount, which must exist.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn token_kubeconfig(&self, namespace: &str, account: &str) -> Result<PathBuf> {
        let token = self
            .kubectl(&format!(
                "create token {account} -n {namespace} --duration=12h"
            ))?
            .ok()?;
        let path = self
            .plane
            .dir()
            .join(format!("{namespace}-{account}.kubeconfig"));
        let user = json!({"token": token.stdout.trim()});
        let unfinished =
            path.with_extension(format!("{}", self.counter.fetch_add(1, Ordering::Relaxed)));
        pki::write_kubeconfig(&unfinished, self.plane.server(), self.plane.ca_pem(), &user)?;
        fs::rename(&unfinished, &path)?;
        Ok(path)
    }
}

impl Helm {
    /// Both, for tests that must hold with each.
    pub const BOTH: [Self; 2] = [Self::V3, Self::V4];

    /// The name of its program.
    pub fn program(self) -> &'static str {
        match self {
            Self::V3 => "helm3",
            Self::V4 => "helm4",
        }
    }
}

impl<'a> Namespace<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The cluster it is in.
    pub fn cluster(&self) -> &'a Cluster {
        self.cluster
    }

    /// kubectl in this namespace.
    ///
    /// # Errors
    /// When there is no kubectl.
    pub fn kubectl(&self, line: &str) -> Result<Run> {
        self.cluster.kubectl(&format!("-n {} {line}", self.name))
    }

    /// Helm in this namespace.
    ///
    /// # Errors
    /// When there is no such Helm.
    pub fn helm(&self, version: Helm, line: &str) -> Result<Run> {
        self.cluster
            .helm(version, &format!("-n {} {line}", self.name))
    }

    /// Puts this namespace, with all that is already in it, under a webhook.
    ///
    /// # Errors
    /// When the webhook is still not asked after ten seconds.
    pub fn guard(&self, webhook: &Webhook) -> Result<()> {
        let label = format!("{}={}", Webhook::LABEL, webhook.name());
        self.cluster
            .kubectl(&format!("label namespace {} {label}", self.name))?
            .ok()?;
        // the API server refuses this set too, but in other words
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "guarded"}, "spec": {
            "selector": {"matchLabels": {"app": "a"}}, "podManagementPolicy": "Unknown",
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        }});
        eventually("a refusal by the webhook", Duration::from_secs(10), || {
            let create = self.kubectl("create --dry-run=server -f -")?;
            let refused = create.stdin(set.to_string()).refused()?;
            ensure!(refused.stderr.contains("admission webhook"), "{refused}");
            Ok(())
        })
    }

    /// `kubectl apply -f -`, whatever comes of it.
    ///
    /// # Errors
    /// When kubectl cannot be run.
    pub fn apply(&self, manifest: impl Into<Vec<u8>>) -> Result<Output> {
        self.kubectl("apply -f -")?.stdin(manifest).run()
    }

    /// An object as JSON: `get("sts/web")`.
    ///
    /// # Errors
    /// When it is not there.
    pub fn get(&self, object: &str) -> Result<Value> {
        self.kubectl(&format!("get {object} -o json"))?.json()
    }

    /// The object once `look` accepts it.
    ///
    /// # Errors
    /// When that does not come within `within`: the last reason of `look`.
    pub fn await_object(
        &self,
        object: &str,
        within: Duration,
        mut look: impl FnMut(&Value) -> Result<()>,
    ) -> Result<Value> {
        eventually(object, within, || {
            let found = self.get(object)?;
            look(&found).map(|()| found)
        })
    }

    /// Waits until the object is no longer there.
    ///
    /// # Errors
    /// When it still is after `within`.
    pub fn await_gone(&self, object: &str, within: Duration) -> Result<()> {
        let line = format!("wait --for=delete {object} --timeout={}s", within.as_secs());
        self.kubectl(&line)?.ok().map(drop)
    }

    /// Waits until the pods that the set wants, and no others, are there and Ready, whatever its update strategy.
    ///
    /// # Errors
    /// When that does not come within a minute.
    pub fn ready(&self, set: &str) -> Result<Value> {
        self.await_object(&format!("sts/{set}"), Duration::from_mins(1), |found| {
            let (wanted, status) = (&found["spec"]["replicas"], &found["status"]);
            ensure!(
                status["observedGeneration"] == found["metadata"]["generation"],
                "not yet seen by its controller"
            );
            // a count of 0 is left out
            let count = |name: &str| status[name].as_i64().unwrap_or_default();
            ensure!(
                [count("replicas"), count("readyReplicas")] == [wanted.as_i64().unwrap_or(1); 2],
                "wants {wanted} ready pods and no others, its status is {status}"
            );
            Ok(())
        })
    }

    /// Waits until every pod of the set runs its newest template and is Ready.
    ///
    /// # Errors
    /// When that does not come within a minute.
    pub fn rolled_out(&self, set: &str) -> Result<Output> {
        self.kubectl(&format!("rollout status statefulset/{set} --timeout=60s"))?
            .ok()
    }
}
