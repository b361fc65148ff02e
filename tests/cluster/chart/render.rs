//! What the chart renders: lint, the shipped `install.yaml`, every value switched, and what it refuses.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{rendered, template};
use crate::Test;
use crate::support::{Cluster, Helm, manifests};

pub const TESTS: &[Test] = &[
    ("lint_has_nothing_to_say", lint_has_nothing_to_say),
    ("install_yaml_is_the_chart", install_yaml_is_the_chart),
    (
        "what_cannot_work_is_refused_with_a_way_out",
        what_cannot_work_is_refused,
    ),
    (
        "a_value_that_does_not_exist_is_refused",
        a_value_that_does_not_exist_is_refused,
    ),
];

/// Written over instead of compared: `make manifests`.
const WRITE: &str = "STEADYSET_WRITE_MANIFESTS";

/// What Helm does not render.
const HEAD: &str = "\
# Rendered from the chart in manifests/steadyset by `make manifests`, with its own values.
# No image is published: build one, and name it in the Deployment.
---
apiVersion: v1
kind: Namespace
metadata:
  name: steadyset-system
  labels:
    app.kubernetes.io/name: steadyset
    app.kubernetes.io/component: access
    pod-security.kubernetes.io/enforce: restricted
";

fn lint_has_nothing_to_say(cluster: &Cluster) -> Result<()> {
    for helm in Helm::BOTH {
        let output = cluster
            .helm(helm, "lint --strict")?
            .arg(manifests::chart())
            .ok()?;
        ensure!(output.stdout.contains(" 0 chart(s) failed"), "{output}");
        ensure!(!output.stdout.contains("[WARNING]"), "{output}");
    }
    Ok(())
}

fn install_yaml_is_the_chart(cluster: &Cluster) -> Result<()> {
    let text = template(cluster, Helm::V3, "--include-crds")?.ok()?.stdout;
    if std::env::var_os(WRITE).is_some() {
        fs::write(manifests::install(), format!("{HEAD}{text}"))?;
    }
    let shipped = by_name(manifests::installed()?)?;
    for helm in Helm::BOTH {
        let text = template(cluster, helm, "--include-crds")?.ok()?.stdout;
        let rendered = by_name(manifests::objects(&format!("{HEAD}{text}"))?)?;
        let names = |objects: &[(String, Value)]| -> Vec<String> {
            objects.iter().map(|(name, _)| name.clone()).collect()
        };
        ensure!(
            names(&shipped) == names(&rendered),
            "{:?} are shipped, {:?} are rendered: run `make manifests`",
            names(&shipped),
            names(&rendered)
        );
        for ((name, shipped), (_, rendered)) in shipped.iter().zip(&rendered) {
            ensure!(shipped == rendered, "{name} differs: run `make manifests`");
        }
    }
    Ok(())
}

/// In an order that does not depend on the version of Helm.
fn by_name(objects: Vec<Value>) -> Result<Vec<(String, Value)>> {
    let named = |object: Value| {
        let word = |field: &Value| field.as_str().map(str::to_owned);
        let kind = word(&object["kind"]).context("no kind")?;
        let name = word(&object["metadata"]["name"]).context("no name")?;
        Ok((format!("{kind}/{name}"), object))
    };
    let mut named: Vec<_> = objects.into_iter().map(named).collect::<Result<_>>()?;
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(named)
}

/// Values, and words of the refusal: what is wrong, and what to write.
const REFUSED: &[(&str, [&str; 2])] = &[
    (
        "{replicas: 1, webhook: {failurePolicy: Fail}}",
        ["replicas is below 2", "write replicas: 2"],
    ),
    (
        "{certificates: {mode: secret}}",
        ["no Secret is named", "write certificates.secretName"],
    ),
    (
        "{certificates: {issuerRef: {name: ours}}}",
        ["certificates.issuerRef", "mode: cert-manager"],
    ),
    (
        "{podMonitor: {enabled: true}, serviceMonitor: {enabled: true}}",
        ["stored twice", "enable one"],
    ),
    (
        "{ports: {webhook: 8443, probes: 8443}}",
        ["are the same", "two different ports"],
    ),
];

fn what_cannot_work_is_refused(cluster: &Cluster) -> Result<()> {
    for helm in Helm::BOTH {
        for (values, words) in REFUSED {
            let run = template(cluster, helm, "--values=-")?.stdin(*values);
            let refused = run.refused()?;
            for word in words {
                ensure!(
                    refused.stderr.contains(word),
                    "{values}: no {word:?}: {refused}"
                );
            }
        }
        let two = "{replicas: 2, webhook: {failurePolicy: Fail}}";
        rendered(cluster, helm, two)?;
    }
    Ok(())
}

/// Every object of the schema says which members it has, so a misspelt value is never taken for the default.
fn a_value_that_does_not_exist_is_refused(cluster: &Cluster) -> Result<()> {
    let text = fs::read_to_string(manifests::chart().join("values.schema.json"))?;
    let schema: Value = serde_json::from_str(&text)?;
    let defaults = fs::read_to_string(manifests::chart().join("values.yaml"))?;
    let defaults = manifests::objects(&defaults)?;
    described(
        "values",
        &schema,
        defaults.first().context("values.yaml is empty")?,
    )?;
    for helm in Helm::BOTH {
        for values in [
            "{replica: 3}",
            "{webhook: {failurepolicy: Fail}}",
            "{webhook: {failurePolicy: fail}}",
            "{replicas: '3'}",
            "{shutdown: {lameDuckSeconds: 5s}}",
        ] {
            template(cluster, helm, "--values=-")?
                .stdin(values)
                .refused()
                .context(values)?;
        }
    }
    Ok(())
}

/// The schema knows every default, and nothing that has none. `global` is Helm's own.
fn described(at: &str, schema: &Value, default: &Value) -> Result<()> {
    let Some(properties) = schema["properties"].as_object() else {
        return Ok(());
    };
    ensure!(
        schema["additionalProperties"] == json!(false),
        "{at}: other members are not refused"
    );
    let Some(default) = default.as_object().filter(|object| !object.is_empty()) else {
        return Ok(());
    };
    for (name, property) in properties.iter().filter(|(name, _)| *name != "global") {
        let at = format!("{at}.{name}");
        let value = default.get(name);
        described(
            &at,
            property,
            value.with_context(|| format!("{at} has no default in values.yaml"))?,
        )?;
    }
    let unknown = default.keys().find(|name| properties.get(*name).is_none());
    ensure!(unknown.is_none(), "{at}: {unknown:?} is not in the schema");
    Ok(())
}
