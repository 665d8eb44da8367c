//! Redaction: a trace that replays, and does not say what users said.
//!
//! The protocol carries metadata, broadcasts and messages without reading them; all that it ever does with
//! them is to ask whether two are the same. So they may be replaced, if equal ones stay equal and different
//! ones different: by a keyed permutation of the strings of each length. The key is drawn for the recording
//! and never written, so it cannot be undone, and no guess can be checked. What remains visible is
//! how long a payload is and where the same one occurs again.
//!
//! The permutation is a Feistel network (Luby and Rackoff 1988) over the two halves of a payload, with
//! SipHash-2-4 as its keyed function: one half decides by what the other is changed, in turn.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};
use swim_core::Event;

use crate::bytes::put_bytes;

/// Replaces what users say.
#[derive(Clone)]
pub struct Redactor {
    key: [u8; 16],
}

impl Redactor {
    /// With this key, which must not be kept.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// Replaces a payload in place.
    pub fn payload(&self, bytes: &mut [u8]) {
        match bytes {
            [] => {}
            [byte] => self.byte(byte),
            _ => {
                let len = bytes.len();
                let (left, right) = bytes.split_at_mut(len / 2);
                for round in 0..ROUNDS {
                    let (from, to) =
                        if round % 2 == 0 { (&*right, &mut *left) } else { (&*left, &mut *right) };
                    let key = self.key_of(round, len, from);
                    blur(key, to);
                }
            }
        }
    }

    /// Replaces every payload in a datagram.
    pub fn datagram(&self, bytes: &mut [u8]) {
        let ranges: Vec<_> = swim_core::payload_ranges(bytes).collect();
        for range in ranges {
            if let Some(payload) = bytes.get_mut(range) {
                self.payload(payload);
            }
        }
    }

    /// The same event with another payload, if it has one.
    #[must_use]
    pub fn event(&self, event: &Event) -> Event {
        let mut event = event.clone();
        if let Event::Broadcast { payload, .. } | Event::Message { payload, .. } = &mut event {
            self.payload(payload);
        }
        event
    }

    /// One byte has halves of four bits.
    fn byte(&self, byte: &mut u8) {
        let (mut left, mut right) = (*byte >> 4, *byte & 15);
        for round in 0..ROUNDS {
            left ^= self.key_of(round, 1, &[right])[0] & 15;
            (left, right) = (right, left);
        }
        *byte = left << 4 | right;
    }

    fn key_of(&self, round: u8, len: usize, half: &[u8]) -> [u8; 16] {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write_u8(round);
        hasher.write_u64(len as u64);
        hasher.write(half);
        hasher.finish128().as_bytes()
    }
}

/// The key keeps to itself.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

/// Appends a datagram, the user's part of it redacted.
pub(crate) fn put_datagram(out: &mut Vec<u8>, bytes: &[u8], redactor: Option<&Redactor>) {
    put_bytes(out, bytes);
    let start = out.len() - bytes.len();
    if let (Some(redactor), Some(datagram)) = (redactor, out.get_mut(start..)) {
        redactor.datagram(datagram);
    }
}

/// Appends a payload, redacted.
pub(crate) fn put_payload(out: &mut Vec<u8>, bytes: &[u8], redactor: Option<&Redactor>) {
    put_bytes(out, bytes);
    let start = out.len() - bytes.len();
    if let (Some(redactor), Some(payload)) = (redactor, out.get_mut(start..)) {
        redactor.payload(payload);
    }
}

/// Changes `bytes` by the stream of numbers that `key` gives.
fn blur(key: [u8; 16], bytes: &mut [u8]) {
    for (counter, block) in (0_u64..).zip(bytes.chunks_mut(16)) {
        let mut hasher = SipHasher24::new_with_key(&key);
        hasher.write_u64(counter);
        let stream = hasher.finish128().as_bytes();
        block.iter_mut().zip(stream).for_each(|(byte, noise)| *byte ^= noise);
    }
}

/// Four make a strong permutation of long strings; short ones want more.
const ROUNDS: u8 = 8;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn redacted(key: u8, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        Redactor::new([key; 16]).payload(&mut bytes);
        bytes
    }

    #[test]
    fn equal_payloads_become_equal_ones_of_the_same_length() {
        for len in 0..64 {
            let bytes = vec![7; len];
            assert_eq!(redacted(1, &bytes), redacted(1, &bytes));
            assert_eq!(redacted(1, &bytes).len(), len);
        }
    }

    #[test]
    fn different_payloads_stay_different_however_short() {
        let all: BTreeSet<_> = (0..=255_u8).map(|byte| redacted(1, &[byte])).collect();
        assert_eq!(all.len(), 256);
        let all: BTreeSet<_> = (0..=u16::MAX).map(|bytes| redacted(1, &bytes.to_le_bytes())).collect();
        assert_eq!(all.len(), 1 << 16);
    }

    #[test]
    fn one_changed_bit_changes_about_half_of_all_bits() {
        let (one, mut other) = ([5; 64], [5; 64]);
        other[0] = 4;
        let (one, other) = (redacted(1, &one), redacted(1, &other));
        let differ: u32 = one.iter().zip(&other).map(|(a, b)| (a ^ b).count_ones()).sum();
        assert!((176..=336).contains(&differ), "{differ} of 512: seven standard deviations are 80");
    }

    #[test]
    fn another_key_gives_other_bytes() {
        assert_ne!(redacted(1, b"hello"), redacted(2, b"hello"));
        assert_ne!(redacted(1, b"hello"), b"hello");
    }
}
