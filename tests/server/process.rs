//! The program under test, its log read as events.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use base64::Engine as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::Mutex;

/// Far beyond what anything takes, so that a test that hangs fails with its last log lines.
const PATIENCE: Duration = Duration::from_mins(1);

const PROGRAM: &str = env!("CARGO_BIN_EXE_steadyset");

/// A running server; ended with the test.
pub struct Process {
    child: Child,
    events: Receiver<Value>,
    /// Held, it stops who reads the log.
    pub reading: Arc<Mutex<()>>,
    seen: Vec<Value>,
    /// The webhook port.
    pub webhook: SocketAddr,
    /// The probe port.
    pub probes: SocketAddr,
    /// The authority of an ephemeral certificate, PEM.
    pub authority: Vec<u8>,
}

impl Process {
    /// Starts the server with a certificate in memory.
    pub fn start(arguments: &[&str]) -> Self {
        Self::with_ephemeral(Command::new(PROGRAM), arguments)
    }

    /// The same, with so few file descriptors.
    pub fn with_descriptors(descriptors: u32, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, PROGRAM]);
        Self::with_ephemeral(shell, arguments)
    }

    fn with_ephemeral(command: Command, arguments: &[&str]) -> Self {
        let mut process = Self::spawn(command, &[&["--ephemeral-cert"], arguments].concat());
        let stdout = process.child.stdout.take().unwrap();
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        process.authority = base64::engine::general_purpose::STANDARD
            .decode(line.trim())
            .unwrap();
        process
    }

    /// Starts the server with a certificate that the arguments name.
    pub fn with_certificate(arguments: &[&str]) -> Self {
        Self::spawn(Command::new(PROGRAM), arguments)
    }

    fn spawn(mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["serve", "--no-cluster", "--log-format", "json"])
            .args(["--listen", "127.0.0.1:0"])
            .args(["--probe-listen", "127.0.0.1:0"])
            .args(arguments)
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let reading = Arc::new(Mutex::new(()));
        let events = follow(&mut child, Arc::clone(&reading));
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut process = Self {
            child,
            events,
            reading,
            seen: Vec::new(),
            webhook: unknown,
            probes: unknown,
            authority: Vec::new(),
        };
        let listening = process.event("listening");
        process.webhook = address(&listening, "webhook");
        process.probes = address(&listening, "probes");
        process
    }

    /// Waits for a log line that begins so.
    pub fn event(&mut self, message: &str) -> Value {
        loop {
            let Ok(event) = self.events.recv_timeout(PATIENCE) else {
                panic!("no log line `{message}`, only {:#?}", self.seen);
            };
            self.seen.push(event.clone());
            if event["message"]
                .as_str()
                .is_some_and(|text| text.starts_with(message))
            {
                return event;
            }
        }
    }

    /// The lines that are left, to the end of the process.
    pub fn rest(&self) -> Vec<Value> {
        self.events.iter().collect()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// A line of `/proc/PID/status` that says so many bytes, such as `VmRSS`, or `VmHWM` for the most so far.
    pub fn memory(&self, name: &str) -> usize {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib << 10
    }

    /// Waits for the end.
    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Waits for the end whoever reads the log, but not for ever.
    pub async fn ends(mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        let end = tokio::task::spawn_blocking(move || self.child.wait().unwrap());
        if let Ok(status) = tokio::time::timeout(PATIENCE, end).await {
            return status.unwrap();
        }
        kill_process(pid, Signal::KILL).unwrap();
        panic!("the process does not end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(listening: &Value, field: &str) -> SocketAddr {
    listening[field].as_str().unwrap().parse().unwrap()
}

fn follow(child: &mut Child, reading: Arc<Mutex<()>>) -> Receiver<Value> {
    let (sender, events) = channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let event = serde_json::from_str(&line)
                .unwrap_or_else(|_| serde_json::json!({ "message": line }));
            if sender.send(event).is_err() {
                return;
            }
            drop(reading.blocking_lock());
        }
    });
    events
}
