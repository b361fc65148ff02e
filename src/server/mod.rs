//! A TCP server for any axum router that survives the peers it will really meet.
//!
//! It is bound before anything is called ready, takes no more connections than it has permits for, gives every wait of
//! a peer its own limit, and ends without losing a request: see [`Lifecycle`].

mod accept;
mod activity;
mod body;
mod connection;
pub mod health;
mod lifecycle;
mod memory;
mod stream;
mod watched;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpListener;

pub use body::Held;
pub use lifecycle::{Lifecycle, Signals};
pub use memory::{Memory, NoMemory, Share};
pub use stream::Cut;

use crate::metrics::HandshakeFailures;
use accept::Open;

/// The TLS configuration for the next handshake; replaced when certificates are renewed.
pub type SharedTls = Arc<ArcSwap<rustls::ServerConfig>>;

/// What a connection speaks below HTTP.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Nothing: the probe port.
    Plain,
    /// TLS 1.2 or 1.3, HTTP/2 or HTTP/1.1 as ALPN says.
    Tls(SharedTls),
}

/// How much and how long; every wait of a peer has an end.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at one time. A further one takes the place of the longest idle, or waits where none is idle.
    pub connections: usize,
    /// Requests at one time on one HTTP/2 connection.
    pub streams: u32,
    /// For the TLS handshake. Ten seconds are what Go's client allows itself.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its head, and from the handshake to the first request.
    pub request_head: Duration,
    /// For a connection between two requests. Longer than the 90 seconds of kube-apiserver, or its POST meets a
    /// connection that is just being closed and fails.
    pub idle: Duration,
    /// For a connection on which requests are open but none begins or ends: a peer that does not read its answer.
    /// Longer than the 30 seconds an admission call may last.
    pub stalled_request: Duration,
    /// For one request of an HTTP/2 connection, from its head to the end of its answer; longer than those 30 seconds too.
    pub stream: Duration,
    /// For a peer that does not read what is written; 64 KiB that it reads buy it a second more.
    pub write: Duration,
    /// For the requests that are open when the drain begins.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            streams: 64,
            handshake: Duration::from_secs(10),
            request_head: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            stalled_request: Duration::from_mins(1),
            stream: Duration::from_secs(40),
            write: Duration::from_secs(10),
            grace: Duration::from_secs(30),
        }
    }
}

/// What the server counts.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Open connections.
    pub connections: Gauge,
    /// Handshakes that did not come to an end, by kind.
    pub handshake_failures: HandshakeFailures,
    /// Idle connections closed for a new one.
    pub displaced: Counter,
}

/// Where to listen and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address; port 0 lets the system choose.
    pub address: SocketAddr,
    /// TLS or not.
    pub transport: Transport,
    /// How much and how long.
    pub limits: Limits,
    /// Where to count.
    pub counts: Counts,
}

/// The address could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

/// A bound server: the kernel already queues its connections, nothing is answered before [`Server::run`].
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: connection::Shared,
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    ///
    /// When the address is taken or not ours.
    pub async fn bind(config: Config, router: Router) -> Result<Self, BindError> {
        let failed = |source| BindError {
            address: config.address,
            source,
        };
        let listener = TcpListener::bind(config.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = connection::Shared {
            router,
            transport: config.transport,
            limits: config.limits,
            counts: config.counts,
            lifecycle: Lifecycle::new(),
            open: Open::default(),
        };
        Ok(Self {
            listener,
            address,
            shared,
        })
    }

    /// The address as bound, with the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the lifecycle drains, then until the last request is answered or the grace is over.
    pub async fn run(self, lifecycle: Lifecycle) {
        let shared = Arc::new(connection::Shared {
            lifecycle,
            ..self.shared
        });
        accept::run(self.listener, shared).await;
    }
}
