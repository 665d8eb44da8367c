//! Fields of fixed width, one after the other.
//!
//! Every head is written and read here, field by field in the order in which [`head!`] names them: little-endian,
//! no padding, and the same number of bytes whatever the number. What no node can mean (a status that there is not)
//! is refused where it is read.

use super::header::HEADER_LEN;
use super::message::{JoinOutcome, SyncPull};
use super::update::SUSPECT_LEN_MAX;
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

impl<const N: usize> Fixed for [u8; N] {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        bytes.put(*self);
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let (field, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*field)
    }
}

macro_rules! number {
    ($($type:ty)*) => {$(
        impl Fixed for $type {
            #[inline]
            fn put(&self, bytes: &mut Front) {
                bytes.put(self.to_le_bytes());
            }
            #[inline]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                Fixed::take(bytes).map(Self::from_le_bytes)
            }
        }
    )*};
}

number!(u8 u16 u32 u64);

/// A type that is sent as a number: what it becomes, and what it comes back as.
macro_rules! sent_as {
    ($($name:ty: $number:ty, $to:expr, $from:expr;)*) => {$(
        impl Fixed for $name {
            #[inline]
            fn put(&self, bytes: &mut Front) {
                let to: fn(Self) -> $number = $to;
                to(*self).put(bytes);
            }
            #[inline]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                let from: fn($number) -> Option<Self> = $from;
                from(<$number>::take(bytes)?)
            }
        }
    )*};
}

sent_as! {
    NodeId: u64, |id| id.0, |number| Some(Self(number));
    Incarnation: u32, |incarnation| incarnation.0, |number| Some(Self(number));
    Epoch: [u8; 6], epoch_bytes, |[a, b, c, d, e, f]| Some(Self(u64::from_le_bytes([a, b, c, d, e, f, 0, 0])));
    bool: u8, |is_true| u8::from(is_true), |number| (number <= 1).then_some(number == 1);
    Status: u8, |status| status as u8, Self::from_u8;
    JoinOutcome: u8, |outcome| outcome as u8, |number| Self::ALL.get(usize::from(number)).copied();
}

/// The six bytes of an epoch.
#[inline]
pub(super) fn epoch_bytes(epoch: Epoch) -> [u8; 6] {
    debug_assert!(epoch <= Epoch::MAX, "no later epoch is ever held");
    field(&epoch.0.to_le_bytes(), 0)
}

/// The epoch at `at`, read at once with the two bytes after it, which an incarnation or a sequence number has there.
#[inline]
pub(super) fn epoch_at<const N: usize>(bytes: &[u8; N], at: usize) -> Epoch {
    Epoch(u64::from_le_bytes(field(bytes, at)) & Epoch::MAX.0)
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

impl Fixed for [u16; 16] {
    fn put(&self, bytes: &mut Front) {
        for number in self {
            number.put(bytes);
        }
    }
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let mut numbers = [0; 16];
        for number in &mut numbers {
            *number = u16::take(bytes)?;
        }
        Some(numbers)
    }
}

/// The front of a datagram (header and head) or of a record, made at once: to append a field to a buffer costs more
/// than the field's bytes.
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

    /// Writes a length over the two bytes at `at`.
    #[inline]
    pub(super) fn set_len(&mut self, at: usize, len: usize) {
        debug_assert!(at + 2 <= self.len, "a length has its place before it is known");
        let len = u16::try_from(len).expect("metadata and payloads are bounded far below 64 KiB");
        self.bytes[at..at + 2].copy_from_slice(&len.to_le_bytes());
    }

    /// Writes `byte` over the one at `at`.
    pub(super) fn set(&mut self, at: usize, byte: u8) {
        self.bytes[at] = byte;
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Bytes of the longest front.
const ROOM: usize = SUSPECT_LEN_MAX;
const _: () = assert!(HEADER_LEN + SyncPull::LEN <= ROOM);

/// The bytes at `at`, an offset within an array whose length was checked once: so every check in here folds away.
#[inline]
pub(super) fn field<const N: usize, const M: usize>(bytes: &[u8; N], at: usize) -> [u8; M] {
    let mut field = [0; M];
    field.copy_from_slice(&bytes[at..at + M]);
    field
}
