//! How large a set is: beyond some size nothing is added to it and no near names are looked up, so that one review stays short.

use std::fmt;

use super::annotations::CLAIM_PREFIX;
use super::set::Set;
use crate::model::text::grouped;

/// The most containers, init containers included, that a set may have.
pub const MAX_CONTAINERS: usize = 256;

/// The most mounts that the containers of a set may have together.
pub const MAX_MOUNTS: usize = 2_000;

/// The most entries that `volumeClaimTemplates` may have.
pub const MAX_CLAIMS: usize = 1_000;

/// What a set may have too many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// More than [`MAX_CONTAINERS`].
    Containers(usize),
    /// More than [`MAX_MOUNTS`].
    Mounts(usize),
    /// More than [`MAX_CLAIMS`].
    Claims(usize),
}

impl Excess {
    /// The most that a set may have.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Containers(_) => MAX_CONTAINERS,
            Self::Mounts(_) => MAX_MOUNTS,
            Self::Claims(_) => MAX_CLAIMS,
        }
    }

    /// The JSON pointer to the list, or to what holds the lists.
    #[must_use]
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Containers(_) => "/spec/template/spec/containers",
            Self::Mounts(_) => "/spec/template/spec",
            Self::Claims(_) => "/spec/volumeClaimTemplates",
        }
    }

    /// What there is too much of, in the plural.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Containers(_) => "containers",
            Self::Mounts(_) => "mounts",
            Self::Claims(_) => "claims",
        }
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Containers(count) | Self::Mounts(count) | Self::Claims(count)) = self;
        write!(formatter, "{} {}", grouped(*count), self.noun())
    }
}

impl Set<'_> {
    /// What the set has too many of.
    #[must_use]
    pub fn excesses(&self) -> Vec<Excess> {
        let pods = &self.spec.template.spec;
        let containers = pods.containers.len() + pods.init_containers.len();
        let all = pods.containers.iter().chain(&pods.init_containers);
        let mounts = all
            .map(|container| container.volume_mounts.len() + container.volume_devices.len())
            .sum();
        let claims = self.spec.volume_claim_templates.len();
        let sizes = [
            (containers, Excess::Containers(containers)),
            (mounts, Excess::Mounts(mounts)),
            (claims, Excess::Claims(claims)),
        ];
        let above = sizes
            .into_iter()
            .filter(|(count, excess)| *count > excess.limit());
        above.map(|(_, excess)| excess).collect()
    }

    /// Whether something may be added to the set: it is not too large, and does not become so by the claims that its annotations
    /// ask for.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let annotations = self.metadata.annotations.ours.keys();
        let asked = annotations
            .filter(|key| key.starts_with(CLAIM_PREFIX))
            .count();
        self.excesses().is_empty()
            && self.spec.volume_claim_templates.len() + asked <= MAX_CLAIMS
            && self.spec.template.spec.volumes.len() <= MAX_MOUNTS
    }
}
