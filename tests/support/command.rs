//! Running kubectl, helm and the product's own commands, with an end to every wait.

use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a command may take unless it is told otherwise.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A command about to be run.
#[derive(Debug)]
pub struct Run {
    command: Command,
    stdin: Vec<u8>,
    timeout: Duration,
}

/// What a command answered.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; -1 after a signal.
    pub status: i32,
    /// Everything it wrote to stdout.
    pub stdout: String,
    /// Everything it wrote to stderr.
    pub stderr: String,
}

impl Run {
    /// `program` with `line` split at white space; an argument that holds spaces is added by [`Run::arg`].
    pub fn new(program: &Path, line: &str) -> Self {
        let mut command = Command::new(program);
        command.args(line.split_whitespace());
        Self {
            command,
            stdin: Vec::new(),
            timeout: TIMEOUT,
        }
    }

    /// One more argument, taken as it is.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// One more environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What the command reads on stdin; nothing unless this is called.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// How long it may take instead of two minutes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be started, or does not end in time (it is killed then).
    pub fn run(mut self) -> Result<Output> {
        let shown = self.shown();
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let deadline = Instant::now() + self.timeout;
        let mut stdin = child.stdin.take().context("no stdin")?;
        let input = self.stdin;
        thread::spawn(move || stdin.write_all(&input));
        let stdout = collect(child.stdout.take().context("no stdout")?);
        let stderr = collect(child.stderr.take().context("no stderr")?);
        let stdout = finish(&mut child, &stdout, deadline, &shown)?;
        let stderr = finish(&mut child, &stderr, deadline, &shown)?;
        let status = child.wait()?.code().unwrap_or(-1);
        Ok(Output {
            command: shown,
            status,
            stdout,
            stderr,
        })
    }

    /// Runs it; anything but exit code 0 is an error that shows what it wrote.
    ///
    /// # Errors
    /// As [`Run::run`], and when the exit code is not 0.
    pub fn ok(self) -> Result<Output> {
        let output = self.run()?;
        if output.status != 0 {
            bail!("{output}");
        }
        Ok(output)
    }

    /// Runs it and hands back what it printed as JSON.
    ///
    /// # Errors
    /// As [`Run::ok`], and when stdout is not JSON.
    pub fn json(self) -> Result<serde_json::Value> {
        let output = self.ok()?;
        serde_json::from_str(&output.stdout).with_context(|| format!("not JSON: {output}"))
    }

    /// Runs it and expects a refusal.
    ///
    /// # Errors
    /// As [`Run::run`], and when it succeeds.
    pub fn refused(self) -> Result<Output> {
        let output = self.run()?;
        if output.status == 0 {
            bail!("should have been refused: {output}");
        }
        Ok(output)
    }

    fn shown(&self) -> String {
        let program = Path::new(self.command.get_program())
            .file_name()
            .unwrap_or_default();
        let args = self.command.get_args().map(OsStr::to_string_lossy);
        std::iter::once(program.to_string_lossy())
            .chain(args)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` ended with {}\n{}{}",
            self.command, self.status, self.stdout, self.stderr
        )
    }
}

/// Reads a pipe to its end on a thread of its own.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // a pipe that breaks leaves what was read before
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

fn finish(
    child: &mut Child,
    pipe: &Receiver<Vec<u8>>,
    deadline: Instant,
    shown: &str,
) -> Result<String> {
    match pipe.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(RecvTimeoutError::Timeout) => {
            child.kill()?;
            child.wait()?;
            bail!("`{shown}` did not end in time and was killed")
        }
        Err(RecvTimeoutError::Disconnected) => bail!("`{shown}`: its output could not be read"),
    }
}
