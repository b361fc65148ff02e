//! What requests may hold in memory, over all connections, and which peer is cut when it runs short.
//!
//! Every request holds a share from its head until its answer is handed over: a little for itself, and its body. Small
//! requests and large bodies have a part of the memory each, so that neither can take the place of the other; within a
//! part places are given in the order in which they are asked for. A request that has to wait has the peer cut that
//! keeps others waiting: at once among the small, which take no time to arrive, and after a moment among the large.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::Cut;

/// The unit in which memory is given out.
const UNIT: usize = 1 << 10;

/// What a request costs beside its body: its head, its task, a short answer.
const FLAT: usize = 4 << 10;

/// Bodies up to here are small.
const SMALL: usize = 64 << 10;

/// How long a large body waits before the slowest peer among the others is cut.
const PATIENCE: Duration = Duration::from_millis(250);

/// The same among small ones: as long as a peer that was cut takes to let go.
const PROMPT: Duration = Duration::from_millis(2);

/// What a peer is held to while others wait for its memory: 8 MiB a second.
const BYTES_PER_MICROSECOND: u64 = 8;

/// Large bodies that may wait for their turn.
const WAITING: usize = 256;

/// The memory of all requests.
#[derive(Debug)]
pub struct Memory {
    small: Part,
    large: Part,
    largest: usize,
    waiting: Semaphore,
    held: Gauge,
    cut: Counter,
}

/// A part of the memory, and the requests that hold some of it.
#[derive(Debug)]
struct Part {
    units: Arc<Semaphore>,
    /// Only the first of those that wait has a peer cut: each of them would cut one.
    first: tokio::sync::Mutex<()>,
    holders: Mutex<HashMap<usize, Arc<Holder>>>,
    patience: Duration,
}

/// No memory was to be had: too many large bodies wait, or this request was the slowest of those that hold some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("over capacity")]
pub struct NoMemory;

/// What a request is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Doing {
    Reading,
    Computing,
    Answering,
}

/// A request as the others see it; times are microseconds since it began.
#[derive(Debug)]
struct Holder {
    began: Instant,
    /// When it got its memory; before that it is the peer that waits.
    since: AtomicU64,
    moved: AtomicU64,
    last: AtomicU64,
    doing: AtomicU8,
    too_slow: CancellationToken,
    peer: Cut,
}

/// What a request holds; given back when dropped.
#[derive(Debug)]
pub struct Share {
    memory: Arc<Memory>,
    holder: Arc<Holder>,
    permit: Option<OwnedSemaphorePermit>,
    body: usize,
}

impl Memory {
    /// So many bytes for all requests; one body gets half of them, and `most` at most. The gauge shows the bytes held, the
    /// counter the peers cut.
    #[must_use]
    pub fn new(bytes: usize, most: usize, held: Gauge, cut: Counter) -> Self {
        let quarter = bytes / 4;
        Self {
            small: Part::new(quarter, PROMPT),
            large: Part::new(quarter * 3, PATIENCE),
            largest: (bytes / 2).min(most),
            waiting: Semaphore::new(WAITING),
            held,
            cut,
        }
    }

    /// The largest body that is read.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.largest
    }

    /// A share of nothing yet, for the request of this peer.
    #[must_use]
    pub fn share(self: &Arc<Self>, peer: Cut) -> Share {
        Share {
            memory: Arc::clone(self),
            holder: Arc::new(Holder::new(peer)),
            permit: None,
            body: 0,
        }
    }

    fn part(&self, body: usize) -> &Part {
        if body <= SMALL {
            &self.small
        } else {
            &self.large
        }
    }
}

impl Part {
    fn new(bytes: usize, patience: Duration) -> Self {
        Self {
            units: Arc::new(Semaphore::new(bytes / UNIT)),
            first: tokio::sync::Mutex::default(),
            holders: Mutex::default(),
            patience,
        }
    }

    /// Takes so many units, in the order in which they are asked for.
    async fn take(&self, units: u32, memory: &Memory) -> Result<OwnedSemaphorePermit, NoMemory> {
        if let Ok(permit) = Arc::clone(&self.units).try_acquire_many_owned(units) {
            return Ok(permit);
        }
        let _waiting = memory.waiting.try_acquire().map_err(|_| NoMemory)?;
        let _first = self.first.lock().await;
        let mut taken = pin!(Arc::clone(&self.units).acquire_many_owned(units));
        loop {
            if let Ok(permit) = tokio::time::timeout(self.patience, &mut taken).await {
                return permit.map_err(|_| NoMemory);
            }
            if let Some(holder) = self.slowest() {
                memory.cut.inc();
                holder.cut();
            }
        }
    }

    /// The holder whose peer has kept the others waiting for the longest time, if that was longer than they must wait.
    fn slowest(&self) -> Option<Arc<Holder>> {
        let holders = self.lock();
        let waited_for = holders.values().filter(|holder| holder.can_be_cut());
        let delays = waited_for.map(|holder| (holder.delay(), holder));
        let (delay, slowest) = delays.max_by_key(|(delay, _)| *delay)?;
        (delay > self.patience).then(|| Arc::clone(slowest))
    }

    fn enter(&self, holder: &Arc<Holder>) {
        self.lock().insert(key(holder), Arc::clone(holder));
    }

    fn leave(&self, holder: &Arc<Holder>) {
        self.lock().remove(&key(holder));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Arc<Holder>>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(holder: &Arc<Holder>) -> usize {
    Arc::as_ptr(holder).addr()
}

fn units(body: usize) -> u32 {
    u32::try_from((body + FLAT).div_ceil(UNIT)).unwrap_or(u32::MAX)
}

impl Holder {
    fn new(peer: Cut) -> Self {
        Self {
            began: Instant::now(),
            since: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            last: AtomicU64::new(0),
            doing: AtomicU8::new(Doing::Reading as u8),
            too_slow: CancellationToken::new(),
            peer,
        }
    }

    /// From now on the others may wait for this peer.
    fn begin(&self) {
        let now = self.age();
        self.since.store(now, Relaxed);
        self.last.store(now, Relaxed);
        self.moved.store(0, Relaxed);
    }

    fn is(&self, doing: Doing) -> bool {
        self.doing.load(Relaxed) == doing as u8
    }

    fn can_be_cut(&self) -> bool {
        !self.is(Doing::Computing) && !self.too_slow.is_cancelled()
    }

    /// How long nothing has come from the peer, or how far it is behind the pace; the longer of both.
    fn delay(&self) -> Duration {
        let age = self.age();
        let still = age.saturating_sub(self.last.load(Relaxed));
        let paid = self.moved.load(Relaxed) / BYTES_PER_MICROSECOND;
        let behind = age.saturating_sub(self.since.load(Relaxed).saturating_add(paid));
        Duration::from_micros(still.max(behind))
    }

    /// A request whose body is read can still be answered; one whose answer is not taken cannot.
    fn cut(&self) {
        self.too_slow.cancel();
        if self.is(Doing::Answering) {
            self.peer.cut();
        }
    }

    fn age(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Share {
    /// Sees that the share is enough for a body of so many bytes; waits where others hold the memory.
    ///
    /// # Errors
    ///
    /// [`NoMemory`] when too many wait already, or when this request was the slowest meanwhile.
    pub async fn hold(&mut self, body: usize) -> Result<(), NoMemory> {
        if self.permit.is_some() && body <= self.body {
            return Ok(());
        }
        let memory = Arc::clone(&self.memory);
        let (part, before) = (memory.part(body), memory.part(self.body));
        let grows = std::ptr::eq(part, before);
        let has = self.permit.as_ref().filter(|_| grows);
        let has = has.map_or(0, |permit| u32::try_from(permit.num_permits()).unwrap_or(0));
        let taken = tokio::select! {
            biased;
            taken = part.take(units(body).saturating_sub(has), &memory) => taken?,
            () = self.too_slow() => return Err(NoMemory),
        };
        memory.held.inc_by(bytes(&taken));
        match &mut self.permit {
            Some(permit) if grows => permit.merge(taken),
            _ => {
                self.give_back();
                self.permit = Some(taken);
                self.holder.begin();
                part.enter(&self.holder);
            }
        }
        self.body = body;
        Ok(())
    }

    /// Notes that the peer has sent so many bytes.
    pub fn moved(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.holder.moved.fetch_add(bytes, Relaxed);
        self.holder.last.store(self.holder.age(), Relaxed);
    }

    /// Waits until this request has become the slowest of those whose memory others wait for.
    pub async fn too_slow(&self) {
        self.holder.too_slow.cancelled().await;
    }

    /// The body is there: its memory is needed for as long as the review is computed, however slow that is.
    pub fn computing(&self) {
        self.holder.doing.store(Doing::Computing as u8, Relaxed);
    }

    /// The body is no longer needed, and an answer of so many bytes is about to be written.
    pub fn answering(&mut self, answer: usize) {
        self.holder.last.store(self.holder.age(), Relaxed);
        self.holder.doing.store(Doing::Answering as u8, Relaxed);
        if let Some(permit) = &mut self.permit {
            let needed = usize::try_from(units(answer)).unwrap_or(usize::MAX);
            let spare = permit.split(permit.num_permits().saturating_sub(needed));
            self.memory.held.dec_by(spare.as_ref().map_or(0, bytes));
        }
    }

    fn give_back(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.memory.part(self.body).leave(&self.holder);
            self.memory.held.dec_by(bytes(&permit));
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn bytes(permit: &OwnedSemaphorePermit) -> i64 {
    i64::try_from(permit.num_permits() * UNIT).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
