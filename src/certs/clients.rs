//! Who may call: with `--client-ca`, only those who show a certificate of that authority.
//!
//! kube-apiserver shows one when its `AdmissionConfiguration` names a kubeconfig for webhooks, and not otherwise.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError as Refusal, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::files::{FilesError, hash, read};
use super::{Certificate, CertificateError, Serving};

/// The clients that are let in.
#[derive(Debug, Clone)]
pub struct Clients(Arc<dyn ClientCertVerifier>);

/// The file does not say who may call.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// It is no PEM file of certificates.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
    /// It holds no certificate that can be an authority.
    #[error("it holds no authority: {0}")]
    Authority(#[from] rustls::server::VerifierBuilderError),
}

impl Clients {
    /// Clients with a certificate that one of these authorities (PEM) has signed, and whose common name is one of `names`;
    /// any name where there are none.
    ///
    /// # Errors
    ///
    /// When there is no authority in it.
    pub fn read(authorities: &[u8], names: &[String]) -> Result<Self, ClientsError> {
        let authorities = Certificate::read_all(authorities)?;
        if authorities.is_empty() {
            return Err(CertificateError::None.into());
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().map(|root| root.der().clone()));
        let provider = Arc::new(default_provider());
        let trusted =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        if names.is_empty() {
            return Ok(Self(trusted));
        }
        Ok(Self(Arc::new(Named {
            trusted,
            names: names.into(),
        })))
    }

    pub(super) fn verifier(self) -> Arc<dyn ClientCertVerifier> {
        self.0
    }
}

/// Trusted clients of certain names.
#[derive(Debug)]
struct Named {
    trusted: Arc<dyn ClientCertVerifier>,
    names: Arc<[String]>,
}

impl ClientCertVerifier for Named {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.trusted.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.trusted.verify_client_cert(leaf, intermediates, now)?;
        if common_names(leaf)
            .iter()
            .any(|name| self.names.contains(name))
        {
            return Ok(verified);
        }
        Err(Error::InvalidCertificate(
            Refusal::ApplicationVerificationFailure,
        ))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted
            .verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted
            .verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trusted.supported_verify_schemes()
    }
}

fn common_names(leaf: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else {
        return Vec::new();
    };
    let names = leaf.subject().iter_common_name();
    names
        .filter_map(|name| name.as_str().ok().map(str::to_owned))
        .collect()
}

/// The file of `--client-ca`, and what was last read of it.
pub struct ClientFile {
    path: PathBuf,
    names: Vec<String>,
    seen: Option<[u8; 32]>,
}

impl fmt::Debug for ClientFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl ClientFile {
    /// Reads the file and lets its clients in, and no others.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or holds no authority.
    pub async fn admit(
        path: &Path,
        names: &[String],
        serving: &Serving,
    ) -> Result<Self, FilesError> {
        let content = read(path).await?;
        let file = Self {
            path: path.to_owned(),
            names: names.to_vec(),
            seen: Some(hash(&[&content])),
        };
        file.put(&content, serving)?;
        Ok(file)
    }

    fn put(&self, content: &[u8], serving: &Serving) -> Result<(), FilesError> {
        let unusable = |source| FilesError::Clients {
            path: self.path.clone(),
            source,
        };
        let clients = Clients::read(content, &self.names).map_err(unusable)?;
        serving.admit(clients)?;
        Ok(())
    }

    /// Lets in whom the file names, for ever; what cannot be used leaves the last good one in force and is reported once.
    pub async fn follow(mut self, serving: Arc<Serving>) {
        loop {
            tokio::time::sleep(super::files::POLL).await;
            let content = read(&self.path).await;
            let now = content.as_ref().ok().map(|content| hash(&[content]));
            if now == self.seen {
                continue;
            }
            self.seen = now;
            match content.and_then(|content| self.put(&content, &serving)) {
                Ok(()) => tracing::info!("authority of clients renewed"),
                Err(error) => {
                    tracing::error!(%error, "authority of clients refused; the last good one stays in use");
                }
            }
        }
    }
}
