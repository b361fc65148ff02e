//! How much work may be done where no list bounds it: counted in steps, never in time, so that the same input always gets the same
//! answer.

use std::cell::Cell;

/// The steps that are left; none once more were asked for than there were.
#[derive(Clone, Debug)]
pub struct Steps(Cell<Option<usize>>);

impl Steps {
    /// A budget of so many steps.
    #[must_use]
    pub const fn new(steps: usize) -> Self {
        Self(Cell::new(Some(steps)))
    }

    /// Takes steps out of the budget; `false` where fewer are left, and from then on.
    #[must_use]
    pub fn take(&self, steps: usize) -> bool {
        let left = self.0.get().and_then(|left| left.checked_sub(steps));
        self.0.set(left);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_stays_so() {
        let steps = Steps::new(10);
        assert!(steps.take(4) && steps.take(6) && steps.take(0));
        assert!(!steps.take(1));
        assert!(!steps.take(0), "more was asked for than there was");
        let steps = Steps::new(10);
        assert!(!steps.take(11));
        assert!(!steps.take(1), "the rest is gone with what was too much");
    }
}
