//! A set called `web`, what its owner does to it, and what came of that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Cluster, Namespace, Output};

/// The first container of a set.
pub const CONTAINER: &str = "/spec/template/spec/containers/0";
/// Its image.
pub const IMAGE: &str = "/spec/template/spec/containers/0/image";
/// Its ports.
pub const PORTS: &str = "/spec/template/spec/containers/0/ports";
/// Its mounts.
pub const MOUNTS: &str = "/spec/template/spec/containers/0/volumeMounts";
/// Its readiness probe.
pub const PROBE: &str = "/spec/template/spec/containers/0/readinessProbe";
/// The claims of a set.
pub const CLAIMS: &str = "/spec/volumeClaimTemplates";
/// How it is updated.
pub const STRATEGY: &str = "/spec/updateStrategy";

/// What the record calls the first container's readiness probe.
pub const PROBE_KEY: &str = "readiness-probe/web";

/// The namespace of a set `web`, with the webhook in force.
pub struct Web<'a> {
    /// Where it is.
    pub ns: Namespace<'a>,
}

/// How a manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `kubectl apply`: three-way merge on the client.
    Apply,
    /// `kubectl apply --server-side`.
    ServerSide,
    /// `kubectl replace`: the object becomes the file.
    Replace,
}

/// What a restart would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// The uid of each pod.
    pub pods: BTreeMap<String, String>,
    /// The name of each ControllerRevision.
    pub revisions: BTreeSet<String>,
}

/// A set that leaves to us what we fill in: its Service and its probe.
pub fn plain() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web", "annotations": {}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{
                    "name": "web",
                    "image": "registry.example/web:1",
                    "ports": [{"name": "http", "containerPort": 8080}],
                }]},
            },
        },
    })
}

/// The plain set, whose container also mounts a volume that nobody declares.
pub fn dangling() -> Value {
    with(
        plain(),
        MOUNTS,
        json!([{"name": "data", "mountPath": "/data"}]),
    )
}

/// The readiness probe that the plain set gets.
pub fn our_probe() -> Value {
    json!({
        "tcpSocket": {"port": "http"},
        "periodSeconds": 10,
        "timeoutSeconds": 3,
        "failureThreshold": 3,
        "successThreshold": 1,
    })
}

/// A probe that a user writes, as the server completes it.
pub fn own_probe() -> Value {
    json!({
        "httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"},
        "periodSeconds": 10,
        "timeoutSeconds": 1,
        "failureThreshold": 3,
        "successThreshold": 1,
    })
}

/// The plain set once its user has written a probe.
pub fn with_own_probe() -> Value {
    with(
        plain(),
        PROBE,
        json!({"httpGet": {"path": "/ready", "port": "http"}}),
    )
}

/// A manifest with another value at `pointer`, whose parent must be there.
pub fn with(mut manifest: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let key = key.replace("~1", "/");
    let parent = manifest.pointer_mut(parent).expect("the parent");
    parent
        .as_object_mut()
        .expect("an object")
        .insert(key, value);
    manifest
}

/// A manifest without what is at `pointer`, whose parent must be there.
pub fn without(mut manifest: Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = manifest.pointer_mut(parent).expect("the parent");
    parent.as_object_mut().expect("an object").remove(key);
    manifest
}

/// A manifest with an annotation.
pub fn annotated(mut manifest: Value, key: &str, value: &str) -> Value {
    manifest["metadata"]["annotations"][key] = json!(value);
    manifest
}

impl<'a> Web<'a> {
    /// A namespace without the set.
    pub fn absent(cluster: &'a Cluster) -> Result<Self> {
        let ns = cluster.guarded_namespace()?;
        Ok(Self { ns })
    }

    /// The set, written for the first time, with its pods.
    pub fn running(cluster: &'a Cluster, tool: Tool, manifest: &Value) -> Result<Self> {
        let web = Self::absent(cluster)?;
        web.write(tool, manifest)?;
        web.ns.rolled_out("web")?;
        Ok(web)
    }

    /// Writes a manifest, which must succeed.
    pub fn write(&self, tool: Tool, manifest: &Value) -> Result<Output> {
        let line = format!("{tool} -f -");
        self.ns.kubectl(&line)?.stdin(manifest.to_string()).ok()
    }

    /// The same, once its pods have followed.
    pub fn roll_out(&self, tool: Tool, manifest: &Value) -> Result<Output> {
        let output = self.write(tool, manifest)?;
        self.ns.rolled_out("web")?;
        Ok(output)
    }

    /// Writes the same manifest once more, which must change nothing.
    pub fn settled(&self, tool: Tool, manifest: &Value) -> Result<()> {
        let before = self.stored()?;
        let output = self.write(tool, manifest)?;
        // kubectl says `configured` of every file with a list of claims, which it compares before the server completes it
        let silent = tool == Tool::Apply && manifest.pointer(CLAIMS).is_none();
        ensure!(!silent || output.stdout.contains("unchanged"), "{output}");
        let after = self.stored()?;
        ensure!(after == before, "{output}: {before:#} became {after:#}");
        Ok(())
    }

    /// `kubectl rollout undo`, and its end.
    pub fn undo(&self) -> Result<()> {
        self.ns.kubectl("rollout undo sts/web")?.ok()?;
        self.ns.rolled_out("web").map(drop)
    }

    /// A JSON patch of one operation, and its end.
    pub fn patch(&self, operation: &Value) -> Result<()> {
        let patch = json!([operation]).to_string();
        self.ns
            .kubectl("patch sts web --type=json -p")?
            .arg(patch)
            .ok()?;
        self.ns.rolled_out("web").map(drop)
    }

    /// The set.
    pub fn set(&self) -> Result<Value> {
        self.ns.get("sts/web")
    }

    /// What a user could have written of the set, and its generation.
    fn stored(&self) -> Result<Value> {
        let set = self.set()?;
        let (spec, metadata) = (&set["spec"], &set["metadata"]);
        Ok(json!([
            spec,
            metadata["annotations"],
            metadata["generation"]
        ]))
    }

    /// The value at a pointer into the set; null where there is none.
    pub fn at(&self, pointer: &str) -> Result<Value> {
        Ok(self.set()?.pointer(pointer).cloned().unwrap_or_default())
    }

    /// Fails unless the set has this value there.
    pub fn expect(&self, pointer: &str, wanted: &Value) -> Result<()> {
        let found = self.at(pointer)?;
        ensure!(found == *wanted, "{pointer}: {found}, wanted {wanted}");
        Ok(())
    }

    /// What the record says of an injection: `injected`, `yielded`, `removed`, `adopted`.
    pub fn expect_state(&self, key: &str, wanted: &str) -> Result<()> {
        let record = record(&self.set()?)?;
        ensure!(
            record[key]["state"] == wanted,
            "{key} should be {wanted}: {record:#}"
        );
        Ok(())
    }

    /// What a restart would change.
    pub fn footprint(&self) -> Result<Footprint> {
        let pods = items(&self.ns, "pods")?;
        let revisions = items(&self.ns, "controllerrevisions")?;
        Ok(Footprint {
            revisions: revisions.iter().map(|it| text(it, "name")).collect(),
            pods: pods
                .iter()
                .map(|it| (text(it, "name"), text(it, "uid")))
                .collect(),
        })
    }

    /// Fails if a pod was restarted or a revision made since then.
    pub fn untouched_since(&self, before: &Footprint) -> Result<()> {
        self.ns.rolled_out("web")?;
        let after = self.footprint()?;
        ensure!(after == *before, "{before:#?} became {after:#?}");
        Ok(())
    }
}

impl Tool {
    /// Those that merge what they write with what is there.
    pub const APPLIES: [Self; 2] = [Self::Apply, Self::ServerSide];
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Apply, Self::ServerSide, Self::Replace];

    /// What creates a set that this one writes next: replace creates nothing.
    pub fn first(self) -> Self {
        match self {
            Self::Replace => Self::Apply,
            other => other,
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apply => "apply",
            Self::ServerSide => "apply --server-side",
            Self::Replace => "replace",
        })
    }
}

/// The record on a set.
pub fn record(set: &Value) -> Result<Value> {
    let text = set["metadata"]["annotations"]["steadyset.io/injected"].as_str();
    Ok(serde_json::from_str(text.context("no record")?)?)
}

fn items(ns: &Namespace<'_>, kind: &str) -> Result<Vec<Value>> {
    let mut list = ns.get(kind)?;
    serde_json::from_value(list["items"].take()).context("not a list")
}

fn text(object: &Value, field: &str) -> String {
    object["metadata"][field]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
