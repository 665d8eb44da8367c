//! Marks and pulls at one node: what is asked for, and what is answered.

use std::time::Duration;

use swim_core::{Command, Event, PAYLOAD_MAX, Payload};

use crate::craft::{self, member};
use crate::lab::{Lab, addr};

fn numbers(bytes: &[u8]) -> Vec<u32> {
    craft::records(bytes, craft::BROADCASTS).iter().map(|record| craft::u32_at(record, 14)).collect()
}

/// `count` broadcasts of this node, pushed as often as they are.
fn with_broadcasts(count: u16, len: usize) -> Lab {
    let mut options = Lab::quiet_options();
    options.broadcasts_max = count;
    let mut lab = Lab::new(options);
    lab.meet(3);
    for _ in 0..count {
        lab.command(Command::Broadcast(Payload::new(&vec![b'x'; len]).expect("short")));
    }
    lab.forget();
    lab
}

#[test]
fn a_pull_is_answered_with_what_sixteen_datagrams_carry() {
    let mut lab = with_broadcasts(300, 100);
    let pull = lab
        .craft(member(2), craft::BROADCAST_PULL)
        .marks(&[craft::mark(lab.my_mention(), 10, 10), craft::mark(lab.my_mention(), 20, u32::MAX)]);
    lab.feed(addr(2), &pull);
    let sent: Vec<u32> = lab.sent.iter().flat_map(|(_, bytes)| numbers(bytes)).collect();
    assert_eq!((sent[0], lab.sent.len()), (10, 16));
    assert!(sent[1..].iter().copied().eq(20..20 + sent.len() as u32 - 1) && sent.len() <= 256, "{sent:?}");
    assert!(lab.sent.iter().all(|(to, _)| *to == addr(2)));
}

/// A member that asks for what is not kept hears what is.
#[test]
fn a_pull_is_answered_with_a_mark_even_where_nothing_is_kept() {
    let mut lab = with_broadcasts(3, 10);
    lab.run_for(Duration::from_secs(10));
    lab.forget();
    let wanted = [craft::mark(lab.my_mention(), 1, 3)];
    let pull = lab.craft(member(2), craft::BROADCAST_PULL).marks(&wanted);
    lab.feed(addr(2), &pull);
    let marks = craft::records(&lab.sent[0].1, craft::MARKS);
    assert_eq!((lab.sent.len(), craft::u32_at(marks[0], 14), craft::u32_at(marks[0], 18)), (1, 4, 3));
    // A stranger gets nothing.
    lab.forget();
    let stranger = lab.craft(member(77), craft::BROADCAST_PULL);
    lab.feed(addr(77), &stranger.marks(&wanted));
    assert!(lab.sent.is_empty());
}

#[test]
fn a_pull_names_sixteen_ranges() {
    let mut lab = Lab::new(Lab::quiet_options());
    lab.meet(3);
    let even: Vec<Vec<u8>> = (1..=20).map(|half| craft::broadcast(member(3), 2 * half, b"x")).collect();
    lab.feed(addr(2), &lab.craft(member(2), craft::GOSSIP).broadcasts(&even));
    lab.forget();
    lab.run_for(Duration::from_millis(150));
    let pulls = lab.sent_of(craft::BROADCAST_PULL);
    let ranges = craft::records(&pulls[0].1, craft::MARKS);
    assert_eq!((pulls.len(), ranges.len(), craft::u32_at(ranges[0], 14)), (1, 16, 1));
    // First from whom it heard of them, then from their origin.
    lab.run_for(Duration::from_millis(100));
    assert_eq!(
        lab.sent_of(craft::BROADCAST_PULL).iter().map(|(to, _)| *to).collect::<Vec<_>>(),
        [addr(2), addr(3)]
    );
}

#[test]
fn the_marks_of_many_origins_take_turns() {
    let mut lab = Lab::new(Lab::quiet_options());
    lab.meet(12);
    let one = |id| craft::broadcast(member(id), 1, b"x");
    let all: Vec<Vec<u8>> = (3..=12).map(one).collect();
    lab.feed(addr(2), &lab.craft(member(2), craft::GOSSIP).broadcasts(&all));
    let mut origins = Vec::new();
    for number in 0..5 {
        lab.sent.clear();
        lab.feed(addr(2), &lab.ping(member(2), number));
        let marks = craft::records(&lab.sent[0].1, craft::MARKS);
        assert_eq!(marks.len(), 4);
        origins.extend(marks.iter().map(|mark| craft::u64_at(mark, 0)));
    }
    assert!(origins.iter().copied().eq((3..=12).chain(3..=12)), "{origins:?}");
}

/// However many can be reported at once, no other event is pushed out.
#[test]
fn broadcasts_wait_in_their_logs_until_they_are_polled() {
    let mut lab = Lab::new(Lab::quiet_options());
    lab.meet(3);
    for chunk in (2..=3_000).rev().collect::<Vec<u32>>().chunks(30) {
        let records: Vec<Vec<u8>> =
            chunk.iter().map(|number| craft::broadcast(member(3), *number, b"x")).collect();
        lab.feed(addr(2), &lab.craft(member(2), craft::GOSSIP).broadcasts(&records));
    }
    lab.forget();
    lab.feed(
        addr(2),
        &lab.craft(member(2), craft::GOSSIP).broadcasts(&[craft::broadcast(member(3), 1, b"x")]),
    );
    assert_eq!(lab.events.len(), 3_000);
    assert!(lab.events.iter().all(|event| matches!(event, Event::Broadcast { .. })));
}

#[test]
fn the_longest_broadcast_fits_beside_the_marks() {
    let mut lab = with_broadcasts(1, PAYLOAD_MAX);
    lab.feed(addr(2), &lab.ping(member(2), 1));
    assert_eq!(numbers(&lab.sent[0].1), [1]);
}
