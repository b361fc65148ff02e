//! How far an audit is, for whoever waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts that grow while an audit runs. Any thread may read them.
#[derive(Debug, Default)]
pub struct Progress {
    found: AtomicUsize,
    judged: AtomicUsize,
}

impl Progress {
    /// The sets that are to be judged, as far as they are known; 0 where nobody knows before the end.
    #[must_use]
    pub fn found(&self) -> usize {
        self.found.load(Ordering::Relaxed)
    }

    /// The sets that were judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.judged.load(Ordering::Relaxed)
    }

    pub(crate) fn find(&self, sets: usize) {
        self.found.fetch_add(sets, Ordering::Relaxed);
    }

    pub(crate) fn judge(&self) {
        self.judged.fetch_add(1, Ordering::Relaxed);
    }
}
