//! A certificate authority that signs one leaf and forgets its key.
//!
//! kube-apiserver verifies a webhook by subject alternative name only (the common name is not looked at) and against
//! the caBundle of the webhook configuration, so a leaf and the authority's certificate are all that is needed. The
//! authority's key is never kept: nobody can sign a second leaf with it, and making both anew costs nothing.

use std::net::IpAddr;

use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// For how long both certificates are valid.
const VALID_YEARS: i32 = 1;

/// An authority and the leaf it has signed, as PEM.
#[derive(Clone)]
pub struct Issued {
    /// The authority's certificate: what a caBundle holds.
    pub authority: String,
    /// The leaf's certificate.
    pub certificate: String,
    /// The leaf's private key, PKCS #8.
    pub key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

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
}

/// Makes an authority (ECDSA P-256, good for leaves only) and a leaf for the names, both valid for a year from the day
/// before `now`, so that a clock that is behind accepts them too.
///
/// # Errors
///
/// When a name is neither a DNS name nor an IP address, or when there is none.
pub fn issue(names: &[String], now: Timestamp) -> Result<Issued, AuthorityError> {
    if names.is_empty() {
        return Err(AuthorityError::NoName);
    }
    let validity = Validity::around(now)?;
    let authority_key = KeyPair::generate()?;
    let authority_params = authority_params(&validity)?;
    let authority = authority_params.self_signed(&authority_key)?;
    let leaf_key = KeyPair::generate()?;
    let leaf = leaf_params(names, &validity)?
        .signed_by(&leaf_key, &Issuer::new(authority_params, authority_key))?;
    Ok(Issued {
        authority: authority.pem(),
        certificate: leaf.pem(),
        key: leaf_key.serialize_pem(),
    })
}

/// Whole days: rcgen takes no finer date without another time crate.
struct Validity {
    from: Date,
    to: Date,
}

impl Validity {
    fn around(now: Timestamp) -> Result<Self, jiff::Error> {
        let from = now.to_zoned(TimeZone::UTC).date().yesterday()?;
        Ok(Self {
            from,
            to: from.checked_add(Span::new().try_years(VALID_YEARS)?)?,
        })
    }

    fn apply(&self, params: &mut CertificateParams) {
        let [from, to] = [self.from, self.to].map(|date| {
            date_time_ymd(
                date.year().into(),
                date.month().unsigned_abs(),
                date.day().unsigned_abs(),
            )
        });
        params.not_before = from;
        params.not_after = to;
    }
}

fn authority_params(validity: &Validity) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "steadyset webhook authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity.apply(&mut params);
    Ok(params)
}

fn leaf_params(names: &[String], validity: &Validity) -> Result<CertificateParams, AuthorityError> {
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
    validity.apply(&mut params);
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

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_leaf_lasts_a_year_and_its_key_fits() {
        let issued = issue(
            &names(&["localhost", "::1"]),
            "2026-03-01T10:00:00Z".parse().unwrap(),
        )
        .unwrap();
        let pair = Pair::read(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap();
        let end: Timestamp = "2027-02-28T00:00:00Z".parse().unwrap();
        assert_eq!(pair.expires(), end.as_second());
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
    }
}
