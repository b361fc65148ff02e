//! Every value, switched: it changes what is rendered, and the API server takes the result whole.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{SOON, rendered, template};
use crate::Test;
use crate::support::definitions::definitions;
use crate::support::{Cluster, Helm, eventually, manifests};

pub const TESTS: &[Test] = &[
    ("every_value_has_an_effect", every_value_has_an_effect),
    (
        "the_api_server_takes_what_is_rendered",
        the_api_server_takes_what_is_rendered,
    ),
];

/// What is switched together, and under which values it is read.
const SWITCHED: &[(&str, &str)] = &[
    (
        "{}",
        r#"
fullnameOverride: other
commonLabels: {team: platform}
replicas: 3
image: {repository: registry.example/steadyset, tag: "1.2.3", pullPolicy: Always}
imagePullSecrets: [{name: pull}]
webhook:
  failurePolicy: Fail
  timeoutSeconds: 10
  excludedNamespaces: [kube-system, cert-manager]
  namespaceSelector:
    matchLabels: {judged: "yes"}
    matchExpressions: [{key: tier, operator: In, values: [one, two]}]
  objectSelector:
    matchLabels: {judged: "yes"}
    matchExpressions: [{key: tier, operator: Exists}]
  annotations: {example.org/a: b}
governingServices: {enabled: false}
policies: [{name: first-look, spec: {enforcement: Warn, rules: {service-missing: Ignore}}}]
certificates: {secretName: kept}
serviceAccount: {create: true, name: account, annotations: {example.org/a: b}}
service: {port: 8443, annotations: {example.org/a: b}}
listenAddress: "[::]"
ports: {webhook: 10250, probes: 10251}
capacity: {maxInFlight: 512, bodyMemory: 128Mi, maxConnections: 8192}
shutdown: {lameDuckSeconds: 15, graceSeconds: 60}
logFormat: text
extraArgs: [--kube-version=1.36]
extraEnv: [{name: RUST_LOG, value: debug}]
extraVolumes: [{name: more, configMap: {name: more}}]
extraVolumeMounts: [{name: more, mountPath: /more}]
resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}
runAsUser: 10001
podDisruptionBudget: {enabled: false}
topologySpread: [{topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule}]
priorityClassName: system-cluster-critical
podLabels: {a: b}
podAnnotations: {a: b}
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: a, operator: Exists}]
affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}
networkPolicy:
  webhookFrom: [{ipBlock: {cidr: 10.0.0.0/8}}]
  probesFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
  egress: [{ports: [{port: 6443, protocol: TCP}]}]
"#,
    ),
    (
        "{}",
        r#"
image: {digest: "sha256:0123456789012345678901234567890123456789012345678901234567890123"}
serviceAccount: {create: false}
networkPolicy: {enabled: false}
certificates: {mode: cert-manager}
"#,
    ),
    (
        "{certificates: {mode: cert-manager}}",
        "certificates: {duration: 720h, renewBefore: 240h, authorityDuration: 43800h}",
    ),
    (
        "{certificates: {mode: cert-manager}}",
        "certificates: {issuerRef: {name: ours, kind: ClusterIssuer, group: cert-manager.io}}",
    ),
    ("{}", "podMonitor: {enabled: true}"),
    (
        "{podMonitor: {enabled: true}}",
        "podMonitor: {interval: 10s, labels: {a: b}}",
    ),
    ("{}", "serviceMonitor: {enabled: true}"),
    (
        "{serviceMonitor: {enabled: true}}",
        "serviceMonitor: {interval: 10s, labels: {a: b}}",
    ),
    ("{}", "prometheusRule: {enabled: true}"),
    (
        "{prometheusRule: {enabled: true}}",
        "prometheusRule: {labels: {a: b}, certificateDays: 14}",
    ),
    ("{}", "dashboard: {enabled: true}"),
    (
        "{dashboard: {enabled: true}}",
        "dashboard: {namespace: default, labels: {a: b}, annotations: {a: b}}",
    ),
];

fn parsed(text: &str) -> Result<Value> {
    let mut documents = manifests::objects(text)?;
    documents.pop().context("no values")
}

/// The paths of single values: what the schema says no more about is one value.
fn paths(schema: &Value, at: &str) -> Vec<String> {
    let properties = schema["properties"].as_object();
    let Some(properties) = properties else {
        return vec![at.to_owned()];
    };
    let below = properties.iter().filter(|(name, _)| *name != "global");
    below
        .flat_map(|(name, property)| paths(property, &format!("{at}/{name}")))
        .collect()
}

/// One at a time: a value that changes nothing is none.
fn every_value_has_an_effect(cluster: &Cluster) -> Result<()> {
    let schema = fs::read_to_string(manifests::chart().join("values.schema.json"))?;
    let schema: Value = serde_json::from_str(&schema)?;
    let mut missing: BTreeSet<String> = paths(&schema, "").into_iter().collect();
    for (around, switched) in SWITCHED {
        let (around, switched) = (parsed(around)?, parsed(switched)?);
        let before = rendered(cluster, Helm::V3, &around.to_string())?;
        let given: Vec<_> = paths(&schema, "")
            .into_iter()
            .filter(|path| switched.pointer(path).is_some())
            .collect();
        for path in given {
            let mut values = around.clone();
            json_patch::merge(&mut values, &only(&path, &switched));
            let after = rendered(cluster, Helm::V3, &values.to_string()).context(path.clone())?;
            let is_default =
                path == "/serviceAccount/create" && switched.pointer(&path) == Some(&json!(true));
            ensure!(before != after || is_default, "{path} changes nothing");
            missing.remove(&path);
        }
    }
    ensure!(missing.is_empty(), "never switched: {missing:?}");
    Ok(())
}

/// The values with nothing but what is at this path.
fn only(path: &str, values: &Value) -> Value {
    let value = values.pointer(path).cloned().unwrap_or_default();
    let names = path.split('/').skip(1).collect::<Vec<_>>();
    names
        .into_iter()
        .rev()
        .fold(value, |below, name| json!({ name: below }))
}

fn the_api_server_takes_what_is_rendered(cluster: &Cluster) -> Result<()> {
    let mut apply = cluster.kubectl("apply --server-side")?;
    for file in definitions()?.into_iter().chain([manifests::definitions()]) {
        apply = apply.arg("-f").arg(file);
    }
    apply.ok()?;
    let established = "wait --for=condition=Established crd --all --timeout=60s";
    cluster.kubectl(established)?.ok()?;
    let strict = "apply --dry-run=server --validate=strict -f -";
    for helm in Helm::BOTH {
        for (around, switched) in [("{}", "{}")].iter().chain(SWITCHED) {
            let mut values = parsed(around)?;
            json_patch::merge(&mut values, &parsed(switched)?);
            let text = template(cluster, helm, "--values=-")?
                .stdin(values.to_string())
                .ok()?
                .stdout;
            eventually("the new kinds", SOON, || {
                let taken = cluster.kubectl(strict)?.stdin(text.clone()).ok();
                let taken = taken.with_context(|| format!("{values}"))?;
                ensure!(!taken.stderr.contains("Warning"), "{taken}");
                Ok(())
            })?;
        }
    }
    let wrong = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": {"name": "wrong"},
        "spec": {"selector": {}, "podMetricsEndpoints": [{"ports": "probes"}]}});
    let refused = cluster
        .kubectl(strict)?
        .stdin(wrong.to_string())
        .refused()?;
    ensure!(refused.stderr.contains("ports"), "{refused}");
    Ok(())
}
