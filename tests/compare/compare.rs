//! `make compare`: how long an audit of many sets takes, and how much memory, beside other programs that judge manifests.
//!
//! `compare PROGRAM [RUNS]` measures that build of the program. All programs read the same files and run in turn, so that a busy machine is
//! busy for all. Their rules are as near to ours as theirs come: kube-score with its tests of sets, Services, budgets and probes,
//! conftest with `policy/stateful_set.rego`. No program is asked for more than one line for each finding.

#[path = "../support/mod.rs"]
mod support;

mod sets;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};

use support::tools::{Rival, rivals};

/// The tests of kube-score that ours have no part in.
const NOT_OURS: &[&str] = &[
    "container-resources",
    "container-image-tag",
    "container-image-pull-policy",
    "container-ephemeral-storage-request-and-limit",
    "container-security-context-user-group-id",
    "container-security-context-privileged",
    "container-security-context-readonlyrootfilesystem",
    "pod-networkpolicy",
    "networkpolicy-targets-pod",
    "pod-topology-spread-constraints",
    "statefulset-has-host-podantiaffinity",
    "stable-version",
];

/// One program with what it is to do.
struct Contender {
    name: String,
    version: String,
    command: Vec<String>,
    /// Seconds and MiB of each run.
    runs: Vec<(f64, f64)>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next().context("usage: compare PROGRAM [RUNS]")?;
    if first == "measure" {
        return measure(&arguments.collect::<Vec<_>>());
    }
    let runs = arguments.next().map_or(Ok(5), |runs| runs.parse())?;
    let rivals = rivals()?;
    let folder = tempfile::tempdir()?;
    println!("| input | program | version | seconds (median of {runs}) | peak MiB | times ours |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for count in [1_000, 10_000] {
        let (stream, files) = written(folder.path(), count)?;
        for (form, paths) in [("one stream", vec![stream]), ("files", files)] {
            let mut contenders = contenders(Path::new(&first), &rivals, &paths)?;
            for _ in 0..runs {
                for contender in &mut contenders {
                    let run = run(&contender.command)?;
                    contender.runs.push(run);
                }
            }
            show(&format!("{count} sets, {form}"), &contenders);
        }
    }
    Ok(())
}

/// The same sets as one stream and as one file each.
fn written(folder: &Path, count: usize) -> Result<(PathBuf, Vec<PathBuf>)> {
    let of_files = folder.join(format!("{count}"));
    fs::create_dir(&of_files)?;
    let mut stream = String::new();
    let mut files = Vec::new();
    for number in 0..count {
        let text = sets::manifests(number);
        let path = of_files.join(format!("{number:05}.yaml"));
        fs::write(&path, &text)?;
        stream.push_str(&text);
        files.push(path);
    }
    let path = folder.join(format!("{count}.yaml"));
    fs::write(&path, stream)?;
    Ok((path, files))
}

fn contenders(program: &Path, rivals: &[Rival], paths: &[PathBuf]) -> Result<Vec<Contender>> {
    let said = Command::new(program).arg("--version").output();
    let said = said.with_context(|| format!("cannot run {}", program.display()))?;
    let version = String::from_utf8(said.stdout)?;
    let ours = Contender {
        name: "steadyset".to_owned(),
        version: version.trim().replace("steadyset ", ""),
        command: command(program, &["audit", "--fail-on", "never"], paths),
        runs: Vec::new(),
    };
    let others = rivals.iter().map(|rival| {
        let arguments: Vec<&str> = if rival.name == "kube-score" {
            let ignored = NOT_OURS.iter().flat_map(|test| ["--ignore-test", test]);
            ["score", "--output-format", "ci"]
                .into_iter()
                .chain(ignored)
                .collect()
        } else {
            let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compare/policy");
            vec!["test", "--no-fail", "--quiet", "--policy", policy]
        };
        Contender {
            name: rival.name.to_owned(),
            version: rival.version.clone(),
            command: command(&rival.program, &arguments, paths),
            runs: Vec::new(),
        }
    });
    Ok([ours].into_iter().chain(others).collect())
}

fn command(program: &Path, arguments: &[&str], paths: &[PathBuf]) -> Vec<String> {
    let program = program.display().to_string();
    let arguments = arguments.iter().map(|argument| (*argument).to_owned());
    let paths = paths.iter().map(|path| path.display().to_string());
    [program]
        .into_iter()
        .chain(arguments)
        .chain(paths)
        .collect()
}

/// Runs a command below a process of its own, whose children's peak is then that command's alone.
fn run(command: &[String]) -> Result<(f64, f64)> {
    let output = Command::new(std::env::current_exe()?)
        .arg("measure")
        .args(command)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let (seconds, peak) = text
        .trim()
        .split_once(' ')
        .with_context(|| format!("{} could not be measured", command[0]))?;
    Ok((seconds.parse()?, peak.parse()?))
}

/// Prints the seconds that a command takes and its peak memory in MiB.
fn measure(command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("what is to be measured?")?;
    let started = Instant::now();
    let output = Command::new(program).args(arguments).output()?;
    let seconds = started.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        said.contains("db-1") && matches!(output.status.code(), Some(0 | 1)),
        "{program} ended with {} and found nothing in db-1: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    // Linux counts in KiB (getrusage(2))
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    println!("{seconds} {}", peak / 1024);
    Ok(())
}

fn show(input: &str, contenders: &[Contender]) {
    let ours = contenders.first().map_or(f64::NAN, Contender::median);
    for contender in contenders {
        let (name, version) = (&contender.name, &contender.version);
        let seconds = contender.median();
        let ratio = seconds / ours;
        let peak = contender.peak();
        println!("| {input} | {name} | {version} | {seconds:.2} | {peak:.0} | {ratio:.1} |");
    }
}

impl Contender {
    fn median(&self) -> f64 {
        let mut seconds: Vec<f64> = self.runs.iter().map(|(seconds, _)| *seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn peak(&self) -> f64 {
        self.runs.iter().map(|(_, peak)| *peak).fold(0.0, f64::max)
    }
}
