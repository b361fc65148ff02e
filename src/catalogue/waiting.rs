//! Scripts that wait for others before they run their program.

use super::program::{base_name, is_shell};
use crate::statefulset::set::Container;

/// What asks whether another one is there.
const ASKS: [&str; 28] = [
    "curl",
    "wget",
    "ping",
    "ping6",
    "fping",
    "getent",
    "nslookup",
    "dig",
    "drill",
    "host",
    "nc",
    "ncat",
    "netcat",
    "telnet",
    "socat",
    "nmap",
    "pg_isready",
    "psql",
    "mysqladmin",
    "mariadb-admin",
    "mysql",
    "redis-cli",
    "valkey-cli",
    "mongo",
    "mongosh",
    "etcdctl",
    "cqlsh",
    "kubectl",
];

/// What does nothing but wait.
const WAITS: [&str; 7] = [
    "wait-for-it.sh",
    "wait-for-it",
    "wait-for.sh",
    "wait-for",
    "wait4x",
    "dockerize",
    "wait-for-port",
];

/// What a script may say to find out which of the pods it runs in, and how many there are.
const MEMBERS: [&str; 6] = [
    "hostname",
    "pod_name",
    "podname",
    "replica",
    "statefulset",
    "seq",
];

/// What a container's script waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Nothing.
    Nothing,
    /// Another one, of which it does not say that it is a pod of the same set.
    Other,
    /// Others that it finds by its own name.
    Members,
}

/// Whether a shell runs a script in the container.
pub(crate) fn is_script(container: &Container<'_>) -> bool {
    let mut parts = container.command.iter().chain(&container.args);
    let is_long = |part: &str| part.contains(char::is_whitespace);
    parts.clone().any(|part| is_shell(base_name(part))) && parts.any(|part| is_long(part))
}

/// What the container's script waits for: what asks for others within a loop, or a program that does nothing else.
pub(crate) fn waits(container: &Container<'_>) -> Wait {
    let parts = container.command.iter().chain(&container.args);
    let mut all = Wait::Nothing;
    for part in parts {
        match waits_in(part) {
            Wait::Members => return Wait::Members,
            Wait::Other => all = Wait::Other,
            Wait::Nothing => {}
        }
    }
    all
}

fn waits_in(script: &str) -> Wait {
    let is_end = |next: char| next.is_whitespace() || ";&|()\"'`".contains(next);
    let (mut depth, mut asks, mut members) = (0_usize, false, false);
    for word in script.split(is_end).filter(|word| !word.is_empty()) {
        let name = base_name(word);
        match word {
            "until" | "while" | "for" => depth += 1,
            "done" => depth = depth.saturating_sub(1),
            _ => {}
        }
        asks |= WAITS.contains(&name)
            || depth > 0 && (ASKS.contains(&name) || word.contains("/dev/tcp/"));
        let lower = word.to_ascii_lowercase();
        members |= depth > 0 && MEMBERS.iter().any(|member| lower.contains(member));
    }
    match (asks, members) {
        (false, _) => Wait::Nothing,
        (true, false) => Wait::Other,
        (true, true) => Wait::Members,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_may_wait_for_others() {
        for (script, expected) in [
            ("exec consul agent", Wait::Nothing),
            (
                "for f in /conf/*; do cat $f; done; exec redis-server",
                Wait::Nothing,
            ),
            (
                "until [ -f /ready ]; do sleep 1; done; exec app",
                Wait::Nothing,
            ),
            ("curl -o /c http://config/; exec app", Wait::Nothing),
            ("until ping -c1 db; do sleep 1; done; exec app", Wait::Other),
            (
                "while ! nc -z db 5432; do sleep 1; done\nexec app",
                Wait::Other,
            ),
            (
                "until (echo >/dev/tcp/db/5432); do sleep 1; done",
                Wait::Other,
            ),
            ("./wait-for-it.sh db:5432 -- app", Wait::Other),
            (
                "until getent hosts ${HOSTNAME%-*}-1.web; do sleep 1; done; exec app",
                Wait::Members,
            ),
            (
                "for i in $(seq 0 2); do until nslookup web-$i; do sleep 1; done; done; exec app",
                Wait::Members,
            ),
        ] {
            assert_eq!(waits_in(script), expected, "{script}");
        }
    }
}
