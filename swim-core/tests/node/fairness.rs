//! Updates and user broadcasts share every datagram, and neither can starve the other.

use std::collections::BTreeMap;

use crate::craft::{self, member};
use crate::lab::{Lab, addr};
use swim_core::{Command, PAYLOAD_MAX, Payload};

/// How often each member's update and each broadcast was sent, by number of the datagram.
#[derive(Default)]
struct Gossiped {
    updates: BTreeMap<u64, Vec<usize>>,
    broadcasts: BTreeMap<u32, Vec<usize>>,
}

impl Gossiped {
    fn hear(&mut self, datagram: usize, bytes: &[u8]) {
        for (_, mention) in craft::claims(bytes) {
            self.updates.entry(mention.id).or_default().push(datagram);
        }
        for record in craft::records(bytes, craft::BROADCASTS) {
            self.broadcasts.entry(craft::u32_at(record, 14)).or_default().push(datagram);
        }
    }
}

/// A thousand updates wait, and `count` broadcasts of `len` bytes.
fn crowded(count: u8, len: usize) -> Lab {
    let mut lab = Lab::quiet();
    lab.meet(1_001);
    assert!(lab.stats().updates_queued >= 999);
    for byte in 0..count {
        let payload = vec![byte; len];
        lab.command(Command::Broadcast(Payload::new(&payload).expect("short enough")));
    }
    lab.forget();
    lab
}

/// What the answers carry to so many pings.
fn gossiped(lab: &mut Lab, datagrams: usize) -> Gossiped {
    let mut gossiped = Gossiped::default();
    for datagram in 0..datagrams {
        lab.sent.clear();
        lab.feed(addr(2), &lab.ping(member(2), datagram as u64));
        gossiped.hear(datagram, &lab.sent[0].1);
    }
    gossiped
}

#[test]
fn the_longest_broadcasts_are_sent_in_every_other_datagram_while_a_thousand_updates_wait() {
    let mut lab = crowded(16, PAYLOAD_MAX);
    let gossiped = gossiped(&mut lab, 32);
    assert_eq!(gossiped.broadcasts.len(), 16, "each once in 32 datagrams");
    let sent: usize = gossiped.broadcasts.values().map(Vec::len).sum();
    assert_eq!(sent, 16, "and none twice before each was sent once");
}

#[test]
fn a_thousand_updates_are_sent_while_the_longest_broadcasts_wait() {
    let mut lab = crowded(200, PAYLOAD_MAX);
    // More than 30 fit into a datagram without a broadcast, and every other is one.
    let gossiped = gossiped(&mut lab, 2 * 1_000 / 30 + 4);
    let missing: Vec<u64> = (3..=1_001).filter(|id| !gossiped.updates.contains_key(id)).collect();
    assert!(missing.is_empty(), "{} are missing: {missing:?}", missing.len());
}

#[test]
fn short_broadcasts_get_half_of_each_datagram_and_updates_the_other() {
    let mut lab = crowded(250, 100);
    let gossiped = gossiped(&mut lab, 60);
    assert_eq!(gossiped.broadcasts.len(), 250);
    assert!(gossiped.updates.len() == 1_000, "{}", gossiped.updates.len());
}

#[test]
fn everything_is_sent_equally_often_and_the_queues_run_empty() {
    let mut lab = crowded(8, PAYLOAD_MAX);
    let gossiped = gossiped(&mut lab, 2_000);
    assert_eq!((lab.stats().updates_queued, lab.stats().broadcasts_queued), (0, 0));
    assert!(gossiped.broadcasts.values().all(|sent| sent.len() == 4), "a broadcast is pushed four times");
    // λ = 4, and 1,002 has four digits.
    for id in 3..=1_001 {
        assert_eq!(gossiped.updates[&id].len(), 16, "{id}");
    }
}
