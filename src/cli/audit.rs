//! `steadyset audit`: sets in files or in a cluster, judged as the webhook would judge them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;

use super::{UNREACHABLE, UNREADABLE, UsageError, policies, progress, runtime};
use crate::audit;
use crate::audit::baseline::Baseline;
use crate::audit::report::{self, Format, Style};
use crate::kube_client::Target;
use crate::model::finding::Action;
use crate::model::rules;
use crate::model::text::visible;
use crate::model::version::ServerVersion;
use crate::review::report::{Options, Report};
use crate::telemetry::colours_fit;
use jiff::Timestamp;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, folders (all below them), or `-` for standard input
    #[arg(
        value_name = "PATH",
        required_unless_present = "cluster",
        conflicts_with = "cluster"
    )]
    paths: Vec<PathBuf>,
    /// Judge what is stored in a cluster, as if it were created now, by the policies that it holds unless told
    #[arg(long, env = "STEADYSET_CLUSTER")]
    cluster: bool,
    /// The kubeconfig of that cluster; found as kubectl finds it unless told
    #[arg(
        long,
        env = "STEADYSET_KUBECONFIG",
        value_name = "FILE",
        requires = "cluster"
    )]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(
        long,
        env = "STEADYSET_CONTEXT",
        value_name = "NAME",
        requires = "cluster"
    )]
    context: Option<String>,
    /// The namespace: of objects that name none, or the only one of the cluster that is judged
    #[arg(short, long, env = "STEADYSET_NAMESPACE", value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// A file of policies, or a folder of such; repeatable
    #[arg(
        long,
        env = "STEADYSET_POLICY",
        value_name = "PATH",
        value_delimiter = ','
    )]
    policy: Vec<PathBuf>,
    /// The version of Kubernetes that the rules assume, such as 1.34 or 1.35.2
    #[arg(long, env = "STEADYSET_KUBE_VERSION", value_name = "VERSION")]
    kube_version: Option<ServerVersion>,
    /// The form of the report
    #[arg(
        short,
        long,
        env = "STEADYSET_OUTPUT",
        value_name = "FORMAT",
        default_value = "table"
    )]
    output: Format,
    /// Show the findings of this rule alone; repeatable
    #[arg(long, env = "STEADYSET_RULE", value_name = "ID", value_delimiter = ',')]
    rule: Vec<String>,
    /// Do not show the findings of this rule; repeatable
    #[arg(
        long,
        env = "STEADYSET_SKIP_RULE",
        value_name = "ID",
        value_delimiter = ','
    )]
    skip_rule: Vec<String>,
    /// The least that makes the exit code 1
    #[arg(
        long,
        env = "STEADYSET_FAIL_ON",
        value_name = "ACTION",
        default_value = "deny"
    )]
    fail_on: Threshold,
    /// Findings that are known: they are not shown and do not count
    #[arg(long, env = "STEADYSET_BASELINE", value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the findings to this file, for `--baseline`, and end with 0
    #[arg(
        long,
        env = "STEADYSET_WRITE_BASELINE",
        value_name = "FILE",
        conflicts_with = "baseline"
    )]
    write_baseline: Option<PathBuf>,
    /// Show also what would be injected
    #[arg(long, env = "STEADYSET_MUTATIONS")]
    mutations: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Threshold {
    Deny,
    Warn,
    Never,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let options = self.options()?;
        let mut report = match self.report(options) {
            Ok(report) => report,
            Err(error) => {
                eprintln!("steadyset: {error:#}");
                return Ok(ExitCode::from(UNREACHABLE));
            }
        };
        if let (Some(path), true) = (&self.write_baseline, report.errors.is_empty()) {
            let text = Baseline::of(&report).to_json()?;
            fs::write(path, text).map_err(|error| {
                UsageError(format!("--write-baseline {}: {error}", path.display()))
            })?;
            eprintln!("{} written: {}", path.display(), report.known());
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(baseline) = self.baseline()? {
            baseline.subtract(&mut report);
        }
        self.show(&report)?;
        Ok(self.exit_code(&report))
    }

    fn options(&self) -> anyhow::Result<Options> {
        Ok(Options {
            policies: policies(&self.policy)?,
            kube_version: self.kube_version,
            namespace: self
                .namespace
                .clone()
                .unwrap_or_else(|| "default".to_owned()),
            rules: known_rules(&self.rule)?,
            skip_rules: known_rules(&self.skip_rule)?,
            keep_sources: self.output == Format::Table && io::stdout().is_terminal(),
            now: Timestamp::now(),
            progress: Arc::default(),
        })
    }

    fn report(&self, mut options: Options) -> anyhow::Result<Report> {
        let progress = Arc::clone(&options.progress);
        if !self.cluster {
            let audit = || audit::files::audit(&self.paths, &options);
            return Ok(progress::shown(&progress, audit));
        }
        let target = Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        };
        let runtime = runtime()?;
        let audit = async {
            let client = target.connect().await?;
            let mut notes = Vec::new();
            if self.policy.is_empty() {
                options.policies = audit::live::policies(&client, &mut notes).await?;
            }
            let mut report =
                audit::live::audit(&client, self.namespace.as_deref(), &options).await?;
            report.notes.extend(notes);
            Ok(report)
        };
        progress::shown(&progress, || runtime.block_on(audit))
    }

    fn baseline(&self) -> anyhow::Result<Option<Baseline>> {
        let Some(path) = &self.baseline else {
            return Ok(None);
        };
        let wrong = |reason: String| UsageError(format!("--baseline {}: {reason}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(Baseline::from_json(&text).map_err(wrong)?))
    }

    fn show(&self, report: &Report) -> anyhow::Result<()> {
        let terminal = io::stdout().is_terminal();
        let style = Style {
            colour: colours_fit(&io::stdout()),
            mutations: self.mutations,
            excerpts: terminal,
        };
        for note in &report.notes {
            eprintln!("note: {}", visible(note));
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        let written = report::write(report, self.output, style, &mut out);
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => Ok(done?),
        }
    }

    fn exit_code(&self, report: &Report) -> ExitCode {
        let reached = match self.fail_on {
            Threshold::Deny => report.reaches(Action::Deny),
            Threshold::Warn => report.reaches(Action::Warn),
            Threshold::Never => false,
        };
        if !report.errors.is_empty() {
            ExitCode::from(UNREADABLE)
        } else if reached {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

fn known_rules(ids: &[String]) -> anyhow::Result<BTreeSet<&'static str>> {
    let known = ids.iter().map(|id| match rules::find(id) {
        Ok(rule) => Ok(rule.id),
        Err(unknown) => Err(UsageError(unknown.to_string())),
    });
    Ok(known.collect::<Result<_, _>>()?)
}
