//! Programs that run beside us: logs in files, stopped by pid, never left behind.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::wait::eventually;

/// Kills what it was told to watch, and removes the folder, once its stdin closes: that is when we are gone.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
pids=''
while read -r verb pid; do
  case $verb in
    watch) pids="$pid $pids" ;;
    forget) rest=''; for p in $pids; do [ "$p" = "$pid" ] || rest="$rest $p"; done; pids=$rest ;;
  esac
done
for p in $pids; do kill -KILL "$p" 2>/dev/null; done
rm -rf -- "$1"
"#;

/// The folder of one run: its logs, and the watchdog that cleans up if we cannot.
#[derive(Debug, Clone)]
pub struct Yard {
    dir: PathBuf,
    watchdog: Arc<Watchdog>,
}

#[derive(Debug)]
struct Watchdog {
    child: Mutex<Child>,
    stdin: Mutex<Option<ChildStdin>>,
}

/// A program of the yard; killed and reaped when dropped.
#[derive(Debug)]
pub struct Program {
    /// What it is called, in messages and in the name of its log.
    pub name: String,
    child: Child,
    log: PathBuf,
    watchdog: Arc<Watchdog>,
}

impl Yard {
    /// A yard in `dir`, which goes with it.
    ///
    /// # Errors
    /// When there is no `sh`, or the folder cannot be written.
    pub fn new(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir.join("logs"))?;
        let mut child = Command::new("sh")
            .args(["-c", WATCHDOG, "steadyset-watchdog"])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start `sh` as a watchdog")?;
        let stdin = Mutex::new(child.stdin.take());
        Ok(Self {
            dir: dir.to_owned(),
            watchdog: Arc::new(Watchdog {
                child: Mutex::new(child),
                stdin,
            }),
        })
    }

    /// Starts `command` in a process group of its own (Ctrl-C reaches us alone, so that we stop things in order);
    /// stderr goes to its log, stdout too unless the caller pipes it.
    ///
    /// # Errors
    /// When the program or its log cannot be opened.
    pub fn spawn(&self, name: &str, command: &mut Command, stdout: Stdout) -> Result<Program> {
        let log = self.dir.join("logs").join(format!("{name}.log"));
        let file = File::create(&log)?;
        let out = match stdout {
            Stdout::Log => Stdio::from(file.try_clone()?),
            Stdout::Piped => Stdio::piped(),
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        self.watchdog.tell("watch", child.id());
        Ok(Program {
            name: name.to_owned(),
            child,
            log,
            watchdog: Arc::clone(&self.watchdog),
        })
    }

    /// The ends of all logs of this yard.
    pub fn logs(&self, lines: usize) -> String {
        let mut files: Vec<_> = fs::read_dir(self.dir.join("logs"))
            .into_iter()
            .flatten()
            .flatten()
            .collect();
        files.sort_by_key(fs::DirEntry::file_name);
        files
            .iter()
            .map(|entry| tail(&entry.path(), lines))
            .collect()
    }
}

/// Where a program's stdout goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdout {
    /// Into the log, with stderr.
    Log,
    /// To us: [`Program::stdout`].
    Piped,
}

impl Watchdog {
    fn tell(&self, verb: &str, pid: u32) {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stdin) = stdin.as_mut() {
            // without a watchdog there is still our own Drop
            let _ = writeln!(stdin, "{verb} {pid}");
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stdin
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let _ = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait();
    }
}

impl Program {
    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its stdout, once, if it was piped.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// An error if it has ended, with the end of its log.
    ///
    /// # Errors
    /// When it no longer runs.
    pub fn alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}\n{}", self.name, tail(&self.log, 40)),
        }
    }

    /// Waits until `look` is content, but no longer than the program lives.
    ///
    /// # Errors
    /// When it ends before, or `within` is over; with the end of its log.
    pub fn ready<T>(&mut self, within: Duration, mut look: impl FnMut() -> Result<T>) -> Result<T> {
        let mut ended = None;
        let found = eventually(&format!("{} ready", self.name), within, || {
            match self.alive() {
                Ok(()) => look().map(Some),
                Err(reason) => {
                    ended = Some(reason);
                    Ok(None)
                }
            }
        });
        match (ended, found) {
            (Some(reason), _) => Err(reason),
            (None, Ok(Some(found))) => Ok(found),
            (None, Ok(None)) => bail!("{} is neither ready nor ended", self.name),
            (None, Err(reason)) => Err(reason).with_context(|| tail(&self.log, 40)),
        }
    }

    /// Asks it to end.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn terminate(&self) -> Result<()> {
        self.signal(rustix::process::Signal::TERM)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .context("no pid")?;
        rustix::process::kill_process(pid, signal)
            .with_context(|| format!("cannot send {signal:?}"))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it still runs after `within`.
    pub fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        let (name, child) = (self.name.clone(), &mut self.child);
        eventually(&format!("end of {name}"), within, || {
            child.try_wait()?.context("still running")
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // nothing these programs hold outlives the run, so there is nothing to wait for
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.watchdog.tell("forget", self.child.id());
    }
}

/// The last lines of a log, clipped, under its name.
fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let from = text.lines().count().saturating_sub(lines);
    let clip = |line: &'_ str| line.chars().take(400).collect::<String>();
    let end: Vec<_> = text.lines().skip(from).map(clip).collect();
    format!(
        "--- {}\n{}\n",
        log.file_name().unwrap_or_default().display(),
        end.join("\n")
    )
}
