//! One line that says what a datagram says.

use std::fmt;

/// Names of the kinds of messages, by their number on the wire.
const KINDS: [&str; 14] = [
    "?",
    "ping",
    "ack",
    "ping-req",
    "nack",
    "relayed-ack",
    "join",
    "challenge",
    "welcome",
    "announce",
    "sync-pull",
    "sync-page",
    "gossip",
    "user",
];

/// What a datagram says, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    bytes: &'a [u8],
}

/// Reads a datagram as far as it can be read; never fails, whatever the bytes.
#[must_use]
pub const fn describe(bytes: &[u8]) -> Description<'_> {
    Description { bytes }
}

/// The kind of message by its number on the wire; 0 for what is not one of ours.
pub(crate) fn kind_of(bytes: &[u8]) -> usize {
    match bytes {
        [b'S', b'W', 1, _, kind, ..] if usize::from(*kind) < KINDS.len() => usize::from(*kind),
        _ => 0,
    }
}

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} B)", KINDS[kind_of(self.bytes)], self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_described_as_unknown() {
        assert_eq!(describe(b"").to_string(), "? (0 B)");
        assert_eq!(describe(b"SW\x01\x00\xff").to_string(), "? (5 B)");
        assert_eq!(describe(b"SW\x01\x00\x01").to_string(), "ping (5 B)");
    }
}
