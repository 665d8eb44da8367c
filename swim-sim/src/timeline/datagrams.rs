//! What was sent, and when it arrived.
//!
//! The world reports a datagram twice: when it is sent, and when it is handed to a node. The two are
//! brought together by what they have in common, source, target and bytes, the oldest first; copies that
//! the network made find their original already arrived. Only the newest are kept, and those around the
//! failure.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::Limits;
use crate::fingerprint::Fingerprint;
use crate::ground_truth::Fate;

/// A sender or a target that is no host.
pub(crate) const OUTSIDE: u32 = u32::MAX;

/// One datagram. Times in ns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sending {
    pub(crate) sent: u64,
    /// When it was handed to a node; `None`: never.
    pub(crate) arrived: Option<u64>,
    pub(crate) source: u32,
    pub(crate) target: u32,
    pub(crate) fate: Fate,
    /// A second arrival of the same datagram.
    pub(crate) copy: bool,
    pub(crate) bytes: Box<[u8]>,
    key: Key,
}

/// What sending and arrival have in common.
type Key = (SocketAddr, SocketAddr, u64);

/// A datagram with its two ends.
#[derive(Clone, Copy)]
pub(crate) struct Letter<'a> {
    pub(crate) from: (SocketAddr, u32),
    pub(crate) to: (SocketAddr, u32),
    pub(crate) bytes: &'a [u8],
}

impl Letter<'_> {
    /// Where the network changed the bytes on the way, the key knows nothing of them.
    fn changed(&self) -> Key {
        (self.from.0, self.to.0, 0)
    }

    fn key(&self) -> Key {
        let mut hash = Fingerprint::new();
        hash.absorb_bytes(self.bytes);
        (self.from.0, self.to.0, hash.value())
    }
}

/// How much is kept, and from when to when, in ns, for longer.
pub(crate) type Room<'a> = (&'a Limits, Option<(u64, u64)>);

/// The newest datagrams, and those around the failure.
#[derive(Default)]
pub(crate) struct Datagrams {
    newest: VecDeque<Sending>,
    /// Number of the oldest of `newest`.
    oldest: u64,
    spotlight: Vec<Sending>,
    /// Numbers of datagrams with this key, in the order of sending.
    open: BTreeMap<Key, VecDeque<u64>>,
    pub(crate) forgotten: u64,
}

impl Datagrams {
    pub(crate) fn sent(&mut self, at: u64, letter: &Letter<'_>, fate: Fate, room: Room<'_>) {
        let key = if fate == Fate::Corrupted { letter.changed() } else { letter.key() };
        self.push(
            Sending {
                sent: at,
                arrived: None,
                source: letter.from.1,
                target: letter.to.1,
                fate,
                copy: false,
                bytes: letter.bytes.into(),
                key,
            },
            room,
        );
        if matches!(fate, Fate::Sent | Fate::Corrupted | Fate::Forged) {
            self.open.entry(key).or_default().push_back(self.oldest + self.newest.len() as u64 - 1);
        }
    }

    pub(crate) fn arrived(&mut self, at: u64, letter: &Letter<'_>, room: Room<'_>) {
        let numbers = self.open.get(&letter.key()).or_else(|| self.open.get(&letter.changed()));
        let Some(numbers) = numbers else { return };
        let index = |number: &u64| number.checked_sub(self.oldest).map(|index| index as usize);
        let waiting = numbers.iter().filter_map(index).find(|index| self.newest[*index].arrived.is_none());
        if let Some(index) = waiting {
            self.newest[index].arrived = Some(at);
        } else if let Some(index) = numbers.back().and_then(index) {
            let copy = Sending { arrived: Some(at), copy: true, ..self.newest[index].clone() };
            self.push(copy, room);
        }
    }

    /// All that is kept, by the time of sending.
    pub(crate) fn all(&self) -> Vec<&Sending> {
        let mut all: Vec<&Sending> = self.spotlight.iter().chain(&self.newest).collect();
        all.sort_by_key(|sending| sending.sent);
        all
    }

    fn push(&mut self, sending: Sending, (limits, spotlight): Room<'_>) {
        self.newest.push_back(sending);
        while self.newest.len() > limits.datagrams_max.max(1) {
            let oldest = self.newest.pop_front().expect("there is more than one");
            self.oldest += 1;
            if let Some(numbers) = self.open.get_mut(&oldest.key) {
                while numbers.front().is_some_and(|number| *number < self.oldest) {
                    numbers.pop_front();
                }
                if numbers.is_empty() {
                    self.open.remove(&oldest.key);
                }
            }
            let lit = spotlight.is_some_and(|(from, to)| (from..=to).contains(&oldest.sent));
            if lit && self.spotlight.len() < limits.spotlight_max {
                self.spotlight.push(oldest);
            } else {
                self.forgotten += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { datagrams_max: 4, spotlight_max: 10, ..Limits::default() }
    }

    fn letter(bytes: &[u8]) -> Letter<'_> {
        let addr = |last: u8| SocketAddr::from(([10, 0, 0, last], 7946));
        Letter { from: (addr(1), 0), to: (addr(2), 1), bytes }
    }

    fn times(datagrams: &Datagrams) -> Vec<(u64, Option<u64>)> {
        datagrams.all().iter().map(|sending| (sending.sent, sending.arrived)).collect()
    }

    #[test]
    fn equal_datagrams_arrive_in_the_order_in_which_they_were_sent() {
        let mut datagrams = Datagrams::default();
        for at in [1, 2] {
            datagrams.sent(at, &letter(b"same"), Fate::Sent, (&limits(), None));
        }
        for at in [5, 6] {
            datagrams.arrived(at, &letter(b"same"), (&limits(), None));
        }
        assert_eq!(times(&datagrams), [(1, Some(5)), (2, Some(6))]);
    }

    #[test]
    fn a_second_arrival_is_a_copy() {
        let mut datagrams = Datagrams::default();
        datagrams.sent(1, &letter(b"doubled"), Fate::Sent, (&limits(), None));
        datagrams.arrived(2, &letter(b"doubled"), (&limits(), None));
        datagrams.arrived(3, &letter(b"doubled"), (&limits(), None));
        assert_eq!(times(&datagrams), [(1, Some(2)), (1, Some(3))]);
        assert!(datagrams.all()[1].copy && !datagrams.all()[0].copy);
    }

    #[test]
    fn a_datagram_that_was_changed_on_its_way_is_known_by_its_ends() {
        let mut datagrams = Datagrams::default();
        datagrams.sent(1, &letter(b"ping"), Fate::Corrupted, (&limits(), None));
        datagrams.arrived(2, &letter(b"pong"), (&limits(), None));
        assert_eq!(times(&datagrams), [(1, Some(2))]);
    }

    #[test]
    fn the_newest_are_kept_and_those_in_the_spotlight() {
        let mut datagrams = Datagrams::default();
        let limits = limits();
        let room = (&limits, Some((2, 3)));
        for at in 1..=8 {
            datagrams.sent(at, &letter(&at.to_le_bytes()), Fate::Sent, room);
        }
        assert_eq!(times(&datagrams).iter().map(|(sent, _)| *sent).collect::<Vec<_>>(), [2, 3, 5, 6, 7, 8]);
        assert_eq!((datagrams.forgotten, datagrams.open.len()), (2, 4));
    }
}
