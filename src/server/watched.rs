//! The socket of a connection, whose reads and writes are noted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Limits;
use super::activity::Activity;

/// A stream that notes when the head of a request starts to arrive, and when the peer does not take what is written.
#[derive(Debug)]
pub(super) struct Watched<T> {
    stream: T,
    activity: Arc<Activity>,
    limits: Limits,
    heads: bool,
}

impl<T> Watched<T> {
    /// Of HTTP/1.1: between two requests comes nothing but the head of the next.
    pub(super) fn http1(stream: T, activity: Arc<Activity>, limits: Limits) -> Self {
        Self {
            stream,
            activity,
            limits,
            heads: true,
        }
    }

    /// Of HTTP/2: between two requests come frames that belong to none.
    pub(super) fn http2(stream: T, activity: Arc<Activity>, limits: Limits) -> Self {
        Self {
            heads: false,
            ..Self::http1(stream, activity, limits)
        }
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Pending => self.activity.write_blocked(&self.limits),
            Poll::Ready(Ok(bytes)) => self.activity.bytes_left(*bytes, &self.limits),
            Poll::Ready(Err(_)) => {}
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if self.heads && buf.filled().len() > before {
            self.activity.bytes_arrived();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(&written);
        written
    }

    /// TLS takes some bytes before it has sent them: only a flush that ends says that the peer keeps up.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        match &flushed {
            Poll::Pending => self.activity.write_blocked(&self.limits),
            Poll::Ready(_) => self.activity.all_left(),
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;

    use crate::server::{Config, Counts, Lifecycle, Limits, Server, Transport};

    #[tokio::test]
    async fn a_peer_that_never_reads_loses_its_connection() {
        let counts = Counts::default();
        let config = Config {
            address: ([127, 0, 0, 1], 0).into(),
            transport: Transport::Plain,
            limits: Limits {
                write: Duration::from_millis(50),
                ..Limits::default()
            },
            counts: counts.clone(),
        };
        let router = Router::new().route("/", get(async || vec![b' '; 16 << 20]));
        let server = Server::bind(config, router).await.unwrap();
        let mut peer = TcpStream::connect(server.address()).await.unwrap();
        tokio::spawn(server.run(Lifecycle::new()));
        peer.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let seen = |connections| {
            let gauge = counts.connections.clone();
            async move {
                while gauge.get() != connections {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        };
        seen(1).await;
        let ended = tokio::time::timeout(Duration::from_secs(20), seen(0)).await;
        ended.expect("it is still served");
    }
}
