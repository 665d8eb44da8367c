//! The lines that transcripts are made of.

use alloc::format;
use alloc::string::String;

use super::golden::{golden, messages, updates};
use crate::describe;

fn line(bytes: &[u8]) -> String {
    format!("{}", describe(bytes))
}

#[test]
fn every_message_and_every_update_has_its_line() {
    let names = messages().map(|(name, _)| name).into_iter().chain(updates().map(|(name, _)| name));
    let lines = names.map(|name| line(&golden(name)) + "\n").collect::<String>();
    assert_eq!(lines, include_str!("lines.txt"));
}

#[test]
fn a_ping_with_every_part_is_one_line() {
    let expected = "Ping from #102030405060708@1700000000000.7 target=#a1@1600000000000.5 believed=suspect \
        number=1112131415161718 root=2122232425262728 \
        | alive #c1@1600000000000.2 at 10.0.0.1:7946 speaks 1-1 \
        | dead #d1@1600000000000.4 by #b1, accused by #b2 \
        | broadcast #b1@1600000000000 no. 9 of 2 bytes \
        | broadcast #b1@1600000000000 no. 10 of 0 bytes";
    assert_eq!(line(&golden("everything at once")), expected);
}

#[test]
fn what_is_not_understood_is_named() {
    assert_eq!(line(b"SW"), "2 bytes, Length");
    let mut bytes = golden("Nack from a later version");
    let expected = "Nack from #102030405060708@1700000000000.7 number=1112131415161718 | UnknownUpdate \
        | dead #d1@1600000000000.4 by #b1, accused by #b2 | broadcast #b1@1600000000000 no. 9 of 2 bytes \
        | 1 unknown parts";
    assert_eq!(line(&bytes), expected);
    bytes.push(0);
    let expected = "Nack from #102030405060708@1700000000000.7, 103 bytes of parts, TrailingBytes";
    assert_eq!(line(&bytes), expected);
}
