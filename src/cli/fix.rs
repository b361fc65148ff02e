//! `steadyset fix`: what the webhook would inject, written into the manifests.

mod file;
pub(super) mod live;
pub(super) mod run;

use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use similar::TextDiff;

use self::file::replace;
use self::live::Unanswered;
use self::run::{Outcome, Text, Texts, run};
use super::judging::{Judging, say};
use super::{UNREACHABLE, UNREADABLE, UsageError, print, runtime};
use crate::model::finding::Action;

const WHICH: &str = "say --new if these sets do not exist yet, or --live to ask the cluster for them: \
    a serviceName or a claim added to a set that runs makes every later apply fail";

const BOTH: &str = "--new and --live exclude each other: --new if these sets do not exist yet, --live to ask the cluster for them";

const NO_FILE: &str = "--in-place needs files: a pipe or a device has no place to be written to";

const SEVERAL: &str = "several inputs cannot go to stdout: say --diff to see what would change, --in-place to write it, \
    or --check to have it counted";

const STDIN_HAS_NO_PLACE: &str =
    "--in-place needs files: standard input has no place to be written to";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files, folders (all below them), or `-` for standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// These sets do not exist yet
    #[arg(long, env = "STEADYSET_NEW")]
    new: bool,
    /// Ask the cluster: a set that exists gets nothing that could not be changed or would restart a pod
    #[arg(long, env = "STEADYSET_LIVE")]
    live: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    judging: Judging,
}

/// Where the result goes, if not to stdout.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Output {
    /// Print what would change, for `git apply`
    #[arg(long, env = "STEADYSET_DIFF")]
    diff: bool,
    /// Write the files
    #[arg(long, env = "STEADYSET_IN_PLACE")]
    in_place: bool,
    /// Print the names of the files that would change, and end with 1 if there are any
    #[arg(long, env = "STEADYSET_CHECK")]
    check: bool,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        self.is_usable()?;
        let options = self.judging.options()?;
        let texts = Texts::read(&self.paths, &options);
        let fixed = runtime()?.block_on(async {
            if self.live {
                let target = self.judging.target();
                self.judging.fix_live(&target, &texts, options).await
            } else {
                run(&texts, &options, None).await
            }
        });
        match fixed {
            Ok(outcome) => self.write(&outcome),
            Err(error) => Ok(unreachable(error)),
        }
    }

    fn is_usable(&self) -> Result<(), UsageError> {
        let stdin = |path: &PathBuf| path.as_os_str() == "-";
        let is_no_file = |path: &PathBuf| path.exists() && !path.is_file() && !path.is_dir();
        let wrong = if self.new && self.live {
            BOTH
        } else if !(self.new || self.live) {
            WHICH
        } else if self.output.in_place && self.paths.iter().any(is_no_file) {
            NO_FILE
        } else if self.output.in_place && self.paths.iter().any(stdin) {
            STDIN_HAS_NO_PLACE
        } else if self.goes_to_stdout() && self.are_several() {
            SEVERAL
        } else {
            return Ok(());
        };
        Err(UsageError(wrong.to_owned()))
    }

    fn goes_to_stdout(&self) -> bool {
        !(self.output.diff || self.output.in_place || self.output.check)
    }

    fn are_several(&self) -> bool {
        self.paths.len() > 1 || self.paths.iter().any(|path| path.is_dir())
    }

    fn write(&self, outcome: &Outcome) -> anyhow::Result<ExitCode> {
        let report = &outcome.report;
        say(report)?;
        let is_read = |text: &&Text| !report.errors.iter().any(|error| error.path == text.path);
        let texts: Vec<&Text> = outcome.texts.iter().filter(is_read).collect();
        let changed: Vec<&Text> = texts
            .iter()
            .copied()
            .filter(|text| text.before != text.after)
            .collect();
        let mut all_written = true;
        if self.output.in_place {
            all_written = write_files(&changed)?;
        } else if self.output.check {
            print(&names(&changed))?;
        } else if self.output.diff {
            print(&changed.into_iter().map(diff).collect::<String>())?;
            return Ok(code(report.errors.is_empty(), false));
        } else {
            print(&texts.iter().map(|text| &*text.after).collect::<String>())?;
            return Ok(code(report.errors.is_empty(), report.reaches(Action::Deny)));
        }
        let would_change = self.output.check && !changed.is_empty();
        let failed = would_change || report.reaches(Action::Deny);
        Ok(code(report.errors.is_empty() && all_written, failed))
    }
}

/// Writes the files, and prints their names; `false` if one could not be written.
fn write_files(changed: &[&Text]) -> anyhow::Result<bool> {
    let mut all_written = true;
    for text in changed {
        let Some(place) = &text.place else {
            continue;
        };
        match replace(place, &text.before, &text.after) {
            Ok(()) => print(&names(&[*text]))?,
            Err(error) => {
                all_written = false;
                eprintln!("steadyset: {}: {error}", text.path);
            }
        }
    }
    Ok(all_written)
}

fn names(texts: &[&Text]) -> String {
    texts.iter().flat_map(|text| [&*text.path, "\n"]).collect()
}

/// The change of a file as `git apply` takes it.
fn diff(text: &Text) -> String {
    let path = below_here(&text.path);
    // git ends a name that has a blank in it with a tab
    let end = if path.contains(char::is_whitespace) {
        "\t"
    } else {
        ""
    };
    let header = (&*format!("a/{path}{end}"), &*format!("b/{path}{end}"));
    TextDiff::from_lines(&text.before, &text.after)
        .unified_diff()
        .header(header.0, header.1)
        .to_string()
}

/// A path as git wants it: below the folder where it is run, if it is there, and without `..`.
fn below_here(path: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = Path::new(path);
    let folder = path
        .parent()
        .filter(|folder| folder.components().any(|part| part == Component::ParentDir));
    let real = folder.and_then(|folder| Some(folder.canonicalize().ok()?.join(path.file_name()?)));
    let path = real.as_deref().unwrap_or(path);
    let path = path.strip_prefix(here).unwrap_or(path);
    let path = path.strip_prefix("/").unwrap_or(path);
    path.display().to_string()
}

fn code(all_read: bool, failed: bool) -> ExitCode {
    match (all_read, failed) {
        (false, _) => ExitCode::from(UNREADABLE),
        (true, true) => ExitCode::FAILURE,
        (true, false) => ExitCode::SUCCESS,
    }
}

fn unreachable(error: Unanswered) -> ExitCode {
    eprintln!("steadyset: {:#}", anyhow::Error::new(error));
    ExitCode::from(UNREACHABLE)
}
