//! What only the author's file shows, beside what a real API server does with it.

use anyhow::{Context, Result, ensure};
use json_patch::Patch;
use serde_json::{Map, Value, json};
use steadyset::strict::{Authored, Slip, Slips};
use steadyset::yaml::read::documents;

use crate::Test;
use crate::api::Api;
use crate::support::{Cluster, Namespace};

pub const TESTS: &[Test] = &[
    (
        "what_is_misplaced_is_dropped_and_accepted_once_it_is_moved",
        what_is_misplaced_is_dropped,
    ),
    (
        "the_server_cannot_read_what_has_the_wrong_type",
        the_server_cannot_read_what_has_the_wrong_type,
    ),
    (
        "every_field_of_the_server_is_known",
        every_field_of_the_server_is_known,
    ),
    (
        "of_a_repeated_key_kubectl_sends_the_last",
        of_a_repeated_key_kubectl_sends_the_last,
    ),
];

/// A set without the line under test.
const SET: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  serviceName: web
  replicas: 0
  selector:
    matchLabels: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
";

const CLAIMS: &str = "[{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]";

/// The mistakes of real charts: what stands in place of what, the line where the slip is found, the field as kubectl names it, and where
/// the value should be.
fn mistakes() -> [(&'static str, String, usize, &'static str, &'static str); 8] {
    let line = |text: &str| text.replace("CLAIMS", CLAIMS);
    [
        (
            "  template:\n",
            line("  template:\n    volumeClaimTemplates: CLAIMS\n"),
            11,
            "spec.template.volumeClaimTemplates",
            "/spec/volumeClaimTemplates",
        ),
        (
            "    spec:\n",
            line("    spec:\n      volumeClaimTemplates: CLAIMS\n"),
            13,
            "spec.template.spec.volumeClaimTemplates",
            "/spec/volumeClaimTemplates",
        ),
        (
            "  replicas",
            line("  volumeclaimtemplates: CLAIMS\n  replicas"),
            7,
            "spec.volumeclaimtemplates",
            "/spec/volumeClaimTemplates",
        ),
        (
            "  replicas",
            "  podmanagementpolicy: Parallel\n  replicas".to_owned(),
            7,
            "spec.podmanagementpolicy",
            "/spec/podManagementPolicy",
        ),
        (
            "matchLabels",
            "matchlabels".to_owned(),
            9,
            "spec.selector.matchlabels",
            "/spec/selector/matchLabels",
        ),
        (
            "  replicas",
            "  strategy: {type: OnDelete}\n  replicas".to_owned(),
            7,
            "spec.strategy",
            "/spec/updateStrategy",
        ),
        (
            "      containers:\n",
            "      updateStrategy: {type: OnDelete}\n      containers:\n".to_owned(),
            13,
            "spec.template.spec.updateStrategy",
            "/spec/updateStrategy",
        ),
        (
            "      containers:\n",
            "      ports: [{containerPort: 80}]\n      containers:\n".to_owned(),
            13,
            "spec.template.spec.ports",
            "/spec/template/spec/containers/0/ports",
        ),
    ]
}

fn what_is_misplaced_is_dropped(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let mut api = Api::new(cluster)?;
    for (from, to, line, field, right) in mistakes() {
        let text = SET.replacen(from, &to, 1);
        ensure!(text != SET, "{field}");
        let strict = "apply --validate=strict --dry-run=server -f -";
        let refusal = ns.kubectl(strict)?.stdin(text.as_str()).refused()?;
        let names_it = format!("unknown field \"{field}\"");
        ensure!(refusal.stderr.contains(&names_it), "{refusal}");
        let mut set = json(&text)?;
        let answer = api.create(&sets(&ns), &set)?;
        // of the selector the server cannot do without
        let is_dropped =
            answer.code == 201 && fitting(&answer.body, right) != Some(&value(&set, field)?);
        ensure!(is_dropped || answer.code == 422, "{field}: {}", answer.body);
        let run = cluster.run_steadyset("audit - -o json --rule unknown-field --fail-on never");
        let report = run.stdin(text.as_str()).json()?;
        let row = &report["results"][0];
        let found = &row["findings"];
        ensure!(
            found.as_array().is_some_and(|found| found.len() == 1)
                && found[0]["line"] == line
                && found[0]["action"] == "deny",
            "{field}: {found}"
        );
        let mut patch: Vec<Value> = row["patch"].as_array().cloned().unwrap_or_default();
        patch.retain(|operation| operation["op"] == "move");
        let patch: Patch = serde_json::from_value(Value::Array(patch))?;
        json_patch::patch(&mut set, &patch)?;
        ensure!(set.pointer(right).is_some(), "{field}: {patch}");
        ns.kubectl(strict)?
            .stdin(set.to_string())
            .ok()
            .with_context(|| field.to_owned())?;
    }
    Ok(())
}

fn sets(ns: &Namespace<'_>) -> String {
    format!(
        "/apis/apps/v1/namespaces/{}/statefulsets?dryRun=All",
        ns.name()
    )
}

/// What the server stored at a pointer, where it is more than a default.
fn fitting<'v>(set: &'v Value, pointer: &str) -> Option<&'v Value> {
    set.pointer(pointer)
}

fn value(set: &Value, field: &str) -> Result<Value> {
    let pointer = format!("/{}", field.replace('.', "/"));
    Ok(set
        .pointer(&pointer)
        .with_context(|| format!("no {field}"))?
        .clone())
}

/// The JSON that kubectl makes of a manifest.
fn json(text: &str) -> Result<Value> {
    let document = documents(text).next().context("no document")??;
    Ok(serde_json::from_str(document.read()?.json()?.get())?)
}

/// What is wrong with how a set is written.
pub fn slips(set: &Value) -> Result<Slips> {
    let text = set.to_string();
    let document = documents(&text).next().context("no document")??;
    Ok(Authored::read(&document.read()?)?.slips)
}

/// Every type of field beside every kind of value: what the server answers with 400 has the wrong type, and nothing else.
fn the_server_cannot_read_what_has_the_wrong_type(cluster: &Cluster) -> Result<()> {
    const CONTAINER: &str = "/spec/template/spec/containers/0";
    let ns = cluster.namespace()?;
    let mut api = Api::new(cluster)?;
    let values = [
        json!(null),
        json!(true),
        json!(5432),
        json!(-1),
        json!(0.5),
        json!(4_000_000_000_u32),
        json!(9_300_000_000_000_000_000_u64),
        json!("web"),
        json!(""),
        json!("3"),
        json!("true"),
        json!("10Gi"),
        json!("10GB"),
        json!("1e3"),
        json!("1.2.3"),
        json!("+5"),
        json!(".5"),
        json!("5."),
        json!("-"),
        json!("1E"),
        json!(" 1"),
        json!("Gi"),
        json!("."),
        json!(".Gi"),
        json!("+"),
        json!("-m"),
        json!("1e"),
        json!("e3"),
        json!("1e+3"),
        json!("1e1.5"),
        json!("1 Gi"),
        json!("1gi"),
        json!("1KI"),
        json!("1K"),
        json!("--1"),
        json!([]),
        json!(["web"]),
        json!([null]),
        json!([{}]),
        json!({}),
        json!({"a": "b"}),
        json!({"a": null}),
    ];
    let fields = [
        "/spec/replicas".to_owned(),
        "/spec/serviceName".to_owned(),
        "/spec/selector".to_owned(),
        "/spec/volumeClaimTemplates".to_owned(),
        "/spec/updateStrategy".to_owned(),
        "/metadata/labels".to_owned(),
        "/metadata/labels/a".to_owned(),
        "/spec/template/spec/activeDeadlineSeconds".to_owned(),
        "/spec/template/spec/nodeSelector".to_owned(),
        format!("{CONTAINER}/command"),
        format!("{CONTAINER}/env"),
        format!("{CONTAINER}/env/0/value"),
        format!("{CONTAINER}/tty"),
        format!("{CONTAINER}/livenessProbe/tcpSocket/port"),
        format!("{CONTAINER}/resources/limits/cpu"),
        format!("{CONTAINER}/resources/limits"),
    ];
    let whole = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web", "labels": {}}, "spec": {
        "replicas": 0, "serviceName": "web", "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web", "env": [{"name": "A"}],
                "livenessProbe": {"tcpSocket": {}}, "resources": {"limits": {}}}]}}}});
    let mut differences = Vec::new();
    for field in &fields {
        for value in &values {
            let mut set = whole.clone();
            let (parent, name) = field.rsplit_once('/').context("no parent")?;
            set.pointer_mut(parent).with_context(|| field.clone())?[name] = value.clone();
            let answer = api.create(&sets(&ns), &set)?;
            let is_wrong = slips(&set)?
                .all
                .iter()
                .any(|slip| matches!(slip, Slip::Type { .. }));
            if (answer.code == 400) != is_wrong {
                differences.push(format!(
                    "{field} {value}: {} {}",
                    answer.code, answer.body["message"]
                ));
            }
        }
    }
    println!("{} values", fields.len() * values.len());
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    // a whole number may be written as a fraction where kubectl sends it
    let fraction = SET.replace("replicas: 0", "replicas: 1.0");
    let sent = "apply --validate=strict --dry-run=server -o json -f -";
    let stored = ns.kubectl(sent)?.stdin(fraction.as_str()).json()?;
    ensure!(stored["spec"]["replicas"] == 1, "{stored}");
    ensure!(slips(&json(&fraction)?)? == Slips::default());
    Ok(())
}

/// The server's own schema, turned into a set that has every field there is.
fn every_field_of_the_server_is_known(cluster: &Cluster) -> Result<()> {
    let answer = Api::new(cluster)?.get("/openapi/v3/apis/apps/v1")?;
    let schemas = &answer.body["components"]["schemas"];
    let set = Example { schemas, fields: 0 }.of("io.k8s.api.apps.v1.StatefulSet");
    let (mut set, fields) = set?;
    set["apiVersion"] = json!("apps/v1");
    set["kind"] = json!("StatefulSet");
    println!("{fields} fields");
    ensure!(fields > 500, "{fields}");
    let slips = slips(&set)?;
    ensure!(slips == Slips::default(), "{slips:#?}");
    Ok(())
}

struct Example<'s> {
    schemas: &'s Value,
    fields: usize,
}

impl Example<'_> {
    fn of(mut self, name: &str) -> Result<(Value, usize)> {
        let value = self.named(name)?;
        Ok((value, self.fields))
    }

    fn named(&mut self, name: &str) -> Result<Value> {
        let schema = self.schemas.get(name).with_context(|| name.to_owned())?;
        match name.rsplit('.').next() {
            Some("Quantity") => Ok(json!("1Gi")),
            Some("IntOrString") => Ok(json!("http")),
            _ => self.value(schema),
        }
    }

    fn value(&mut self, schema: &Value) -> Result<Value> {
        let reference = schema["$ref"]
            .as_str()
            .or(schema["allOf"][0]["$ref"].as_str());
        if let Some(name) = reference.and_then(|path| path.rsplit('/').next()) {
            return self.named(name);
        }
        Ok(match schema["type"].as_str() {
            Some("string") => json!("a"),
            Some("boolean") => json!(true),
            Some("integer") => json!(1),
            Some("array") => json!([self.value(&schema["items"])?]),
            Some("object") if schema["additionalProperties"].is_object() => {
                json!({"a": self.value(&schema["additionalProperties"])?})
            }
            Some("object") => {
                let mut members = Map::new();
                for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                    self.fields += 1;
                    members.insert(name.clone(), self.value(field)?);
                }
                Value::Object(members)
            }
            other => anyhow::bail!("{other:?} in {schema}"),
        })
    }
}

fn of_a_repeated_key_kubectl_sends_the_last(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let text = SET.replace("  replicas: 0\n", "  replicas: 1\n  replicas: 0\n");
    let sent = "apply --validate=strict --dry-run=server -o json -f -";
    let stored = ns.kubectl(sent)?.stdin(text.as_str()).json()?;
    ensure!(stored["spec"]["replicas"] == 0, "{stored}");
    let run = cluster.run_steadyset("audit - -o json --rule duplicate-key");
    let report = run.stdin(text.as_str()).json()?;
    let found = &report["results"][0]["findings"][0];
    ensure!(
        found["line"] == 8 && found["message"] == "line 8 wins over the same key on line 7",
        "{report}"
    );
    Ok(())
}
