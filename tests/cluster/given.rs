//! Sets, and what is there to be seen of them: what several topics need.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Namespace, Output};

/// A set that the product would fill in: one named port without a probe, no serviceName. `spec` is merged over it, null
/// takes a field away.
pub fn web(spec: &Value) -> Value {
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{
                    "name": "web", "image": "registry.example/web:1",
                    "ports": [{"name": "http", "containerPort": 8080}],
                }]},
            },
        },
    });
    json_patch::merge(&mut set["spec"], spec);
    set
}

/// A claim of a set.
pub fn claim(name: &str) -> Value {
    json!({"metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}})
}

/// The pod template of [`web`] with other fields of its container.
pub fn template(container: &Value) -> Value {
    let mut template = web(&json!({}))["spec"]["template"].take();
    json_patch::merge(&mut template["spec"]["containers"][0], container);
    template
}

/// The text of every warning that kubectl or Helm showed.
pub fn warnings(output: &Output) -> Vec<&str> {
    let lines = output.stderr.lines();
    lines
        .filter_map(|line| {
            let (_, text) = line.split_once("Warning: ")?;
            Some(text.strip_suffix('"').unwrap_or(text))
        })
        .collect()
}

/// The text on stderr without the warnings above it.
pub fn error_text(output: &Output) -> String {
    let lines = output
        .stderr
        .lines()
        .filter(|line| !line.starts_with("Warning: "));
    lines.collect::<Vec<_>>().join("\n")
}

/// The one warning that ends in `[tag]`.
pub fn warning<'o>(output: &'o Output, tag: &str) -> Result<&'o str> {
    let end = format!(" [{tag}]");
    let mut tagged = warnings(output)
        .into_iter()
        .filter(|text| text.ends_with(&end));
    let found = tagged
        .next()
        .with_context(|| format!("no warning [{tag}]: {output}"))?;
    ensure!(
        tagged.next().is_none(),
        "more than one warning [{tag}]: {output}"
    );
    Ok(found)
}

/// Nothing of ours was shown.
pub fn no_warning_of_ours(output: &Output) -> Result<()> {
    let ours = |text: &&str| text.starts_with("steadyset: ");
    ensure!(!warnings(output).iter().any(ours), "{output}");
    Ok(())
}

/// The readiness probe of the set's first container; null where there is none.
pub fn readiness_probe(set: &Value) -> &Value {
    &set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
}

/// What the product recorded on the set.
pub fn record(set: &Value) -> &Value {
    &set["metadata"]["annotations"]["steadyset.io/injected"]
}

/// Nothing was filled in or recorded.
pub fn nothing_injected(set: &Value) -> Result<()> {
    ensure!(record(set).is_null(), "recorded: {set}");
    ensure!(readiness_probe(set).is_null(), "a probe: {set}");
    let name = set["spec"]["serviceName"].as_str().unwrap_or_default();
    ensure!(name.is_empty(), "linked to {name}");
    Ok(())
}

/// The templates that the set ever had, once its controller has seen what was written last.
pub fn revisions(ns: &Namespace<'_>, set: &str) -> Result<Vec<Value>> {
    let seen = |found: &Value| {
        ensure!(
            found["status"]["observedGeneration"] == found["metadata"]["generation"],
            "not yet seen by its controller"
        );
        Ok(())
    };
    ns.await_object(&format!("sts/{set}"), Duration::from_secs(30), seen)?;
    let mut all = ns.get("controllerrevisions")?;
    let items = all["items"].as_array_mut().context("no list")?;
    items.retain(|item| item["metadata"]["ownerReferences"][0]["name"] == set);
    Ok(std::mem::take(items))
}

/// The set has had that many templates.
pub fn has_revisions(ns: &Namespace<'_>, set: &str, wanted: usize) -> Result<()> {
    let found = revisions(ns, set)?;
    ensure!(
        found.len() == wanted,
        "{set} has {} revisions, not {wanted}: {found:?}",
        found.len()
    );
    Ok(())
}
/// The probe, the link and the record are there.
pub fn all_injected(set: &Value) -> Result<()> {
    ensure!(
        readiness_probe(set)["tcpSocket"]["port"] == "http",
        "the probe is {}",
        readiness_probe(set)
    );
    let service = format!("{}-pods", set["metadata"]["name"].as_str().unwrap_or("?"));
    ensure!(
        set["spec"]["serviceName"] == service.as_str(),
        "linked to {}, not {service}",
        set["spec"]["serviceName"]
    );
    ensure!(!record(set).is_null(), "nothing is recorded");
    Ok(())
}
