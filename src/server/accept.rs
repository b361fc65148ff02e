//! The accept loop and its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::connection::{self, Shared};

/// Out of file descriptors or memory: trying again at once would spin, and only closing connections helps.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(shared.limits.connections));
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = shared.lifecycle.drained() => break,
            Some(ended) = tasks.join_next() => report(ended),
            (stream, permit) = next(&listener, &permits) => spawn(&mut tasks, stream, permit, &shared),
        }
    }
    take_backlog(listener, &permits, &mut tasks, &shared);
    drain(tasks, shared.limits.grace).await;
}

async fn next(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) if is_of_peer(&error) => {
                tracing::debug!(%error, "a connection ended before it was accepted");
            }
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

fn is_of_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

fn spawn(
    tasks: &mut JoinSet<()>,
    stream: TcpStream,
    permit: Option<OwnedSemaphorePermit>,
    shared: &Arc<Shared>,
) {
    let shared = Arc::clone(shared);
    tasks.spawn(async move {
        connection::serve(stream, &shared).await;
        drop(permit);
    });
}

/// Connections that the kernel has already completed would be reset with the listener, though their client believes
/// that it is connected. Asked of the socket itself: tokio knows only what its last poll reported.
fn take_backlog(
    listener: TcpListener,
    permits: &Arc<Semaphore>,
    tasks: &mut JoinSet<()>,
    shared: &Arc<Shared>,
) {
    let Ok(listener) = listener.into_std() else {
        return;
    };
    while let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
        let Ok((stream, _)) = listener.accept() else {
            return;
        };
        if stream.set_nonblocking(true).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            spawn(tasks, stream, Some(permit), shared);
        }
    }
}

async fn drain(mut tasks: JoinSet<()>, grace: Duration) {
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!(
            connections = tasks.len(),
            "the grace is over; open connections are cut"
        );
        tasks.shutdown().await;
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection task failed");
    }
}
