//! Healing: partitions that outlast every suspicion end by themselves.
//!
//! SWIM forgets the dead, so two halves that have buried each other never speak again. Here a few
//! datagrams keep the door open: now and then a node pings a member that it holds Dead, or a seed that
//! is not among its members. Cluster-wide that is one contact to each dead member every 10 s, however
//! many members there are: each node's own interval is 10 s · alive / dead, within [1 period, 10 min].
//!
//! The ping says what the asker believes ("you are Dead, in this incarnation"), the answer says what the
//! asked believes: one exchange tells both sides to speak up. Neither is ever sent in reply to news, so
//! two undead nodes cannot keep each other busy.

use alloc::collections::VecDeque;
use core::net::SocketAddr;
use core::time::Duration;

use crate::identity::NodeId;
use crate::time::Instant;

/// Contacts that may still be answered.
pub(crate) const OPEN_MAX: usize = 4;
/// Addresses of the forgotten that are still contacted.
const FORGOTTEN_MAX: usize = 16;
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug)]
struct Open {
    id: NodeId,
    addr: SocketAddr,
    number: u64,
}

/// When the next contact is due, and which are open.
#[derive(Debug)]
pub(crate) struct Heal {
    every: Option<Duration>,
    last: Instant,
    open: [Option<Open>; OPEN_MAX],
    turn: usize,
    forgotten: VecDeque<SocketAddr>,
}

impl Heal {
    pub(crate) const fn new(every: Option<Duration>, now: Instant) -> Self {
        Self { every, last: now, open: [None; OPEN_MAX], turn: 0, forgotten: VecDeque::new() }
    }

    /// Whether a contact is due: `alive` members share the work on `missing` ones.
    pub(crate) fn is_due(&mut self, alive: u32, missing: u32, period: Duration, now: Instant) -> bool {
        let Some(every) = self.every else { return false };
        if missing == 0 {
            return false;
        }
        let share = every.saturating_mul(alive) / missing;
        if now.since(self.last) < share.clamp(period, LONGEST.max(period)) {
            return false;
        }
        self.last = now;
        true
    }

    /// A Dead member's tombstone is gone; its address is kept for a while.
    pub(crate) fn remember(&mut self, addr: SocketAddr) {
        if self.forgotten.contains(&addr) {
            return;
        }
        if self.forgotten.len() >= FORGOTTEN_MAX {
            self.forgotten.pop_front();
        }
        self.forgotten.push_back(addr);
    }

    /// How many addresses of the forgotten are kept.
    pub(crate) fn forgotten(&self) -> u32 {
        self.forgotten.len() as u32
    }

    /// One of them.
    pub(crate) fn forgotten_at(&self, place: usize) -> Option<SocketAddr> {
        self.forgotten.get(place).copied()
    }

    /// The place for the next contact; the oldest one is given up for it.
    pub(crate) const fn next_place(&self) -> u16 {
        (self.turn % OPEN_MAX) as u16
    }

    /// A ping to `id` with `number` is on its way.
    pub(crate) fn asked(&mut self, id: NodeId, addr: SocketAddr, number: u64) {
        self.open[self.turn % OPEN_MAX] = Some(Open { id, addr, number });
        self.turn = self.turn.wrapping_add(1);
    }

    /// An answer came. `true` if it was asked for.
    pub(crate) fn answered(&mut self, place: u16, id: NodeId, number: u64, source: SocketAddr) -> bool {
        let Some(entry) = self.open.get_mut(usize::from(place)) else { return false };
        let fits = entry.is_some_and(|open| open.id == id && open.number == number && open.addr == source);
        if fits {
            *entry = None;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(1);

    #[test]
    fn the_share_of_each_node_follows_the_numbers() {
        let mut heal = Heal::new(Some(Duration::from_secs(10)), Instant::ORIGIN);
        let at = Instant::from_millis;
        assert!(!heal.is_due(10, 0, PERIOD, at(999_999)));
        assert!(!heal.is_due(10, 10, PERIOD, at(9_999)));
        assert!(heal.is_due(10, 10, PERIOD, at(10_000)));
        assert!(!heal.is_due(1, 100, PERIOD, at(10_999)), "at most once a period");
        assert!(heal.is_due(1, 100, PERIOD, at(11_000)));
        assert!(!heal.is_due(100_000, 1, PERIOD, at(610_999)));
        assert!(heal.is_due(100_000, 1, PERIOD, at(611_000)), "at least every ten minutes");
    }

    #[test]
    fn an_answer_must_fit_who_was_asked() {
        let mut heal = Heal::new(None, Instant::ORIGIN);
        let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
        let place = heal.next_place();
        heal.asked(NodeId(1), addr, 5);
        assert!(!heal.answered(place, NodeId(2), 5, addr));
        assert!(!heal.answered(place, NodeId(1), 6, addr));
        assert!(heal.answered(place, NodeId(1), 5, addr));
        assert!(!heal.answered(place, NodeId(1), 5, addr), "once");
    }
}
