//! What an eavesdropper keeps: a bounded, even choice of all datagrams so far.
//!
//! A replay is the more telling the older it is, so keeping the latest is not enough, and keeping all is too
//! much. Every datagram has a rank that halves in frequency; when the tape is full, the lowest rank goes. What
//! stays is spread over the whole run, and choosing it needs no randomness that others would miss.

use std::net::SocketAddr;

/// Datagrams that are kept at most.
const KEPT_MAX: usize = 1024;

/// One datagram that was sent some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Overheard {
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    pub(crate) bytes: Vec<u8>,
    rank: u32,
}

/// The tape.
#[derive(Default)]
pub(crate) struct Tape {
    kept: Vec<Overheard>,
    seen: u64,
    /// The lowest rank that is kept.
    level: u32,
}

impl Tape {
    pub(crate) fn hear(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) {
        self.seen += 1;
        let rank = self.seen.wrapping_mul(0x9e37_79b9_7f4a_7c15).leading_zeros();
        if rank < self.level {
            return;
        }
        self.kept.push(Overheard { source, target, bytes: bytes.to_vec(), rank });
        while self.kept.len() > KEPT_MAX {
            self.level += 1;
            self.kept.retain(|overheard| overheard.rank >= self.level);
        }
    }

    /// What is kept, the oldest first.
    pub(crate) fn kept(&self) -> &[Overheard] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tape_is_bounded_and_holds_old_and_new() {
        let mut tape = Tape::default();
        let addr = "10.0.0.1:1".parse().expect("valid");
        for number in 0..100_000_u32 {
            tape.hear(addr, addr, &number.to_le_bytes());
            assert!(tape.kept().len() <= KEPT_MAX);
        }
        let numbers: Vec<u32> = (tape.kept().iter())
            .map(|heard| u32::from_le_bytes(heard.bytes[..4].try_into().expect("four bytes")))
            .collect();
        assert!(numbers.len() > KEPT_MAX / 3, "{}", numbers.len());
        let oldest_tenth = numbers.iter().filter(|number| **number < 10_000).count();
        assert!((numbers.len() / 15..numbers.len() / 7).contains(&oldest_tenth), "{oldest_tenth}");
        assert!(numbers.is_sorted());
    }
}
