//! The command line.

mod audit;
mod certs;
mod crd;
mod explain;
mod fix;
mod judging;
mod policy;
mod post_render;
mod progress;
mod serve;
mod shell;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::cluster::policies::files;
use crate::policy::Policies;
use crate::yaml::read;

/// Admission control for Kubernetes StatefulSets.
#[derive(Debug, Parser)]
#[command(name = "steadyset", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the webhook server
    Serve(Box<serve::Args>),
    /// Judge manifests, or what a cluster holds, as the webhook would
    Audit(Box<audit::Args>),
    /// Write what the webhook would inject into the manifests
    Fix(Box<fix::Args>),
    /// Fix and judge what Helm renders: `helm install --post-renderer`
    PostRender(Box<post_render::Args>),
    /// Show what a rule finds and why, with an example and its fix
    Explain(explain::Args),
    /// Check policies, and test what they make of a set
    #[command(subcommand)]
    Policy(policy::Command),
    /// Make certificates for development
    #[command(subcommand)]
    Certs(certs::Command),
    /// Print the definition of the kind `StatefulSetPolicy`, for `kubectl apply -f -`
    Crd,
    /// Print what completes the commands in a shell
    Completions(shell::Completions),
    /// Write the manual pages into a folder
    Man(shell::Man),
}

/// Exit code: input that could not be read.
const UNREADABLE: u8 = 3;

/// Exit code: a cluster that could not be asked.
const UNREACHABLE: u8 = 4;

/// Wrong usage, or a policy that cannot be used: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UsageError(String);

impl Cli {
    /// Runs the command; what went wrong goes to stderr, all its causes included.
    #[must_use]
    pub fn run(self) -> ExitCode {
        read::quiet_parser();
        let done = match self.command {
            Command::Serve(args) => args.run().map(|()| ExitCode::SUCCESS),
            Command::Audit(args) => args.run(),
            Command::Fix(args) => args.run(),
            Command::PostRender(args) => args.run(),
            Command::Explain(args) => args.run().map(|()| ExitCode::SUCCESS),
            Command::Policy(command) => command.run(),
            Command::Certs(command) => command.run().map(|()| ExitCode::SUCCESS),
            Command::Crd => crd::run().map(|()| ExitCode::SUCCESS),
            Command::Completions(args) => args.run().map(|()| ExitCode::SUCCESS),
            Command::Man(args) => args.run().map(|()| ExitCode::SUCCESS),
        };
        match done {
            Ok(code) => code,
            Err(error) => {
                eprintln!("steadyset: {error:#}");
                if error.is::<UsageError>() {
                    ExitCode::from(2)
                } else {
                    ExitCode::FAILURE
                }
            }
        }
    }
}

/// The policies of files and folders; the built-in default where there are none.
fn policies(paths: &[PathBuf]) -> Result<Policies, UsageError> {
    let read = files::read(paths);
    if !read.wrong.is_empty() {
        let lines: Vec<String> = read.wrong.iter().map(ToString::to_string).collect();
        let lines = lines.join("\n");
        return Err(UsageError(format!("--policy cannot be used:\n{lines}")));
    }
    let policies = read.said.into_iter().filter_map(|(_, policy)| policy.ok());
    Ok(Policies::new(policies.map(Arc::new).collect()))
}

/// Writes a result to stdout; a reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// What the commands wait for runs here.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
