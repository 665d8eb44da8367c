//! Healing: partitions that outlast every suspicion end by themselves.
//!
//! SWIM forgets the dead, so two halves that have buried each other never speak again. Here a few
//! datagrams keep the door open: now and then a node pings a member that it holds Dead, or a seed that
//! is not among its members. Cluster-wide that is one contact to each dead member every 10 s, however
//! many members there are: each node's own share is one in 10 s · alive / dead, within [1 period, 10 min].
//! It throws dice for it in each period, so that the survivors of one death do not all ask at once.
//!
//! The ping says what the asker believes ("you are Dead, in this incarnation"), the answer says what the
//! asked believes: one exchange tells both sides to speak up. Neither is ever sent in reply to news, so
//! two undead nodes cannot keep each other busy. A member is told as well that this one is held Dead: if
//! it has left, and said so while nobody heard it here, whoever knows puts that right.

use alloc::collections::VecDeque;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identity::NodeId;

/// Contacts that may still be answered.
pub(crate) const OPEN_MAX: usize = 4;
/// Addresses of the forgotten that are still contacted.
const FORGOTTEN_MAX: usize = 16;
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Open {
    id: NodeId,
    #[serde(with = "crate::state::addr")]
    addr: SocketAddr,
    number: u64,
}

/// How often a contact is due, and which are open.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Heal {
    every: Option<Duration>,
    open: [Option<Open>; OPEN_MAX],
    turn: usize,
    #[serde(with = "crate::state::addrs")]
    forgotten: VecDeque<SocketAddr>,
}

impl Heal {
    pub(crate) const fn new(every: Option<Duration>) -> Self {
        Self { every, open: [None; OPEN_MAX], turn: 0, forgotten: VecDeque::new() }
    }

    /// Whether a contact is made in this period: `alive` members share the work on `missing` ones.
    /// `random(n)` is uniform in `0..n`.
    pub(crate) fn is_due(
        &self,
        alive: u32,
        missing: u32,
        period: Duration,
        random: impl FnOnce(u32) -> u32,
    ) -> bool {
        let Some(every) = self.every.filter(|_| missing > 0) else { return false };
        let share = every.saturating_mul(alive) / missing;
        let share = share.clamp(period, LONGEST.max(period));
        random(millis(share)) < millis(period)
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

    /// A member is at `addr`, whoever it is: nobody is missed there any longer.
    pub(crate) fn found(&mut self, addr: SocketAddr) {
        self.forgotten.retain(|held| *held != addr);
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

/// In ms, at least one.
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(1);

    #[test]
    fn the_share_of_each_node_follows_the_numbers() {
        let heal = Heal::new(Some(Duration::from_secs(10)));
        // Of how many dice how many mean a contact.
        let odds = |alive, missing| {
            let mut dice = 0;
            let mut due = |throw| {
                heal.is_due(alive, missing, PERIOD, |n| {
                    dice = n;
                    throw
                })
            };
            assert!(due(999) && !due(1000), "a period is 1,000 ms");
            dice
        };
        assert_eq!(odds(10, 10), 10_000);
        assert_eq!(odds(100, 1), 600_000, "at least every ten minutes");
        assert_eq!(odds(7, 2), 35_000);
        assert!(heal.is_due(1, 100, PERIOD, |dice| dice - 1), "at most once a period, then always");
        assert!(!heal.is_due(10, 0, PERIOD, |_| 0));
        assert!(!Heal::new(None).is_due(10, 1, PERIOD, |_| 0));
    }

    #[test]
    fn an_address_where_somebody_answers_is_no_longer_asked() {
        let mut heal = Heal::new(None);
        let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
        heal.remember(addr);
        heal.remember(addr);
        assert_eq!((heal.forgotten(), heal.forgotten_at(0)), (1, Some(addr)));
        heal.found(addr);
        assert_eq!((heal.forgotten(), heal.forgotten_at(0)), (0, None));
    }

    #[test]
    fn an_answer_must_fit_who_was_asked() {
        let mut heal = Heal::new(None);
        let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
        let place = heal.next_place();
        heal.asked(NodeId(1), addr, 5);
        assert!(!heal.answered(place, NodeId(2), 5, addr));
        assert!(!heal.answered(place, NodeId(1), 6, addr));
        assert!(heal.answered(place, NodeId(1), 5, addr));
        assert!(!heal.answered(place, NodeId(1), 5, addr), "once");
    }

    #[test]
    fn four_contacts_may_be_answered_and_the_oldest_makes_room() {
        let mut heal = Heal::new(None);
        let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
        let places: alloc::vec::Vec<u16> = (0..=OPEN_MAX as u64)
            .map(|number| {
                let place = heal.next_place();
                heal.asked(NodeId(number), addr, number);
                place
            })
            .collect();
        let answered = (0_u64..).zip(&places).map(|(n, place)| heal.answered(*place, NodeId(n), n, addr));
        assert_eq!(answered.collect::<alloc::vec::Vec<_>>(), [false, true, true, true, true]);
    }

    #[test]
    fn sixteen_addresses_of_the_forgotten_are_kept_each_once_the_oldest_goes() {
        let mut heal = Heal::new(None);
        let addr = |last| SocketAddr::from(([10, 0, 0, last], 7946));
        for last in (1..=20).chain([20]) {
            heal.remember(addr(last));
        }
        assert_eq!(heal.forgotten(), FORGOTTEN_MAX as u32);
        assert_eq!((heal.forgotten_at(0), heal.forgotten_at(15)), (Some(addr(5)), Some(addr(20))));
    }
}
