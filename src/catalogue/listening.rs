//! Where a program is told to listen: on which addresses, and whether in the clear.

use super::program::words;
use crate::statefulset::set::Container;

/// What a flag or variable is about that says where the program listens, whatever else its name says.
const LISTENS: [&str; 3] = ["bind", "listen", "listener"];

/// What it is about where it may as well be another server that is called.
const ADDRESSES: [&str; 9] = [
    "host",
    "hostname",
    "hosts",
    "interface",
    "interfaces",
    "address",
    "addresses",
    "addr",
    "ip",
];

/// What may stand beside [`ADDRESSES`] where the program's own address is meant.
const OWN: [&str; 20] = [
    "api", "app", "e", "flask", "grpc", "gunicorn", "http", "https", "network", "nest", "node",
    "nuxt", "rest", "rpc", "server", "tcp", "ui", "uvicorn", "vite", "web",
];

/// What says that a server beside the one that clients ask is meant.
const BESIDE: [&str; 12] = [
    "admin",
    "control",
    "debug",
    "health",
    "healthz",
    "management",
    "metrics",
    "monitor",
    "pprof",
    "probe",
    "prometheus",
    "telemetry",
];

/// Where a program listens for its own pod alone.
#[derive(Debug, Default)]
pub(crate) struct Loopback {
    /// Whether on every port of which nothing else is said.
    all: bool,
    /// Whether other addresses are said as well.
    others: bool,
    ports: Vec<i64>,
}

impl Loopback {
    /// What the command, the arguments and the variables of a container say.
    pub(crate) fn of(container: &Container<'_>) -> Self {
        let mut loopback = Self::default();
        let words: Vec<&str> = words(container).collect();
        loopback.read(&words);
        for variable in &container.env {
            let words: Vec<&str> = variable.value.split_whitespace().collect();
            loopback.setting(&variable.name, &words);
            // a variable may hold flags for the program, and anything else that names an address may be whom it calls
            if words.iter().any(|word| is_flag(word)) {
                loopback.read(&words);
            }
        }
        loopback
    }

    /// Whether no probe from outside reaches the port.
    pub(crate) fn holds(&self, port: i64) -> bool {
        self.ports.contains(&port) || self.all && !self.others
    }

    fn read(&mut self, words: &[&str]) {
        for (at, word) in words.iter().enumerate() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            if !value.is_empty() {
                self.setting(name, &[value]);
            } else if word.starts_with('-') {
                let values = words.iter().skip(at + 1);
                let values: Vec<&str> = values.take_while(|word| !is_flag(word)).copied().collect();
                self.setting(word, &values);
            } else if let Address::Loopback(Some(port)) = Address::of(word)
                && !word.contains("://")
            {
                self.ports.push(port);
            }
        }
    }

    /// A flag or variable with the values that may be its own.
    fn setting(&mut self, name: &str, values: &[&str]) {
        let Some(scope) = Scope::of(name) else {
            return;
        };
        for value in values.iter().flat_map(|value| value.split(',')) {
            match Address::of(value) {
                Address::Loopback(Some(port)) => self.ports.push(port),
                Address::Loopback(None) => self.all |= scope == Scope::Program,
                Address::Other => self.others |= scope == Scope::Program,
                Address::None => return,
            }
        }
    }
}

/// Whether a word is a flag, and no address of redis that may be missing (`-::1`).
fn is_flag(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("-:")
}

/// Whose address a setting is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// That of the server that clients ask.
    Program,
    /// That of a server beside it.
    Beside,
}

impl Scope {
    /// The scope of a flag or variable; `None` where it is not about where the program listens.
    fn of(name: &str) -> Option<Self> {
        let parts = parts(name);
        let any = |known: &[&str]| parts.iter().any(|part| known.contains(&part.as_str()));
        let own = || {
            let mut others = parts
                .iter()
                .filter(|part| !ADDRESSES.contains(&part.as_str()));
            others.all(|part| OWN.contains(&part.as_str()) || BESIDE.contains(&part.as_str()))
        };
        let listens = any(&LISTENS) || any(&ADDRESSES) && own();
        listens.then(|| {
            if any(&BESIDE) {
                Self::Beside
            } else {
                Self::Program
            }
        })
    }
}

/// The words that a name is made of: `--http.listenAddress` of http, listen and address.
fn parts(name: &str) -> Vec<String> {
    let name = name.trim_start_matches('-');
    let name = name
        .strip_prefix(['D', 'E'])
        .filter(|rest| rest.contains('.'))
        .unwrap_or(name);
    let mut parts = vec![String::new()];
    let mut before = '-';
    for next in name.chars() {
        let begins = before.is_ascii_lowercase() && next.is_ascii_uppercase();
        if !next.is_ascii_alphanumeric() || begins {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| next.is_ascii_alphanumeric()) {
            part.push(next.to_ascii_lowercase());
        }
        before = next;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// What a value says of an address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Address {
    /// The pod's own, of that port where one is said.
    Loopback(Option<i64>),
    Other,
    None,
}

impl Address {
    fn of(value: &str) -> Self {
        let value = value.split_once("://").map_or(value, |(_, rest)| rest);
        let value = value.trim_start_matches('-').trim_end_matches('/');
        let (host, port) = match value.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() && host != ":" => {
                (host, port.parse().ok())
            }
            _ => (value, None),
        };
        let host = host.trim_matches(['[', ']']);
        if host == "localhost" || host == "::1" || host.starts_with("127.") {
            return Self::Loopback(port);
        }
        let is_address = host.contains(['.', ':', '$', '*']) || port.is_some();
        if is_address { Self::Other } else { Self::None }
    }
}

/// Whether the program is told with flags or variables to serve TLS, so that the port for plain requests may be off.
pub(crate) fn serves_tls(container: &Container<'_>) -> bool {
    let mut variables = container.env.iter();
    let mut words = words(container).filter(|word| word.starts_with('-'));
    !keeps_plain_port(container)
        && (words.any(is_own_certificate)
            || variables
                .any(|variable| !variable.value.is_empty() && is_own_certificate(&variable.name)))
}

/// Keycloak serves both where it is told to.
fn keeps_plain_port(container: &Container<'_>) -> bool {
    let is_on = |value: &str| value.eq_ignore_ascii_case("true");
    let mut variables = container.env.iter();
    words(container).any(|word| word.strip_prefix("--http-enabled=").is_some_and(is_on))
        || variables.any(|variable| variable.name == "KC_HTTP_ENABLED" && is_on(&variable.value))
}

/// `--https-certificate-file`, `--tls-cert-file`, `SERVER_SSL_KEY_STORE`; not what a client or an authority needs.
fn is_own_certificate(name: &str) -> bool {
    const TLS: [&str; 3] = ["https", "tls", "ssl"];
    const FILES: [&str; 9] = [
        "cert",
        "certfile",
        "certificate",
        "certificates",
        "key",
        "keyfile",
        "keystore",
        "pem",
        "crt",
    ];
    const SERVERS: [&str; 12] = [
        "api", "enabled", "file", "files", "http", "kc", "path", "private", "server", "store",
        "web", "config",
    ];
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    let parts = parts(name);
    let any = |known: &[&str]| parts.iter().any(|part| known.contains(&part.as_str()));
    let is_known = |part: &String| {
        [&TLS[..], &FILES, &SERVERS]
            .iter()
            .any(|known| known.contains(&part.as_str()))
    };
    any(&TLS) && any(&FILES) && parts.iter().all(is_known)
}

#[cfg(test)]
mod tests;
