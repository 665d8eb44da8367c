//! Tests of the whole format: a datagram as data, written and read through the module's own door.

use alloc::vec::Vec;

use super::*;
use crate::api::{Claim, DropReason, Epoch, Incarnation, NodeId, Status};

mod bounds;
mod document;
mod golden;
mod later;
mod malformed;
mod payloads;
mod roundtrip;

pub(super) const LABEL: u32 = 0x1122_3344;
pub(super) const ME: Header = Header {
    kind: Kind::Gossip,
    label: LABEL,
    sender: NodeId(0x0102_0304_0506_0708),
    epoch: Epoch(1_700_000_000_000),
    incarnation: Incarnation(7),
};

/// A datagram of this node that begins with `message`.
pub(super) fn begin<'a>(bytes: &'a mut Vec<u8>, limit: usize, message: &Message) -> Writer<'a> {
    Writer::begin(bytes, limit, &Header { kind: message.kind(), ..ME }, message)
}

/// Everything that a datagram says.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Datagram<'a> {
    pub(super) header: Header,
    pub(super) message: Message,
    pub(super) updates: Vec<Update<'a>>,
    pub(super) broadcasts: Vec<BroadcastRecord<'a>>,
    pub(super) marks: Vec<Mark>,
    pub(super) payload: Option<&'a [u8]>,
}

impl<'a> Datagram<'a> {
    /// Only a message.
    pub(super) fn bare(message: Message) -> Self {
        let payload = (message == Message::User).then_some(&b"hello"[..]);
        let header = Header { kind: message.kind(), ..ME };
        Self { header, message, updates: Vec::new(), broadcasts: Vec::new(), marks: Vec::new(), payload }
    }

    /// Gossip about one member.
    pub(super) fn about(update: Update<'a>) -> Self {
        Self { updates: Vec::from([update]), ..Self::bare(Message::Gossip) }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::begin(&mut bytes, DATAGRAM_MAX, &self.header, &self.message);
        assert!(self.updates.iter().all(|update| writer.update(update)));
        assert!(self.broadcasts.iter().all(|broadcast| writer.broadcast(broadcast)));
        assert!(self.marks.iter().all(|mark| writer.mark(mark)));
        assert!(self.payload.is_none_or(|payload| writer.payload(payload)));
        bytes
    }
}

/// What was read, and what was skipped on the way.
#[derive(PartialEq, Debug)]
pub(super) struct Reading<'a> {
    pub(super) datagram: Datagram<'a>,
    pub(super) skipped: Vec<DropReason>,
    pub(super) unknown_parts: u32,
}

/// Reads all of a datagram, whatever its label.
pub(super) fn read(bytes: &[u8]) -> Result<Reading<'_>, DropReason> {
    let (header, body): (Header, &[u8]) = read_header(bytes, None)?;
    let body: Body<'_> = read_body(header.kind, body)?;
    assert_eq!(body.message.kind(), header.kind);
    let (updates, broadcasts): (Updates<'_>, Broadcasts<'_>) = (body.updates, body.broadcasts);
    let mut skipped = Vec::new();
    let mut note = |reason| skipped.push(reason);
    let updates = updates.filter_map(|update| update.map_err(&mut note).ok()).collect();
    let broadcasts = broadcasts.filter_map(|broadcast| broadcast.map_err(&mut note).ok()).collect();
    let marks = body.marks.filter_map(|mark| mark.map_err(&mut note).ok()).collect();
    let payload = body.payload;
    let datagram = Datagram { header, message: body.message, updates, broadcasts, marks, payload };
    Ok(Reading { datagram, skipped, unknown_parts: body.unknown_parts })
}

/// A member that updates in tests are about.
pub(super) const fn member(id: u64) -> About {
    About { id: NodeId(id), epoch: Epoch(1_600_000_000_000), incarnation: Incarnation(2) }
}

/// Bytes written as hex, with comments from `#` to the end of a line.
pub(super) fn unhex(text: &str) -> Vec<u8> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .flat_map(str::split_whitespace)
        .map(|byte| u8::from_str_radix(byte, 16).expect("two hex digits"))
        .collect()
}
