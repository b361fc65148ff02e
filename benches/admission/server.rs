//! A server process, and the CPU time it has used.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::floor;

/// A running server; ended with the benchmark.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub connector: TlsConnector,
}

impl Server {
    /// The empty handler.
    pub fn floor() -> Self {
        let program = std::env::current_exe().expect("our own path");
        Self::start(Command::new(program).env(floor::SWITCH, "1"))
    }

    /// The webhook as it is run.
    pub fn product() -> Self {
        Self::serve(Command::new(env!("CARGO_BIN_EXE_steadyset")))
    }

    /// The webhook under callgrind, which writes its profiles into the folder.
    pub fn counted(folder: &Path) -> Self {
        let mut command = Command::new("valgrind");
        command.args(["--quiet", "--tool=callgrind"]);
        command.arg(format!(
            "--callgrind-out-file={}",
            folder.join("profile").display()
        ));
        command.arg(env!("CARGO_BIN_EXE_steadyset"));
        Self::serve(command)
    }

    fn serve(mut command: Command) -> Self {
        command.args([
            "serve",
            "--ephemeral-cert",
            "--no-cluster",
            "--kube-version",
            "1.36.3",
        ]);
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--probe-listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ]);
        Self::start(&mut command)
    }

    fn start(command: &mut Command) -> Self {
        let command = command
            .env("TOKIO_WORKER_THREADS", "1")
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let authority = stdout.lines().next().expect("a caBundle").expect("a line");
        let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
        let mut line = String::new();
        while !line.contains("listening") {
            line.clear();
            stderr.read_line(&mut line).expect("a log line");
        }
        let event: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let address = event["webhook"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .expect("an address");
        // Read on, as a collector does: a full pipe would stop the server.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self {
            child,
            address,
            connector: connector(&authority),
        }
    }

    /// The process, for callgrind.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// CPU time used so far by all threads of the process, in nanoseconds.
    pub fn cpu(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("procfs");
        let times = tasks
            .flatten()
            .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
        times
            .filter_map(|text| {
                text.split(' ')
                    .next()
                    .and_then(|time| time.parse::<u64>().ok())
            })
            .sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connector(bundle: &str) -> TlsConnector {
    let authority = base64::engine::general_purpose::STANDARD
        .decode(bundle)
        .expect("base64");
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&authority).expect("PEM"))
        .expect("an authority");
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}
