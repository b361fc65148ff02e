use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// Reviews that compute until they are let go, each saying first that it has begun.
struct Stage {
    pool: Arc<Pool>,
    counts: Counts,
    begun: (Sender<&'static str>, Receiver<&'static str>),
}

impl Stage {
    fn new(threads: u32, capacity: u32) -> Self {
        let counts = Counts::default();
        let pool = Pool::start(threads, capacity, counts.clone(), &Handle::current()).unwrap();
        Self {
            pool: Arc::new(pool),
            counts,
            begun: channel(),
        }
    }

    /// A review that computes until the sender is dropped.
    fn review(
        &self,
        namespace: &'static str,
    ) -> (Sender<()>, tokio::task::JoinHandle<Result<(), Full>>) {
        let (go, gone) = channel::<()>();
        let (pool, begun) = (Arc::clone(&self.pool), self.begun.0.clone());
        let before = self.counts.in_flight.get() + i64::try_from(self.counts.shed.get()).unwrap();
        let review = tokio::spawn(async move {
            let work = async move {
                begun.send(namespace).unwrap();
                let _ = gone.recv();
            };
            pool.run(namespace, Weight::Heavy, work).await
        });
        let shed = || i64::try_from(self.counts.shed.get()).unwrap();
        until(|| self.counts.in_flight.get() + shed() != before && self.is_settled());
        (go, review)
    }

    /// Whether every review in work computes or stands in a queue.
    fn is_settled(&self) -> bool {
        let lanes = self.pool.0.lock();
        let queued = lanes.by_namespace.values().map(|lane| lane.fresh.len());
        let running = lanes.by_namespace.values().map(|lane| lane.running);
        queued.sum::<usize>() + running.sum::<u32>() as usize == lanes.in_flight as usize
    }

    fn next(&self) -> &'static str {
        let patience = Duration::from_secs(30);
        self.begun.1.recv_timeout(patience).expect("nothing begins")
    }
}

fn until(so: impl Fn() -> bool) {
    while !so() {
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_leaves_a_thread_to_the_others() {
    let stage = Stage::new(2, 16);
    let many: Vec<_> = (0..5).map(|_| stage.review("many")).collect();
    assert_eq!([stage.next(), stage.next()], ["many"; 2]);
    let (go, other) = stage.review("other");
    assert_eq!(stage.next(), "other");
    drop(go);
    other.await.unwrap().unwrap();
    assert_eq!(stage.counts.waiting.get(), 3);
    for (go, review) in many {
        drop(go);
        review.await.unwrap().unwrap();
    }
    assert_eq!(
        (stage.counts.in_flight.get(), stage.counts.waiting.get()),
        (0, 0)
    );
    until(|| stage.pool.0.lock().by_namespace.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_namespace_that_has_used_least_is_next() {
    let stage = Stage::new(1, 16);
    let (blocks, blocked) = stage.review("long");
    assert_eq!(stage.next(), "long");
    let long: Vec<_> = (0..3).map(|_| stage.review("long")).collect();
    let (held, beside) = stage.review("beside");
    assert_eq!(stage.next(), "beside");
    let short: Vec<_> = (0..3).map(|_| stage.review("short")).collect();
    let began = Instant::now();
    until(|| began.elapsed() >= Duration::from_millis(20));
    drop(blocks);
    blocked.await.unwrap().unwrap();
    for (go, review) in short {
        assert_eq!(stage.next(), "short");
        drop(go);
        review.await.unwrap().unwrap();
    }
    assert_eq!(stage.next(), "long");
    drop((held, long));
    beside.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_youngest_of_the_longest_queue_leaves_its_place() {
    let stage = Stage::new(1, 4);
    let mut many: Vec<_> = (0..4).map(|_| stage.review("many")).collect();
    assert_eq!(stage.next(), "many");
    let (_, refused) = stage.review("many");
    assert_eq!(refused.await.unwrap(), Err(Full));
    let (go, other) = stage.review("other");
    assert_eq!(stage.next(), "other");
    drop(go);
    other.await.unwrap().unwrap();
    let (_, youngest) = many.pop().unwrap();
    assert_eq!(youngest.await.unwrap(), Err(Full));
    for (go, review) in many {
        drop(go);
        review.await.unwrap().unwrap();
    }
    assert_eq!(stage.counts.shed.get(), 2);
    let (go, again) = stage.review("many");
    drop(go);
    again.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_free_only_when_the_computation_has_ended() {
    let stage = Stage::new(1, 1);
    let (go, given_up) = stage.review("one");
    assert_eq!(stage.next(), "one");
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    let (_, refused) = stage.review("two");
    assert_eq!(refused.await.unwrap(), Err(Full));
    drop(go);
    until(|| stage.counts.in_flight.get() == 0);
    let (go, next) = stage.review("two");
    drop(go);
    next.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_that_waits_holds_no_thread_and_its_timers_run() {
    let stage = Stage::new(1, 16);
    for weight in [Weight::Light, Weight::Heavy] {
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let pool = Arc::clone(&stage.pool);
                tokio::spawn(async move {
                    let work = tokio::time::sleep(Duration::from_millis(5));
                    pool.run("waits", weight, work).await
                })
            })
            .collect();
        for review in waiting {
            review.await.unwrap().unwrap();
        }
    }
    assert_eq!(stage.counts.in_flight.get(), 0);
}
