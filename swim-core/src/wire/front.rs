//! The front of a datagram, header and head, made at once: to append a field to a buffer costs more than the
//! field's bytes.

use super::PART_LEN;
use super::header::HEADER_LEN;
use super::message::SyncPull;

/// Bytes of the longest.
const ROOM: usize = HEADER_LEN + PART_LEN + SyncPull::LEN;

/// Bytes in the order in which they were put in.
pub(super) struct Front {
    bytes: [u8; ROOM],
    len: usize,
}

impl Front {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { bytes: [0; ROOM], len: 0 }
    }

    /// Appends a field.
    #[inline]
    pub(super) fn put<const N: usize>(&mut self, field: [u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(&field);
        self.len += N;
    }

    /// Writes at `at` how many bytes there are from `start` on.
    #[inline]
    pub(super) fn patch(&mut self, at: usize, start: usize) {
        let len = (self.len - start) as u16;
        self.bytes[at..at + 2].copy_from_slice(&len.to_le_bytes());
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
