//! Records: what an updates or broadcasts part is made of, each with its length in front.
//!
//! A record that a reader does not understand costs only itself. One that claims to be longer than what
//! is left ends the part, for nothing after it can be found.

use alloc::vec::Vec;

use crate::api::DropReason;

/// Bytes in front of every record: its length, which does not count them.
pub(super) const RECORD_LEN: usize = 2;

/// The records of one part, unread.
#[derive(Clone, Default, Debug)]
pub(super) struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    pub(super) const fn new(part: &'a [u8]) -> Self {
        Self { rest: part }
    }

    /// Whether nothing is left.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next record with its length, if it is exactly `N` bytes long in all; it is not consumed.
    #[inline]
    pub(super) fn peek<const N: usize>(&self) -> Option<&'a [u8; N]> {
        let (raw, _) = self.rest.split_first_chunk::<N>()?;
        (usize::from(u16::from_le_bytes([raw[0], raw[1]])) + RECORD_LEN == N).then_some(raw)
    }

    /// Goes past what [`peek`](Self::peek) has shown.
    #[inline]
    pub(super) fn pass<const N: usize>(&mut self) {
        self.rest = &self.rest[N..];
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<&'a [u8], DropReason>;

    /// Every call consumes at least the two bytes of a length, or all that is left.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let split = self
            .rest
            .split_first_chunk()
            .and_then(|(len, after)| after.split_at_checked(usize::from(u16::from_le_bytes(*len))));
        match split {
            Some((record, rest)) => {
                self.rest = rest;
                Some(Ok(record))
            }
            None => {
                self.rest = &[];
                Some(Err(DropReason::TrailingBytes))
            }
        }
    }
}

/// Appends a record's length; `len` counts what follows it.
pub(super) fn write_len(bytes: &mut Vec<u8>, len: usize) {
    let len = u16::try_from(len).expect("metadata and payloads are bounded far below 64 KiB");
    bytes.extend_from_slice(&len.to_le_bytes());
}
