//! The probe port, on a thread and a runtime of its own: it answers however busy the webhook is.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use tokio::sync::oneshot;

use super::Tasks;
use crate::server::{BindError, Config, Counts, Lifecycle, Limits, Server, Transport};

/// The kubelet and Prometheus have a few; an idle one makes place for another.
const CONNECTIONS: usize = 128;

/// Starts to answer; gives the address as bound. The task ends when the thread does.
pub(super) async fn start(
    address: SocketAddr,
    router: Router,
    tasks: &mut Tasks,
) -> anyhow::Result<SocketAddr> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (bound, listens) = oneshot::channel();
    let (running, ended) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("probes".to_owned());
    thread.spawn(move || {
        let _running = running;
        runtime.block_on(serve(address, router, bound));
    })?;
    let address = listens.await.context("the probe thread ended")??;
    tasks.spawn(async {
        let _ = ended.await;
        "probe server"
    });
    Ok(address)
}

async fn serve(
    address: SocketAddr,
    router: Router,
    bound: oneshot::Sender<Result<SocketAddr, BindError>>,
) {
    let config = Config {
        address,
        transport: Transport::Plain,
        limits: Limits {
            connections: CONNECTIONS,
            ..Limits::default()
        },
        counts: Counts::default(),
    };
    match Server::bind(config, router).await {
        Ok(server) => {
            let _ = bound.send(Ok(server.address()));
            server.run(Lifecycle::new()).await;
        }
        Err(error) => {
            let _ = bound.send(Err(error));
        }
    }
}
