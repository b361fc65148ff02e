//! What a replica does about the certificates, decided from what it sees: no I/O and no clock of its own.
//!
//! There is no leader. Every replica sees the same Secret and the same configurations, decides the same, and writes by
//! compare-and-swap, so that the first has done it and the others find it done:
//!
//! * the **Secret** is the truth. Who finds two thirds of a life over, writes a successor; who finds it missing, writes what
//!   it knows;
//! * an authority is **published** as soon as it is in the Secret, and stays for as long as anybody may show a leaf of it;
//! * a leaf is **shown** when every caBundle has held its authority for [`settled_after`], so that every API server has heard
//!   of it. What is shown already needs no waiting.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::kept::{Kept, Wish};
use super::webhooks::Entry;
use super::{Certificate, Pair};

/// How long an authority is published before a leaf of it is shown: API servers learn of a configuration by a watch, each
/// on its own, and one of several may be minutes behind. Lives too short for that wait a sixth of themselves, which is half of
/// what is left after the renewal.
#[must_use]
pub fn settled_after(leaf: Duration) -> Duration {
    (leaf / 6).clamp(Duration::from_secs(5), Duration::from_mins(5))
}

/// How long an authority that we do not know stays in a caBundle, at most: replicas of before, with certificates from
/// elsewhere, may still serve.
const FOREIGN: Duration = Duration::from_hours(1);

/// The longest time between two looks, so that a jump of the clock is noticed.
const LOOK: Duration = Duration::from_secs(10);

/// The same while a leaf waits to be shown.
const LOOK_WHILE_WAITING: Duration = Duration::from_millis(250);

/// Both clocks: lives of certificates are a matter of the date, waiting is not.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The date.
    pub now: Timestamp,
    /// Since the process began.
    pub uptime: Duration,
}

/// How the Secret was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody knows yet.
    Unknown,
    /// It is not there, or holds nothing.
    Nothing,
    /// It was ours, and is broken.
    Broken,
    /// It holds what somebody else keeps there.
    Foreign,
    /// It holds what is known.
    Good,
}

/// Everything that is seen.
#[derive(Debug)]
pub struct Seen<'s> {
    /// The Secret.
    pub secret: Found,
    /// The last good content of the Secret.
    pub known: Option<&'s Kept>,
    /// What is shown.
    pub shown: Option<&'s Kept>,
    /// The webhooks of each configuration that call us; `None` until it is known whether it is there.
    pub configurations: [Option<&'s [Entry]>; 2],
    /// Since when authorities are published.
    pub sightings: &'s Sightings,
    /// What certificates should be.
    pub wish: &'s Wish,
    /// The clocks.
    pub clock: Clock,
}

/// What should be written into the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// A first authority and leaf.
    First,
    /// What is known, again.
    Again,
    /// A new leaf of the same authority.
    Leaf,
    /// A new authority and a leaf of it.
    Authority,
}

/// The caBundle that a webhook should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The webhook's name in its configuration.
    pub webhook: String,
    /// The authorities.
    pub bundle: Vec<Certificate>,
}

/// What is to be done now.
#[derive(Debug)]
pub struct Plan {
    /// Written into the Secret.
    pub write: Option<Write>,
    /// Whether what is known should be shown from now on.
    pub show: bool,
    /// Written into each configuration.
    pub publish: [Vec<Publication>; 2],
    /// When to look again, should nothing happen before.
    pub again: Duration,
}

/// Since when (on the clock of waiting) authorities have been in the caBundles.
#[derive(Debug, Default)]
pub struct Sightings {
    everywhere: BTreeMap<Vec<u8>, Duration>,
    anywhere: BTreeMap<Vec<u8>, Duration>,
}

impl Sightings {
    /// Notes what is published now.
    pub fn note(&mut self, entries: &[&Entry], uptime: Duration) {
        let all = entries.iter().flat_map(|entry| &entry.bundle);
        let mut anywhere = BTreeMap::new();
        for certificate in all {
            let der = certificate.der().to_vec();
            let since = self.anywhere.get(&der).copied().unwrap_or(uptime);
            anywhere.insert(der, since);
        }
        let holds = |entry: &Entry, der: &Vec<u8>| {
            let mut bundle = entry.bundle.iter();
            bundle.any(|certificate| **certificate.der() == **der)
        };
        let everywhere = anywhere
            .keys()
            .filter(|der| entries.iter().all(|entry| holds(entry, der)))
            .map(|der| {
                let since = self.everywhere.get(der).copied().unwrap_or(uptime);
                (der.clone(), since)
            });
        self.everywhere = everywhere.collect();
        self.anywhere = anywhere;
    }

    fn everywhere_for(&self, authority: &Certificate, uptime: Duration) -> Option<Duration> {
        let since = self.everywhere.get(authority.der().as_ref())?;
        Some(uptime.saturating_sub(*since))
    }

    fn anywhere_for(&self, authority: &Certificate, uptime: Duration) -> Duration {
        let since = self.anywhere.get(authority.der().as_ref());
        since.map_or(Duration::ZERO, |since| uptime.saturating_sub(*since))
    }
}

/// Decides.
#[must_use]
pub fn plan(seen: &Seen<'_>) -> Plan {
    Plan {
        write: seen.write(),
        show: seen.should_show(),
        publish: seen.configurations.map(|entries| {
            let entries = entries.unwrap_or_default().iter();
            entries
                .filter_map(|entry| seen.publication(entry))
                .collect()
        }),
        again: seen.again(),
    }
}

/// Whether every caBundle verifies what is shown; never where no webhook calls us.
pub fn in_sync<'e>(
    pair: Option<&Pair>,
    mut entries: impl Iterator<Item = &'e Entry> + Clone,
    now: Timestamp,
) -> bool {
    pair.is_some_and(|pair| {
        entries.clone().next().is_some() && entries.all(|entry| entry.verifies(pair, now))
    })
}

impl Seen<'_> {
    fn entries(&self) -> impl Iterator<Item = &Entry> + Clone {
        self.configurations.iter().flatten().copied().flatten()
    }

    fn write(&self) -> Option<Write> {
        match (self.secret, self.known) {
            (Found::Unknown, _) | (Found::Foreign, None) => None,
            (Found::Good, Some(known)) => self.due(known),
            (_, Some(known)) => Some(self.due(known).unwrap_or(Write::Again)),
            (_, None) => Some(Write::First),
        }
    }

    /// A certificate from the future is renewed, too: one of two clocks is wrong, and theirs may be.
    fn due(&self, kept: &Kept) -> Option<Write> {
        let now = self.clock.now;
        let over = |certificate: &Certificate| {
            !certificate.is_valid(now) || now.as_second() >= certificate.renewal()
        };
        if over(kept.authority()) {
            Some(Write::Authority)
        } else if over(kept.leaf()) || !kept.certifies(&self.wish.names) {
            Some(Write::Leaf)
        } else {
            None
        }
    }

    fn should_show(&self) -> bool {
        let now = self.clock.now;
        let Some(known) = self.known.filter(|known| known.is_valid(now)) else {
            return false;
        };
        match self.shown {
            None => true,
            Some(shown) if shown == known => false,
            Some(shown) => !shown.is_valid(now) || self.is_better(known, shown),
        }
    }

    /// An API server that has not heard of the authority would refuse its leaf; where it refuses what is shown anyway,
    /// nothing is lost.
    fn is_better(&self, known: &Kept, shown: &Kept) -> bool {
        if self.configurations.contains(&None) {
            return false;
        }
        let verified = |kept: &Kept| {
            let mut entries = self.entries();
            entries.all(|entry| entry.verifies(kept.pair(), self.clock.now))
        };
        let published = self
            .sightings
            .everywhere_for(known.authority(), self.clock.uptime);
        let leaf = self.wish.leaf.min(shown.leaf().life());
        let settled = published.is_some_and(|time| time >= settled_after(leaf))
            || self.entries().next().is_none();
        verified(known) && (settled || !verified(shown))
    }

    /// Every authority of which somebody may show a leaf.
    fn wanted(&self) -> Vec<Certificate> {
        let now = self.clock.now;
        let known = self.known.into_iter().flat_map(|known| known.trusted(now));
        let shown = self.shown.filter(|shown| shown.is_valid(now));
        let mut wanted: Vec<Certificate> = Vec::new();
        for authority in known.chain(shown.map(Kept::authority)) {
            if !wanted.contains(authority) {
                wanted.push(authority.clone());
            }
        }
        wanted
    }

    fn publication(&self, entry: &Entry) -> Option<Publication> {
        self.known?;
        let mut bundle = self.wanted();
        let wanted = bundle.len();
        // Not by their dates: where our clock is wrong, theirs may be the leaves that are shown.
        let stays = |authority: &&Certificate| {
            let published = self.sightings.anywhere_for(authority, self.clock.uptime);
            published < self.wish.leaf.min(FOREIGN)
        };
        for authority in entry.bundle.iter().filter(stays) {
            if !bundle.contains(authority) {
                bundle.push(authority.clone());
            }
        }
        let holds_all = bundle
            .iter()
            .take(wanted)
            .all(|one| entry.bundle.contains(one));
        let holds_no_other = entry.bundle.iter().all(|one| bundle.contains(one));
        if holds_all && holds_no_other && entry.readable {
            return None;
        }
        Some(Publication {
            webhook: entry.name.clone(),
            bundle,
        })
    }

    fn again(&self) -> Duration {
        let Some(known) = self.known else {
            return LOOK;
        };
        if self.shown != Some(known) {
            return LOOK_WHILE_WAITING;
        }
        let next = known.authority().renewal().min(known.leaf().renewal());
        let left = next.saturating_sub(self.clock.now.as_second()).max(1);
        Duration::from_secs(u64::try_from(left).unwrap_or_default()).min(LOOK)
    }
}

#[cfg(test)]
mod tests;
