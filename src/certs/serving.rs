//! What the next handshake shows, and whom it lets in.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use super::{Clients, Pair};
use crate::metrics::{CertificateKind, Metrics};
use crate::server::SharedTls;

/// The one place where the pair and the trusted clients become the TLS configuration; each is replaced by its own task.
pub struct Serving {
    tls: SharedTls,
    shown: watch::Sender<Option<Pair>>,
    clients: Mutex<Option<Arc<dyn ClientCertVerifier>>>,
    metrics: Arc<Metrics>,
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// Shows one pair to everybody, or none to anybody.
#[derive(Debug)]
struct Shown(Option<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }
}

impl Serving {
    /// Shows nothing yet, so that every handshake fails, and lets everybody in.
    ///
    /// # Errors
    ///
    /// When the provider lacks the ciphers of TLS 1.2 and 1.3, which ring does not.
    pub fn new(metrics: Arc<Metrics>) -> Result<Self, rustls::Error> {
        Ok(Self {
            tls: Arc::new(ArcSwap::new(configuration(None, None)?)),
            shown: watch::Sender::new(None),
            clients: Mutex::new(None),
            metrics,
        })
    }

    /// The configuration of the next handshake.
    #[must_use]
    pub fn tls(&self) -> SharedTls {
        Arc::clone(&self.tls)
    }

    /// What is shown, now and later.
    #[must_use]
    pub fn shown(&self) -> watch::Receiver<Option<Pair>> {
        self.shown.subscribe()
    }

    /// Shows this pair from now on.
    ///
    /// # Errors
    ///
    /// As [`Serving::new`].
    pub fn show(&self, pair: Pair) -> Result<(), rustls::Error> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        self.tls.store(configuration(Some(&pair), clients.clone())?);
        self.metrics
            .set_certificate_expiry(CertificateKind::Serving, pair.expires());
        self.shown.send_replace(Some(pair));
        Ok(())
    }

    /// Lets only these clients in from now on.
    ///
    /// # Errors
    ///
    /// As [`Serving::new`].
    pub fn admit(&self, clients: Clients) -> Result<(), rustls::Error> {
        let mut held = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let verifier = clients.verifier();
        let shown = self.shown.borrow().clone();
        self.tls
            .store(configuration(shown.as_ref(), Some(Arc::clone(&verifier)))?);
        *held = Some(verifier);
        Ok(())
    }
}

/// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
fn configuration(
    pair: Option<&Pair>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(Shown(pair.map(Pair::certified))));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
