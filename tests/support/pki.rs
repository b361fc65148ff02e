//! The certificates and kubeconfigs of one run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

/// A certificate authority with the files that the API server reads.
pub struct Authority {
    dir: PathBuf,
    ca_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority; writes `ca.crt`, `sa.key` and `sa.pub` (service-account tokens) to `dir`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "steadyset test control plane");
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let ca_pem = params.self_signed(&key)?.pem();
        fs::write(dir.join("ca.crt"), &ca_pem)?;
        let tokens = KeyPair::generate()?;
        fs::write(dir.join("sa.key"), tokens.serialize_pem())?;
        fs::write(dir.join("sa.pub"), tokens.public_key_pem())?;
        Ok(Self {
            dir: dir.to_owned(),
            ca_pem,
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's certificate.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A file of the authority's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes `NAME.crt` and `NAME.key` for a server on loopback.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn serving(&self, name: &str) -> Result<()> {
        let hosts = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let mut params = CertificateParams::new(hosts)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, key) = self.issue(params)?;
        fs::write(self.file(&format!("{name}.crt")), certificate)?;
        Ok(fs::write(self.file(&format!("{name}.key")), key)?)
    }

    /// A kubeconfig for a user with a client certificate.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn client(&self, server: &str, user: &str, group: Option<&str>) -> Result<PathBuf> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            params
                .distinguished_name
                .push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = self.issue(params)?;
        let credentials = json!({
            "client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(key),
        });
        let path = self.file(&format!("{}.kubeconfig", user.replace(':', "-")));
        write_kubeconfig(&path, server, &self.ca_pem, &credentials)?;
        Ok(path)
    }

    fn issue(&self, mut params: CertificateParams) -> Result<(String, String)> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// Writes a kubeconfig with one cluster and one user, as JSON (which is YAML).
///
/// # Errors
/// When the file cannot be written.
pub fn write_kubeconfig(
    path: &Path,
    server: &str,
    ca_pem: &str,
    user: &serde_json::Value,
) -> Result<()> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "steadyset",
        "clusters": [{"name": "steadyset", "cluster": {
            "server": server, "certificate-authority-data": STANDARD.encode(ca_pem)}}],
        "users": [{"name": "steadyset", "user": user}],
        "contexts": [{"name": "steadyset", "context": {"cluster": "steadyset", "user": "steadyset"}}],
    });
    Ok(fs::write(path, serde_json::to_vec_pretty(&config)?)?)
}
