//! How many pages this node serves in a second, the ones for joiners included.

use serde::{Deserialize, Serialize};

use crate::api::Instant;

/// A budget that refills with time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PageBudget {
    per_second: u64,
    /// In billionths of a page.
    left_nanopages: u64,
    last: Instant,
}

const PAGE: u64 = 1_000_000_000;

impl PageBudget {
    pub(crate) fn new(per_second: u16, now: Instant) -> Self {
        let per_second = u64::from(per_second);
        Self { per_second, left_nanopages: per_second * PAGE, last: now }
    }

    /// Takes one page out of the budget, if one is left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let passed = now.since(self.last).as_nanos().min(u128::from(PAGE)) as u64;
        self.last = now;
        self.left_nanopages = (self.left_nanopages + passed * self.per_second).min(self.per_second * PAGE);
        debug_assert!(self.left_nanopages <= self.per_second * PAGE, "the budget holds one second of pages");
        let enough = self.left_nanopages >= PAGE;
        if enough {
            self.left_nanopages -= PAGE;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn no_more_pages_than_the_budget_are_served_in_a_second() {
        let mut budget = PageBudget::new(10, at(0));
        let served = |budget: &mut PageBudget, now| (0..100).filter(|_| budget.take(now)).count();
        assert_eq!(served(&mut budget, at(0)), 10);
        assert_eq!(served(&mut budget, at(100)), 1);
        assert_eq!(served(&mut budget, at(60_000)), 10);
    }
}
