//! The threads that compute reviews, and the turns in which they do.
//!
//! A review is a task like those of a runtime, but its threads do nothing else: however long it computes, connections
//! are accepted and served, and deadlines hold. What it awaits is driven by the runtime of the server.
//!
//! Every namespace has a queue of its own. The next turn is that of the namespace which has used the least computing
//! time, so that many or large reviews of one namespace delay its own; and no namespace has all threads at one time, as a
//! review cannot be interrupted. Where as many reviews are in work as allowed, a new one takes the place of the
//! youngest of the namespace with most reviews that have not begun.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_task::Runnable;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::runtime::Handle;

/// The threads, ended when dropped.
#[derive(Debug)]
pub struct Pool(Arc<Shared>);

/// What a pool counts.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Reviews in work.
    pub in_flight: Gauge,
    /// Those of them that have not begun.
    pub waiting: Gauge,
    /// Reviews given up for want of a place.
    pub shed: Counter,
}

/// As many reviews are in work as allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Where a review computes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// At once, on the thread that asks: going to another one costs more than the review.
    Light,
    /// On a thread of the pool, in the turn of its namespace.
    Heavy,
}

#[derive(Debug)]
struct Shared {
    lanes: Mutex<Lanes>,
    work: Condvar,
    capacity: u32,
    threads: u32,
    counts: Counts,
}

/// The queues of all namespaces that have something to do.
#[derive(Debug, Default)]
struct Lanes {
    by_namespace: HashMap<Arc<str>, Lane>,
    in_flight: u32,
    /// What the namespace had used whose turn was the last; one that comes anew starts there, with no claim on the past.
    clock: Duration,
    ended: bool,
}

/// The queue of one namespace.
#[derive(Debug, Default)]
struct Lane {
    fresh: VecDeque<Runnable>,
    resumed: VecDeque<Runnable>,
    used: Duration,
    running: u32,
}

impl Pool {
    /// A pool of so many threads, and one more that no namespace has alone with all others; `capacity` reviews are in work at most.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub fn start(
        threads: u32,
        capacity: u32,
        counts: Counts,
        io: &Handle,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            lanes: Mutex::default(),
            work: Condvar::new(),
            capacity,
            threads,
            counts,
        });
        let pool = Self(Arc::clone(&shared));
        for _ in 0..=threads {
            let (shared, io) = (Arc::clone(&shared), io.clone());
            let thread = std::thread::Builder::new().name("review".to_owned());
            thread.spawn(move || {
                let _driven_by = io.enter();
                shared.compute();
            })?;
        }
        Ok(pool)
    }

    /// Does a review in the turn of its namespace. It is given up when this is dropped; its place is free when it has
    /// really ended.
    ///
    /// # Errors
    ///
    /// [`Full`] where there is no place for it, or where another namespace has taken it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        namespace: &str,
        weight: Weight,
        review: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Full> {
        let namespace: Arc<str> = namespace.into();
        let place = self.0.enter(&namespace)?;
        let begun = AtomicBool::new(weight == Weight::Light);
        let shared = Arc::clone(&self.0);
        let schedule = move |runnable| {
            let fresh = !begun.swap(true, Relaxed);
            shared.push(&namespace, runnable, fresh);
        };
        let review = async move {
            let _place = place;
            review.await
        };
        let (runnable, review) = async_task::spawn(review, schedule);
        match weight {
            Weight::Light => drop(runnable.run()),
            Weight::Heavy => runnable.schedule(),
        }
        review.fallible().await.ok_or(Full)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut lanes = self.0.lock();
        lanes.ended = true;
        let left = std::mem::take(&mut lanes.by_namespace);
        drop(lanes);
        drop(left);
        self.0.work.notify_all();
    }
}

impl Shared {
    /// A place among those in work.
    fn enter(self: &Arc<Self>, namespace: &str) -> Result<Place, Full> {
        let mut lanes = self.lock();
        let displaced = if lanes.in_flight < self.capacity {
            None
        } else if let Some(youngest) = lanes.displace(namespace) {
            Some(youngest)
        } else {
            drop(lanes);
            self.counts.shed.inc();
            return Err(Full);
        };
        lanes.in_flight += 1;
        drop(lanes);
        self.counts.in_flight.inc();
        if let Some(youngest) = displaced {
            self.counts.shed.inc();
            self.counts.waiting.dec();
            drop(youngest);
        }
        Ok(Place(Arc::clone(self)))
    }

    fn push(&self, namespace: &Arc<str>, runnable: Runnable, fresh: bool) {
        if fresh {
            self.counts.waiting.inc();
        }
        let mut lanes = self.lock();
        let lane = lanes.lane(namespace);
        if fresh {
            lane.fresh.push_back(runnable);
        } else {
            lane.resumed.push_back(runnable);
        }
        drop(lanes);
        self.work.notify_one();
    }

    /// What a thread of the pool does.
    fn compute(&self) {
        let mut lanes = self.lock();
        while !lanes.ended {
            let Some(turn) = lanes.next(self.threads) else {
                lanes = self
                    .work
                    .wait(lanes)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(lanes);
            if turn.fresh {
                self.counts.waiting.dec();
            }
            let began = Instant::now();
            turn.runnable.run();
            let used = began.elapsed();
            lanes = self.lock();
            if lanes.finish(&turn.namespace, used) {
                self.work.notify_one();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One computation of a review, until it ends or waits.
struct Turn {
    namespace: Arc<str>,
    runnable: Runnable,
    fresh: bool,
}

impl Lanes {
    fn lane(&mut self, namespace: &Arc<str>) -> &mut Lane {
        let clock = self.clock;
        let lane = self.by_namespace.entry(Arc::clone(namespace));
        lane.or_insert_with(|| Lane {
            used: clock,
            ..Lane::default()
        })
    }

    /// Takes the next turn: of the namespaces that have not all threads but one, of the one that has used the least.
    fn next(&mut self, most: u32) -> Option<Turn> {
        let lanes = self.by_namespace.iter_mut();
        let ready = lanes.filter(|(_, lane)| lane.running < most && !lane.is_empty());
        let (namespace, lane) = ready.min_by_key(|(_, lane)| lane.used)?;
        let fresh = lane.resumed.is_empty();
        let runnable = lane
            .resumed
            .pop_front()
            .or_else(|| lane.fresh.pop_front())?;
        lane.running += 1;
        self.clock = lane.used;
        let namespace = Arc::clone(namespace);
        Some(Turn {
            namespace,
            runnable,
            fresh,
        })
    }

    /// Notes what a turn has used; whether the namespace has more to do.
    fn finish(&mut self, namespace: &Arc<str>, used: Duration) -> bool {
        let Some(lane) = self.by_namespace.get_mut(namespace) else {
            return false;
        };
        lane.running -= 1;
        lane.used += used;
        let more = !lane.is_empty();
        if !more && lane.running == 0 {
            self.by_namespace.remove(namespace);
        }
        more
    }

    /// The youngest review that has not begun, of the namespace with most of them, if that has more than the one that asks.
    fn displace(&mut self, namespace: &str) -> Option<Runnable> {
        let own = self.by_namespace.get(namespace);
        let own = own.map_or(0, |lane| lane.fresh.len());
        let lanes = self.by_namespace.values_mut();
        let longest = lanes.max_by_key(|lane| lane.fresh.len())?;
        if longest.fresh.len() > own + 1 {
            longest.fresh.pop_back()
        } else {
            None
        }
    }
}

impl Lane {
    fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.resumed.is_empty()
    }
}

/// A place among the reviews in work, given back when the review has ended.
#[derive(Debug)]
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
        self.0.counts.in_flight.dec();
    }
}

#[cfg(test)]
mod tests;
