//! What is refused, each under its own reason.

use super::golden::{everything, golden, messages, updates};
use super::*;
use crate::api::{METADATA_MAX, PAYLOAD_MAX};

/// Where the one record of a golden update begins, after its length.
const RECORD: usize = HEADER_LEN + PART_LEN + 2;

fn header_with(change: impl FnOnce(&mut [u8])) -> Result<(), DropReason> {
    let mut bytes = golden("Ping");
    change(&mut bytes);
    read_header(&bytes, Some(LABEL)).map(|_| ())
}

/// Gossip whose only part holds these bytes.
fn gossip(tag: u8, part: &[u8]) -> Vec<u8> {
    let mut bytes = golden("Gossip");
    bytes.push(tag);
    bytes.extend_from_slice(&u16::try_from(part.len()).expect("short").to_le_bytes());
    bytes.extend_from_slice(part);
    bytes
}

/// What the only record of a golden update is skipped for when it is changed like this.
fn skipped(name: &str, change: impl FnOnce(&mut [u8])) -> Vec<DropReason> {
    let mut bytes = golden(name);
    change(&mut bytes);
    let reading = read(&bytes).expect("the datagram itself is well-formed");
    assert!(reading.datagram.updates.is_empty());
    reading.skipped
}

#[test]
fn an_unchanged_header_is_accepted_and_an_ignorable_flag_is_ignored() {
    assert_eq!(header_with(|_| ()), Ok(()));
    assert_eq!(header_with(|bytes| bytes[3] = 0b1111_0000), Ok(()));
}

#[test]
fn each_fault_of_a_header_has_its_own_reason() {
    assert_eq!(header_with(|bytes| bytes[0] = b's'), Err(DropReason::Magic));
    assert_eq!(header_with(|bytes| bytes[1] = b's'), Err(DropReason::Magic));
    assert_eq!(header_with(|bytes| bytes[2] = VERSION - 1), Err(DropReason::Version));
    assert_eq!(header_with(|bytes| bytes[2] = VERSION + 1), Err(DropReason::Version));
    for flag in 0..4 {
        assert_eq!(header_with(|bytes| bytes[3] = 1 << flag), Err(DropReason::Flags));
    }
    assert_eq!(header_with(|bytes| bytes[4] = 0), Err(DropReason::UnknownKind));
    assert_eq!(header_with(|bytes| bytes[4] = 15), Err(DropReason::UnknownKind));
    assert_eq!(header_with(|bytes| bytes[5] ^= 1), Err(DropReason::Label));
}

#[test]
fn a_datagram_shorter_than_a_header_or_longer_than_9000_bytes_is_not_looked_at() {
    assert_eq!(read_header(&golden("Gossip")[..HEADER_LEN - 1], Some(LABEL)), Err(DropReason::Length));
    assert!(read_header(&golden("Gossip"), Some(LABEL)).is_ok());
    let mut bytes = golden("Gossip");
    bytes.resize(DATAGRAM_MAX, 0);
    assert!(read_header(&bytes, Some(LABEL)).is_ok());
    bytes.push(0);
    assert_eq!(read_header(&bytes, Some(LABEL)), Err(DropReason::Length));
}

#[test]
fn parts_that_do_not_end_with_the_datagram_are_trailing_bytes() {
    let whole = golden("Ping");
    for extra in [&[0_u8][..], &[0, 0], &[9, 1, 0], &[9, 255, 255, 0]] {
        let bytes = [&whole[..], extra].concat();
        assert_eq!(read(&bytes), Err(DropReason::TrailingBytes), "{extra:?}");
    }
}

#[test]
fn a_known_part_that_comes_twice_is_malformed_and_an_unknown_one_is_not() {
    for tag in 2..=5 {
        let bytes = [gossip(tag, b""), Vec::from([tag, 0, 0])].concat();
        assert_eq!(read(&bytes), Err(DropReason::Malformed), "{tag}");
    }
    for tag in [0, 1, 6, 255] {
        let bytes = [gossip(tag, b""), Vec::from([tag, 0, 0])].concat();
        assert_eq!(read(&bytes).expect("readable").unknown_parts, 2, "{tag}");
    }
}

#[test]
fn a_head_that_is_missing_or_cut_short_is_malformed() {
    for (name, message) in messages() {
        let whole = golden(name);
        for len in HEADER_LEN..whole.len() {
            let expected = if message == Message::User && len > HEADER_LEN {
                DropReason::TrailingBytes
            } else {
                DropReason::Malformed
            };
            assert_eq!(read(&whole[..len]), Err(expected), "{name} cut to {len}");
        }
    }
}

#[test]
fn a_head_that_means_nothing_is_malformed() {
    let broken = |name, at: usize, value| {
        let mut bytes = golden(name);
        bytes[HEADER_LEN + at] = value;
        read(&bytes).map(|_| ())
    };
    assert_eq!(broken("Ping", 24, 2), Err(DropReason::Malformed), "an unknown flag");
    assert_eq!(broken("Ping with held claim", 35, 4), Err(DropReason::Malformed), "an unknown status");
    assert_eq!(broken("Ack", 8, 8), Err(DropReason::Malformed), "an unknown flag");
    assert_eq!(broken("Ack with held claim", 19, 4), Err(DropReason::Malformed), "an unknown status");
    assert_eq!(broken("Welcome", 8, 3), Err(DropReason::Malformed), "an unknown outcome");
}

#[test]
fn a_user_message_without_a_payload_is_malformed_and_so_is_a_payload_that_is_too_long() {
    let user = golden("User");
    assert_eq!(read(&user[..HEADER_LEN]), Err(DropReason::Malformed));
    assert!(read(&gossip(4, &[0; PAYLOAD_MAX])).is_ok());
    assert_eq!(read(&gossip(4, &[0; PAYLOAD_MAX + 1])), Err(DropReason::Malformed));
}

#[test]
fn a_record_that_overruns_its_part_ends_the_part_and_is_reported_once() {
    let mut records = golden("dead").split_off(HEADER_LEN + PART_LEN);
    for extra in [&[7_u8][..], &[1, 0], &[255, 255, 0, 0]] {
        let part = [&records[..], extra].concat();
        let bytes = gossip(2, &part);
        let reading = read(&bytes).expect("readable");
        assert_eq!(reading.skipped, [DropReason::TrailingBytes], "{extra:?}");
        assert_eq!(reading.datagram.updates.len(), 1, "{extra:?}");
    }
    records.truncate(1);
    assert_eq!(read(&gossip(3, &records)).expect("readable").skipped, [DropReason::TrailingBytes]);
}

#[test]
fn an_update_that_ends_too_early_is_skipped_and_the_next_one_is_read() {
    let next = &golden("left")[HEADER_LEN + PART_LEN..];
    for (name, _) in updates() {
        let record = &golden(name)[RECORD..];
        for len in 0..record.len() {
            let prefix = u16::try_from(len).expect("short").to_le_bytes();
            let bytes = gossip(2, &[&prefix, &record[..len], next].concat());
            let reading = read(&bytes).expect("readable");
            assert_eq!(reading.skipped, [DropReason::Malformed], "{name} cut to {len}");
            assert_eq!(reading.datagram.updates, [updates()[7].1], "{name} cut to {len}");
        }
    }
}

#[test]
fn an_update_that_means_nothing_is_skipped_for_its_own_reason() {
    assert_eq!(skipped("dead", |bytes| bytes[RECORD] = 4), [DropReason::UnknownUpdate]);
    let count = RECORD + 20;
    assert_eq!(skipped("suspect with one accuser", |bytes| bytes[count] = 0), [DropReason::Malformed]);
    assert_eq!(skipped("suspect with seven accusers", |bytes| bytes[count] = 8), [DropReason::Malformed]);
    let lowest = RECORD + 20 + 6;
    assert_eq!(skipped("alive at a v4 address", |bytes| bytes[lowest] = 3), [DropReason::Malformed]);
}

#[test]
fn eight_accusers_are_refused_even_if_all_are_there() {
    let mut record = golden("suspect with seven accusers").split_off(RECORD);
    record[20] = 8;
    record.extend_from_slice(&[0; 8]);
    let prefix = u16::try_from(record.len()).expect("short").to_le_bytes();
    let bytes = gossip(2, &[&prefix[..], &record].concat());
    assert_eq!(read(&bytes).expect("readable").skipped, [DropReason::Malformed]);
}

#[test]
fn an_accuser_that_is_named_twice_counts_once() {
    let mut bytes = golden("suspect with seven accusers");
    bytes.copy_within(RECORD + 21..RECORD + 29, RECORD + 29);
    let reading = read(&bytes).expect("readable");
    let Update::Suspect { accusers, .. } = reading.datagram.updates[0] else { panic!("a suspect") };
    let ids = accusers.iter().map(|id| id.0).collect::<Vec<_>>();
    assert_eq!(ids, [0xb1, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7]);
}

#[test]
fn metadata_of_512_bytes_is_read_and_of_513_is_refused() {
    let with = |len: usize| {
        let mut record = golden("alive with metadata").split_off(RECORD);
        let at = record.len() - 5;
        record.truncate(at);
        record.extend_from_slice(&u16::try_from(len).expect("short").to_le_bytes());
        record.resize(record.len() + len, b'm');
        let prefix = u16::try_from(record.len()).expect("short").to_le_bytes();
        let bytes = gossip(2, &[&prefix[..], &record].concat());
        read(&bytes).expect("readable").skipped
    };
    assert_eq!(with(METADATA_MAX), []);
    assert_eq!(with(METADATA_MAX + 1), [DropReason::Malformed]);
}

#[test]
fn a_v4_mapped_address_is_read_as_the_v4_address_that_it_is() {
    let mut bytes = golden("alive at a v6 address");
    let ip = RECORD + 20 + 2;
    bytes[ip..ip + 16].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1]);
    let reading = read(&bytes).expect("readable");
    let Update::Alive { addr, .. } = reading.datagram.updates[0] else { panic!("alive") };
    assert_eq!(addr, "10.0.0.1:7946".parse().expect("a valid address"));
}

#[test]
fn a_broadcast_that_means_nothing_is_skipped_and_the_next_one_is_read() {
    let broken = |change: fn(&mut [u8])| {
        let mut bytes = golden("everything at once");
        // The broadcasts, 2 + 22 bytes and 2 + 20, come before the marks, 3 + 24.
        let at = bytes.len() - 24 - 22 - 27;
        change(&mut bytes[at..]);
        let reading = read(&bytes).expect("readable");
        assert_eq!(reading.datagram.broadcasts, [everything().broadcasts[1]]);
        reading.skipped
    };
    assert_eq!(broken(|record| record[20] = 3), [DropReason::Malformed]);
    let long = [&1045_u16.to_le_bytes()[..], &[0; 18], &1025_u16.to_le_bytes(), &[0; 1025]].concat();
    assert_eq!(read(&gossip(3, &long)).expect("readable").skipped, [DropReason::Malformed]);
    assert_eq!(read(&gossip(3, &[1, 0, 7])).expect("readable").skipped, [DropReason::Malformed]);
}
