//! Records: what an updates or broadcasts part is made of, each with its length in front.
//!
//! A record that a reader does not understand costs only itself. One that claims to be longer than what
//! is left ends the part, for nothing after it can be found.

use core::marker::PhantomData;
use core::ops::Range;

use super::fixed::{Fixed, Front, epoch_at, field};
use super::marks::Mark;
use super::update::Update;
use crate::api::{DropReason, Epoch, NodeId, PAYLOAD_MAX};

/// Bytes in front of every record: its length, which does not count them.
pub(super) const RECORD_LEN: usize = 2;

/// What the records of a part say.
pub trait Record<'a>: Sized {
    /// Reads one record, without its length.
    ///
    /// # Errors
    /// Why it is skipped.
    fn read(record: &'a [u8]) -> Result<Self, DropReason>;
}

/// The records of one part. One that does not decode is one `Err`, and the next one follows.
#[derive(Clone, Default, Debug)]
pub struct Records<'a, R> {
    rest: &'a [u8],
    record: PhantomData<R>,
}

/// The updates of one datagram.
pub type Updates<'a> = Records<'a, Update<'a>>;
/// What one datagram says of the broadcasts that its sender keeps.
pub type Marks<'a> = Records<'a, Mark>;
/// The broadcasts of one datagram.
pub type Broadcasts<'a> = Records<'a, BroadcastRecord<'a>>;

impl<'a, R> Records<'a, R> {
    pub(super) const fn new(part: &'a [u8]) -> Self {
        Self { rest: part, record: PhantomData }
    }

    /// Whether nothing is left.
    #[inline]
    pub const fn is_empty(&self) -> bool {
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
    pub(super) fn skip<const N: usize>(&mut self) {
        self.rest = &self.rest[N..];
    }
}

impl<'a, R: Record<'a>> Iterator for Records<'a, R> {
    type Item = Result<R, DropReason>;

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
        let Some((record, rest)) = split else {
            self.rest = &[];
            return Some(Err(DropReason::TrailingBytes));
        };
        self.rest = rest;
        Some(R::read(record))
    }
}

/// Bytes of a broadcast in front of its payload, without the record's length.
const FIXED_LEN: usize = 8 + 6 + 4 + 2;

/// A user's broadcast. (origin, epoch, sequence) names it for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BroadcastRecord<'a> {
    /// Whose it is.
    pub origin: NodeId,
    /// Its epoch then.
    pub epoch: Epoch,
    /// Its number within that epoch.
    pub sequence: u32,
    /// What it says, at most [`PAYLOAD_MAX`] bytes.
    pub payload: &'a [u8],
}

impl<'a> Record<'a> for BroadcastRecord<'a> {
    fn read(record: &'a [u8]) -> Result<Self, DropReason> {
        let (fixed, rest) = record.split_first_chunk::<FIXED_LEN>().ok_or(DropReason::Malformed)?;
        let len = usize::from(u16::from_le_bytes(field(fixed, 18)));
        let payload =
            rest.get(..len).filter(|payload| payload.len() <= PAYLOAD_MAX).ok_or(DropReason::Malformed)?;
        Ok(Self {
            origin: NodeId(u64::from_le_bytes(field(fixed, 0))),
            epoch: epoch_at(fixed, 8),
            sequence: u32::from_le_bytes(field(fixed, 14)),
            payload,
        })
    }
}

impl BroadcastRecord<'_> {
    /// The record but for its payload, with its length.
    pub(super) fn front(&self) -> Front {
        debug_assert!(self.payload.len() <= PAYLOAD_MAX, "refused before it gets here");
        let mut front = Front::new();
        front.put([0; RECORD_LEN]);
        self.origin.put(&mut front);
        self.epoch.put(&mut front);
        self.sequence.put(&mut front);
        (self.payload.len() as u16).put(&mut front);
        front.set_len(0, FIXED_LEN + self.payload.len());
        front
    }
}

/// Bytes that a broadcast with a payload of `payload` bytes takes in a datagram, its length included.
pub(crate) const fn broadcast_len(payload: usize) -> usize {
    RECORD_LEN + FIXED_LEN + payload
}

/// Where the payload lies in a record, without its length; nothing after it is looked at.
pub(super) fn payload_at(record: &[u8]) -> Range<usize> {
    let Some((fixed, rest)) = record.split_first_chunk::<FIXED_LEN>() else { return 0..0 };
    FIXED_LEN..FIXED_LEN + usize::from(u16::from_le_bytes(field(fixed, 18))).min(rest.len())
}
