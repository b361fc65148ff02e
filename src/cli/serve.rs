//! `steadyset serve`: puts the webhook together and keeps it running.

mod certificates;
mod probes;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ArgGroup;
use kube::Client;
use tokio::task::JoinSet;

use super::UsageError;
use crate::admission::{self, BODY_BYTES, Pool, PoolCounts, Reviewer, Webhook};
use crate::certs::Serving;
use crate::cluster;
use crate::cluster::policies::Store;
use crate::cluster::policies::files::Followed;
use crate::cluster::policies::objects::Objects;
use crate::cluster_view::NoCluster;
use crate::kube_client::Target;
use crate::metrics::{Metrics, Shed};
use crate::model::version::ServerVersion;
use crate::model::{duration, quantity};
use crate::server::health::{self, Readiness};
use crate::server::{
    Config, Counts, Lifecycle, Limits, Memory, Server, SharedTls, Signals, Transport,
};
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
    /// Reviews being computed at one time; above, the API server gets a 503 and tries again
    #[arg(long, env = "STEADYSET_MAX_IN_FLIGHT", value_name = "N", default_value = "256",
        value_parser = clap::value_parser!(u32).range(1..))]
    max_in_flight: u32,
    /// Bodies and answers in memory, over all connections; one body gets half of it at most, and where it runs short the slowest
    /// peer is cut
    #[arg(long, env = "STEADYSET_BODY_MEMORY", value_name = "QUANTITY", default_value = "64Mi", value_parser = body_memory)]
    body_memory: usize,
    /// Open connections at one time; a further one takes the place of the longest idle
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
        let log = telemetry::install(self.log_format).context("cannot set up the log")?;
        let metrics = Arc::new(Metrics::new());
        metrics.follow_log(log.dropped.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let ended = runtime.block_on(self.serve(metrics));
        runtime.shutdown_background();
        ended
    }

    async fn serve(self, metrics: Arc<Metrics>) -> anyhow::Result<()> {
        let signals = Signals::install().context("cannot handle signals")?;
        let (lifecycle, mut tasks) = (Lifecycle::new(), Tasks::new());
        let mut readiness = Readiness::new(lifecycle.clone());
        let listening = readiness.gate("tls-listener");
        let serving = Arc::new(Serving::new(Arc::clone(&metrics))?);
        self.certificates.load(&serving, &mut tasks).await?;
        let store = Arc::new(Store::new(Arc::clone(&metrics)));
        follow_files(&self.config, &store, &mut tasks)?;
        let cluster = self
            .cluster
            .start(&metrics, &mut readiness, &mut tasks, &store)
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
            pool: self.pool(&metrics)?,
            memory: Arc::new(self.memory(&metrics)),
        };
        let server = Server::bind(
            self.webhook_config(serving.tls(), &metrics),
            admission::router(Arc::new(webhook)),
        )
        .await?;
        let router = health::router(readiness, metrics);
        let probes = probes::start(self.probe_listen, router, &mut tasks).await?;
        tracing::info!(webhook = %server.address(), %probes, "listening");
        let serving = tokio::spawn(server.run(lifecycle.clone()));
        listening.set(true);
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
                streams: streams(self.body_memory),
                grace: self.shutdown_grace,
                ..Limits::default()
            },
            counts: Counts {
                connections: metrics.load.connections.clone(),
                handshake_failures: metrics.handshake_failures.clone(),
                displaced: metrics.load.shed(Shed::Connection),
            },
        }
    }

    /// A thread for each core computes reviews.
    fn pool(&self, metrics: &Metrics) -> anyhow::Result<Pool> {
        let threads = std::thread::available_parallelism()
            .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX));
        let counts = PoolCounts {
            in_flight: metrics.load.in_flight.clone(),
            waiting: metrics.load.waiting.clone(),
            shed: metrics.load.shed(Shed::Review),
        };
        let io = tokio::runtime::Handle::current();
        let pool = Pool::start(threads, self.max_in_flight, counts, &io);
        pool.context("cannot start the threads that compute reviews")
    }

    fn memory(&self, metrics: &Metrics) -> Memory {
        let (held, cut) = (
            metrics.load.body_memory.clone(),
            metrics.load.shed(Shed::Peer),
        );
        Memory::new(self.body_memory, BODY_BYTES, held, cut)
    }
}

/// Requests on one connection: what they send before it is read fits into a sixteenth of the memory.
fn streams(body_memory: usize) -> u32 {
    let streams = body_memory / 16 / (64 << 10);
    u32::try_from(streams).unwrap_or(u32::MAX).clamp(8, 250)
}

/// A quantity of bytes, as Kubernetes writes it. Below 1 MiB not even small requests would have room.
fn body_memory(text: &str) -> Result<usize, String> {
    let bytes = quantity::nanos(text).and_then(|nanos| usize::try_from(nanos / 1_000_000_000).ok());
    bytes
        .filter(|bytes| (1 << 20..1 << 40).contains(bytes))
        .ok_or_else(|| format!("`{text}` is not a quantity of 1Mi or more, such as `64Mi`"))
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
        store: &Store,
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
        // the controller must not act on the built-in default while the cluster's own policies are on their way
        store.await_objects();
        cluster.start(metrics, readiness, tasks, store.followed());
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
