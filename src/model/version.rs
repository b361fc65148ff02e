//! Versions of the API server.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A version of the API server, such as 1.36.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion {
    /// 1.
    pub major: u32,
    /// 36 in 1.36.3.
    pub minor: u32,
    /// 3 in 1.36.3; `None` where only the minor version is known.
    pub patch: Option<u32>,
}

impl ServerVersion {
    /// Whether the server is of that minor version of Kubernetes 1 or a later one.
    #[must_use]
    pub fn at_least(self, minor: u32) -> bool {
        (self.major, self.minor) >= (1, minor)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)?;
        self.patch
            .map_or(Ok(()), |patch| write!(formatter, ".{patch}"))
    }
}

/// A text that is not a version of Kubernetes.
#[derive(Debug, Error)]
#[error("`{0}` is not a Kubernetes version; write it as 1.36 or 1.36.3")]
pub struct InvalidVersion(String);

impl FromStr for ServerVersion {
    type Err = InvalidVersion;

    /// Reads `1.36`, `1.36.3`, `v1.36.3` and what vendors make of it (`v1.36.3+k3s1`, `v1.36.3-gke.100`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidVersion(text.to_owned());
        let plain = text
            .trim_start_matches('v')
            .split(['-', '+'])
            .next()
            .unwrap_or_default();
        let mut numbers = plain
            .split('.')
            .map(|part| part.parse::<u32>().map_err(|_| invalid()));
        let major = numbers.next().ok_or_else(invalid)??;
        let minor = numbers.next().ok_or_else(invalid)??;
        let patch = numbers.next().transpose()?;
        if numbers.next().is_some() {
            return Err(invalid());
        }
        Ok(Self {
            major,
            minor,
            patch,
        })
    }
}
