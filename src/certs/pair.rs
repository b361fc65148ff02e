//! A certificate chain and the key that fits it.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::{Certificate, CertificateError};

/// A chain and a key, checked against each other.
#[derive(Debug, Clone)]
pub struct Pair {
    certified: Arc<CertifiedKey>,
    leaf: Certificate,
}

/// Two files that do not make a pair.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The certificate is not PEM.
    #[error("the certificate cannot be read: {0}")]
    Certificate(pem::Error),
    /// The file holds no certificate.
    #[error("there is no certificate in the file")]
    NoCertificate,
    /// The first certificate is not X.509.
    #[error("the certificate cannot be read: {0}")]
    X509(#[from] CertificateError),
    /// The key is not PEM, or encrypted.
    #[error("the private key cannot be read: {0}")]
    Key(pem::Error),
    /// The key is of an unknown kind or belongs to another certificate.
    #[error("certificate and private key do not fit: {0}")]
    Unfit(#[from] rustls::Error),
}

impl Pair {
    /// Reads a chain (leaf first) and a private key (PKCS #8, PKCS #1 or SEC 1) from PEM and sees that they fit.
    ///
    /// # Errors
    ///
    /// When either cannot be read, or when the key is not the leaf's.
    pub fn read(certificate: &[u8], key: &[u8]) -> Result<Self, PairError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(PairError::Certificate)?;
        let leaf = chain.first().ok_or(PairError::NoCertificate)?;
        let leaf = Certificate::read(leaf.clone())?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(PairError::Key)?;
        let certified = CertifiedKey::from_der(chain, key, &default_provider())?;
        Ok(Self {
            certified: Arc::new(certified),
            leaf,
        })
    }

    /// The first certificate of the chain.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// When the leaf ends, in seconds since 1970.
    #[must_use]
    pub fn expires(&self) -> i64 {
        self.leaf.ends()
    }

    /// The chain, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// Chain and key as rustls shows them.
    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::{Issued, issue};

    fn issued() -> Issued {
        issue(&["localhost".to_owned()], jiff::Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_key_of_another_certificate_does_not_fit() {
        let (one, other) = (issued(), issued());
        let error = Pair::read(one.certificate.as_bytes(), other.key.as_bytes()).unwrap_err();
        assert!(matches!(error, PairError::Unfit(_)), "{error}");
    }

    #[test]
    fn says_which_of_the_two_is_unreadable() {
        let issued = issued();
        let error = Pair::read(b"", issued.key.as_bytes()).unwrap_err();
        assert!(matches!(error, PairError::NoCertificate), "{error}");
        let error = Pair::read(issued.certificate.as_bytes(), b"").unwrap_err();
        assert!(matches!(error, PairError::Key(_)), "{error}");
    }

    #[test]
    fn an_expiry_is_read_from_the_leaf() {
        let issued = issued();
        let pair = Pair::read(issued.certificate.as_bytes(), issued.key.as_bytes()).unwrap();
        assert_eq!(pair.expires(), 365 * 86_400);
    }
}
