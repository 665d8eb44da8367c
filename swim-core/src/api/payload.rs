//! The two kinds of bytes that belong to the user and not to the protocol.
//!
//! Both are checked when they are built, so that nothing behind the door has to refuse them.

use core::fmt;

/// Longest metadata, in bytes.
pub const METADATA_MAX: usize = 512;
/// Longest broadcast or direct message, in bytes: with every header it fits the smallest datagram
/// that [`crate::Options::datagram_max`] allows.
pub const PAYLOAD_MAX: usize = 1024;

/// Bytes that a member attaches to itself and that every other member can read: at most
/// [`METADATA_MAX`], opaque to the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Metadata<'a>(&'a [u8]);

impl<'a> Metadata<'a> {
    /// Wraps `bytes`.
    ///
    /// # Errors
    /// [`TooLong`] above [`METADATA_MAX`] bytes.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, TooLong> {
        if bytes.len() > METADATA_MAX {
            return Err(TooLong { what: "metadata", len: bytes.len(), max: METADATA_MAX });
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// The bytes of a broadcast or of a direct message: at most [`PAYLOAD_MAX`], opaque to the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Payload<'a>(&'a [u8]);

impl<'a> Payload<'a> {
    /// Wraps `bytes`.
    ///
    /// # Errors
    /// [`TooLong`] above [`PAYLOAD_MAX`] bytes.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, TooLong> {
        if bytes.len() > PAYLOAD_MAX {
            return Err(TooLong { what: "payload", len: bytes.len(), max: PAYLOAD_MAX });
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// More bytes than there is room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong {
    /// `"metadata"` or `"payload"`.
    pub what: &'static str,
    /// How long it was, in bytes.
    pub len: usize,
    /// How long it may be, in bytes.
    pub max: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes: at most {} fit", self.what, self.len, self.max)
    }
}

impl core::error::Error for TooLong {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_inclusive_and_the_error_names_both_lengths() {
        let bytes = [0_u8; PAYLOAD_MAX + 1];
        assert!(Metadata::new(&bytes[..METADATA_MAX]).is_ok());
        assert!(Payload::new(&bytes[..PAYLOAD_MAX]).is_ok());
        let error = Metadata::new(&bytes[..METADATA_MAX + 1]).expect_err("one byte too many");
        assert_eq!(alloc::format!("{error}"), "metadata of 513 bytes: at most 512 fit");
        assert!(Payload::new(&bytes).is_err());
    }
}
