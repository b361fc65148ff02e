//! A good client beside hostile ones: a review every few milliseconds on one connection, and now and then on a new one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use crate::client::{Sender, connect, connector, post, probe, read};
use crate::objects::{review, sound};
use crate::process::Process;

/// Between two reviews: 200 a second.
const PACE: Duration = Duration::from_millis(5);

/// Reviews between two new connections.
const PER_CONNECTION: usize = 40;

/// What a review, or a look at `/livez`, may take on a busy machine with a debug build; a hostile peer would make it tens of seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The client at work.
pub struct Steady {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    reviews: JoinHandle<()>,
    health: JoinHandle<()>,
}

impl Steady {
    /// Starts, and waits for the first answers.
    pub async fn start(process: &Process) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let connector = connector(&process.authority, &["http/1.1"]);
        let reviews = tokio::spawn(ask(
            process.webhook,
            connector,
            Arc::clone(&answered),
            Arc::clone(&stop),
        ));
        let health = tokio::spawn(look(process.probes, Arc::clone(&stop)));
        let steady = Self {
            stop,
            answered,
            reviews,
            health,
        };
        steady.more(1).await;
        steady
    }

    /// Waits for so many more answers.
    pub async fn more(&self, answers: usize) {
        let goal = self.answered.load(Relaxed) + answers;
        while self.answered.load(Relaxed) < goal && !self.reviews.is_finished() {
            tokio::time::sleep(PACE).await;
        }
    }

    /// Ends. Panics where a review was not answered with 200, or not in time.
    pub async fn finish(self) {
        self.more(PER_CONNECTION * 2).await;
        self.stop.store(true, Relaxed);
        self.reviews.await.unwrap();
        self.health.await.unwrap();
    }
}

async fn ask(
    address: SocketAddr,
    connector: TlsConnector,
    answered: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) {
    let body = review("CREATE", &sound()).to_string();
    let mut ticks = tokio::time::interval(PACE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !stop.load(Relaxed) {
        let connecting = tokio::time::timeout(PATIENCE, connect(address, &connector));
        let mut sender: Sender = connecting.await.expect("no connection in time");
        for _ in 0..PER_CONNECTION {
            ticks.tick().await;
            let request = post("/validate?timeout=10s", body.clone());
            let answer = async { read(sender.send_request(request).await?).await };
            let answer = tokio::time::timeout(PATIENCE, answer).await;
            let answer = answer.expect("no answer in time").expect("no answer");
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            answered.fetch_add(1, Relaxed);
            sender.ready().await.expect("the connection was closed");
        }
    }
}

/// Asks for `/livez` all the time.
async fn look(address: SocketAddr, stop: Arc<AtomicBool>) {
    while !stop.load(Relaxed) {
        let began = Instant::now();
        let (status, _) = probe(address, "/livez").await;
        assert_eq!(status, StatusCode::OK);
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        tokio::time::sleep(PACE * 4).await;
    }
}
