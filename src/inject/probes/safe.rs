//! Whether a probe can stop a set from forming: a pod that waits for its peers to be found, while they wait for it.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;

use super::catalogue::{self, Wait, words};
use super::{Risk, Site, governing_service};
use crate::inject::service;
use crate::statefulset::set::{Container, Set};

/// Words of flags and variables by which members find each other.
const PEER_WORDS: [&str; 9] = [
    "peer",
    "seed",
    "gossip",
    "raft",
    "quorum",
    "discovery",
    "join",
    "jgroups",
    "replicaof",
];

/// One pass over a text for all of them: a container may have hundreds of variables. Were the words no patterns, every text would
/// speak of peers, which only holds a probe back.
static PEERS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(PEER_WORDS)
        .ok()
});

/// How a probe that is not known to pass on each member alone could stop a set from forming. `Parallel` is no help by itself: names
/// that are hidden until pods are ready keep all of them from getting ready at once.
pub(super) fn risk(site: Site<'_>, container: &Container<'_>) -> Option<Risk> {
    let spec = &site.set.spec;
    let system = catalogue::by_image(&container.image);
    if system.is_none() && is_plain_web(site.set, container) {
        return None;
    }
    let is_of_many = system.is_some_and(|system| system.needs_peers || system.quorum);
    let needs_peers = is_of_many
        || knows_peers(site.set, container)
        || catalogue::waits(container) == Wait::Members;
    if needs_peers && spec.is_ordered_ready() {
        return Some(Risk::NeedsPeers);
    }
    // how many pods there will be is not known: a scale is no write of the set
    let is_alone = spec.replicas() <= 1 && !needs_peers;
    let service = &*spec.service_name;
    let hidden = || Risk::HiddenNames((!service.is_empty()).then(|| service.to_owned()));
    (!is_alone && !publishes(site)).then(hidden)
}

/// Whether the governing Service names pods before they are ready, as those that we keep do.
fn publishes(site: Site<'_>) -> bool {
    let governing = governing_service(site);
    governing.is_some_and(|service| service.headless && service.publish_not_ready_addresses)
        || is_kept(site)
}

/// Whether the governing Service is the one that the controller makes.
fn is_kept(site: Site<'_>) -> bool {
    let keeping = site.cluster.keeps_services();
    service::kept(site.policy, site.namespace, site.set, site.record, keeping).is_some()
}

/// Whether the command is the program itself, or a script that only prepares: one that waits for others, or names members of the set,
/// may not start the program before they are up.
pub(super) fn runs_plainly(set: &Set<'_>, container: &Container<'_>) -> bool {
    catalogue::waits(container) == Wait::Nothing
        && !(catalogue::is_script(container) && names_peers(set, container))
}

/// Whether the container is a web server that knows nothing of its peers: exactly one TCP port, a web one, and nothing in
/// its command, arguments or variables that names another member.
pub(super) fn is_plain_web(set: &Set<'_>, container: &Container<'_>) -> bool {
    let mut ports = container.tcp_ports();
    let (Some(port), None) = (ports.next(), ports.next()) else {
        return false;
    };
    let is_web = ["http", "https", "web"]
        .iter()
        .any(|name| port.name == *name)
        || [80, 443, 8080].contains(&port.container_port);
    is_web && !knows_peers(set, container) && catalogue::waits(container) != Wait::Members
}

/// Whether the container is told of another member, in its command, arguments or variables.
pub(super) fn knows_peers(set: &Set<'_>, container: &Container<'_>) -> bool {
    let names = Names::of(set);
    let told = |text: &str| speaks_of_peers(text) || names.member_in(text) || names.host_in(text);
    let mut variables = container.env.iter();
    words(container).any(told)
        || variables.any(|variable| told(&variable.name) || told(&variable.value))
}

/// Whether the command or its arguments name a member, or the Service by which members are found.
fn names_peers(set: &Set<'_>, container: &Container<'_>) -> bool {
    let names = Names::of(set);
    words(container).any(|text| names.member_in(text) || names.host_in(text))
}

fn speaks_of_peers(text: &str) -> bool {
    PEERS.as_ref().is_none_or(|peers| peers.is_match(text))
}

/// The names by which members are found, made ready once for all texts of a container.
struct Names<'s> {
    set: Finder<'s>,
    service: Finder<'s>,
}

impl<'s> Names<'s> {
    fn of(set: &'s Set<'_>) -> Self {
        Self {
            set: Finder::new(set.metadata.name.as_bytes()),
            service: Finder::new(set.spec.service_name.as_bytes()),
        }
    }

    /// Whether a text holds `<set>-0`, or `<set>-` and a variable.
    fn member_in(&self, text: &str) -> bool {
        places(&self.set, text).any(|(_, after)| {
            let next = after.strip_prefix('-').and_then(|rest| rest.chars().next());
            next.is_some_and(|next| next.is_ascii_digit() || matches!(next, '$' | '{' | '%'))
        })
    }

    /// Whether a text holds the governing Service's name as a part of a host name, or as the whole of it.
    fn host_in(&self, text: &str) -> bool {
        let ends = |edge: Option<char>| {
            edge.is_none_or(|edge| !edge.is_ascii_alphanumeric() && edge != '-' && edge != '_')
        };
        places(&self.service, text).any(|(before, after)| {
            let (before, after) = (before.chars().next_back(), after.chars().next());
            ends(before)
                && ends(after)
                && (before == Some('.') || after == Some('.') || before == Some('/'))
        })
    }
}

/// What stands before and after each place of a name in a text; an empty name has none.
fn places<'t>(name: &Finder<'_>, text: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let length = name.needle().len();
    let found = (length > 0).then(|| name.find_iter(text.as_bytes()));
    found
        .into_iter()
        .flatten()
        .filter_map(move |at| Some((text.get(..at)?, text.get(at + length..)?)))
}
