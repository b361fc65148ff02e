//! How often one thing is written.

use std::collections::VecDeque;
use std::time::Duration;

/// Writes within [`SPAN`] at most. Somebody who undoes every write of ours, such as another controller that owns the same
/// field, is not answered faster than this.
const WRITES: usize = 10;

/// See [`WRITES`].
const SPAN: Duration = Duration::from_mins(1);

/// After a failure: the API server is down, or we may not.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// After a conflict, should the watch not tell first what the others wrote.
const AFTER_CONFLICT: Duration = Duration::from_millis(100);

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// Somebody else was first.
    Conflict,
    Failed,
}

/// The writes of before. Times are counted from the start of the process.
#[derive(Debug, Default)]
pub(super) struct Pace {
    done: VecDeque<Duration>,
    not_before: Duration,
}

impl Pace {
    /// Whether it may be written now.
    pub(super) fn allows(&self, uptime: Duration) -> bool {
        uptime >= self.not_before
    }

    /// Notes a write.
    pub(super) fn note(&mut self, outcome: Outcome, uptime: Duration) {
        self.not_before = match outcome {
            Outcome::Conflict => uptime + AFTER_CONFLICT,
            Outcome::Failed => uptime + AFTER_FAILURE,
            Outcome::Done => {
                self.done.push_back(uptime);
                let full = self.done.len() >= WRITES;
                let oldest = if full { self.done.pop_front() } else { None };
                oldest.map_or(uptime, |oldest| oldest + SPAN)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn ten_writes_a_minute_and_then_one_for_each_that_has_aged() {
        let mut pace = Pace::default();
        for second in 0..10 {
            assert!(pace.allows(at(second * 1000)), "{second}");
            pace.note(Outcome::Done, at(second * 1000));
        }
        assert!(!pace.allows(at(59_999)));
        assert!(pace.allows(at(60_000)));
        pace.note(Outcome::Done, at(60_000));
        assert!(!pace.allows(at(60_999)));
        assert!(pace.allows(at(61_000)));
    }

    #[test]
    fn what_failed_is_tried_again_soon_and_is_no_write() {
        let mut pace = Pace::default();
        for second in 0..100 {
            pace.note(Outcome::Failed, at(second * 1000));
            assert!(!pace.allows(at(second * 1000 + 999)));
            assert!(pace.allows(at(second * 1000 + 1000)));
        }
        pace.note(Outcome::Conflict, at(200_000));
        assert!(!pace.allows(at(200_099)) && pace.allows(at(200_100)));
    }
}
