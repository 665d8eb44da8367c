//! What of an origin's broadcasts a node keeps, and what it asks for.

use super::fixed::{Fixed, Front, head};
use super::records::{RECORD_LEN, Record};
use crate::api::{DropReason, Epoch, NodeId};

/// Most ranges of one pull.
pub(crate) const RANGES_MAX: usize = 16;

/// A sender's statement about one origin's broadcasts: a reader that lacks some asks for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Whose broadcasts.
    pub origin: NodeId,
    /// Its epoch then.
    pub epoch: Epoch,
    /// The lowest number that the sender still keeps; the one after the highest if it keeps none.
    pub lowest: u32,
    /// The highest number that the sender knows of.
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

/// Consecutive numbers of broadcasts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Range {
    /// The first number.
    pub first: u32,
    /// How many.
    pub count: u16,
}

head!(Range: first count);

/// Up to 16 ranges of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ranges {
    len: u8,
    /// Beyond `len` all are empty, so that equal lists compare equal.
    ranges: [Range; RANGES_MAX],
}

impl Ranges {
    /// Adds a number that is above all that are there; `false` if it would take one range too many.
    pub(crate) fn push(&mut self, number: u32) -> bool {
        match self.ranges[..usize::from(self.len)].last_mut() {
            Some(last) if last.first + u32::from(last.count) == number && last.count < u16::MAX => {
                last.count += 1;
            }
            _ if usize::from(self.len) == RANGES_MAX => return false,
            _ => {
                self.ranges[usize::from(self.len)] = Range { first: number, count: 1 };
                self.len += 1;
            }
        }
        true
    }

    /// How many ranges there are.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Range> {
        self.ranges.iter().take(self.len())
    }

    /// All numbers, in the order of the ranges.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.iter().flat_map(|range| range.first..=range.first.saturating_add(u32::from(range.count) - 1))
    }
}

/// How many, then each.
impl Fixed for Ranges {
    fn put(&self, bytes: &mut Front) {
        self.len.put(bytes);
        self.iter().for_each(|range| range.put(bytes));
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let mut taken = Self { len: u8::take(bytes)?, ..Self::default() };
        for range in taken.ranges.get_mut(..usize::from(taken.len))? {
            *range = Range::take(bytes).filter(|range| range.count > 0)?;
        }
        Some(taken)
    }
}
