//! A TCP forwarder on loopback: what a Service does for its pods, without a kernel that can be told to.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Result;

use super::control_plane::free_port;

/// A listening forwarder; it ends with the test program.
#[derive(Debug, Clone)]
pub struct Forwarder {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    endpoints: Mutex<Vec<u16>>,
    next: AtomicUsize,
}

impl Forwarder {
    /// Listens, and forwards to nobody yet.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", free_port()?))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                thread::spawn(move || shared.forward(&client));
            }
        });
        Ok(Self { port, shared })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whom new connections go to from now on, in turn; those that are open stay where they are.
    pub fn set(&self, endpoints: &[u16]) {
        let mut held = self
            .shared
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held = endpoints.to_vec();
    }
}

impl Shared {
    /// Where nobody listens any more, the next one is tried: kube-proxy is told of it by the endpoints, a moment later.
    fn connect(&self) -> Option<TcpStream> {
        let endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let first = self.next.fetch_add(1, Relaxed);
        let turns = (0..endpoints.len()).map(|turn| (first + turn) % endpoints.len());
        let mut turns = turns.filter_map(|at| endpoints.get(at));
        turns.find_map(|port| TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], *port))).ok())
    }

    fn forward(&self, client: &TcpStream) {
        let Some(server) = self.connect() else {
            return;
        };
        // small messages each way: without this each waits for the other side's delayed acknowledgement
        let _ = client.set_nodelay(true).and(server.set_nodelay(true));
        let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else {
            return;
        };
        let up = thread::spawn(move || pass_on(&from, &to));
        pass_on(&server, client);
        let _ = up.join();
    }
}

/// One direction to its end; a reset ends the other one, too.
fn pass_on(mut from: &TcpStream, mut to: &TcpStream) {
    let passed = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    if passed.is_err() {
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
