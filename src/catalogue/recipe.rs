//! How a system is asked, and on which port.

use super::facts::version;
use super::listening::serves_tls;
use super::program::words;
use crate::statefulset::set::{Container, ContainerPort};

/// A probe of a system.
#[derive(Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Names under which the port is declared.
    pub port_names: &'static [&'static str],
    /// The system's own port.
    pub port: i64,
    /// How readiness is asked.
    pub ask: Ask,
    /// The HTTP path of the same port that says no more than that the process is alive, where one is documented.
    pub alive: Option<&'static str>,
    /// Whether the port must be declared: the system does not listen on it unless told to.
    pub declared_only: bool,
    /// The first version that answers; `(0, 0)` where every one does.
    pub since: (u32, u32),
    /// Whether the port is off where the system is told to serve TLS.
    pub plain: bool,
}

/// How a port is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// By opening a connection.
    Tcp,
    /// By an HTTP GET of this path.
    HttpGet(&'static str),
    /// By this script for `sh -c`, in which `{port}` stands for the port's number.
    Shell(&'static str),
}

/// The port that a recipe asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ServedPort<'c, 'a> {
    /// One that the container declares.
    Declared(&'c ContainerPort<'a>),
    /// The system's own, where the container declares none and says nothing else.
    Own(i64),
}

pub(super) const fn tcp(port_names: &'static [&'static str], port: i64) -> Recipe {
    Recipe {
        port_names,
        port,
        ask: Ask::Tcp,
        alive: None,
        declared_only: false,
        since: (0, 0),
        plain: false,
    }
}

pub(super) const fn http(
    port_names: &'static [&'static str],
    port: i64,
    path: &'static str,
) -> Recipe {
    Recipe {
        ask: Ask::HttpGet(path),
        ..tcp(port_names, port)
    }
}

pub(super) const fn shell(
    port_names: &'static [&'static str],
    port: i64,
    script: &'static str,
) -> Recipe {
    Recipe {
        ask: Ask::Shell(script),
        ..tcp(port_names, port)
    }
}

impl Recipe {
    /// The same, with the path that says whether the process is alive.
    pub(super) const fn alive(self, path: &'static str) -> Self {
        Self {
            alive: Some(path),
            ..self
        }
    }

    /// The same, asked only where the port is declared.
    pub(super) const fn declared(self) -> Self {
        Self {
            declared_only: true,
            ..self
        }
    }

    /// The same, of that version and those after it.
    pub(super) const fn since(self, major: u32, minor: u32) -> Self {
        Self {
            since: (major, minor),
            ..self
        }
    }

    /// The same, asked only where nothing tells the system to serve TLS.
    pub(super) const fn plain(self) -> Self {
        Self {
            plain: true,
            ..self
        }
    }

    /// Whether the container's version and its flags are those that it is for. A tag that is no version may be of any.
    pub(super) fn is_of(&self, container: &Container<'_>) -> bool {
        let is_new = || version(&container.image).is_some_and(|version| version >= self.since);
        (self.since == (0, 0) || is_new()) && !(self.plain && serves_tls(container))
    }

    /// How liveness is asked: a restart helps only a process that has died inside, so this asks less than readiness does,
    /// the documented path or a connection. A database that recovers has bound its port, or has yet to start.
    #[must_use]
    pub fn liveness(&self) -> Ask {
        self.alive.map_or(Ask::Tcp, Ask::HttpGet)
    }

    /// The declared port, by the system's number, then by name, then the only one; the system's own where none is declared
    /// and nothing speaks of another. An HTTP path is never asked of a port that is not known to be its own.
    pub(super) fn served_port<'c, 'a>(
        &self,
        container: &'c Container<'a>,
    ) -> Option<ServedPort<'c, 'a>> {
        let ports = || container.tcp_ports();
        let named = |port: &&ContainerPort<'_>| self.port_names.contains(&&*port.name);
        let declared = ports()
            .find(|port| port.container_port == self.port)
            .or_else(|| ports().find(named))
            .or_else(|| self.only_port(container));
        if let Some(port) = declared {
            return Some(ServedPort::Declared(port));
        }
        let silent = ports().next().is_none() && !self.declared_only && !speaks_of_ports(container);
        silent.then_some(ServedPort::Own(self.port))
    }

    fn only_port<'c, 'a>(&self, container: &'c Container<'a>) -> Option<&'c ContainerPort<'a>> {
        if self.declared_only || matches!(self.ask, Ask::HttpGet(_)) {
            return None;
        }
        let mut ports = container.tcp_ports().filter(|port| !is_metrics(&port.name));
        ports.next().filter(|_| ports.next().is_none())
    }
}

/// Whether a container that declares no port says in its command or its variables that one is not the usual.
fn speaks_of_ports(container: &Container<'_>) -> bool {
    const HINTS: [&str; 4] = ["port", "addr", "listen", "bind"];
    let hints = |text: &str| {
        let text = text.to_ascii_lowercase();
        HINTS.iter().any(|hint| text.contains(hint))
    };
    words(container).any(|word| word.starts_with("-p") || hints(word))
        || container.env.iter().any(|variable| hints(&variable.name))
}

/// Whether a port of that name serves metrics or profiles, which say nothing of the readiness of anything else.
pub(crate) fn is_metrics(name: &str) -> bool {
    const WORDS: [&str; 8] = [
        "debug",
        "exporter",
        "jmx",
        "monitoring",
        "pprof",
        "prom",
        "prometheus",
        "telemetry",
    ];
    name.contains("metric") || name.split(['-', '_']).any(|word| WORDS.contains(&word))
}
