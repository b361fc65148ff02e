//! `steadyset serve`: puts the webhook together and keeps it running.

mod certificates;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ArgGroup;
use kube::Client;
use tokio::task::JoinSet;

use super::UsageError;
use crate::admission::{self, Reviewer, Webhook};
use crate::certs::Serving;
use crate::cluster;
use crate::cluster::policies::Store;
use crate::cluster::policies::files::Followed;
use crate::cluster::policies::objects::Objects;
use crate::cluster_view::NoCluster;
use crate::kube_client::Target;
use crate::metrics::Metrics;
use crate::model::duration;
use crate::model::version::ServerVersion;
use crate::server::health::{self, Readiness};
use crate::server::{Config, Counts, Lifecycle, Limits, Server, SharedTls, Signals, Transport};
use crate::telemetry::{self, LogFormat};
use certificates::Certificates;

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("certificate").required(true).args(["tls_cert", "self_signed", "ephemeral_cert"])))]
pub(super) struct Args {
    /// Where the API server calls: `/mutate` and `/validate` over TLS
    #[arg(
        long,
        env = "STEADYSET_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8443"
    )]
    listen: SocketAddr,
    /// Where the kubelet and Prometheus ask: `/livez`, `/readyz?verbose` and `/metrics` over plain HTTP
    #[arg(
        long,
        env = "STEADYSET_PROBE_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    probe_listen: SocketAddr,
    /// A file of policies, or a folder of such; repeatable, read again when it changes
    #[arg(
        long,
        env = "STEADYSET_CONFIG",
        value_name = "PATH",
        value_delimiter = ','
    )]
    config: Vec<PathBuf>,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    cluster: Cluster,
    /// Reviews in work at one time; above, the API server is told to try again
    #[arg(long, env = "STEADYSET_MAX_IN_FLIGHT", value_name = "N", default_value = "256",
        value_parser = clap::value_parser!(u32).range(1..))]
    max_in_flight: u32,
    /// Open connections at one time; further ones wait
    #[arg(long, env = "STEADYSET_MAX_CONNECTIONS", value_name = "N", default_value = "4096",
        value_parser = clap::value_parser!(u16).range(1..))]
    max_connections: u16,
    /// After SIGTERM: not ready any more, still serving, until every client has heard of it
    #[arg(long, env = "STEADYSET_LAME_DUCK", value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    lame_duck: Duration,
    /// After that: time for the requests still open
    #[arg(long, env = "STEADYSET_SHUTDOWN_GRACE", value_name = "DURATION", default_value = "30s",
        value_parser = duration::parse)]
    shutdown_grace: Duration,
    /// The form of the log on stderr
    #[arg(
        long,
        env = "STEADYSET_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,
}

#[derive(Debug, clap::Args)]
struct Cluster {
    /// How to reach the cluster; as kubectl finds it unless told
    #[arg(
        long,
        env = "STEADYSET_KUBECONFIG",
        value_name = "FILE",
        conflicts_with = "offline"
    )]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig
    #[arg(
        long,
        env = "STEADYSET_CONTEXT",
        value_name = "NAME",
        conflicts_with = "offline"
    )]
    context: Option<String>,
    /// Ask no API server: what it would know is unknown, and nothing is linked that nobody would keep
    #[arg(long = "no-cluster", env = "STEADYSET_NO_CLUSTER")]
    offline: bool,
    /// The version of Kubernetes that the rules assume, such as 1.34 or 1.35.2; the API server is asked unless told
    #[arg(long, env = "STEADYSET_KUBE_VERSION", value_name = "VERSION")]
    kube_version: Option<ServerVersion>,
}

/// What must not end while the process serves; each gives its name when it does.
type Tasks = JoinSet<&'static str>;

/// What a task beside the requests needs where there is a cluster.
struct Beside<'a> {
    client: &'a Client,
    metrics: &'a Arc<Metrics>,
    readiness: &'a mut Readiness,
    tasks: &'a mut Tasks,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let _log = telemetry::install(self.log_format).context("cannot set up the log")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> anyhow::Result<()> {
        let signals = Signals::install().context("cannot handle signals")?;
        let metrics = Arc::new(Metrics::new());
        let (lifecycle, mut tasks) = (Lifecycle::new(), Tasks::new());
        let mut readiness = Readiness::new(lifecycle.clone());
        let listening = readiness.gate("tls-listener");
        let serving = Arc::new(Serving::new(Arc::clone(&metrics))?);
        self.certificates.load(&serving, &mut tasks).await?;
        let store = Arc::new(Store::new(Arc::clone(&metrics)));
        follow_files(&self.config, &store, &mut tasks)?;
        let cluster = self
            .cluster
            .start(&metrics, &mut readiness, &mut tasks)
            .await?;
        if let Some(cluster) = &cluster {
            let gate = readiness.gate("policies");
            let objects = Objects::new(cluster.client().clone(), Arc::clone(&store), gate);
            tasks.spawn(async move {
                objects.follow().await;
                "policies of the cluster"
            });
            let mut beside = Beside {
                client: cluster.client(),
                metrics: &metrics,
                readiness: &mut readiness,
                tasks: &mut tasks,
            };
            self.certificates.keep(&serving, &mut beside);
        }
        let reviewer = Reviewer {
            policies: store.shared(),
            cluster,
            nothing: NoCluster {
                version: self.cluster.kube_version,
            },
        };
        let webhook = Webhook {
            reviewer,
            metrics: Arc::clone(&metrics),
            max_in_flight: self.max_in_flight,
        };
        let server = Server::bind(
            self.webhook_config(serving.tls(), &metrics),
            admission::router(Arc::new(webhook)),
        )
        .await?;
        let probes = Server::bind(self.probe_config(), health::router(readiness, metrics)).await?;
        tracing::info!(webhook = %server.address(), probes = %probes.address(), "listening");
        let serving = tokio::spawn(server.run(lifecycle.clone()));
        listening.set(true);
        tasks.spawn(async {
            probes.run(Lifecycle::new()).await;
            "probe server"
        });
        self.last(signals, lifecycle, serving, tasks).await
    }

    /// Waits for the end and sees it through.
    async fn last(
        &self,
        mut signals: Signals,
        lifecycle: Lifecycle,
        mut serving: tokio::task::JoinHandle<()>,
        mut tasks: Tasks,
    ) -> anyhow::Result<()> {
        tokio::select! {
            signal = signals.next() => tracing::info!(signal, "leaving: not ready, still serving"),
            ended = tasks.join_next() => bail!("a background task ended: {}", ended.context("none is left")??),
            ended = &mut serving => return ended.context("the webhook server ended"),
        }
        lifecycle.leave();
        tokio::select! {
            () = tokio::time::sleep(self.lame_duck) => {}
            signal = signals.next() => tracing::info!(signal, "the lame duck is cut short"),
        }
        lifecycle.drain();
        tokio::select! {
            ended = serving => ended.context("the drain failed")?,
            signal = signals.next() => bail!("{signal} during the drain; open requests are lost"),
        }
        tracing::info!("drained");
        Ok(())
    }

    fn webhook_config(&self, tls: SharedTls, metrics: &Metrics) -> Config {
        Config {
            address: self.listen,
            transport: Transport::Tls(tls),
            limits: Limits {
                connections: self.max_connections.into(),
                grace: self.shutdown_grace,
                ..Limits::default()
            },
            counts: Counts {
                connections: metrics.connections.clone(),
                handshake_failures: metrics.handshake_failures.clone(),
            },
        }
    }

    fn probe_config(&self) -> Config {
        Config {
            address: self.probe_listen,
            transport: Transport::Plain,
            limits: Limits::default(),
            counts: Counts::default(),
        }
    }
}

/// Puts the policies of files in force, and keeps them as the files are.
fn follow_files(paths: &[PathBuf], store: &Arc<Store>, tasks: &mut Tasks) -> anyhow::Result<()> {
    if paths.is_empty() {
        return Ok(());
    }
    let followed = Followed::start(paths.to_vec(), store).map_err(|wrong| {
        let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        anyhow::Error::new(UsageError(format!(
            "--config cannot be used:\n{}",
            lines.join("\n")
        )))
    })?;
    let store = Arc::clone(store);
    tasks.spawn(async move {
        followed.follow(store).await;
        "policies in files"
    });
    Ok(())
}

impl Cluster {
    /// Starts to watch the cluster; `None` where there is none to be asked.
    async fn start(
        &self,
        metrics: &Arc<Metrics>,
        readiness: &mut Readiness,
        tasks: &mut Tasks,
    ) -> anyhow::Result<Option<Arc<cluster::Cluster>>> {
        if self.offline {
            return Ok(None);
        }
        let target = Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        };
        let client = target
            .connect()
            .await
            .context("no cluster to serve; --no-cluster serves without one")?;
        let cluster = Arc::new(cluster::Cluster::new(client, self.kube_version));
        cluster.start(metrics, readiness, tasks);
        Ok(Some(cluster))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    /// What the process ends with when this task does, though nobody has asked it to.
    async fn end(task: impl Future<Output = &'static str> + Send + 'static) -> String {
        let program = Program::parse_from(["serve", "--no-cluster", "--ephemeral-cert"]);
        let mut tasks = Tasks::new();
        tasks.spawn(std::future::pending());
        tasks.spawn(task);
        let serving = tokio::spawn(std::future::pending());
        let signals = Signals::install().unwrap();
        let lifecycle = Lifecycle::new();
        let ended = program.args.last(signals, lifecycle, serving, tasks).await;
        ended.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_dead_background_task_ends_the_process() {
        let words = end(async { "certificates" }).await;
        assert_eq!(words, "a background task ended: certificates");
        let words = end(async { panic!("a bug") }).await;
        assert!(words.contains("panicked"), "{words}");
    }
}
