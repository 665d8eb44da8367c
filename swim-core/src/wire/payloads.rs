//! Which bytes of a datagram are its users' and not the protocol's.
//!
//! A recording may be shown to others, what users say may not. So every byte that the protocol never looks
//! into can be found and replaced by another: metadata, broadcasts and messages, and beside them whatever no
//! reader of this version gets to, where other versions or chance may have put anything.

use alloc::vec::Vec;
use core::ops::Range;

use super::body::{TAG_BROADCASTS, TAG_MARKS, TAG_UPDATES, split_part};
use super::header::{HEADER_LEN, Kind, read_header};
use super::marks::mark_at;
use super::message::Message;
use super::records::{RECORD_LEN, payload_at};
use super::update::metadata_at;
use super::{DATAGRAM_MAX, PART_LEN};

/// The bytes of `datagram` that belong to users: each metadata, broadcast and message is one range, in
/// order. What cannot be read, and so may be anything, is a range too. Empty payloads are none.
///
/// Whatever is put in their places, a node does the same with the datagram, as far as it does not compare
/// two metadata of one member.
///
/// ```
/// assert_eq!(swim_core::payload_ranges(b"hello").collect::<Vec<_>>(), [0..5]);
/// ```
pub fn payload_ranges(datagram: &[u8]) -> impl Iterator<Item = Range<usize>> + use<> {
    let mut found = Vec::new();
    match read_header(datagram, None) {
        Ok((header, body)) => body_payloads(datagram, header.kind, body, &mut found),
        Err(_) => {
            let looked_at = (HEADER_LEN..=DATAGRAM_MAX).contains(&datagram.len());
            found.push(if looked_at { HEADER_LEN } else { 0 }..datagram.len());
        }
    }
    found.into_iter().filter(|range| !range.is_empty())
}

fn body_payloads(datagram: &[u8], kind: Kind, mut rest: &[u8], found: &mut Vec<Range<usize>>) {
    let head = Message::take(kind, &mut rest);
    let mut at = datagram.len() - rest.len();
    if head.is_none() {
        // No reader gets further.
        found.push(at..datagram.len());
        return;
    }
    while let Some((tag, part, _)) = split_part(&datagram[at..]) {
        let start = at + PART_LEN;
        at = start + part.len();
        match tag {
            TAG_UPDATES => records(datagram, start..at, metadata_at, found),
            TAG_BROADCASTS => records(datagram, start..at, payload_at, found),
            TAG_MARKS => records(datagram, start..at, mark_at, found),
            _ => found.push(start..at),
        }
    }
    // A part that is longer than the datagram.
    found.push((at + PART_LEN).min(datagram.len())..datagram.len());
}

/// `payload_at` finds the payload in a record, and where the bytes that no reader uses begin.
fn records(
    datagram: &[u8],
    part: Range<usize>,
    payload_at: impl Fn(&[u8]) -> Range<usize>,
    found: &mut Vec<Range<usize>>,
) {
    let mut at = part.start;
    while let Some(len) = datagram[at..part.end].first_chunk() {
        let start = at + RECORD_LEN;
        let end = start + usize::from(u16::from_le_bytes(*len));
        if end > part.end {
            found.push(start..part.end);
            return;
        }
        let payload = payload_at(&datagram[start..end]);
        found.extend([start + payload.start..start + payload.end, start + payload.end..end]);
        at = end;
    }
}
