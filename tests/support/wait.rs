//! Waiting for a condition, with a deadline and a reason.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The first and the longest pause between two looks.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// Looks again and again, with growing pauses, until `look` answers `Ok`.
///
/// # Errors
/// After `within`: what was waited for, and the last reason why it had not come.
pub fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Result<T>,
) -> Result<T> {
    let deadline = Instant::now() + within;
    let mut pause = PAUSE.0;
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(reason) if Instant::now() + pause > deadline => {
                return Err(reason).with_context(|| format!("{what}: not within {within:?}"));
            }
            Err(_) => thread::sleep(pause),
        }
        pause = (pause * 3 / 2).min(PAUSE.1);
    }
}
