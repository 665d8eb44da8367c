//! Writing one datagram, append by append, into a buffer that holds many.
//!
//! The buffer is whole after every call: a part's length is patched as it grows, so there is nothing to
//! finish and nothing to forget. What does not fit is refused and leaves no trace.

use alloc::vec::Vec;
use core::net::SocketAddr;

use super::PART_LEN;
use super::body::{TAG_BROADCASTS, TAG_MARKS, TAG_PAYLOAD, TAG_UPDATES};
use super::fixed::Front;
use super::header::{HEADER_LEN, Header, raw as raw_header};
use super::marks::Mark;
use super::message::{Message, Ping};
use super::records::{BroadcastRecord, broadcast_len};
use super::update::{Plain, Update};
use crate::api::PAYLOAD_MAX;

/// One datagram under construction at the end of a buffer: the message first, then its parts, one after the other.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    /// Where the datagram begins in `bytes`.
    start: usize,
    /// Longest that it may become.
    limit: usize,
    /// The last part's tag, 0 before the first, and where it begins in `bytes`.
    part: (u8, usize),
}

impl<'a> Writer<'a> {
    /// Begins a datagram of at most `limit` bytes with its header and head. It is complete as it is.
    ///
    /// Header and head are written even if they are longer than that; then nothing can be appended, and
    /// the caller, who sees it from [`len`](Self::len), abandons the datagram.
    ///
    /// Nothing is allocated if `bytes` has that much capacity left.
    pub(crate) fn begin(bytes: &'a mut Vec<u8>, limit: usize, header: &Header, message: &Message) -> Self {
        debug_assert_eq!(header.kind, message.kind(), "the header says what the head is of");
        let start = bytes.len();
        let mut front = Front::new();
        front.put(raw_header(header));
        message.put(&mut front);
        bytes.extend_from_slice(front.bytes());
        Self { bytes, start, limit, part: (0, start) }
    }

    /// Appends an update; `false` if it does not fit.
    #[must_use]
    pub(crate) fn update(&mut self, update: &Update<'_>) -> bool {
        if let Update::Alive { about, addr: SocketAddr::V4(addr), versions, metadata: [] } = *update {
            return self.plain(&Plain { about, addr, versions });
        }
        self.append(TAG_UPDATES, update.front().bytes(), update.metadata())
    }

    /// Appends what most updates are; `false` if it does not fit.
    #[must_use]
    pub(crate) fn plain(&mut self, update: &Plain) -> bool {
        self.append(TAG_UPDATES, &update.raw(), &[])
    }

    /// Appends a mark; `false` if it does not fit.
    #[must_use]
    pub(crate) fn mark(&mut self, mark: &Mark) -> bool {
        self.append(TAG_MARKS, mark.front().bytes(), &[])
    }

    /// Appends a broadcast; `false` if it does not fit.
    #[must_use]
    pub(crate) fn broadcast(&mut self, broadcast: &BroadcastRecord<'_>) -> bool {
        self.append(TAG_BROADCASTS, broadcast.front().bytes(), broadcast.payload)
    }

    /// Appends the user's bytes; `false` if they do not fit. Nothing can follow.
    #[must_use]
    pub(crate) fn payload(&mut self, payload: &[u8]) -> bool {
        debug_assert!(payload.len() <= PAYLOAD_MAX, "refused before it gets here");
        self.append(TAG_PAYLOAD, &[], payload)
    }

    /// Takes the datagram back out of the buffer.
    pub(crate) fn abandon(self) {
        self.bytes.truncate(self.start);
    }

    /// Keeps `len` bytes of the room for what comes later.
    pub(crate) fn set_aside(&mut self, len: usize) {
        debug_assert!(len <= self.room(), "only room can be set aside");
        self.limit -= len;
    }

    /// What was set aside may be written to again.
    pub(crate) fn give_back(&mut self, len: usize) {
        self.limit += len;
    }

    /// Bytes that can still be appended, the three in front of a new part included.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.len())
    }

    /// Bytes of the datagram so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Where the datagram begins in the buffer.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Appends bytes to the part with this tag, which is the last one or begins here; `false` if they do not fit.
    // Inlined, the lengths are constants: a plain record is one copy of 30 bytes. Else a full datagram takes 7 % more instructions.
    #[inline(always)]
    fn append(&mut self, tag: u8, front: &[u8], rest: &[u8]) -> bool {
        let begins = self.part.0 != tag;
        let len = front.len() + rest.len() + if begins { PART_LEN } else { 0 };
        if len > self.room() {
            return false;
        }
        if begins {
            self.part = (tag, self.bytes.len());
            self.bytes.extend_from_slice(&[tag, 0, 0]);
        }
        self.bytes.extend_from_slice(front);
        self.bytes.extend_from_slice(rest);
        let at = self.part.1;
        let len = u16::try_from(self.bytes.len() - at - PART_LEN).expect("no datagram reaches 64 KiB");
        self.bytes[at + 1..at + PART_LEN].copy_from_slice(&len.to_le_bytes());
        debug_assert!(self.len() <= self.limit, "what was appended fits");
        true
    }
}

/// The longest broadcast fits a ping in the shortest datagram that can be configured.
const _: () = {
    const SHORTEST: usize = 1200 - super::SEAL_ROOM;
    const PING: usize = HEADER_LEN + Ping::LEN_MAX;
    assert!(PING + PART_LEN + broadcast_len(PAYLOAD_MAX) <= SHORTEST);
};
