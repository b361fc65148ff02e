//! `steadyset post-render`: what Helm renders on its way into the cluster.

use std::path::PathBuf;
use std::process::ExitCode;

use super::judging::{Judging, say};
use super::{UNREADABLE, UsageError, print, runtime};
use crate::cli::fix::run::{Outcome, Texts, run};
use crate::model::finding::Action;
use crate::review::report::{Options, Report, Unreadable};
use crate::yaml::read::parts;

const NO_NAMESPACE: &str = "the namespace of the release is not known, and a set in it names none: Helm does not tell a post-renderer. \
    Set HELM_NAMESPACE, which Helm reads too, instead of -n; or add --post-renderer-args -n --post-renderer-args NAMESPACE; \
    or say --new where there is no cluster";

const OTHER_SERVER: &str = "HELM_KUBEAPISERVER is set, and the cluster is asked that the kubeconfig says: name it there, or say --new \
    where there is no cluster";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// These sets do not exist yet: no cluster is asked
    #[arg(long, env = "STEADYSET_NEW")]
    new: bool,
    #[command(flatten)]
    judging: Judging,
}

impl Args {
    pub(super) fn run(mut self) -> anyhow::Result<ExitCode> {
        self.take_over_from_helm();
        if !self.new && helm_says("HELM_KUBEAPISERVER").is_some() {
            return Err(UsageError(OTHER_SERVER.to_owned()).into());
        }
        let options = self.judging.options()?;
        let texts = Texts::read(&[PathBuf::from("-")], &options);
        if !self.new && self.judging.namespace.is_none() && texts.lack_namespace() {
            return Err(UsageError(NO_NAMESPACE.to_owned()).into());
        }
        let mut outcome = runtime()?.block_on(self.fix(&texts, options))?;
        pass_over_others(&mut outcome);
        say(&outcome.report)?;
        if !outcome.report.errors.is_empty() {
            return Ok(ExitCode::from(UNREADABLE));
        }
        if outcome.report.reaches(Action::Deny) {
            return Ok(ExitCode::FAILURE);
        }
        let texts = outcome.texts.iter();
        print(&texts.map(|text| &*text.after).collect::<String>())?;
        Ok(ExitCode::SUCCESS)
    }

    /// What is said in Helm's own variables, and not in ours.
    fn take_over_from_helm(&mut self) {
        let judging = &mut self.judging;
        judging.namespace = judging
            .namespace
            .take()
            .or_else(|| helm_says("HELM_NAMESPACE"));
        judging.context = judging
            .context
            .take()
            .or_else(|| helm_says("HELM_KUBECONTEXT"));
    }

    async fn fix(&self, texts: &Texts, options: Options) -> anyhow::Result<Outcome> {
        if self.new {
            return Ok(run(texts, &options, None).await?);
        }
        let target = self.judging.target();
        let unanswered = match self.judging.fix_live(&target, texts, options).await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => anyhow::Error::new(error),
        };
        let mut outcome = run(texts, &self.judging.options()?, None).await?;
        outcome.report.notes.push(format!(
            "{unanswered:#}: nothing is added to the manifests, and all sets are judged as new ones"
        ));
        for text in &mut outcome.texts {
            text.after.clone_from(&text.before);
        }
        Ok(outcome)
    }
}

/// A variable that Helm reads too; an empty one says nothing.
fn helm_says(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A broken document that is no set is Helm's to complain about.
fn pass_over_others(outcome: &mut Outcome) {
    let Outcome { texts, report } = outcome;
    let is_set = |error: &Unreadable| {
        let text = texts.iter().find(|text| text.path == error.path);
        text.is_none_or(|text| {
            let part = parts(&text.before).take_while(|part| part.line <= error.line);
            part.last()
                .is_none_or(|part| part.text.contains("StatefulSet"))
        })
    };
    let Report { errors, notes, .. } = report;
    let (sets, others): (Vec<_>, Vec<_>) = errors.drain(..).partition(is_set);
    *errors = sets;
    notes.extend(others.iter().map(|error| {
        let Unreadable {
            path,
            line,
            column,
            message,
        } = error;
        format!("{path}:{line}:{column}: passed on as it is: {message}")
    }));
}
