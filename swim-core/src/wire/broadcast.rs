//! Users' broadcasts, piggybacked on datagrams.

use alloc::vec::Vec;
use core::ops::Range;

use super::fixed::{u16_at, u32_at, u64_at};
use super::records::{RECORD_LEN, Records, write_len};
use crate::api::{DropReason, Epoch, NodeId, PAYLOAD_MAX};

/// Bytes in front of the payload, without the record's length.
const FIXED_LEN: usize = 8 + 8 + 4 + 2;

/// One broadcast. (origin, epoch, sequence) names it for ever.
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

impl<'a> BroadcastRecord<'a> {
    /// Reads one record, without its length.
    fn read(record: &'a [u8]) -> Result<Self, DropReason> {
        let (fixed, rest) = record.split_first_chunk::<FIXED_LEN>().ok_or(DropReason::Malformed)?;
        let epoch = Epoch(u64_at(fixed, 8));
        if epoch > Epoch::MAX {
            return Err(DropReason::ClaimEpoch);
        }
        let len = usize::from(u16_at(fixed, 20));
        let payload =
            rest.get(..len).filter(|payload| payload.len() <= PAYLOAD_MAX).ok_or(DropReason::Malformed)?;
        Ok(Self { origin: NodeId(u64_at(fixed, 0)), epoch, sequence: u32_at(fixed, 16), payload })
    }

    /// Appends it as one record, with its length.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        debug_assert!(self.payload.len() <= PAYLOAD_MAX, "refused before it gets here");
        debug_assert!(self.epoch <= Epoch::MAX, "no later epoch is ever held");
        write_len(bytes, FIXED_LEN + self.payload.len());
        bytes.extend_from_slice(&self.origin.0.to_le_bytes());
        bytes.extend_from_slice(&self.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        write_len(bytes, self.payload.len());
        bytes.extend_from_slice(self.payload);
    }
}

/// Bytes that a broadcast with a payload of `payload` bytes takes in a datagram, its length included.
pub(crate) const fn broadcast_len(payload: usize) -> usize {
    RECORD_LEN + FIXED_LEN + payload
}

/// Where the payload lies in a record, without its length; nothing after it is looked at.
pub(super) fn payload_at(record: &[u8]) -> Range<usize> {
    let Some((fixed, rest)) = record.split_first_chunk::<FIXED_LEN>() else { return 0..0 };
    FIXED_LEN..FIXED_LEN + usize::from(u16_at(fixed, 20)).min(rest.len())
}

/// The broadcasts of one datagram. A record that does not decode is one `Err`, and the next one follows.
#[derive(Clone, Default, Debug)]
pub struct Broadcasts<'a> {
    records: Records<'a>,
}

impl<'a> Broadcasts<'a> {
    pub(super) const fn new(part: &'a [u8]) -> Self {
        Self { records: Records::new(part) }
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl<'a> Iterator for Broadcasts<'a> {
    type Item = Result<BroadcastRecord<'a>, DropReason>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.records.next()?.and_then(BroadcastRecord::read))
    }
}
