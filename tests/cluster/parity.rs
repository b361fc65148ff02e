//! A set gets the same verdict as its author wrote it and as the API server stores it, its defaults filled in: to the rules and
//! injections an absent field is its default.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use steadyset::cluster_view::ServiceKeeping;
use steadyset::cluster_view::manifests::Manifests;
use steadyset::model::finding::Phase;
use steadyset::policy::Policies;
use steadyset::review::review;
use steadyset::strict::Slips;
use steadyset::strict::{Source, Subject};
use steadyset::yaml::read::documents;

use crate::Test;
use crate::api::Api;
use crate::authored::slips;
use crate::differential::generate::set;
use crate::support::Cluster;

/// What files and clusters must agree on.
pub const TESTS: &[Test] = &[(
    "a_file_and_the_stored_set_get_one_verdict",
    a_file_and_the_stored_set_get_one_verdict,
)];

/// The rendered charts: not part of this repository, their licences differ.
const CORPUS: &str = "../shared/corpus";

/// How many sets are drawn, beside those that are written down.
const DRAWN: usize = 1_500;

fn a_file_and_the_stored_set_get_one_verdict(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let mut api = Api::new(cluster)?;
    let path = format!(
        "/apis/apps/v1/namespaces/{}/statefulsets?dryRun=All",
        ns.name()
    );
    let mut sets = written();
    let by_hand = sets.len();
    sets.extend(drawn()?);
    sets.extend(charts()?);
    let (mut compared, mut differences) = (0, Vec::new());
    for (index, mut set) in sets.into_iter().enumerate() {
        set["metadata"]["namespace"] = json!(ns.name());
        let answer = api.create(&path, &set)?;
        if answer.code != 201 {
            ensure!(
                index >= by_hand,
                "refused: {} {set}",
                answer.body["message"]
            );
            continue;
        }
        compared += 1;
        let stored = answer.body;
        let slips = slips(&stored)?;
        ensure!(slips == Slips::default(), "{stored}: {slips:?}");
        let dropped = has_max_unavailable(&set) && !has_max_unavailable(&stored);
        let (file, stored) = (
            said(ns.name(), &set, dropped)?,
            said(ns.name(), &stored, dropped)?,
        );
        if file != stored {
            differences.push(format!("{set}\n  file   {file}\n  stored {stored}"));
        }
    }
    println!("{compared} sets, {} differ", differences.len());
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    ensure!(
        compared > by_hand + DRAWN / 4,
        "the server took {compared} alone"
    );
    Ok(())
}

fn has_max_unavailable(set: &Value) -> bool {
    !set["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"].is_null()
}

/// The findings and the patch, the record of it aside. A server that drops `maxUnavailable` leaves nothing to be said of it.
fn said(namespace: &str, set: &Value, dropped: bool) -> Result<String> {
    let object = to_raw_value(set)?;
    let source = Source {
        namespace,
        object: &object,
        old_object: None,
    };
    let cluster = Manifests::new(Some("1.36.3".parse()?), ServiceKeeping::Kept).whole();
    let now = Timestamp::UNIX_EPOCH;
    let verdict = Subject::decode(source)?
        .and_then(|subject| review(&Policies::default(), subject, &cluster, Phase::File, now))
        .unwrap_or_default();
    let findings = verdict.findings.iter();
    let findings: Vec<_> = findings
        .filter(|finding| !(dropped && finding.rule.starts_with("max-unavailable-")))
        .collect();
    let changes = verdict.changes.iter();
    let changes: Vec<_> = changes.filter(|change| !change.is_record()).collect();
    Ok(format!("{findings:?} {:?} {changes:?}", verdict.moves))
}

/// Sets that leave to the server what a rule or an injection reads.
fn written() -> Vec<Value> {
    let probe = json!({"httpGet": {"port": 80}});
    let specs = [
        json!({}),
        json!({"updateStrategy": {}}),
        json!({"updateStrategy": {"type": "OnDelete"}}),
        json!({"updateStrategy": {"type": "RollingUpdate"}}),
        json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {}}}),
        json!({"updateStrategy": {"rollingUpdate": {"partition": 3}}}),
        json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}),
        json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}, "podManagementPolicy": "Parallel"}),
        json!({"updateStrategy": {"rollingUpdate": {"partition": 1}}, "podManagementPolicy": "Parallel", "replicas": 1}),
        json!({"updateStrategy": {"rollingUpdate": {"partition": 1}}}),
        json!({"persistentVolumeClaimRetentionPolicy": {}}),
        json!({"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}),
        json!({"ordinals": {}}),
        json!({"replicas": 0}),
        json!({"minReadySeconds": 5, "serviceName": "web"}),
        json!({"template": {"spec": {"terminationGracePeriodSeconds": 0}}}),
        json!({"template": {"spec": {"containers": [{"ports": [{"containerPort": 80}]}]}}}),
        json!({"template": {"spec": {"containers": [{"ports": [{"containerPort": 80}], "readinessProbe": probe}]}}}),
        json!({"template": {"spec": {"containers": [{"ports": [{"containerPort": 80}], "livenessProbe": probe}]}}}),
        json!({"template": {"spec": {"containers": [{"ports": [{"name": "http", "containerPort": 80}],
            "startupProbe": {"httpGet": {"port": "http"}}, "livenessProbe": {"tcpSocket": {"port": "http"}}}]}}}),
        json!({"template": {"spec": {"containers": [{"image": "postgres:16", "livenessProbe": {"tcpSocket": {"port": 5432}}}]}}}),
        json!({"template": {"spec": {"containers": [{"image": "postgres:16", "ports": [{"containerPort": 5432}]}]}}}),
        json!({"template": {"spec": {"containers": [{"image": "redis:7", "livenessProbe": {"exec": {"command": ["redis-cli", "ping"]}}}]}}}),
        json!({"template": {"spec": {"containers": [{"volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim()}]}),
        json!({"template": {"spec": {"containers": [{"volumeDevices": [{"name": "data", "devicePath": "/dev/x"}]}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim()}]}),
        json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim()}],
            "template": {"spec": {"volumes": [{"name": "data", "configMap": {"name": "web"}}, {"name": "tmp"}]}}}),
    ];
    specs.iter().map(completed).collect()
}

fn claim() -> Value {
    json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}})
}

fn completed(spec: &Value) -> Value {
    let mut set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{}]}}}});
    json_patch::merge(&mut set["spec"], spec);
    let containers = set["spec"]["template"]["spec"]["containers"].as_array_mut();
    for container in containers.into_iter().flatten() {
        let mut whole = json!({"name": "web", "image": "registry.example/web:1"});
        json_patch::merge(&mut whole, container);
        *container = whole;
    }
    set
}

fn drawn() -> Result<Vec<Value>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = set().boxed();
    let mut draw = || {
        let tree = strategy.new_tree(&mut runner);
        tree.map(|tree| tree.current())
            .map_err(|reason| anyhow::anyhow!("{reason}"))
    };
    (0..DRAWN).map(|_| draw()).collect()
}

/// Every set of every chart.
fn charts() -> Result<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(CORPUS);
    let mut sets = Vec::new();
    if !folder.is_dir() {
        return Ok(sets);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        for document in documents(&fs::read_to_string(path)?) {
            let document = document?;
            if document.kind == "StatefulSet" && document.api_version == "apps/v1" {
                sets.push(serde_json::from_str(document.read()?.json()?.get())?);
            }
        }
    }
    Ok(sets)
}
