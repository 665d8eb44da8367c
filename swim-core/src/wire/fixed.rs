//! Fields of fixed width, one after the other.
//!
//! Every head is written and read here, field by field in the order in which [`head!`] names them: little-endian,
//! no padding, and the same number of bytes whatever the number. What no node can mean (an epoch beyond 48
//! bits, a status that there is not) is refused where it is read.

use super::PART_LEN;
use super::header::HEADER_LEN;
use super::message::{JoinOutcome, SyncPull};
use crate::api::{Claim, Epoch, Incarnation, NodeId, Status};

/// A field that knows its bytes, or a head that is made of such.
pub(super) trait Fixed: Sized {
    /// Appends it.
    fn put(&self, bytes: &mut Front);
    /// Takes it off the front; `None` if that is too short or means nothing.
    fn take(bytes: &mut &[u8]) -> Option<Self>;
}

/// A struct is its fields in this order.
macro_rules! head {
    ($name:ty: $($field:ident)*) => {
        impl Fixed for $name {
            #[inline]
            fn put(&self, bytes: &mut Front) {
                $(self.$field.put(bytes);)*
            }
            #[inline]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                $(let $field = Fixed::take(bytes)?;)*
                Some(Self { $($field),* })
            }
        }
    };
}
pub(super) use head;

head!(Claim: epoch incarnation status);

macro_rules! number {
    ($($type:ty)*) => {$(
        impl Fixed for $type {
            #[inline]
            fn put(&self, bytes: &mut Front) {
                bytes.put(self.to_le_bytes());
            }
            #[inline]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                let (number, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_le_bytes(*number))
            }
        }
    )*};
}

number!(u8 u16 u32 u64);

impl Fixed for NodeId {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        self.0.put(bytes);
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        u64::take(bytes).map(Self)
    }
}

impl Fixed for Incarnation {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        self.0.put(bytes);
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        u32::take(bytes).map(Self)
    }
}

impl Fixed for Epoch {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        self.0.put(bytes);
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        u64::take(bytes).map(Self).filter(|epoch| *epoch <= Self::MAX)
    }
}

impl Fixed for bool {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        bytes.put([u8::from(*self)]);
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        match u8::take(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

/// A byte that says whether the field follows, then the field.
impl<T: Fixed> Fixed for Option<T> {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        self.is_some().put(bytes);
        if let Some(field) = self {
            field.put(bytes);
        }
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        if bool::take(bytes)? { T::take(bytes).map(Some) } else { Some(None) }
    }
}

impl Fixed for Status {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        bytes.put([*self as u8]);
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Self::from_u8(u8::take(bytes)?)
    }
}

impl Fixed for JoinOutcome {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        bytes.put([*self as u8]);
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        match u8::take(bytes)? {
            0 => Some(Self::Admitted),
            1 => Some(Self::IdTaken),
            2 => Some(Self::Refused),
            _ => None,
        }
    }
}

impl Fixed for [u32; 16] {
    fn put(&self, bytes: &mut Front) {
        for number in self {
            number.put(bytes);
        }
    }
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let mut numbers = [0; 16];
        for number in &mut numbers {
            *number = u32::take(bytes)?;
        }
        Some(numbers)
    }
}

/// The front of a datagram, header and head, made at once: to append a field to a buffer costs more than the
/// field's bytes.
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

/// Bytes of the longest front.
const ROOM: usize = HEADER_LEN + PART_LEN + SyncPull::LEN;

/// The little-endian number in the two bytes at `at`, an offset within an array whose length was checked once: so
/// every check in here folds away.
#[inline]
pub(super) fn u16_at<const N: usize>(bytes: &[u8; N], at: usize) -> u16 {
    u16::from_le_bytes(copy(bytes, at))
}

/// The little-endian number in the four bytes at `at`.
#[inline]
pub(super) fn u32_at<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes(copy(bytes, at))
}

/// The little-endian number in the eight bytes at `at`.
#[inline]
pub(super) fn u64_at<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    u64::from_le_bytes(copy(bytes, at))
}

#[inline]
fn copy<const N: usize, const M: usize>(bytes: &[u8; N], at: usize) -> [u8; M] {
    let mut field = [0; M];
    field.copy_from_slice(&bytes[at..at + M]);
    field
}
