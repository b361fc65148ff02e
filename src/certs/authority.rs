//! A certificate authority, and the leaves that it signs.
//!
//! kube-apiserver verifies a webhook by subject alternative name only (the common name is not looked at) and against
//! the caBundle of the webhook configuration, so an authority and a leaf directly below it are all that is needed.

use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};

use super::Certificate;

/// For how long the certificates of [`issue`] are valid.
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Certificates are valid from a little before they are made, so that a clock that is behind accepts them too: a twentieth
/// of their life, a day at most.
const BACKDATED: Duration = Duration::from_hours(24);

/// An authority's certificate and a leaf that it has signed, as PEM. The authority's key is not kept.
#[derive(Clone)]
pub struct Issued {
    /// The authority's certificate: what a caBundle holds.
    pub authority: String,
    /// The leaf's certificate.
    pub certificate: String,
    /// The leaf's private key, PKCS #8.
    pub key: String,
}

/// An authority that can sign.
#[derive(Clone, PartialEq, Eq)]
pub struct Authority {
    certificate: Certificate,
    /// PKCS #8, PEM.
    key: String,
}

/// A certificate for servers, and its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The certificate.
    pub certificate: Certificate,
    /// The private key, PKCS #8, PEM.
    pub key: String,
}

/// Keys are never shown.
macro_rules! without_key {
    ($($name:ident),*) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("certificate", &self.certificate)
                    .finish_non_exhaustive()
            }
        }
    )* };
}

without_key!(Issued, Authority, Leaf);

/// Certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A name that no certificate can hold.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    Name(String),
    /// There is no name to certify.
    #[error("a certificate needs at least one name")]
    NoName,
    /// The clock shows a year that certificates cannot express.
    #[error("the clock of this machine cannot be right: {0}")]
    Clock(#[from] jiff::Error),
    /// The key or the signature failed.
    #[error("cannot make certificates: {0}")]
    Crypto(#[from] rcgen::Error),
    /// The key is that of another certificate.
    #[error("the private key is not the authority's")]
    Unfit,
}

/// Makes an authority (ECDSA P-256, good for leaves only) and a leaf for the names, both valid for a year from `now`.
///
/// # Errors
///
/// When a name is neither a DNS name nor an IP address, or when there is none.
pub fn issue(names: &[String], now: Timestamp) -> Result<Issued, AuthorityError> {
    let authority = Authority::generate(now, YEAR)?;
    let leaf = authority.sign(names, now, YEAR)?;
    Ok(Issued {
        authority: authority.certificate.pem(),
        certificate: leaf.certificate.pem(),
        key: leaf.key,
    })
}

impl Authority {
    /// A new authority (ECDSA P-256, good for leaves only). Its name holds the time, so that people can tell two apart.
    ///
    /// # Errors
    ///
    /// When the end of its life is no date.
    pub fn generate(now: Timestamp, life: Duration) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        let name = format!("steadyset webhook authority {now:.0}");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Validity::starting(now, life)?.apply(&mut params);
        Ok(Self {
            certificate: Certificate::made(params.self_signed(&key)?.der())?,
            key: key.serialize_pem(),
        })
    }

    /// An authority that was made before.
    ///
    /// # Errors
    ///
    /// When the key cannot be read or is not the certificate's.
    pub fn restore(certificate: Certificate, key: &str) -> Result<Self, AuthorityError> {
        let pair = KeyPair::from_pem(key)?;
        if pair.subject_public_key_info() != certificate.public_key() {
            return Err(AuthorityError::Unfit);
        }
        Ok(Self {
            certificate,
            key: key.to_owned(),
        })
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its private key, PKCS #8, PEM.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Signs a leaf with a new key (ECDSA P-256), which ends with the authority at the latest.
    ///
    /// # Errors
    ///
    /// When a name is neither a DNS name nor an IP address, or when there is none.
    pub fn sign(
        &self,
        names: &[String],
        now: Timestamp,
        life: Duration,
    ) -> Result<Leaf, AuthorityError> {
        let mut params = leaf_params(names)?;
        let mut validity = Validity::starting(now, life)?;
        validity.to = validity.to.min(self.certificate.ends());
        validity.apply(&mut params);
        let issuer =
            Issuer::from_ca_cert_der(self.certificate.der(), KeyPair::from_pem(&self.key)?)?;
        let key = KeyPair::generate()?;
        Ok(Leaf {
            certificate: Certificate::made(params.signed_by(&key, &issuer)?.der())?,
            key: key.serialize_pem(),
        })
    }
}

/// Seconds since 1970: certificates know nothing finer.
struct Validity {
    from: i64,
    to: i64,
}

impl Validity {
    fn starting(now: Timestamp, life: Duration) -> Result<Self, jiff::Error> {
        let before = (life / 20).min(BACKDATED);
        let to = now.checked_add(SignedDuration::try_from(life)?)?;
        Ok(Self {
            from: now
                .checked_sub(SignedDuration::try_from(before)?)?
                .as_second(),
            to: to.as_second(),
        })
    }

    fn apply(&self, params: &mut CertificateParams) {
        let [from, to] = [self.from, self.to].map(|second| {
            date_time_ymd(1970, 1, 1)
                + Duration::from_secs(u64::try_from(second).unwrap_or_default())
        });
        params.not_before = from;
        params.not_after = to;
    }
}

fn leaf_params(names: &[String]) -> Result<CertificateParams, AuthorityError> {
    if names.is_empty() {
        return Err(AuthorityError::NoName);
    }
    if let Some(bad) = names.iter().find(|name| !is_certifiable(name)) {
        return Err(AuthorityError::Name(bad.clone()));
    }
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "steadyset webhook");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// rcgen would take any ASCII text for a DNS name.
fn is_certifiable(name: &str) -> bool {
    let host = name.strip_prefix("*.").unwrap_or(name);
    name.parse::<IpAddr>().is_ok() || rustls::pki_types::DnsName::try_from(host).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::Pair;

    const NOW: &str = "2026-03-01T10:00:00Z";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_leaf_lasts_a_year_and_its_key_fits() {
        let issued = issue(&names(&["localhost", "::1"]), NOW.parse().unwrap()).unwrap();
        let pair = Pair::read(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap();
        let end: Timestamp = "2027-03-01T10:00:00Z".parse().unwrap();
        assert_eq!(pair.expires(), end.as_second());
    }

    #[test]
    fn a_leaf_ends_with_its_authority() {
        let now: Timestamp = NOW.parse().unwrap();
        let life = Duration::from_secs(40);
        let authority = Authority::generate(now, life).unwrap();
        let leaf = authority.sign(&names(&["a"]), now, life * 2).unwrap();
        assert_eq!(leaf.certificate.ends(), now.as_second() + 40);
        assert_eq!(authority.certificate().starts(), now.as_second() - 2);
        let later = now + SignedDuration::from_secs(5);
        let leaf = authority.sign(&names(&["a"]), later, life / 2).unwrap();
        assert_eq!(leaf.certificate.ends(), now.as_second() + 25);
    }

    #[test]
    fn an_authority_is_restored_with_its_own_key_only() {
        let now = Timestamp::UNIX_EPOCH;
        let [one, other] = [(); 2].map(|()| Authority::generate(now, YEAR).unwrap());
        let restored = Authority::restore(one.certificate.clone(), one.key()).unwrap();
        assert_eq!(restored, one);
        let error = Authority::restore(one.certificate.clone(), other.key()).unwrap_err();
        assert!(matches!(error, AuthorityError::Unfit), "{error}");
    }

    #[test]
    fn rejects_what_is_no_name() {
        for bad in ["", "a b", "-", "https://a"] {
            let error = issue(&names(&[bad]), Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(
                matches!(error, AuthorityError::Name(name) if name == bad),
                "{bad}"
            );
        }
        assert!(matches!(
            issue(&[], Timestamp::UNIX_EPOCH),
            Err(AuthorityError::NoName)
        ));
    }

    #[test]
    fn the_key_is_not_in_the_debug_text() {
        let issued = issue(&names(&["localhost"]), Timestamp::UNIX_EPOCH).unwrap();
        assert!(!format!("{issued:?}").contains("PRIVATE"));
        let authority = Authority::generate(Timestamp::UNIX_EPOCH, YEAR).unwrap();
        assert!(!format!("{authority:?}").contains("PRIVATE"));
    }
}
