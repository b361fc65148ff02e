//! `steadyset policy`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{UsageError, policies, print};
use crate::cluster::policies::files;
use crate::policy::Policies;
use crate::policy_test;
use crate::policy_test::{Broken, Case};
use crate::yaml::read::{is_hidden, is_manifest};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compile policies and name everything that is wrong with them
    ///
    /// Exits 0 where nothing is, else 2.
    Check(Check),
    /// Run cases: what a policy is to make of a set
    ///
    /// A case is a YAML document with `name`, `object` and `expect`; docs/policy/README.md describes it. Exits 0 where every case
    /// comes out as expected, 1 where one does not, 2 for a policy that cannot be used, 3 for a file that cannot be read.
    Test(Test),
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A file of policies, or a folder of such
    #[arg(value_name = "FILE", required = true)]
    paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Test {
    /// A file of cases, or a folder, which is searched for `.yaml`, `.yml` and `.json` to any depth
    #[arg(value_name = "DIR", required = true)]
    paths: Vec<PathBuf>,
    /// The policies of the cases that have none of their own, a file or a folder; repeatable. Without it the built-in default
    #[arg(
        long,
        env = "STEADYSET_POLICY",
        value_name = "PATH",
        value_delimiter = ','
    )]
    policy: Vec<PathBuf>,
}

/// The exit codes of the contract, the gravest last.
const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;
const UNREADABLE: u8 = 3;

impl Command {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(args) => args.run(),
            Self::Test(args) => args.run(),
        }
    }
}

impl Check {
    fn run(self) -> anyhow::Result<ExitCode> {
        let read = files::read(&self.paths);
        let mut text = String::new();
        for wrong in &read.wrong {
            let _ = writeln!(text, "{wrong}");
        }
        if read.wrong.is_empty() && read.said.is_empty() {
            return Err(UsageError("there is no policy in any of these".to_owned()).into());
        }
        if read.wrong.is_empty() {
            let names = read.said.iter().map(|(name, _)| name.as_str());
            let names: Vec<&str> = names.collect();
            let _ = writeln!(text, "nothing wrong: {}", names.join(", "));
        }
        print(&text)?;
        Ok(if read.wrong.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(UNUSABLE)
        })
    }
}

impl Test {
    fn run(self) -> anyhow::Result<ExitCode> {
        let policies = policies(&self.policy)?;
        let mut report = Report::new(Timestamp::now());
        for path in &self.paths {
            match manifests(path) {
                Ok(files) => files.iter().for_each(|file| report.file(file, &policies)),
                Err(error) => report.broken(path, &error.to_string(), UNREADABLE),
            }
        }
        if report.cases == 0 && report.code == 0 {
            return Err(UsageError("there is no case in any of these".to_owned()).into());
        }
        print(&report.finish())?;
        Ok(ExitCode::from(report.code))
    }
}

/// The file itself, or the manifests in a folder and those below it, by name; hidden ones are left out.
fn manifests(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut entries = entries.collect::<std::io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries.into_iter().filter(|entry| !is_hidden(entry)) {
        // A link to a folder may lead back to where it stands.
        if entry.is_symlink() && entry.is_dir() {
            continue;
        }
        if entry.is_dir() {
            found.extend(manifests(&entry)?);
        } else if is_manifest(&entry) {
            found.push(entry);
        }
    }
    Ok(found)
}

/// What became of the cases.
struct Report {
    text: String,
    cases: usize,
    failed: usize,
    code: u8,
    /// When a case happens that does not say it.
    now: Timestamp,
}

impl Report {
    fn new(now: Timestamp) -> Self {
        Self {
            text: String::new(),
            cases: 0,
            failed: 0,
            code: 0,
            now,
        }
    }

    fn file(&mut self, path: &Path, policies: &Policies) {
        let cases = fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| policy_test::read(&text));
        match cases {
            Ok(cases) => cases
                .iter()
                .for_each(|case| self.case(path, case, policies)),
            Err(reason) => self.broken(path, &reason, UNREADABLE),
        }
    }

    fn case(&mut self, path: &Path, case: &Case, policies: &Policies) {
        self.cases += 1;
        let (path, name) = (path.display(), &case.name);
        let (word, lines) = match case.run(policies, self.now) {
            Ok(None) => ("ok", String::new()),
            Ok(Some(difference)) => {
                self.raise(FAILED);
                ("FAILED", difference)
            }
            Err(error) => {
                let is_policy = matches!(error, Broken::Policy(_));
                self.raise(if is_policy { UNUSABLE } else { UNREADABLE });
                ("BROKEN", error.to_string())
            }
        };
        self.failed += usize::from(word != "ok");
        let _ = writeln!(self.text, "{word:6}  {path}: {name}");
        for line in lines.lines() {
            let _ = writeln!(self.text, "{}", format!("        {line}").trim_end());
        }
    }

    /// Something that no case can be read from.
    fn broken(&mut self, path: &Path, reason: &str, code: u8) {
        self.raise(code);
        let _ = writeln!(self.text, "BROKEN  {}: {reason}", path.display());
    }

    fn raise(&mut self, code: u8) {
        self.code = self.code.max(code);
    }

    fn finish(&self) -> String {
        let passed = self.cases - self.failed;
        format!("{}\n{passed} of {} as expected\n", self.text, self.cases)
    }
}
