//! What the Secret holds: the authority with its key, the leaf that all replicas show, and what was before.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::ByteString;

use super::certificate::{bundle, verifies};
use super::{Authority, AuthorityError, Certificate, CertificateError, Leaf, Pair, PairError};

const AUTHORITY: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const LEAF: &str = "tls.crt";
const LEAF_KEY: &str = "tls.key";
const RETIRED: &str = "retired.crt";

/// How many authorities are kept beside the present one. One retires in years; more than a few mean that clocks differ, and
/// a Secret has an end.
const MAX_RETIRED: usize = 8;

/// The data of a Secret.
pub type Data = BTreeMap<String, ByteString>;

/// An authority, the leaf that it has signed, and the authorities of before.
#[derive(Debug, Clone)]
pub struct Kept {
    authority: Authority,
    leaf: Leaf,
    pair: Pair,
    retired: Vec<Retired>,
}

/// An authority that signs no more, and the last leaf that it has signed: a replica that cannot reach the API server goes
/// on showing that leaf, so its authority is trusted for as long as the leaf lives.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Retired {
    leaf: Certificate,
    authority: Certificate,
}

/// Two states are the same when they show the same leaf of the same authority.
impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.leaf == other.leaf && self.authority == other.authority
    }
}

/// For what and for how long certificates are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The names of the leaf.
    pub names: Vec<String>,
    /// The life of a leaf.
    pub leaf: Duration,
    /// The life of an authority.
    pub authority: Duration,
}

/// What is in the Secret does not fit together.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// Something is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A certificate cannot be read.
    #[error("{0}: {1}")]
    Certificate(&'static str, CertificateError),
    /// A key is no text.
    #[error("{0} is not PEM")]
    Text(&'static str),
    /// The key of the authority is another's.
    #[error("ca.crt and ca.key: {0}")]
    Authority(#[from] AuthorityError),
    /// The key of the leaf is another's.
    #[error("tls.crt and tls.key: {0}")]
    Pair(#[from] PairError),
    /// Another authority has signed the leaf.
    #[error("tls.crt is not signed by the authority in ca.crt")]
    Signature,
}

impl Kept {
    /// A new authority and a new leaf.
    ///
    /// # Errors
    ///
    /// When a name cannot be certified.
    pub fn new(wish: &Wish, now: Timestamp) -> Result<Self, KeptError> {
        let authority = Authority::generate(now, wish.authority)?;
        let leaf = authority.sign(&wish.names, now, wish.leaf)?;
        Self::of(authority, leaf, Vec::new())
    }

    fn of(authority: Authority, leaf: Leaf, retired: Vec<Retired>) -> Result<Self, KeptError> {
        Ok(Self {
            pair: Pair::read(leaf.certificate.pem().as_bytes(), leaf.key.as_bytes())?,
            authority,
            leaf,
            retired,
        })
    }

    /// The same authority with a new leaf. Names that the present leaf has beyond the wish stay: a replica with another
    /// wish has put them there, and two that took each other's names away would never end.
    ///
    /// # Errors
    ///
    /// When a name cannot be certified.
    pub fn with_new_leaf(&self, wish: &Wish, now: Timestamp) -> Result<Self, KeptError> {
        let mut names = wish.names.clone();
        if !self.certifies(&wish.names) {
            names.extend(self.leaf.certificate.dns_names());
            names.sort();
            names.dedup();
        }
        let leaf = self.authority.sign(&names, now, wish.leaf)?;
        Self::of(self.authority.clone(), leaf, self.still_trusted(now))
    }

    /// A new authority with a new leaf; the present one retires, even if its leaf has ended: another replica's clock may
    /// say otherwise.
    ///
    /// # Errors
    ///
    /// When a name cannot be certified.
    pub fn with_new_authority(&self, wish: &Wish, now: Timestamp) -> Result<Self, KeptError> {
        let mut retired = self.still_trusted(now);
        retired.push(Retired {
            leaf: self.leaf.certificate.clone(),
            authority: self.authority.certificate().clone(),
        });
        let too_many = retired.len().saturating_sub(MAX_RETIRED);
        retired.drain(..too_many);
        let fresh = Self::new(wish, now)?;
        Ok(Self { retired, ..fresh })
    }

    /// Reads the data of a Secret.
    ///
    /// # Errors
    ///
    /// When something is missing, cannot be read, or belongs to something else.
    pub fn read(data: &Data) -> Result<Self, KeptError> {
        let authority = Authority::restore(one(data, AUTHORITY)?, text(data, AUTHORITY_KEY)?)?;
        let leaf = Leaf {
            certificate: one(data, LEAF)?,
            key: text(data, LEAF_KEY)?.to_owned(),
        };
        let kept = Self::of(authority, leaf, retired(data)?)?;
        let signed = Timestamp::from_second(kept.leaf.certificate.starts()).unwrap_or_default();
        let signed = kept
            .leaf
            .certificate
            .dns_names()
            .first()
            .is_some_and(|name| {
                let roots = [kept.authority.certificate().clone()];
                verifies(&roots, kept.pair.chain(), name, signed.max(starts(&roots)))
            });
        if signed {
            Ok(kept)
        } else {
            Err(KeptError::Signature)
        }
    }

    /// Writes it into the data of a Secret; what others keep there stays.
    pub fn write(&self, data: &mut Data) {
        let retired: Vec<_> = self
            .retired
            .iter()
            .flat_map(|old| [old.leaf.clone(), old.authority.clone()])
            .collect();
        for (key, text) in [
            (AUTHORITY, self.authority.certificate().pem()),
            (AUTHORITY_KEY, self.authority.key().to_owned()),
            (LEAF, self.leaf.certificate.pem()),
            (LEAF_KEY, self.leaf.key.clone()),
            (RETIRED, bundle(&retired)),
        ] {
            data.insert(key.to_owned(), ByteString(text.into_bytes()));
        }
    }

    /// What the webhook port shows.
    #[must_use]
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The certificate of the authority that signs.
    #[must_use]
    pub fn authority(&self) -> &Certificate {
        self.authority.certificate()
    }

    /// The leaf's certificate.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.leaf.certificate
    }

    /// Whether the leaf is good for all these names.
    #[must_use]
    pub fn certifies(&self, names: &[String]) -> bool {
        let certified = self.leaf.certificate.dns_names();
        names.iter().all(|name| certified.contains(name))
    }

    /// Whether authority and leaf are in their lives.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.authority().is_valid(now) && self.leaf().is_valid(now)
    }

    /// Every authority of which somebody may still show a leaf, the present one first.
    pub fn trusted(&self, now: Timestamp) -> impl Iterator<Item = &Certificate> {
        let retired = self
            .retired
            .iter()
            .filter(move |old| old.leaf.ends() >= now.as_second())
            .map(|old| &old.authority);
        std::iter::once(self.authority()).chain(retired)
    }

    fn still_trusted(&self, now: Timestamp) -> Vec<Retired> {
        let live = |old: &&Retired| old.leaf.ends() >= now.as_second();
        self.retired.iter().filter(live).cloned().collect()
    }
}

/// Whether a Secret with this data may be written: it is empty or ours, for nobody else keeps an authority's key under that
/// name.
#[must_use]
pub fn may_be_written(data: &Data) -> bool {
    data.is_empty() || data.contains_key(AUTHORITY_KEY)
}

fn starts(certificates: &[Certificate]) -> Timestamp {
    let latest = certificates.iter().map(Certificate::starts).max();
    Timestamp::from_second(latest.unwrap_or_default()).unwrap_or_default()
}

fn value<'d>(data: &'d Data, key: &'static str) -> Result<&'d [u8], KeptError> {
    let value = data.get(key).ok_or(KeptError::Missing(key))?;
    Ok(&value.0)
}

fn text<'d>(data: &'d Data, key: &'static str) -> Result<&'d str, KeptError> {
    str::from_utf8(value(data, key)?).map_err(|_| KeptError::Text(key))
}

fn all(data: &Data, key: &'static str) -> Result<Vec<Certificate>, KeptError> {
    Certificate::read_all(value(data, key)?).map_err(|error| KeptError::Certificate(key, error))
}

fn one(data: &Data, key: &'static str) -> Result<Certificate, KeptError> {
    let first = all(data, key)?.into_iter().next();
    first.ok_or(KeptError::Certificate(key, CertificateError::None))
}

/// Pairs of a leaf and its authority; the key may be missing.
fn retired(data: &Data) -> Result<Vec<Retired>, KeptError> {
    if !data.contains_key(RETIRED) {
        return Ok(Vec::new());
    }
    let mut certificates = all(data, RETIRED)?.into_iter();
    let mut retired = Vec::new();
    while let (Some(leaf), Some(authority)) = (certificates.next(), certificates.next()) {
        retired.push(Retired { leaf, authority });
    }
    Ok(retired)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn wish() -> Wish {
        Wish {
            names: vec!["a.b.svc".to_owned()],
            leaf: Duration::from_mins(1),
            authority: Duration::from_mins(10),
        }
    }

    fn now() -> Timestamp {
        "2026-03-01T10:00:00.5Z".parse().unwrap()
    }

    fn data(kept: &Kept) -> Data {
        let mut data = Data::new();
        kept.write(&mut data);
        data
    }

    #[test]
    fn what_is_written_is_read_and_what_others_keep_there_stays() {
        let first = Kept::new(&wish(), now()).unwrap();
        let second = first.with_new_authority(&wish(), now()).unwrap();
        let mut data = data(&second);
        data.insert("theirs".to_owned(), ByteString(b"kept".to_vec()));
        let read = Kept::read(&data).unwrap();
        assert_eq!(read, second);
        assert_eq!(read.retired, second.retired);
        assert_ne!(read, first);
        read.with_new_leaf(&wish(), now()).unwrap().write(&mut data);
        assert_eq!(data["theirs"].0, b"kept");
    }

    #[test]
    fn a_retired_authority_is_trusted_until_its_last_leaf_ends_and_then_forgotten() {
        let first = Kept::new(&wish(), now()).unwrap();
        let second = first.with_new_authority(&wish(), now()).unwrap();
        for (after, trusted) in [(0, 2), (60, 2), (61, 1)] {
            let then = now() + SignedDuration::from_secs(after);
            assert_eq!(second.trusted(then).count(), trusted, "after {after} s");
            let renewed = second.with_new_leaf(&wish(), then).unwrap();
            assert_eq!(renewed.retired.len(), trusted - 1, "after {after} s");
        }
    }

    #[test]
    fn replicas_whose_clocks_differ_keep_what_the_others_show_and_not_without_end() {
        let mut kept = Kept::new(&wish(), now()).unwrap();
        let late = now() + SignedDuration::from_secs(6100);
        for turn in 0..20 {
            let clock = if turn % 2 == 0 { late } else { now() };
            let before = kept.authority().clone();
            kept = kept.with_new_authority(&wish(), clock).unwrap();
            assert_eq!(kept.retired.last().unwrap().authority, before);
        }
        assert!(kept.retired.len() <= MAX_RETIRED);
    }

    #[test]
    fn says_what_is_wrong_with_a_secret() {
        let (kept, other) = (
            Kept::new(&wish(), now()).unwrap(),
            Kept::new(&wish(), now()).unwrap(),
        );
        let other = data(&other);
        for (key, value, expected) in [
            (AUTHORITY, None, "ca.crt is missing"),
            (AUTHORITY_KEY, None, "ca.key is missing"),
            (
                LEAF,
                Some(&b""[..]),
                "tls.crt: there is no certificate in it",
            ),
            (LEAF_KEY, Some(b"\xff"), "tls.key is not PEM"),
            (
                RETIRED,
                Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                "retired.crt: it is not X.509",
            ),
            (
                AUTHORITY_KEY,
                Some(&other[AUTHORITY_KEY].0),
                "ca.crt and ca.key: the private key is not the authority's",
            ),
            (
                LEAF_KEY,
                Some(&other[LEAF_KEY].0),
                "tls.crt and tls.key: certificate and private key do not fit",
            ),
        ] {
            let mut data = data(&kept);
            match value {
                Some(value) => data.insert(key.to_owned(), ByteString(value.to_vec())),
                None => data.remove(key),
            };
            let error = Kept::read(&data).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{key}: {error}");
        }
        let mut mixed = data(&kept);
        for key in [LEAF, LEAF_KEY] {
            mixed.insert(key.to_owned(), other[key].clone());
        }
        assert!(matches!(Kept::read(&mixed), Err(KeptError::Signature)));
    }

    #[test]
    fn only_an_empty_secret_or_our_own_is_written() {
        let of = |keys: &[&str]| {
            let keys = keys
                .iter()
                .map(|key| ((*key).to_owned(), ByteString(Vec::new())));
            may_be_written(&keys.collect())
        };
        assert!(of(&[]) && of(&["ca.key"]) && of(&["ca.key", "theirs"]));
        assert!(!of(&["password"]) && !of(&["tls.crt", "tls.key"]));
    }
}
