//! How `fix` and `post-render` judge, and which cluster they ask.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::policies;
use crate::audit::report::{self, Format, Style};
use crate::cli::fix::live;
use crate::cli::fix::live::Unanswered;
use crate::cli::fix::run::{Outcome, Texts, run};
use crate::kube_client::Target;
use crate::model::text::visible;
use crate::model::version::ServerVersion;
use crate::review::report::{Options, Report};
use crate::telemetry::colours_fit;
use jiff::Timestamp;

#[derive(Debug, clap::Args)]
pub(super) struct Judging {
    /// The namespace of objects that name none
    #[arg(short, long, env = "STEADYSET_NAMESPACE", value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,
    /// A file of policies, or a folder of such; repeatable
    #[arg(
        long,
        env = "STEADYSET_POLICY",
        value_name = "PATH",
        value_delimiter = ','
    )]
    policy: Vec<PathBuf>,
    /// The version of Kubernetes that the rules assume, such as 1.34 or 1.35.2; a cluster is asked unless told
    #[arg(long, env = "STEADYSET_KUBE_VERSION", value_name = "VERSION")]
    kube_version: Option<ServerVersion>,
    /// The kubeconfig of the cluster that is asked; found as kubectl finds it unless told
    #[arg(long, env = "STEADYSET_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(long, env = "STEADYSET_CONTEXT", value_name = "NAME")]
    pub(super) context: Option<String>,
}

impl Judging {
    /// How sets are judged, as far as the user says.
    pub(super) fn options(&self) -> anyhow::Result<Options> {
        Ok(Options {
            policies: policies(&self.policy)?,
            kube_version: self.kube_version,
            namespace: self
                .namespace
                .clone()
                .unwrap_or_else(|| "default".to_owned()),
            rules: BTreeSet::new(),
            skip_rules: BTreeSet::new(),
            keep_sources: false,
            now: Timestamp::now(),
            progress: Arc::default(),
        })
    }

    /// The cluster that is asked.
    pub(super) fn target(&self) -> Target {
        Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        }
    }

    /// Fixes with a cluster to ask: its policies hold where none are given, and its default namespace.
    pub(super) async fn fix_live(
        &self,
        target: &Target,
        texts: &Texts,
        mut options: Options,
    ) -> Result<Outcome, Unanswered> {
        let client = target.connect().await?;
        if self.namespace.is_none() {
            client
                .default_namespace()
                .clone_into(&mut options.namespace);
        }
        let mut notes = Vec::new();
        live::complete(&client, &mut options, !self.policy.is_empty(), &mut notes).await?;
        let mut outcome = run(texts, &options, Some(&client)).await?;
        outcome.report.notes.extend(notes);
        Ok(outcome)
    }
}

/// Says what was found, where results do not go.
pub(super) fn say(report: &Report) -> io::Result<()> {
    for note in &report.notes {
        eprintln!("note: {}", visible(note));
    }
    let is_quiet =
        report.errors.is_empty() && report.rows.iter().all(|row| row.findings.is_empty());
    if is_quiet {
        return Ok(());
    }
    let mut out = io::stderr().lock();
    let style = Style {
        colour: colours_fit(&io::stderr()),
        mutations: false,
        excerpts: false,
    };
    report::write(report, Format::Table, style, &mut out)
}
