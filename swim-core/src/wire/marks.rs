//! Which broadcasts of an origin a node keeps, and which it asks for.

use super::fixed::{Fixed, Front, head};
use super::records::{RECORD_LEN, Record};
use crate::api::{DropReason, Epoch, NodeId};

/// Most ranges of one pull.
pub(crate) const RANGES_MAX: usize = 16;

/// A range of one origin's broadcasts: those that the sender keeps, so that a reader that lacks some asks for them; in a
/// pull, those that the sender asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Whose broadcasts.
    pub origin: NodeId,
    /// Its epoch then.
    pub epoch: Epoch,
    /// The lowest number that is kept, or asked for; the one after the highest if none is.
    pub lowest: u32,
    /// The highest number that the sender knows of, or asks for.
    pub highest: u32,
}

head!(Mark: origin epoch lowest highest);

impl Mark {
    /// Bytes of a mark in a datagram, its length included.
    pub(crate) const LEN: usize = RECORD_LEN + 8 + 6 + 4 + 4;

    /// The record with its length.
    pub(super) fn front(&self) -> Front {
        let mut front = Front::new();
        ((Self::LEN - RECORD_LEN) as u16).put(&mut front);
        self.put(&mut front);
        debug_assert_eq!(front.len(), Self::LEN, "a mark has one length");
        front
    }
}

impl<'a> Record<'a> for Mark {
    fn read(mut record: &'a [u8]) -> Result<Self, DropReason> {
        let mark = Self::take(&mut record).ok_or(DropReason::Malformed)?;
        let is_range = mark.lowest > 0 && mark.lowest - 1 <= mark.highest;
        if is_range { Ok(mark) } else { Err(DropReason::Malformed) }
    }
}

/// Where a mark ends in a record, without its length; nothing after it is looked at.
pub(super) fn mark_at(record: &[u8]) -> core::ops::Range<usize> {
    let end = record.len().min(Mark::LEN - RECORD_LEN);
    end..end
}
