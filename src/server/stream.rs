//! One request of a connection, and what cuts it off without harm to the others.

use std::time::Duration;

use hyper::rt::Executor;
use tokio_util::sync::CancellationToken;

use super::activity::Activity;

tokio::task_local! {
    static STREAM: Cut;
}

/// Cuts off the peer of one request: its stream where the protocol has streams, else its connection. An extension of every
/// request.
#[derive(Debug, Clone)]
pub struct Cut(CancellationToken);

impl Cut {
    /// Of the request that the current task works on.
    pub(super) fn current(activity: &Activity) -> Self {
        STREAM
            .try_with(Clone::clone)
            .unwrap_or_else(|_| Self(activity.cut.clone()))
    }

    /// Cuts it off.
    pub fn cut(&self) {
        self.0.cancel();
    }

    /// A peer of its own, for whoever has no connection.
    #[must_use]
    pub fn detached() -> Self {
        Self(CancellationToken::new())
    }

    /// Waits until it is cut off.
    pub(super) async fn cancelled(&self) {
        self.0.cancelled().await;
    }
}

/// Runs the streams of an HTTP/2 connection, each for so long at most. One that is dropped is reset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams(pub(super) Duration);

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let limit = self.0;
        tokio::spawn(async move {
            let cut = Cut::detached();
            tokio::select! {
                biased;
                () = STREAM.scope(cut.clone(), stream) => {}
                () = cut.cancelled() => {}
                () = tokio::time::sleep(limit) => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_never_ends_is_dropped() {
        let (alive, dropped) = oneshot::channel::<()>();
        Streams(Duration::from_secs(40)).execute(async move {
            let _alive = alive;
            std::future::pending::<()>().await;
        });
        assert!(dropped.await.is_err());
    }

    #[tokio::test]
    async fn a_stream_is_cut_alone_and_without_streams_the_connection_is() {
        let activity = std::sync::Arc::new(Activity::new());
        let (alive, dropped) = oneshot::channel::<()>();
        let on = std::sync::Arc::clone(&activity);
        Streams(Duration::from_mins(1)).execute(async move {
            let _alive = alive;
            Cut::current(&on).cut();
            std::future::pending::<()>().await;
        });
        assert!(dropped.await.is_err());
        assert!(!activity.cut.is_cancelled());
        Cut::current(&activity).cut();
        assert!(activity.cut.is_cancelled());
    }
}
