//! What a hostile host sends that no node would: noise, changed copies and old datagrams.
//!
//! Noise has no meaning, and half of it hides behind a header that nodes accept. Copies come from a [`Tape`], on
//! which an eavesdropper keeps a bounded, even choice of all datagrams so far: a replay finds the more the older it
//! is, so keeping the latest is not enough, and keeping all is too much. Claims with a meaning are made with
//! [`swim_craft`]; [`crate::World::perform`] sends it all.

use std::net::SocketAddr;

use crate::random::Random;

/// The longest datagram that IP carries over UDP.
const LEN_MAX: u64 = 65_507;

/// Datagrams that a tape keeps at most.
const KEPT_MAX: usize = 1024;

/// Noise of at most `len_max` bytes; half of it behind a header, of the kind that is asked for.
pub(crate) fn garbage(header: impl FnOnce(u8) -> Vec<u8>, len_max: u32, random: &mut Random) -> Vec<u8> {
    let len = random.below(u64::from(len_max).min(LEN_MAX) + 1);
    let kind = low_byte(random.below(16));
    let mut bytes = if random.below(2) == 0 { header(kind) } else { Vec::new() };
    bytes.truncate(usize::try_from(len).expect("a datagram's length"));
    while (bytes.len() as u64) < len {
        bytes.push(low_byte(random.bits()));
    }
    bytes
}

/// Changes a datagram in one of three ways: some bits flipped, cut short, or made longer.
pub(crate) fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    match random.below(3) {
        0 => {
            for _ in 0..=random.below(4) {
                let bit = random.below(bytes.len() as u64 * 8);
                if let Some(byte) = bytes.get_mut(usize::try_from(bit / 8).expect("an index into a datagram"))
                {
                    *byte ^= 1 << (bit % 8);
                }
            }
        }
        1 => bytes.truncate(usize::try_from(random.below(bytes.len() as u64)).expect("a length")),
        _ => {
            for _ in 0..=random.below(64) {
                bytes.push(low_byte(random.bits()));
            }
        }
    }
}

fn low_byte(bits: u64) -> u8 {
    bits.to_le_bytes()[0]
}

/// One datagram that was sent some time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Overheard {
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    pub(crate) bytes: Vec<u8>,
    rank: u32,
}

/// A bounded choice of what was sent. Every datagram has a rank that halves in frequency; when the tape is full,
/// the lowest rank goes. Choosing needs no randomness.
#[derive(Default)]
pub(crate) struct Tape {
    kept: Vec<Overheard>,
    seen: u64,
    /// The lowest rank that is kept.
    level: u32,
}

impl Tape {
    pub(crate) fn record(&mut self, source: SocketAddr, target: SocketAddr, bytes: &[u8]) {
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
    use swim_craft::{Datagram, member};

    use super::*;

    #[test]
    fn garbage_has_all_lengths_and_half_of_it_a_header() {
        let header = |kind| Datagram::new(1, member(2), kind).0;
        let mut random = Random::new(1, 0, 0);
        let all: Vec<Vec<u8>> = (0..1000).map(|_| garbage(header, 99, &mut random)).collect();
        assert!(all.iter().all(|bytes| bytes.len() <= 99));
        assert!(all.iter().any(Vec::is_empty) && all.iter().any(|bytes| bytes.len() == 99));
        let headed = all.iter().filter(|bytes| bytes.starts_with(b"SW\x02")).count();
        assert!((400..560).contains(&headed), "{headed}");
        assert!(garbage(header, u32::MAX, &mut random).len() <= 65_507);
    }

    #[test]
    fn a_mutant_differs_from_its_parent_and_may_have_any_length() {
        let mut random = Random::new(1, 0, 1);
        let (mut shorter, mut longer, mut equal) = (0, 0, 0);
        for _ in 0..1000 {
            let mut bytes = vec![7; 40];
            mutate(&mut bytes, &mut random);
            match bytes.len() {
                0..40 => shorter += 1,
                40 => equal += 1,
                _ => longer += 1,
            }
        }
        assert!(shorter > 250 && longer > 250 && equal > 250, "{shorter} {equal} {longer}");
        mutate(&mut Vec::new(), &mut random);
    }

    #[test]
    fn the_tape_is_bounded_and_holds_old_and_new() {
        let mut tape = Tape::default();
        let addr = "10.0.0.1:1".parse().expect("valid");
        for number in 0..100_000_u32 {
            tape.record(addr, addr, &number.to_le_bytes());
            assert!(tape.kept().len() <= KEPT_MAX);
        }
        let numbers: Vec<u32> = (tape.kept().iter())
            .map(|kept| u32::from_le_bytes(kept.bytes[..4].try_into().expect("four bytes")))
            .collect();
        assert!(numbers.len() > KEPT_MAX / 3, "{}", numbers.len());
        let oldest_tenth = numbers.iter().filter(|number| **number < 10_000).count();
        assert!((numbers.len() / 15..numbers.len() / 7).contains(&oldest_tenth), "{oldest_tenth}");
        assert!(numbers.is_sorted());
    }
}
