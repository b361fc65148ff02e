//! Whether a probe can stop a set from forming: a pod that waits for its peers to be found, while they wait for it.

use std::sync::{Arc, LazyLock};

use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;

use super::Site;
use super::catalogue::words;
use crate::cluster_view::Service;
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

/// Whether no probe can block this set: one pod at most, all pods at once, or names that appear before readiness, as the
/// Services that we keep see to.
pub(super) fn cannot_block(site: Site<'_>, governing: Option<&Arc<Service>>) -> bool {
    let spec = &site.set.spec;
    spec.replicas() <= 1
        || !spec.is_ordered_ready()
        || governing.is_some_and(|service| service.headless && service.publish_not_ready_addresses)
        || is_kept(site)
}

/// Whether the governing Service is the one that the controller makes.
fn is_kept(site: Site<'_>) -> bool {
    let keeping = site.cluster.keeps_services();
    service::kept(site.policy, site.namespace, site.set, site.record, keeping).is_some()
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
    is_web && !knows_peers(set, container)
}

/// Whether the container is told of another member, in its command, arguments or variables.
pub(super) fn knows_peers(set: &Set<'_>, container: &Container<'_>) -> bool {
    let names = Names::of(set);
    let told = |text: &str| speaks_of_peers(text) || names.member_in(text) || names.host_in(text);
    let mut variables = container.env.iter();
    words(container).any(told)
        || variables.any(|variable| told(&variable.name) || told(&variable.value))
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
