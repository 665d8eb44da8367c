//! What a member costs in memory: the whole node's live bytes, divided by its members.

use swim_core::Options;

use crate::counting::live_bytes;
use crate::craft::{self, member};
use crate::lab::{Lab, addr};

const MEMBERS: u64 = 100_000;

/// Hears of `MEMBERS` members through gossip, 40 to a datagram.
fn lab_that_knows_many() -> (Lab, isize) {
    let mut options = Options::lan();
    options.members_max = MEMBERS as u32 + 1;
    options.tombstones_max = options.members_max;
    (options.gossip_interval, options.sync_interval_max) = (None, None);
    let mut lab = Lab::new(options);
    lab.meet(2);
    let before = live_bytes();
    let ids: Vec<u64> = (3..MEMBERS + 2).collect();
    for part in ids.chunks(40) {
        let updates: Vec<_> = part.iter().map(|id| craft::alive(member(*id), addr(*id), b"")).collect();
        lab.gossip(member(2), &updates);
        lab.forget();
    }
    assert_eq!(u64::from(lab.stats().alive), MEMBERS + 1);
    (lab, before)
}

#[test]
fn a_member_takes_at_most_64_bytes_and_at_most_128_while_it_is_gossiped() {
    let (mut lab, before) = lab_that_knows_many();
    let per_thousand = || (live_bytes() - before) * 1_000 / MEMBERS as isize;
    let queued = per_thousand();
    assert_eq!(u64::from(lab.stats().updates_queued), MEMBERS);
    let mut number = 0;
    while lab.stats().updates_queued > 0 {
        number += 1;
        lab.feed(addr(2), &lab.ping(member(2), number));
        lab.forget();
    }
    let held = per_thousand();
    println!("{held} bytes for a thousand members, {queued} while all of them are queued");
    assert!(held <= 64_000, "{held}");
    assert!(queued <= 128_000, "{queued}");
}
