//! The bytes that belong to users: all of theirs, and none that a node reads.

use core::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

use super::golden::{everything, golden, messages, updates};
use super::roundtrip::datagram;
use super::*;

fn ranges(bytes: &[u8]) -> Vec<Range<usize>> {
    payload_ranges(bytes).collect()
}

/// Where the one range of a datagram lies.
fn only(bytes: &[u8]) -> (usize, usize) {
    let found = ranges(bytes);
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].start, found[0].end)
}

/// What users say in a datagram, in its order.
fn said<'a>(datagram: &'a Datagram<'a>) -> Vec<&'a [u8]> {
    let metadata = datagram.updates.iter().map(|update| match update {
        Update::Alive { metadata, .. } => metadata,
        _ => &[][..],
    });
    let broadcasts = datagram.broadcasts.iter().map(|broadcast| broadcast.payload);
    metadata.chain(broadcasts).chain(datagram.payload).filter(|payload| !payload.is_empty()).collect()
}

/// What a reader makes of it, payloads left out but for their lengths.
fn understood(bytes: &[u8]) -> alloc::string::String {
    let mut lens = Vec::new();
    let mut hide = |payload: &mut &[u8]| lens.push(core::mem::take(payload).len());
    let Ok(mut reading) = read(bytes) else { return alloc::format!("{:?}", read(bytes).err()) };
    for update in &mut reading.datagram.updates {
        if let Update::Alive { metadata, .. } = update {
            hide(metadata);
        }
    }
    reading.datagram.broadcasts.iter_mut().for_each(|broadcast| hide(&mut broadcast.payload));
    reading.datagram.payload.iter_mut().for_each(hide);
    alloc::format!("{reading:?} {lens:?}")
}

#[test]
fn unreadable_datagrams_are_payload_but_for_what_was_looked_at() {
    assert_eq!(ranges(&[]), []);
    assert_eq!(only(&[1; 26]), (0, 26));
    assert_eq!(only(&[1; 40]), (HEADER_LEN, 40));
    assert_eq!(only(&[1; DATAGRAM_MAX + 1]), (0, DATAGRAM_MAX + 1));
    let mut ack = golden("Ack with root");
    assert_eq!(ranges(&ack), []);
    let flags = HEADER_LEN + 8;
    ack[flags] = 8;
    assert_eq!(only(&ack), (flags + 1, ack.len()));
}

#[test]
fn an_unknown_part_and_what_a_later_version_appends_may_hold_anything() {
    let part = golden("Gossip").len() + PART_LEN;
    let bytes = [&golden("Gossip")[..], &[77, 3, 0, b'a', b'b', b'c']].concat();
    assert_eq!(only(&bytes), (part, part + 3));
    for (name, update) in updates().into_iter().filter(|(_, update)| update.status() == Status::Alive) {
        let bytes = golden(&alloc::format!("{name} from a later version"));
        let found: Vec<&[u8]> = ranges(&bytes).into_iter().map(|range| &bytes[range]).collect();
        let known = Datagram::about(update);
        let [theirs @ .., later] = &found[..] else { panic!("{name}: nothing was appended") };
        assert_eq!((theirs, later.is_empty()), (&said(&known)[..], false), "{name}");
    }
}

#[test]
fn the_status_of_the_shortest_update_is_none_of_its_user_s() {
    let gossip = golden("Gossip");
    for status in [Status::Alive as u8, 77] {
        let bytes = [&gossip[..], &[2, 3, 0, 1, 0, status]].concat();
        assert_eq!(ranges(&bytes), [], "status {status}");
    }
}

#[test]
fn every_prefix_of_a_full_datagram_is_searched_to_its_end() {
    let whole = everything().write();
    for len in 0..whole.len() {
        assert!(payload_ranges(&whole[..len]).all(|range| range.end <= len));
    }
}

/// Any datagram that begins like one of ours.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    let later = prop::sample::select(
        messages().map(|(name, _)| alloc::format!("{name} from a later version")).to_vec(),
    );
    let whole = prop_oneof![
        3 => datagram().prop_map(|datagram| datagram.write()),
        1 => later.prop_map(|name| golden(&name)),
    ];
    (whole, changes, prop::option::weighted(0.2, any::<prop::sample::Index>())).prop_map(
        |(whole, changes, cut)| {
            let mut bytes = whole;
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.map_or(usize::MAX, |cut| cut.index(bytes.len())));
            bytes
        },
    )
}

proptest! {
    #[test]
    fn what_users_say_is_found_and_nothing_else(datagram in datagram()) {
        let bytes = datagram.write();
        let found: Vec<&[u8]> = ranges(&bytes).into_iter().map(|range| &bytes[range]).collect();
        prop_assert_eq!(found, said(&datagram));
    }

    #[test]
    fn whatever_stands_in_those_places_the_rest_is_understood_alike(bytes in bytes(), with in any::<u8>()) {
        let mut other = bytes.clone();
        let mut end = 0;
        for range in payload_ranges(&bytes) {
            prop_assert!(range.start >= end && range.end > range.start);
            end = range.end;
            other[range].fill(with);
        }
        prop_assert_eq!(understood(&bytes), understood(&other));
        prop_assert_eq!(ranges(&bytes), ranges(&other));
    }
}
