//! Five people turned Deployments into StatefulSets and wrote down what they did. Their reports, step by step, on a
//! cluster where the webhook is in force: told aloud by the demo, silently by the tests.

mod fifth;
mod first;
mod fourth;
mod second;
mod third;

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use crate::support::{Cluster, Helm, Namespace, Output, Run};

/// One report: what it is about, and its steps.
pub type Report = (&'static str, fn(&Stage<'_>) -> Result<()>);

/// All five.
pub const REPORTS: [Report; 5] = [
    first::REPORT,
    second::REPORT,
    third::REPORT,
    fourth::REPORT,
    fifth::REPORT,
];

/// What Helm prints of every release, and what it says twice.
const BOILERPLATE: [&str; 7] = [
    "NAME:",
    "LAST DEPLOYED:",
    "NAMESPACE:",
    "REVISION:",
    "DESCRIPTION:",
    "TEST SUITE:",
    "level=WARN",
];

/// Where a report is played: a namespace of its own, under the webhook.
#[derive(Debug)]
pub struct Stage<'a> {
    ns: Namespace<'a>,
    helm: Helm,
    aloud: bool,
}

impl<'a> Stage<'a> {
    /// A new namespace for a report, played with this Helm; `aloud` prints every step.
    ///
    /// # Errors
    /// When the webhook does not come up.
    pub fn new(cluster: &'a Cluster, helm: Helm, aloud: bool) -> Result<Self> {
        Ok(Self {
            ns: cluster.guarded_namespace()?,
            helm,
            aloud,
        })
    }

    /// What is about to be asked, and why.
    fn tell(&self, text: &str) {
        self.print(&format!("\n  {text}"));
    }

    /// Something that must be admitted; hands back what was printed.
    fn admitted(&self, run: Run) -> Result<Output> {
        let output = self.shown(run)?;
        ensure!(output.status == 0, "should have been admitted: {output}");
        Ok(output)
    }

    /// Something that must be refused with all these words.
    fn refused(&self, run: Run, words: &[&str]) -> Result<()> {
        let output = self.shown(run)?;
        ensure!(output.status != 0, "should have been refused: {output}");
        self.says(&output, words)
    }

    /// Words that the user must have been shown.
    fn says(&self, output: &Output, words: &[&str]) -> Result<()> {
        for word in words {
            ensure!(
                output.stderr.contains(word),
                "does not say {word:?}: {output}"
            );
        }
        self.print(&format!("    ok: it says {}", words.join(", ")));
        Ok(())
    }

    /// Nothing may have been said.
    fn is_silent(&self, output: &Output) -> Result<()> {
        ensure!(
            !output.stderr.contains("Warning"),
            "should have been silent: {output}"
        );
        self.print("    ok: not a word from the webhook");
        Ok(())
    }

    /// A fact about an object.
    fn holds(&self, what: &str, seen: &Value, wanted: &Value) -> Result<()> {
        ensure!(seen == wanted, "{what}: it is {seen}, not {wanted}");
        let shown = if wanted.is_null() {
            "none".to_owned()
        } else {
            wanted.to_string()
        };
        self.print(&format!("    ok: {what}: {shown}"));
        Ok(())
    }

    /// The set's pods are Ready, and each holds its claim of this size.
    fn runs(&self, set: &str, claim: Option<(&str, &str)>) -> Result<()> {
        let found = self.ns.ready(set)?;
        let replicas = &found["spec"]["replicas"];
        self.print(&format!("    ok: {set} is ready, {replicas} of {replicas}"));
        let Some((claim, size)) = claim else {
            return Ok(());
        };
        for ordinal in 0..found["spec"]["replicas"].as_i64().unwrap_or_default() {
            let name = format!("{claim}-{set}-{ordinal}");
            let status = &self.ns.get(&format!("pvc/{name}"))?["status"];
            let seen = json!([status["phase"], status["capacity"]["storage"]]);
            self.holds(&name, &seen, &json!(["Bound", size]))?;
        }
        Ok(())
    }

    /// The set is linked to the headless Service that the webhook's controller keeps for it.
    fn has_service_of_ours(&self, set: &str) -> Result<()> {
        let name = format!("{set}-pods");
        let found = self.ns.get(&format!("sts/{set}"))?;
        self.holds("serviceName", &found["spec"]["serviceName"], &json!(name))?;
        let service =
            self.ns
                .await_object(&format!("svc/{name}"), Duration::from_secs(20), |_| Ok(()))?;
        self.holds(
            &format!("clusterIP of {name}"),
            &service["spec"]["clusterIP"],
            &json!("None"),
        )
    }

    /// The container's readiness probe is the injected one.
    fn has_probe_of_ours(&self, set: &str, port: &Value) -> Result<()> {
        let found = self.ns.get(&format!("sts/{set}"))?;
        let probe = &found["spec"]["template"]["spec"]["containers"][0]["readinessProbe"];
        self.holds(
            "readiness probe, tcpSocket",
            &probe["tcpSocket"]["port"],
            port,
        )
    }

    /// What the reports show at their end.
    fn overview(&self) -> Result<()> {
        if self.aloud {
            self.shown(self.ns.kubectl("get po,sts,svc,pvc")?)?;
        }
        Ok(())
    }

    fn shown(&self, run: Run) -> Result<Output> {
        let output = run.run()?;
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        self.print(&format!("    $ {}", output.command.replace(here, "")));
        let (facts, _advice) = output
            .stdout
            .split_once("\nNOTES:")
            .unwrap_or((&output.stdout, ""));
        for line in facts.lines().chain(output.stderr.lines()) {
            if !BOILERPLATE.iter().any(|start| line.starts_with(start)) && !line.is_empty() {
                self.print(&format!("      {line}"));
            }
        }
        Ok(output)
    }

    fn print(&self, text: &str) {
        if self.aloud {
            println!("{text}");
        }
    }
}

/// The one container of a rendered or stored set.
fn container(set: &Value) -> Result<&Value> {
    match set["spec"]["template"]["spec"]["containers"]
        .as_array()
        .map(Vec::as_slice)
    {
        Some([container]) => Ok(container),
        _ => bail!("not one container: {set}"),
    }
}
