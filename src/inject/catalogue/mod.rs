//! What is known of well-known images: which port serves, which probe tells loading from ready, and whether a member needs
//! its peers before it serves.
//!
//! The entries are data, one table a family of systems. An entry speaks for a container only if its program runs there
//! (the image `redis` may run `redis-sentinel`, or `sleep`), and only while nothing in its flags or variables makes the
//! probe unsafe, such as TLS.

mod brokers;
mod coordination;
mod documents;
mod monitoring;
mod program;
mod sql;
mod stores;

pub(super) use program::{image_name, words};

use crate::subject::set::{Container, ContainerPort};

/// A system that the catalogue knows.
#[derive(Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that do not depend on each other"
)]
pub struct Entry {
    /// Its name: what the record and `steadyset explain` call it.
    pub name: &'static str,
    /// The last part of its image repositories, forks and mirrors included; a `*` at an end stands for anything.
    pub images: &'static [&'static str],
    /// The programs that serve; one of them must be what the container runs.
    pub programs: &'static [&'static str],
    /// What the image's own entry point takes as first argument and still runs one of the programs.
    pub subcommands: &'static [&'static str],
    /// What makes the probe unsafe.
    pub unless: &'static [Unless],
    /// The probes, best first; none where the system must never get one.
    pub recipes: &'static [Recipe],
    /// Whether a member finds its peers by DNS before it serves.
    pub needs_peers: bool,
    /// Whether the system stops where more than half of its members are down.
    pub quorum: bool,
    /// Whether the probe passes on a member that has no peers.
    pub node_local: bool,
    /// Whether it is a database: a start may take as long as its recovery.
    pub database: bool,
    /// Where the probe comes from.
    pub source: &'static str,
}

/// An entry that says nothing, to be filled in by the tables.
const BLANK: Entry = Entry {
    name: "",
    images: &[],
    programs: &[],
    subcommands: &[],
    unless: &[],
    recipes: &[],
    needs_peers: false,
    quorum: false,
    node_local: false,
    database: false,
    source: "",
};

/// A condition under which an entry's probe would be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unless {
    /// A word of the command or its arguments begins like this.
    Word(&'static str),
    /// An environment variable begins like this, and its value does not switch it off.
    Variable(&'static str),
    /// A volume that looks like one of certificates is mounted: what is configured in a file may speak TLS.
    Certificates,
}

/// A probe of a system.
#[derive(Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Names under which the port is declared.
    pub port_names: &'static [&'static str],
    /// The system's own port.
    pub port: i64,
    /// How the port is asked.
    pub ask: Ask,
    /// Whether the port must be declared: the system does not listen on it unless told to.
    pub declared_only: bool,
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

const fn tcp(port_names: &'static [&'static str], port: i64) -> Recipe {
    Recipe {
        port_names,
        port,
        ask: Ask::Tcp,
        declared_only: false,
    }
}

const fn http(port_names: &'static [&'static str], port: i64, path: &'static str) -> Recipe {
    Recipe {
        port_names,
        port,
        ask: Ask::HttpGet(path),
        declared_only: false,
    }
}

const fn shell(port_names: &'static [&'static str], port: i64, script: &'static str) -> Recipe {
    Recipe {
        port_names,
        port,
        ask: Ask::Shell(script),
        declared_only: false,
    }
}

/// Every entry.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        sql::ENTRIES,
        stores::ENTRIES,
        documents::ENTRIES,
        brokers::ENTRIES,
        coordination::ENTRIES,
        monitoring::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// The entry of an image, whatever the container runs.
#[must_use]
pub fn by_image(image: &str) -> Option<&'static Entry> {
    let name = image_name(image);
    all().find(|entry| entry.images.iter().any(|pattern| matches(pattern, name)))
}

/// The entry of an image whose program is what the container runs.
#[must_use]
pub fn running(container: &Container<'_>) -> Option<&'static Entry> {
    by_image(&container.image).filter(|entry| program::runs(entry, container))
}

/// The entry of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.name == name)
}

/// Whether a text is `pattern`, in which a `*` at an end stands for anything.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => text == pattern,
    }
}

impl Entry {
    /// Whether the system must never get a probe from us.
    #[must_use]
    pub fn never_probed(&self) -> bool {
        self.recipes.is_empty()
    }

    /// Whether nothing in the container makes the probe unsafe.
    #[must_use]
    pub fn is_safe_for(&self, container: &Container<'_>) -> bool {
        !self.unless.iter().any(|unless| unless.holds(container))
    }

    /// The best probe for the container with the port it asks.
    #[must_use]
    pub fn recipe<'c, 'a>(
        &'static self,
        container: &'c Container<'a>,
    ) -> Option<(&'static Recipe, ServedPort<'c, 'a>)> {
        let has_shell = !program::lacks_shell(&container.image);
        let mut recipes = self
            .recipes
            .iter()
            .filter(|recipe| has_shell || !matches!(recipe.ask, Ask::Shell(_)));
        recipes.find_map(|recipe| Some((recipe, recipe.served_port(container)?)))
    }
}

/// The port that a recipe asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ServedPort<'c, 'a> {
    /// One that the container declares.
    Declared(&'c ContainerPort<'a>),
    /// The system's own, where the container declares none and says nothing else.
    Own(i64),
}

impl Recipe {
    /// The declared port, by the system's number, then by name, then the only one; the system's own where none is declared
    /// and nothing speaks of another. An HTTP path is never asked of a port that is not known to be its own.
    fn served_port<'c, 'a>(&self, container: &'c Container<'a>) -> Option<ServedPort<'c, 'a>> {
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

impl Unless {
    fn holds(self, container: &Container<'_>) -> bool {
        match self {
            Self::Word(start) => words(container).any(|word| word.starts_with(start)),
            Self::Variable(start) => container
                .env
                .iter()
                .any(|variable| variable.name.starts_with(start) && !is_off(&variable.value)),
            Self::Certificates => container
                .volume_mounts
                .iter()
                .any(|mount| speaks_of_tls(&mount.name) || speaks_of_tls(&mount.mount_path)),
        }
    }
}

fn speaks_of_tls(text: &str) -> bool {
    ["tls", "ssl", "cert"]
        .iter()
        .any(|word| text.contains(word))
}

/// Whether a variable's value switches off what it stands for; an empty one may come from elsewhere and does not.
fn is_off(value: &str) -> bool {
    ["no", "false", "off", "0", "disabled"]
        .iter()
        .any(|off| value.eq_ignore_ascii_case(off))
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

/// Whether a port of that name serves metrics, which say nothing of the readiness of anything else.
pub(super) fn is_metrics(name: &str) -> bool {
    const WORDS: [&str; 6] = [
        "exporter",
        "jmx",
        "monitoring",
        "prom",
        "prometheus",
        "telemetry",
    ];
    name.contains("metric") || name.split(['-', '_']).any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests;
