//! One connection, from the handshake to its end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version, header};
use axum::response::IntoResponse;
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::Service;

use super::accept::Open;
use super::activity::{Activity, Advice};
use super::stream::Streams;
use super::watched::Watched;
use super::{Counts, Cut, Held, Lifecycle, Limits, SharedTls, Transport};
use crate::metrics::HandshakeFailure;

/// How often a connection is judged; a limit is overrun by this much at most, and no request pays for a timer.
const JUDGED_EVERY: Duration = Duration::from_secs(2);

/// For a request that is under way when its connection is asked to end.
const CLOSING: Duration = Duration::from_secs(10);

/// How often a connection that was asked to end may be found without a request before it is dropped: its peer does not
/// even read the farewell.
const IDLE_JUDGEMENTS: u32 = 5;

/// Larger heads are refused; an admission call has a few hundred bytes.
const HEAD_BYTES: u16 = u16::MAX;

/// What a peer may send of one body before any of it is read.
const STREAM_WINDOW: u32 = 64 << 10;

/// What is kept of one answer beyond what the peer has made room for.
const SEND_BUFFER: usize = 64 << 10;

/// Streams that the peer has reset before they were looked at, or that were reset for its errors. A client that is well
/// has none of the second kind, and few of the first.
const RESETS: usize = 20;

/// For a connection that has to make place for another to end in good order.
const DISPLACING: Duration = Duration::from_secs(1);

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) transport: Transport,
    pub(super) limits: Limits,
    pub(super) counts: Counts,
    pub(super) lifecycle: Lifecycle,
    pub(super) open: Open,
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: TcpStream, activity: &Arc<Activity>, shared: &Shared) {
    let _counted = Counted::new(&shared.counts.connections);
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY refused");
    }
    match &shared.transport {
        Transport::Plain => serve_http1(stream, activity, shared).await,
        Transport::Tls(tls) => {
            let handshake = tokio::select! {
                stream = handshake(stream, tls, shared) => stream,
                () = activity.displaced.cancelled() => None,
            };
            let Some(stream) = handshake else {
                return;
            };
            match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => serve_http2(stream, activity, shared).await,
                _ => serve_http1(stream, activity, shared).await,
            }
        }
    }
}

async fn handshake(
    stream: TcpStream,
    tls: &SharedTls,
    shared: &Shared,
) -> Option<TlsStream<TcpStream>> {
    let accepting = TlsAcceptor::from(tls.load_full()).accept(stream);
    let failure = match shared
        .lifecycle
        .within(shared.limits.handshake, accepting)
        .await
    {
        Some(Ok(stream)) => return Some(stream),
        Some(Err(error)) => {
            let kind = HandshakeFailure::of(&error);
            tracing::debug!(%error, ?kind, "TLS handshake failed");
            kind
        }
        None => HandshakeFailure::Timeout,
    };
    shared.counts.handshake_failures.count(failure);
    None
}

async fn serve_http1<T>(stream: T, activity: &Arc<Activity>, shared: &Shared)
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let stream = Watched::http1(stream, Arc::clone(activity), shared.limits.clone());
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES.into());
    drive(
        builder.serve_connection(TokioIo::new(stream), service(shared, activity)),
        activity,
        shared,
    )
    .await;
}

/// The window of the connection has room for those of all its streams: one whose body has to wait must not hold up the
/// others. Resets and `CONTINUATION` frames are what floods of HTTP/2 are made of; hyper ends the connection above these
/// limits, and above the number of `CONTINUATION` frames that the largest list of headers needs.
async fn serve_http2<T>(stream: T, activity: &Arc<Activity>, shared: &Shared)
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let limits = &shared.limits;
    let stream = Watched::http2(stream, Arc::clone(activity), limits.clone());
    let mut builder = http2::Builder::new(Streams(limits.stream));
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES.into())
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW.saturating_mul(limits.streams))
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(RESETS);
    drive(
        builder.serve_connection(TokioIo::new(stream), service(shared, activity)),
        activity,
        shared,
    )
    .await;
}

/// The router as hyper wants it, with every request noted on its connection.
fn service(
    shared: &Shared,
    activity: &Arc<Activity>,
) -> impl HttpService<Incoming, ResBody = Held<Body, InUse>, Error = Infallible, Future: Send + 'static>
+ use<> {
    let (router, lifecycle, activity) = (
        shared.router.clone(),
        shared.lifecycle.clone(),
        Arc::clone(activity),
    );
    service_fn(move |mut request: Request<Incoming>| {
        let in_use = InUse::new(&activity);
        let activity = Arc::clone(&activity);
        let reconnects = request.version() < Version::HTTP_2;
        let lifecycle = lifecycle.clone();
        let mut router = router.clone();
        let response = AssertUnwindSafe(async move {
            request.extensions_mut().insert(Cut::current(&activity));
            router.call(request).await
        })
        .catch_unwind();
        async move {
            let mut response = response.await.unwrap_or_else(|_| Ok(failed()))?;
            if reconnects && lifecycle.is_leaving() {
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| Held::new(body, in_use)))
        }
    })
}

/// A panic ends its own request and no other; it has been logged where it happened.
fn failed() -> Response<Body> {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "steadyset: a request failed; the log says why\n",
    )
        .into_response()
}

/// Polls a connection to its end, which the peer, its idleness or the drain may bring about.
async fn drive<C>(connection: C, activity: &Activity, shared: &Shared)
where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let mut connection = pin!(connection);
    let mut judged = tokio::time::interval(JUDGED_EVERY);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => return note(ended),
            () = shared.lifecycle.drained() => break,
            () = activity.cut.cancelled() => return,
            () = activity.displaced.cancelled() => {
                let closing = close(connection, activity, shared);
                if activity.has_spoken() {
                    let _ = tokio::time::timeout(DISPLACING, closing).await;
                }
                return;
            }
            _ = judged.tick() => match activity.advise(&shared.limits) {
                Advice::Keep => {}
                Advice::Close => break,
                Advice::Abort => return,
            }
        }
    }
    close(connection, activity, shared).await;
}

/// Asks the connection to end and sees that it does.
///
/// hyper closes a connection that it holds for idle at once, though the head of a request may be under way: from a peer
/// that has connected and not yet spoken, in bytes already read, or in bytes that only the kernel has seen (hence the
/// yield, which lets the reactor look). The answer to such a request will say `Connection: close`.
async fn close<C>(mut connection: Pin<&mut C>, activity: &Activity, shared: &Shared)
where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    tokio::task::yield_now().await;
    let begun = poll_fn(|cx| match connection.as_mut().poll(cx) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if activity.expects_head() => Poll::Pending,
        Poll::Pending => Poll::Ready(None),
    });
    match shared.lifecycle.within(CLOSING, begun).await {
        Some(None) => connection.as_mut().graceful_shutdown(),
        Some(Some(ended)) => return note(ended),
        None => return,
    }
    let mut judged = tokio::time::interval(JUDGED_EVERY);
    let mut idle_judgements = 0;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => return note(ended),
            () = activity.cut.cancelled() => return,
            _ = judged.tick() => {
                idle_judgements += u32::from(!activity.is_busy());
                if idle_judgements > IDLE_JUDGEMENTS || activity.advise(&shared.limits) == Advice::Abort {
                    return;
                }
            }
        }
    }
}

/// Most ends of a connection are no news: a peer that has gone, a reset.
fn note<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// A connection counted for as long as it lives.
struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A request noted on its connection until its answer is handed over.
struct InUse(Arc<Activity>);

impl InUse {
    fn new(activity: &Arc<Activity>) -> Self {
        activity.request_began();
        Self(Arc::clone(activity))
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.request_ended();
    }
}
