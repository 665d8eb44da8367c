//! Integers at known places.
//!
//! The offsets are constants within an array whose length the caller has checked once, so every check in
//! here folds away, and an offset beyond the array's end fails the first test that gets there.

/// The little-endian number in the two bytes at `at`.
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
