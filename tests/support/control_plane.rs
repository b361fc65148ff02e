//! etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on loopback.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tempfile::TempDir;

use super::command::Run;
use super::https::Client;
use super::pki::Authority;
use super::program::{Program, Stdout, Yard};
use super::tools::Tools;
use super::wait::eventually;

/// How long a program may take to become ready on a busy machine.
const READY: Duration = Duration::from_secs(90);

/// How long one may take to end in good order.
const PATIENCE: Duration = Duration::from_secs(5);

/// What makes pods Ready and claims Bound: stages for kwok, a node, a default StorageClass.
const STAGES: &str = include_str!("fake/stages.yaml");
const NODE_AND_CLASS: &str = include_str!("fake/node-and-class.yaml");

/// A program and how it was started.
#[derive(Debug)]
struct Started {
    program: Program,
    command: Command,
}

/// A running control plane. Dropping it stops the programs in reverse order and removes their folder.
#[derive(Debug)]
pub struct ControlPlane {
    /// Stopped last to first.
    programs: Mutex<Vec<Started>>,
    yard: Yard,
    tools: Tools,
    server: String,
    ca_pem: String,
    admin: PathBuf,
    dir: TempDir,
}

impl ControlPlane {
    /// Boots etcd and the API server; with `workloads` also what runs StatefulSets.
    ///
    /// # Errors
    /// When a program cannot be built, started, or does not become ready; with the logs of all of them.
    pub fn boot(workloads: bool) -> Result<Self> {
        let tools = Tools::ready()?;
        let dir = tempfile::Builder::new().prefix("steadyset-").tempdir()?;
        let yard = Yard::new(dir.path())?;
        let authority = Authority::new(&dir.path().join("pki"))?;
        authority.serving("apiserver")?;
        let port = free_port()?;
        let server = format!("https://127.0.0.1:{port}");
        let admin = authority.client(&server, "admin", Some("system:masters"))?;
        let ca_pem = authority.ca_pem().to_owned();
        let mut plane = Self {
            programs: Mutex::default(),
            yard,
            tools,
            server,
            ca_pem,
            admin,
            dir,
        };
        plane
            .start(&authority, port, workloads)
            .with_context(|| plane.logs(25))?;
        Ok(plane)
    }

    /// Where the API server listens.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The authority that signed the API server's certificate.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A kubeconfig of a user who may do everything.
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.admin
    }

    /// The programs' folders.
    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// The folder of this run; it goes when the control plane stops.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts another program that stops with the control plane at the latest.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, name: &str, command: &mut Command, stdout: Stdout) -> Result<Program> {
        self.yard.spawn(name, command, stdout)
    }

    /// Ends a program of the control plane as the kubelet does, asked first and killed if it stays, and starts it again on
    /// the same port and data. An API server with open watches stays for a minute.
    ///
    /// # Errors
    /// When it does not end or does not start; it is not waited for to be ready.
    pub fn restart(&self, name: &str) -> Result<()> {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut programs = programs.iter_mut();
        let started = programs.find(|started| started.program.name == name);
        let started = started.with_context(|| format!("no {name}"))?;
        started.program.terminate()?;
        if started.program.ended(PATIENCE).is_err() {
            started.program.signal(Signal::KILL)?;
            started.program.ended(READY)?;
        }
        started.program = self.yard.spawn(name, &mut started.command, Stdout::Log)?;
        Ok(())
    }

    /// Sends a signal to a program of the control plane.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut programs = programs.iter();
        let started = programs.find(|started| started.program.name == name);
        let started = started.with_context(|| format!("no {name}"))?;
        started.program.signal(signal)
    }

    /// The process of a program of the control plane.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn pid(&self, name: &str) -> Result<u32> {
        let programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut programs = programs.iter();
        let started = programs.find(|started| started.program.name == name);
        Ok(started.with_context(|| format!("no {name}"))?.program.pid())
    }

    /// The last lines of every program's log.
    pub fn logs(&self, lines: usize) -> String {
        self.yard.logs(lines)
    }

    fn start(&mut self, authority: &Authority, port: u16, workloads: bool) -> Result<()> {
        let etcd = self.start_etcd()?;
        self.start_apiserver(authority, port, &etcd)?;
        if workloads {
            self.start_controller_manager(authority)?;
            self.start_scheduler(authority)?;
            self.start_kwok()?;
            self.node_ready()?;
        }
        Ok(())
    }

    fn start_etcd(&mut self) -> Result<String> {
        let (client, peer) = (free_port()?, free_port()?);
        let [client_url, peer_url] = [client, peer].map(|port| format!("http://127.0.0.1:{port}"));
        let mut command = Command::new(self.tools.path("etcd")?);
        command
            .args(["--unsafe-no-fsync", "--log-level=warn", "--name=test"])
            .arg(format!("--data-dir={}", self.dir().join("etcd").display()))
            .args(
                ["listen-client-urls", "advertise-client-urls"]
                    .map(|flag| format!("--{flag}={client_url}")),
            )
            .args(
                ["listen-peer-urls", "initial-advertise-peer-urls"]
                    .map(|flag| format!("--{flag}={peer_url}")),
            )
            .arg(format!("--initial-cluster=test={peer_url}"));
        self.start_program("etcd", command, || {
            healthy(&Client::plain(client), "/health")
        })?;
        Ok(client_url)
    }

    fn start_apiserver(&mut self, authority: &Authority, port: u16, etcd: &str) -> Result<()> {
        let file = |flag: &str, name: &str| format!("--{flag}={}", authority.file(name).display());
        let mut command = Command::new(self.tools.path("kube-apiserver")?);
        command
            .arg(format!("--etcd-servers={etcd}"))
            .args([
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
            ])
            .arg(format!("--secure-port={port}"))
            .arg(file("tls-cert-file", "apiserver.crt"))
            .arg(file("tls-private-key-file", "apiserver.key"))
            .arg(file("client-ca-file", "ca.crt"))
            .arg("--service-account-issuer=https://localhost")
            .arg(file("service-account-key-file", "sa.pub"))
            .arg(file("service-account-signing-key-file", "sa.key"))
            .args([
                "--service-cluster-ip-range=10.96.0.0/16",
                "--authorization-mode=RBAC",
            ])
            // pods of a fake node need no tokens, and a new namespace no wait for its account
            .arg("--disable-admission-plugins=ServiceAccount")
            // as the usual installers have it: many charts prepare their node in a privileged container
            .arg("--allow-privileged=true")
            // many clusters have it, and it asks more of a controller that sets ownerReferences
            .arg("--enable-admission-plugins=OwnerReferencesPermissionEnforcement");
        let client = Client::tls(port, authority.ca_pem())?;
        self.start_program("kube-apiserver", command, || healthy(&client, "/readyz"))
    }

    fn start_controller_manager(&mut self, authority: &Authority) -> Result<()> {
        let kubeconfig = authority.client(&self.server, "system:kube-controller-manager", None)?;
        let mut command = Command::new(self.tools.path("kube-controller-manager")?);
        command
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .arg(format!(
                "--service-account-private-key-file={}",
                authority.file("sa.key").display()
            ))
            .arg(format!(
                "--root-ca-file={}",
                authority.file("ca.crt").display()
            ))
            .args([
                "--use-service-account-credentials=true",
                "--leader-elect=false",
                "--secure-port=0",
            ])
            .args([
                "--controllers=*",
                "--kube-api-qps=200",
                "--kube-api-burst=400",
            ]);
        self.start_program("kube-controller-manager", command, || Ok(()))
    }

    fn start_scheduler(&mut self, authority: &Authority) -> Result<()> {
        let kubeconfig = authority.client(&self.server, "system:kube-scheduler", None)?;
        let mut command = Command::new(self.tools.path("kube-scheduler")?);
        command
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .args(["--leader-elect=false", "--secure-port=0"])
            .args(["--kube-api-qps=200", "--kube-api-burst=400"]);
        self.start_program("kube-scheduler", command, || Ok(()))
    }

    fn start_kwok(&mut self) -> Result<()> {
        let (port, stages) = (free_port()?, self.dir().join("stages.yaml"));
        std::fs::write(&stages, STAGES)?;
        let mut command = Command::new(self.tools.path("kwok")?);
        command
            .arg(format!("--kubeconfig={}", self.admin.display()))
            .arg(format!("--config={}", stages.display()))
            .arg(format!("--server-address=127.0.0.1:{port}"))
            .args([
                "--node-ip=127.0.0.1",
                "--manage-all-nodes=false",
                "--v=WARN",
                "--node-lease-duration-seconds=40",
            ])
            .arg("--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake");
        self.start_program("kwok", command, || {
            healthy(&Client::plain(port), "/healthz")
        })
    }

    /// The node has lost its `not-ready` taint once scheduler, controllers and kwok all do their work.
    fn node_ready(&self) -> Result<()> {
        self.kubectl("apply -f -")?.stdin(NODE_AND_CLASS).ok()?;
        eventually("a node that takes pods", READY, || {
            let node = self.kubectl("get node fake -o json")?.json()?;
            ensure!(
                node["spec"]["taints"].is_null(),
                "its taints are {}",
                node["spec"]["taints"]
            );
            Ok(())
        })
    }

    fn kubectl(&self, line: &str) -> Result<Run> {
        Ok(Run::new(&self.tools.path("kubectl")?, line).env("KUBECONFIG", &self.admin))
    }

    fn start_program(
        &mut self,
        name: &str,
        mut command: Command,
        look: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        command.current_dir(self.dir.path());
        let mut program = self.yard.spawn(name, &mut command, Stdout::Log)?;
        let ready = program.ready(READY, look);
        let programs = self.programs.get_mut();
        programs
            .unwrap_or_else(PoisonError::into_inner)
            .push(Started { program, command });
        ready
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        let programs = self.programs.get_mut();
        let programs = programs.unwrap_or_else(PoisonError::into_inner);
        while let Some(program) = programs.pop() {
            drop(program);
        }
    }
}

fn healthy(client: &Client, path: &str) -> Result<()> {
    let response = client.get(path)?;
    ensure!(
        response.status == 200,
        "{path} says {}: {}",
        response.status,
        response.text()
    );
    Ok(())
}

/// A port on loopback that nobody listens on. It lies below the range from which the kernel takes the ports of
/// outgoing connections, so that none of these can take it before the program listens.
///
/// # Errors
/// When none is found.
pub fn free_port() -> Result<u16> {
    let random = || RandomState::new().build_hasher().finish();
    let mut candidates = (0..200).filter_map(|_| u16::try_from(12_000 + random() % 18_000).ok());
    candidates
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .context("no free port on 127.0.0.1")
}
