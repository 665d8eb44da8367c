//! What a later version appended must cost a reader of this version nothing but the bytes.

use super::golden::{BROADCAST, DEAD, golden, messages, updates};
use super::*;

#[test]
fn a_message_from_a_later_version_is_read_as_far_as_it_is_known() {
    for (name, message) in messages() {
        let bytes = golden(&alloc::format!("{name} from a later version"));
        let reading = read(&bytes).unwrap_or_else(|reason| panic!("{name}: {reason:?}"));
        let known = Datagram {
            updates: Vec::from([DEAD]),
            broadcasts: Vec::from([BROADCAST]),
            ..Datagram::bare(message)
        };
        assert_eq!(reading.datagram, known, "{name}");
        assert_eq!(reading.skipped, [DropReason::UnknownUpdate], "{name}");
        assert_eq!(reading.unknown_parts, 1, "{name}");
    }
}

#[test]
fn bytes_after_the_known_ones_of_an_update_are_skipped() {
    for (name, update) in updates() {
        let bytes = golden(&alloc::format!("{name} from a later version"));
        let reading = read(&bytes).unwrap_or_else(|reason| panic!("{name}: {reason:?}"));
        assert_eq!(reading.datagram, Datagram::about(update), "{name}");
        assert_eq!((reading.skipped, reading.unknown_parts), (Vec::new(), 0), "{name}");
    }
}

#[test]
fn unknown_flags_of_an_update_are_ignored() {
    for (name, update) in updates() {
        let mut bytes = golden(name);
        bytes[HEADER_LEN + PART_LEN + 2 + 1] |= 0b1111_1000;
        assert_eq!(read(&bytes).expect(name).datagram, Datagram::about(update), "{name}");
    }
}

#[test]
fn parts_may_come_in_any_order() {
    let payload_first = [4, 2, 0, b'h', b'i'];
    let mut bytes = golden("everything at once");
    let parts = HEADER_LEN + Ping::LEN_MAX;
    bytes.splice(parts..parts, payload_first);
    let reading = read(&bytes).expect("readable");
    let known = Datagram { payload: Some(b"hi"), ..super::golden::everything() };
    assert_eq!(reading.datagram, known);
}
