//! The number of something in a slab, in three bytes: a record of a member holds some.

use serde::{Deserialize, Serialize};

use super::slab::NONE;

/// What the three bytes of none read as.
const NO_NUMBER: u32 = 0xff_ffff;

/// A slab's number, or [`NONE`].
///
/// Three bytes count further than there may ever be members (`Options::members_max`) and tombstones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Number([u8; 3]);

impl Number {
    /// No number.
    pub(super) const NONE: Self = Self([u8::MAX; 3]);

    /// [`NONE`], which no slab holds, if there is none.
    #[inline]
    pub(super) const fn get(self) -> u32 {
        let [low, middle, high] = self.0;
        let number = u32::from_le_bytes([low, middle, high, 0]);
        if number == NO_NUMBER { NONE } else { number }
    }

    #[inline]
    pub(super) const fn is_none(self) -> bool {
        self.get() == NONE
    }
}

impl From<u32> for Number {
    #[inline]
    fn from(number: u32) -> Self {
        debug_assert!(number == NONE || number < NO_NUMBER, "the limits on members leave room");
        let [low, middle, high, _] = number.to_le_bytes();
        Self([low, middle, high])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_went_in() {
        for number in [0, 1, 0xff, 0x100, 0x1_0000, 16_000_000, NO_NUMBER - 1, NONE] {
            assert_eq!(Number::from(number).get(), number);
        }
        assert!(Number::NONE.is_none() && Number::from(NONE).is_none() && !Number::from(0).is_none());
    }
}
