//! Fields of fixed width, one after the other.
//!
//! Every head is written and read here, field by field in the order in which [`head!`] names them: little-endian,
//! no padding, and the same number of bytes whatever the number. What no node can mean (an epoch beyond 48
//! bits, a status that there is not) is refused where it is read.

use super::front::Front;
use super::message::Verdict;
use crate::api::claim::{Claim, Status};
use crate::api::identity::{Epoch, Incarnation, NodeId};

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

/// A byte that tells whether the field follows, then the field.
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

impl Fixed for Verdict {
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
