//! Where the certificates of `steadyset serve` come from, and who may call.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;

use super::{Beside, Tasks};
use crate::certs::{
    self, Checker, ClientFile, Files, Keeper, ObjectName, Pair, Serving, Settings, Sync, Told, Wish,
};
use crate::cli::UsageError;
use crate::model::duration;

/// A third of it must do for every API server to hear of a new authority, twice over.
const SHORTEST_LIFE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(super) struct Certificates {
    /// The certificate chain, PEM, leaf first; read again when it changes
    #[arg(
        long,
        env = "STEADYSET_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// The private key, PEM; read again when it changes
    #[arg(
        long,
        env = "STEADYSET_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// Make authority and certificate, keep them in a Secret, renew them, and publish the caBundle
    #[arg(
        long,
        env = "STEADYSET_SELF_SIGNED",
        requires_all = ["service", "secret", "webhook_configuration"],
        conflicts_with = "offline"
    )]
    self_signed: bool,
    /// The Service that the webhook configurations name; the certificate is made for it
    #[arg(
        long,
        env = "STEADYSET_SERVICE",
        value_name = "NAMESPACE/NAME",
        requires = "webhook_configuration"
    )]
    service: Option<ObjectName>,
    /// The Secret that all replicas share
    #[arg(
        long,
        env = "STEADYSET_SECRET",
        value_name = "NAMESPACE/NAME",
        requires = "self_signed"
    )]
    secret: Option<ObjectName>,
    /// The MutatingWebhookConfiguration and the ValidatingWebhookConfiguration of this name: their caBundle is published
    /// with --self-signed, and only checked with --tls-cert
    #[arg(
        long,
        env = "STEADYSET_WEBHOOK_CONFIGURATION",
        value_name = "NAME",
        conflicts_with_all = ["offline", "ephemeral_cert"]
    )]
    webhook_configuration: Option<String>,
    /// How long a self-signed certificate lives; it is renewed when two thirds are over
    ///
    /// Ninety days: no replica needs to be up for a month, and renewal happens often enough to be known to work.
    #[arg(long, env = "STEADYSET_CERTIFICATE_LIFE", value_name = "DURATION", default_value = "2160h",
        value_parser = duration::parse)]
    certificate_life: Duration,
    /// How long a self-signed authority lives; it is replaced when two thirds are over
    ///
    /// A year, for the same reasons. Old and new are both in the caBundle until the last certificate of the old one has
    /// ended.
    #[arg(long, env = "STEADYSET_AUTHORITY_LIFE", value_name = "DURATION", default_value = "8760h",
        value_parser = duration::parse)]
    authority_life: Duration,
    /// For development: a certificate in memory; its caBundle is printed on stdout
    #[arg(long, env = "STEADYSET_EPHEMERAL_CERT")]
    ephemeral_cert: bool,
    /// A further name for the certificate in memory, beside localhost, 127.0.0.1 and `::1`; repeatable
    #[arg(
        long,
        env = "STEADYSET_DNS",
        value_name = "NAME",
        value_delimiter = ',',
        requires = "ephemeral_cert"
    )]
    dns: Vec<String>,
    /// Let only clients in that show a certificate of an authority in this file, PEM; read again when it changes
    ///
    /// The API server shows one when its `AdmissionConfiguration` names a kubeconfig for webhooks.
    #[arg(long, env = "STEADYSET_CLIENT_CA", value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// The common name that such a certificate must have; repeatable, any name unless told
    #[arg(
        long = "client-name",
        env = "STEADYSET_CLIENT_NAME",
        value_name = "CN",
        value_delimiter = ',',
        requires = "client_ca"
    )]
    client_names: Vec<String>,
}

impl Certificates {
    /// Reads what is in files, and makes what lives in memory.
    pub(super) async fn load(
        &self,
        serving: &Arc<Serving>,
        tasks: &mut Tasks,
    ) -> anyhow::Result<()> {
        if let Some(path) = &self.client_ca {
            let file = ClientFile::admit(path, &self.client_names, serving).await?;
            let serving = Arc::clone(serving);
            tasks.spawn(async move {
                file.follow(serving).await;
                "reload of the clients' authority"
            });
        }
        if self.self_signed {
            return self.check_lives();
        }
        let (Some(certificate), Some(key)) = (self.tls_cert.clone(), self.tls_key.clone()) else {
            return self.ephemeral(serving);
        };
        let (pair, followed) = Files { certificate, key }.read().await?;
        serving.show(pair)?;
        let serving = Arc::clone(serving);
        tasks.spawn(async move {
            followed.follow(serving).await;
            "certificate reload"
        });
        Ok(())
    }

    /// Keeps what is in the cluster, or checks it.
    pub(super) fn keep(&self, serving: &Arc<Serving>, beside: &mut Beside<'_>) {
        let Some(configuration) = self.webhook_configuration.clone() else {
            return;
        };
        let metrics = Arc::clone(beside.metrics);
        let shown = self
            .self_signed
            .then(|| beside.readiness.gate("certificate"));
        let gate = beside.readiness.gate("ca-bundle");
        let sync = Sync::new(Arc::clone(&metrics), gate);
        let (Some(shown), Some(settings)) = (shown, self.settings(&configuration)) else {
            let checker = Checker {
                client: beside.client.clone(),
                configuration,
                service: self.service.clone(),
                shown: serving.shown(),
                sync,
            };
            beside.tasks.spawn(async {
                checker.run().await;
                "check of the caBundle"
            });
            return;
        };
        let told = Told {
            serving: Arc::clone(serving),
            shown,
            sync,
            metrics,
        };
        let keeper = Keeper::new(beside.client, settings, told);
        beside.tasks.spawn(async {
            keeper.run().await;
            "certificates"
        });
    }

    fn settings(&self, configuration: &str) -> Option<Settings> {
        let service = self.service.clone()?;
        let wish = Wish {
            names: vec![service.host()],
            leaf: self.certificate_life,
            authority: self.authority_life,
        };
        Some(Settings {
            secret: self.secret.clone()?,
            service,
            configuration: configuration.to_owned(),
            wish,
        })
    }

    fn check_lives(&self) -> anyhow::Result<()> {
        if self.certificate_life < SHORTEST_LIFE {
            let text = "--certificate-life must be 30s at least: API servers need time to hear of a new authority";
            return Err(UsageError(text.to_owned()).into());
        }
        if self.authority_life < self.certificate_life {
            let text = "--authority-life must not be shorter than --certificate-life";
            return Err(UsageError(text.to_owned()).into());
        }
        Ok(())
    }

    fn ephemeral(&self, serving: &Serving) -> anyhow::Result<()> {
        let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let names: Vec<_> = local.iter().chain(&self.dns).cloned().collect();
        let issued = certs::issue(&names, jiff::Timestamp::now())?;
        println!(
            "{}",
            base64::engine::general_purpose::STANDARD.encode(&issued.authority)
        );
        let pair = Pair::read(issued.certificate.as_bytes(), issued.key.as_bytes())?;
        serving.show(pair)?;
        Ok(())
    }
}
