//! What is known of well-known images: which port serves, which probe tells loading from ready, and whether a member needs
//! its peers before it serves.
//!
//! The entries are data, one table a family of systems. An entry speaks for a container only if its program runs there
//! (the image `redis` may run `redis-sentinel`, or `sleep`), and only while nothing in its flags or variables makes the
//! probe unsafe, such as TLS.

mod brokers;
mod coordination;
mod documents;
mod evidence;
mod facts;
mod monitoring;
mod observability;
mod program;
mod recipe;
mod shell;
mod sql;
mod stores;
mod unless;

pub use evidence::{Evidence, ReadIn};
pub use facts::{DataFolder, OwnVariable, Tool, Versions, version};
pub(crate) use program::repository;
pub(super) use program::{image_name, only_waits, words};
pub(super) use recipe::is_metrics;
pub use recipe::{Ask, Recipe, ServedPort};
pub use unless::Unless;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::statefulset::set::Container;
use crate::statefulset::view::Text;

/// A system that the catalogue knows.
#[derive(Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not depend on each other"
)]
pub struct Entry {
    /// Its name: what the record and `steadyset explain` call it.
    pub name: &'static str,
    /// The last part of its image repositories, forks and mirrors included; a `*` at an end stands for anything.
    pub images: &'static [&'static str],
    /// The programs that serve; one of them must be what the container runs.
    pub programs: &'static [&'static str],
    /// What one of the programs must be told to do; empty where it serves without a word.
    pub verbs: &'static [&'static str],
    /// What the image's own entry point takes as first argument and still runs one of the programs.
    pub subcommands: &'static [&'static str],
    /// What makes the probe unsafe.
    pub unless: &'static [Unless],
    /// The probes, best first; none where the system must never get one.
    pub recipes: &'static [Recipe],
    /// Numbers below which the system's probe must not go, whatever the policy says.
    pub at_least: Timings,
    /// Whether a member finds its peers by DNS before it serves.
    pub needs_peers: bool,
    /// Whether the system stops where more than half of its members are down.
    pub quorum: bool,
    /// Whether the probe passes on a member that has no peers.
    pub node_local: bool,
    /// Whether it is a database: a start may take as long as its recovery.
    pub database: bool,
    /// Whether not even the first member serves alone: it needs a majority. Others begin with a member that starts alone (Cassandra's
    /// seed, Galera's bootstrap).
    pub needs_majority: bool,
    /// Whether it takes connections before it has loaded or recovered its data: redis answers `LOADING`, `PostgreSQL` "the database
    /// system is starting up", Patroni and Elasticsearch serve their API, etcd and `ZooKeeper` bind their port first.
    pub listens_first: bool,
    /// Whether a start after a crash replays what was not written yet, which takes minutes where there is much of it.
    pub recovers: bool,
    /// Where its images keep their data.
    pub data: &'static [DataFolder],
    /// The programs that not every version of its images has.
    pub tools: &'static [Tool],
    /// The variables that its images take for their own settings, and that a Service called like the system has the kubelet set.
    pub own_variables: &'static [OwnVariable],
    /// Where the facts come from.
    pub evidence: &'static [Evidence],
}

/// The numbers of a probe; 0 says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Seconds between probes.
    pub period_seconds: i64,
    /// Seconds until a probe counts as failed.
    pub timeout_seconds: i64,
    /// Failures until it counts as failed.
    pub failure_threshold: i64,
}

/// No wish of its own.
const ANY: Timings = Timings {
    period_seconds: 0,
    timeout_seconds: 0,
    failure_threshold: 0,
};

/// An entry that says nothing, to be filled in by the tables.
const BLANK: Entry = Entry {
    name: "",
    images: &[],
    programs: &[],
    verbs: &[],
    subcommands: &[],
    unless: &[],
    recipes: &[],
    at_least: ANY,
    needs_peers: false,
    quorum: false,
    node_local: false,
    database: false,
    needs_majority: false,
    listens_first: false,
    recovers: false,
    data: &[],
    tools: &[],
    own_variables: &[],
    evidence: &[],
};

/// Every entry.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        sql::ENTRIES,
        stores::ENTRIES,
        documents::ENTRIES,
        brokers::ENTRIES,
        coordination::ENTRIES,
        monitoring::ENTRIES,
        observability::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// The entry of an image, whatever the container runs.
#[must_use]
pub fn by_image(image: &str) -> Option<&'static Entry> {
    static INDEX: LazyLock<Index> = LazyLock::new(Index::new);
    let name = image_name(image);
    (!name.is_empty()).then(|| INDEX.get(name))?
}

/// The entries by what their images are called.
struct Index {
    names: HashMap<&'static str, &'static Entry>,
    /// The few patterns; none matches another entry's name, nor another pattern's.
    patterns: Vec<(&'static str, &'static Entry)>,
}

impl Index {
    fn new() -> Self {
        let mut index = Self {
            names: HashMap::new(),
            patterns: Vec::new(),
        };
        for entry in all() {
            for image in entry.images {
                if image.contains('*') {
                    index.patterns.push((image, entry));
                } else {
                    index.names.insert(image, entry);
                }
            }
        }
        index
    }

    fn get(&self, name: &str) -> Option<&'static Entry> {
        let mut patterns = self.patterns.iter();
        self.names.get(name).copied().or_else(|| {
            patterns
                .find(|(pattern, _)| matches(pattern, name))
                .map(|(_, entry)| *entry)
        })
    }
}

/// The entry of an image whose program is what the container runs.
#[must_use]
pub fn running(container: &Container<'_>) -> Option<&'static Entry> {
    by_image(&container.image).filter(|entry| program::runs(entry, container))
}

/// The commands that a command line starts, without the shells, init programs and changes of user around them.
#[must_use]
pub fn commands(line: &[Text<'_>]) -> Vec<Vec<String>> {
    let line: Vec<String> = line.iter().map(ToString::to_string).collect();
    program::started(&line)
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

    /// Whether a member that is up may wait for others, or for its own recovery, so that a restart makes it worse.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.database || self.quorum || self.needs_peers
    }

    /// Whether the container answers when it is asked like this: a connection always, anything more only while nothing
    /// makes it unsafe, and a script only in a shell.
    #[must_use]
    pub fn answers(&self, ask: Ask, container: &Container<'_>) -> bool {
        match ask {
            Ask::Tcp => true,
            Ask::HttpGet(_) => self.is_safe_for(container),
            Ask::Shell(_) => self.is_safe_for(container) && !program::lacks_shell(&container.image),
        }
    }

    fn is_safe_for(&self, container: &Container<'_>) -> bool {
        !self.unless.iter().any(|unless| unless.holds(container))
    }

    /// The folders in which an image may keep its data; more than one where its version is not known.
    pub fn data_folders(&self, image: &str) -> impl Iterator<Item = &'static DataFolder> + use<> {
        let (version, data) = (version(image), self.data);
        let image = image.to_owned();
        data.iter().filter(move |folder| {
            facts::is_one_of(&image, folder.images) && folder.versions.may_hold(version)
        })
    }

    /// What is known of a program that the image does not have; `None` where it has it or nobody knows.
    #[must_use]
    pub fn lacks(&self, image: &str, program: &str) -> Option<&'static Tool> {
        let version = version(image)?;
        self.tools.iter().find(|tool| {
            tool.name == program
                && facts::is_one_of(image, tool.images)
                && !tool.versions.may_hold(Some(version))
        })
    }

    /// The variables that an image takes for its own settings.
    pub fn variables_of<'i>(&self, image: &'i str) -> impl Iterator<Item = &'static str> + use<'i> {
        let variables = self.own_variables.iter();
        variables
            .filter(move |variable| facts::is_one_of(image, variable.images))
            .map(|variable| variable.name)
    }

    /// The best probe for the container with the port it asks.
    #[must_use]
    pub fn recipe<'c, 'a>(
        &'static self,
        container: &'c Container<'a>,
    ) -> Option<(&'static Recipe, ServedPort<'c, 'a>)> {
        let mut recipes = self
            .recipes
            .iter()
            .filter(|recipe| self.answers(recipe.ask, container));
        recipes.find_map(|recipe| Some((recipe, recipe.served_port(container)?)))
    }
}

#[cfg(test)]
mod tests;
