//! Reading a request body, bounded in bytes and in time.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::time::Instant;

use super::{HEAD_BYTES, Refusal};
use crate::server::Share;

/// How long a body may take beside what its bytes may.
const GRACE: Duration = Duration::from_secs(5);

/// The pace that a peer must keep: 64 KiB a second.
const BYTES_PER_MILLISECOND: u64 = 64;

/// A body that has been read.
#[derive(Debug)]
pub(super) enum Read {
    /// All of it.
    Whole(Bytes),
    /// Its beginning; the rest was too much to be kept.
    Oversized(Vec<u8>),
}

/// Reads a body of `largest` bytes at most, in memory that the share holds; of a larger one nothing is kept but the head.
pub(super) async fn read(body: Body, share: &mut Share, largest: usize) -> Result<Read, Refusal> {
    let claimed = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let exact = body.size_hint().exact().is_some();
    let (keeps, largest) = match (claimed > largest, exact) {
        (true, _) => (HEAD_BYTES, HEAD_BYTES),
        (false, true) => (claimed, largest),
        (false, false) => (HEAD_BYTES, largest),
    };
    let mut incoming = Incoming::new(body);
    if share.hold(keeps).await.is_err() {
        incoming.discard().await;
        return Err(Refusal::Overloaded);
    }
    incoming.began = Instant::now();
    let first = incoming.next(share).await?.unwrap_or_default();
    if incoming.body.is_end_stream() && first.len() <= keeps {
        return Ok(Read::Whole(first));
    }
    let mut kept = Kept {
        whole: Vec::with_capacity(keeps),
        largest,
    };
    let mut chunk = first;
    loop {
        if !kept.add(&chunk, share).await? {
            incoming.discard_within(share).await?;
            return Ok(kept.head());
        }
        match incoming.next(share).await? {
            Some(next) => chunk = next,
            None => return Ok(Read::Whole(kept.whole.into())),
        }
    }
}

/// What has been read of a body.
struct Kept {
    whole: Vec<u8>,
    largest: usize,
}

impl Kept {
    /// Keeps a chunk; `false` where the body is too large.
    async fn add(&mut self, chunk: &[u8], share: &mut Share) -> Result<bool, Refusal> {
        let length = self.whole.len() + chunk.len();
        if length > self.largest {
            let missing = HEAD_BYTES.saturating_sub(self.whole.len());
            self.whole
                .extend_from_slice(chunk.get(..missing).unwrap_or(chunk));
            return Ok(false);
        }
        if length > self.whole.capacity() {
            let grown = (length + length / 2).min(self.largest);
            share.hold(grown).await.map_err(|_| Refusal::Overloaded)?;
            self.whole.reserve_exact(grown - self.whole.len());
        }
        self.whole.extend_from_slice(chunk);
        Ok(true)
    }

    fn head(mut self) -> Read {
        self.whole.truncate(HEAD_BYTES);
        self.whole.shrink_to_fit();
        Read::Oversized(self.whole)
    }
}

/// A body on its way.
pub(super) struct Incoming {
    body: Body,
    began: Instant,
    arrived: u64,
}

impl Incoming {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body,
            began: Instant::now(),
            arrived: 0,
        }
    }

    /// The next piece of data, if it comes in time.
    async fn next(&mut self, share: &Share) -> Result<Option<Bytes>, Refusal> {
        let limit =
            self.began + GRACE + Duration::from_millis(self.arrived / BYTES_PER_MILLISECOND);
        let data = tokio::select! {
            biased;
            data = next(&mut self.body) => data?,
            () = share.too_slow() => return Err(Refusal::Overloaded),
            () = tokio::time::sleep_until(limit) => return Err(Refusal::Slow),
        };
        let arrived = data.as_ref().map_or(0, Bytes::len);
        share.moved(arrived);
        self.arrived += u64::try_from(arrived).unwrap_or(u64::MAX);
        Ok(data)
    }

    /// Reads the rest and keeps nothing, for as long as the peer keeps the pace.
    async fn discard_within(&mut self, share: &Share) -> Result<(), Refusal> {
        while self.next(share).await?.is_some() {}
        Ok(())
    }

    /// Reads the rest and keeps nothing, so that the peer sees why it is refused: closing a connection with unread bytes
    /// resets it.
    pub(super) async fn discard(&mut self) {
        while let Ok(Some(_)) = next(&mut self.body).await {}
    }
}

/// The next piece of data; trailers are none.
async fn next(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            Some(Err(error)) => return Err(Refusal::Broken(error)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
