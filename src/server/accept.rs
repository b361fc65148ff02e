//! The accept loop and its end.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::activity::Activity;
use super::connection::{self, Shared};

/// Out of file descriptors or memory: trying again at once would spin, and only closing connections helps.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(250);

/// How often a connection that waits for a place looks for one that has fallen idle.
const LOOK: Duration = Duration::from_millis(100);

/// The open connections.
#[derive(Debug, Default)]
pub(super) struct Open(Mutex<HashMap<tokio::task::Id, Arc<Activity>>>);

impl Open {
    fn insert(&self, id: tokio::task::Id, activity: Arc<Activity>) {
        self.lock().insert(id, activity);
    }

    fn remove(&self, id: tokio::task::Id) {
        self.lock().remove(&id);
    }

    /// Ends the connection that has been idle for the longest time; `false` where all are busy.
    fn displace(&self) -> bool {
        let open = self.lock();
        let idle = open.values().filter(|one| !one.displaced.is_cancelled());
        let longest = idle
            .filter_map(|one| Some((one.idle_for()?, one)))
            .max_by_key(|(idle, _)| *idle);
        if let Some((_, activity)) = longest {
            activity.displaced.cancel();
        }
        longest.is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<tokio::task::Id, Arc<Activity>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.limits.connections));
    let mut tasks = JoinSet::new();
    let mut waiting = None;
    loop {
        tokio::select! {
            biased;
            () = shared.lifecycle.drained() => break,
            Some(ended) = tasks.join_next_with_id() => forget(ended, &shared),
            Ok(place) = place(&places, &shared), if waiting.is_some() => {
                spawn(&mut tasks, waiting.take(), place, &shared);
            }
            stream = next(&listener), if waiting.is_none() => waiting = Some(stream),
        }
    }
    if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
        spawn(&mut tasks, waiting, place, &shared);
    }
    take_backlog(listener, &places, &mut tasks, &shared);
    drain(tasks, shared.limits.grace).await;
}

async fn next(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
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

/// A place for a new connection, taken from the longest idle one where there is no other.
async fn place(
    places: &Arc<Semaphore>,
    shared: &Shared,
) -> Result<OwnedSemaphorePermit, AcquireError> {
    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
        return Ok(place);
    }
    let mut free = std::pin::pin!(Arc::clone(places).acquire_owned());
    loop {
        if shared.open.displace() {
            shared.counts.displaced.inc();
        }
        if let Ok(place) = tokio::time::timeout(LOOK, &mut free).await {
            return place;
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
    stream: Option<TcpStream>,
    place: OwnedSemaphorePermit,
    shared: &Arc<Shared>,
) {
    let Some(stream) = stream else {
        return;
    };
    let activity = Arc::new(Activity::new());
    let connection = {
        let (shared, activity) = (Arc::clone(shared), Arc::clone(&activity));
        async move {
            connection::serve(stream, &activity, &shared).await;
            drop(place);
        }
    };
    let id = tasks.spawn(connection).id();
    shared.open.insert(id, activity);
}

/// Connections that the kernel has already completed would be reset with the listener, though their client believes
/// that it is connected. Asked of the socket itself: tokio knows only what its last poll reported.
fn take_backlog(
    listener: TcpListener,
    places: &Arc<Semaphore>,
    tasks: &mut JoinSet<()>,
    shared: &Arc<Shared>,
) {
    let Ok(listener) = listener.into_std() else {
        return;
    };
    while let Ok(place) = Arc::clone(places).try_acquire_owned() {
        let Ok((stream, _)) = listener.accept() else {
            return;
        };
        if stream.set_nonblocking(true).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            spawn(tasks, Some(stream), place, shared);
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

fn forget(ended: Result<(tokio::task::Id, ()), tokio::task::JoinError>, shared: &Shared) {
    let id = match &ended {
        Ok((id, ())) => *id,
        Err(error) => error.id(),
    };
    shared.open.remove(id);
    report(ended.map(drop));
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection task failed");
    }
}
