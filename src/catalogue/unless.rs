//! What makes the probe of a system wrong for a container.

use super::program::words;
use crate::statefulset::set::Container;

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

impl Unless {
    pub(super) fn holds(self, container: &Container<'_>) -> bool {
        match self {
            Self::Word(start) => words(container).any(|word| word.starts_with(start)),
            Self::Variable(start) => container
                .env
                .iter()
                .any(|variable| variable.name.starts_with(start) && !is_off(&variable.value)),
            Self::Certificates => container.volume_mounts.iter().any(|mount| {
                let texts = [&mount.name, &mount.mount_path, &mount.sub_path];
                texts.into_iter().any(|text| speaks_of_tls(text))
            }),
        }
    }
}

fn speaks_of_tls(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "tls",
        "ssl",
        "cert",
        "pki",
        "keystore",
        "truststore",
        "x509",
        ".pem",
        ".crt",
    ];
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// Whether a variable's value switches off what it stands for; an empty one may come from elsewhere and does not.
fn is_off(value: &str) -> bool {
    ["no", "false", "off", "0", "disabled"]
        .iter()
        .any(|off| value.eq_ignore_ascii_case(off))
}
