//! One certificate, a bundle of them, and whether a bundle verifies a chain as the API server would.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pem::{EncodeConfig, LineEnding, Pem};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self as pem_types, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

/// A certificate that could be read.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    from: i64,
    to: i64,
}

/// A text that is not a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not PEM.
    #[error("it is not PEM: {0}")]
    Pem(String),
    /// Not X.509.
    #[error("it is not X.509: {0}")]
    X509(String),
    /// No certificate where one should be.
    #[error("there is no certificate in it")]
    None,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// When it is not X.509.
    pub fn read(der: CertificateDer<'_>) -> Result<Self, CertificateError> {
        let (_, parsed) = X509Certificate::from_der(&der)
            .map_err(|error| CertificateError::X509(error.to_string()))?;
        let validity = parsed.validity();
        Ok(Self {
            from: validity.not_before.timestamp(),
            to: validity.not_after.timestamp(),
            der: der.into_owned(),
        })
    }

    /// Reads all of a PEM text.
    ///
    /// # Errors
    ///
    /// When one of them is broken.
    pub fn read_all(text: &[u8]) -> Result<Vec<Self>, CertificateError> {
        CertificateDer::pem_slice_iter(text)
            .map(|der| Self::read(der.map_err(|error| CertificateError::Pem(pem_error(&error)))?))
            .collect()
    }

    /// What rcgen has made can be read.
    pub(super) fn made(der: &CertificateDer<'_>) -> Result<Self, rcgen::Error> {
        Self::read(der.clone()).map_err(|_| rcgen::Error::CouldNotParseCertificate)
    }

    /// Its bytes.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// As PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        let pem = Pem::new("CERTIFICATE", self.der.to_vec());
        pem::encode_config(&pem, EncodeConfig::new().set_line_ending(LineEnding::LF))
    }

    /// Its first second, since 1970.
    #[must_use]
    pub fn starts(&self) -> i64 {
        self.from
    }

    /// Its last second, since 1970.
    #[must_use]
    pub fn ends(&self) -> i64 {
        self.to
    }

    /// From its first second to its last.
    #[must_use]
    pub fn life(&self) -> Duration {
        let seconds = self.to.saturating_sub(self.from);
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    /// Whether it is in its life.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        (self.from..=self.to).contains(&now.as_second())
    }

    /// The second, since 1970, from which it should be renewed: two thirds of its life are over.
    #[must_use]
    pub fn renewal(&self) -> i64 {
        self.to - self.to.saturating_sub(self.from).max(0) / 3
    }

    /// The key that it certifies, as `SubjectPublicKeyInfo`.
    pub(super) fn public_key(&self) -> Vec<u8> {
        self.parsed(|parsed| parsed.public_key().raw.to_vec())
    }

    /// The DNS names that it certifies.
    #[must_use]
    pub fn dns_names(&self) -> Vec<String> {
        self.parsed(|parsed| {
            let names = parsed.extensions().iter().filter_map(|extension| {
                match extension.parsed_extension() {
                    ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
                    _ => None,
                }
            });
            let dns = names.flatten().filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            });
            dns.collect()
        })
    }

    /// It was read before, so it can be read.
    fn parsed<T: Default>(&self, look: impl FnOnce(&X509Certificate<'_>) -> T) -> T {
        X509Certificate::from_der(&self.der)
            .map(|(_, parsed)| look(&parsed))
            .unwrap_or_default()
    }
}

fn pem_error(error: &pem_types::Error) -> String {
    error.to_string()
}

/// A PEM text of them all.
#[must_use]
pub fn bundle(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::pem).collect()
}

/// Whether a client that trusts `roots` alone accepts this chain (leaf first) of a server that it calls by `host`.
#[must_use]
pub fn verifies(
    roots: &[Certificate],
    chain: &[CertificateDer<'_>],
    host: &str,
    now: Timestamp,
) -> bool {
    let Some((leaf, intermediates)) = chain.split_first() else {
        return false;
    };
    let Ok(name) = ServerName::try_from(host) else {
        return false;
    };
    // Go takes a certificate that is itself trusted, whatever it says of being an authority; webpki does not.
    if let Some(own) = roots.iter().find(|root| root.der == *leaf) {
        return own.is_valid(now) && own.dns_names().iter().any(|name| name == host);
    }
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().map(|root| root.der.clone()));
    let provider = Arc::new(default_provider());
    let Ok(verifier) =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build()
    else {
        return false;
    };
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    verifier
        .verify_server_cert(leaf, intermediates, &name, &[], now)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::certs::Authority;

    fn now() -> Timestamp {
        "2026-03-01T10:00:00Z".parse().unwrap()
    }

    fn authority(life: u64) -> Authority {
        Authority::generate(now(), Duration::from_secs(life)).unwrap()
    }

    #[test]
    fn what_the_api_server_would_refuse_is_not_verified() {
        let (ours, other) = (authority(6000), authority(6000));
        let names = ["a.b.svc".to_owned()];
        let leaf = ours.sign(&names, now(), Duration::from_mins(1)).unwrap();
        let chain = [leaf.certificate.der().clone()];
        let [ours, other] = [ours, other].map(|authority| authority.certificate().clone());
        let both = [other.clone(), ours.clone()];
        for (what, roots, chain, host, later, expected) in [
            ("ours", &both[1..], &chain[..], "a.b.svc", 0, true),
            ("both", &both, &chain, "a.b.svc", 0, true),
            ("another authority", &both[..1], &chain, "a.b.svc", 0, false),
            ("an empty bundle", &[], &chain, "a.b.svc", 0, false),
            ("another name", &both, &chain, "a.c.svc", 0, false),
            ("no name", &both, &chain, "", 0, false),
            ("the last second", &both, &chain, "a.b.svc", 60, true),
            ("too late", &both, &chain, "a.b.svc", 61, false),
            ("too early", &both, &chain, "a.b.svc", -4, false),
            ("nothing shown", &both, &[], "a.b.svc", 0, false),
        ] {
            let at = now() + SignedDuration::from_secs(later);
            assert_eq!(verifies(roots, chain, host, at), expected, "{what}");
        }
    }

    #[test]
    fn a_certificate_that_is_trusted_itself_is_verified_though_it_calls_itself_an_authority() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["a.b.svc".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let made = params.self_signed(&key).unwrap();
        let own = Certificate::made(made.der()).unwrap();
        let chain = [own.der().clone()];
        for (roots, host, expected) in [
            (&[own.clone()][..], "a.b.svc", true),
            (&[own], "a.c.svc", false),
            (&[], "a.b.svc", false),
        ] {
            assert_eq!(verifies(roots, &chain, host, now()), expected, "{host}");
        }
    }

    #[test]
    fn a_bundle_is_read_as_it_was_written() {
        let both =
            [authority(60), authority(6000)].map(|authority| authority.certificate().clone());
        let text = bundle(&both);
        assert_eq!(Certificate::read_all(text.as_bytes()).unwrap(), both);
        assert_eq!(Certificate::read_all(b"\n").unwrap(), []);
        let broken = text.replace("MII", "!!!");
        assert!(matches!(
            Certificate::read_all(broken.as_bytes()),
            Err(CertificateError::Pem(_))
        ));
    }

    #[test]
    fn two_thirds_of_a_life_are_used() {
        let certificate = authority(60).certificate().clone();
        assert_eq!(
            certificate.renewal(),
            now().as_second() + 39,
            "63 s from 3 s before"
        );
        assert!(certificate.is_valid(now()));
    }
}
