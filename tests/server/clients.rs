//! `--client-ca`: who may call.

use std::path::Path;
use std::sync::Arc;

use hyper::StatusCode;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{over_http1, post, probe, read};
use crate::objects::{review, sound};
use crate::process::Process;

/// An authority of clients, in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    fn write(&self, path: &Path) {
        std::fs::write(path, &self.pem).unwrap();
    }

    /// A certificate for clients of that common name.
    fn client(&self, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        (certificate.der().clone(), key)
    }
}

/// A review by a client that shows this certificate; `None` when it is not let in.
async fn asks(
    process: &Process,
    shown: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    version: &'static SupportedProtocolVersion,
) -> Option<StatusCode> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(&process.authority).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        Some((certificate, key)) => builder
            .with_client_auth_cert(vec![certificate], key)
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    let tcp = TcpStream::connect(process.webhook).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let name = "localhost".try_into().unwrap();
    let stream = connector.connect(name, tcp).await.ok()?;
    let mut sender = over_http1(stream).await;
    let body = review("CREATE", &sound()).to_string();
    let response = sender.send_request(post("/validate", body)).await.ok()?;
    Some(read(response).await.ok()?.status)
}

#[tokio::test]
async fn only_clients_of_the_authority_and_of_the_name_are_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.crt");
    let (ours, other) = (Authority::new(), Authority::new());
    ours.write(&file);
    let path = file.to_str().unwrap();
    let process = Process::start(&["--client-ca", path, "--client-name", "apiserver,other"]);
    for version in [&version::TLS12, &version::TLS13] {
        for (what, shown, let_in) in [
            ("nothing", None, false),
            ("ours", Some(ours.client("apiserver")), true),
            ("the second name", Some(ours.client("other")), true),
            ("another name", Some(ours.client("somebody")), false),
            ("another authority", Some(other.client("apiserver")), false),
        ] {
            let status = asks(&process, shown, version).await;
            let expected = let_in.then_some(StatusCode::OK);
            assert_eq!(status, expected, "{what}, {version:?}");
        }
    }
    let (_, metrics) = probe(process.probes, "/metrics").await;
    let refused = "steadyset_tls_handshake_failures_total{kind=\"unauthenticated\"} 6\n";
    assert!(metrics.contains(refused), "{metrics}");
}

#[tokio::test]
async fn another_authority_is_read_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.crt");
    let (ours, other) = (Authority::new(), Authority::new());
    ours.write(&file);
    let mut process = Process::start(&["--client-ca", file.to_str().unwrap()]);
    let of = |authority: &Authority| Some(authority.client("anybody"));
    assert!(asks(&process, of(&ours), &version::TLS13).await.is_some());
    assert!(asks(&process, of(&other), &version::TLS13).await.is_none());

    std::fs::write(&file, "nothing").unwrap();
    let event = process.event("authority of clients refused");
    assert!(
        event["error"]
            .as_str()
            .unwrap()
            .contains("there is no certificate in it")
    );
    assert!(asks(&process, of(&ours), &version::TLS13).await.is_some());

    other.write(&file);
    process.event("authority of clients renewed");
    assert!(asks(&process, of(&other), &version::TLS13).await.is_some());
    assert!(asks(&process, of(&ours), &version::TLS13).await.is_none());
}
