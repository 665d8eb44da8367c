//! The timers of one process. Applications have few, so they are looked through one by one.

use std::collections::BTreeMap;

use swim_core::Instant;

/// One for each token.
#[derive(Default)]
pub(super) struct Timers {
    /// When, by the process's clock; of two at the same time the one that was set first comes first.
    by_token: BTreeMap<u64, (Instant, u64)>,
    set: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: Instant, token: u64) {
        self.by_token.insert(token, (at, self.set));
        self.set += 1;
    }

    pub(super) fn cancel(&mut self, token: u64) -> bool {
        self.by_token.remove(&token).is_some()
    }

    /// The next one: when, by the process's clock, and its token.
    pub(super) fn first(&self) -> Option<(Instant, u64)> {
        self.by_token.iter().map(|(token, place)| (*place, *token)).min().map(|((at, _), token)| (at, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_by_time_then_in_the_order_of_setting_and_each_token_once() {
        let mut timers = Timers::default();
        for (at, token) in [(5, 1), (3, 9), (3, 2), (9, 3), (1, 1)] {
            timers.set(Instant::from_millis(at), token);
        }
        assert!(timers.cancel(3) && !timers.cancel(3));
        let order: Vec<u64> = std::iter::from_fn(|| {
            let (_, token) = timers.first()?;
            timers.cancel(token).then_some(token)
        })
        .collect();
        assert_eq!(order, [1, 9, 2]);
    }
}
