//! Reading a request body, bounded.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody};

use super::{BODY_BYTES, Refusal};

/// What is read on above the limit, so that a peer which is a little too large sees why it is refused.
const PATIENCE_BYTES: usize = 2 * BODY_BYTES;

/// A length that a peer merely claims must not make us reserve more than this.
const RESERVED_BYTES: usize = 256 * 1024;

/// Reads a body of [`BODY_BYTES`] at most.
pub(super) async fn read(mut body: Body) -> Result<Bytes, Refusal> {
    let claimed = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if claimed > BODY_BYTES {
        discard(body).await;
        return Err(Refusal::TooLarge);
    }
    let first = next(&mut body).await?.unwrap_or_default();
    if first.len() == claimed && body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = Vec::with_capacity(claimed.min(RESERVED_BYTES).max(first.len()));
    whole.extend_from_slice(&first);
    while let Some(chunk) = next(&mut body).await? {
        if whole.len() + chunk.len() > BODY_BYTES {
            discard(body).await;
            return Err(Refusal::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}

/// Reads a body and keeps nothing of it.
pub(super) async fn discard(mut body: Body) {
    let mut read = 0;
    while let Ok(Some(chunk)) = next(&mut body).await {
        read += chunk.len();
        if read > PATIENCE_BYTES {
            return;
        }
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
