//! A certificate chain and the key that fits it.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A chain and a key, checked against each other.
#[derive(Debug, Clone)]
pub struct Pair {
    certified: Arc<CertifiedKey>,
    expires: i64,
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
    X509(#[from] x509_parser::asn1_rs::Err<x509_parser::error::X509Error>),
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
        let (_, parsed) = X509Certificate::from_der(leaf)?;
        let expires = parsed.validity().not_after.timestamp();
        let key = PrivateKeyDer::from_pem_slice(key).map_err(PairError::Key)?;
        let certified = CertifiedKey::from_der(chain, key, &default_provider())?;
        Ok(Self {
            certified: Arc::new(certified),
            expires,
        })
    }

    /// When the leaf ends, in seconds since 1970.
    #[must_use]
    pub fn expires(&self) -> i64 {
        self.expires
    }

    /// A configuration that shows this pair to every client, TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    ///
    /// When the provider lacks the ciphers of TLS 1.2 and 1.3, which ring does not.
    pub fn tls(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let resolver = rustls::sign::SingleCertAndKey::from(Arc::clone(&self.certified));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
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
        assert_eq!(pair.expires(), 364 * 86_400);
    }
}
