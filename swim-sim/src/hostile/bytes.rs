//! Bytes without a meaning, and bytes that had one.

use super::Voice;
use crate::random::Random;

/// The longest datagram that IP carries over UDP.
const LEN_MAX: u64 = 65_507;

/// Noise of at most `len_max` bytes; half of it behind a header that a node accepts.
pub(crate) fn garbage(voice: &Voice, len_max: u32, random: &mut Random) -> Vec<u8> {
    let len = random.below(u64::from(len_max).min(LEN_MAX) + 1);
    let kind = low_byte(random.below(16));
    let mut bytes = if random.below(2) == 0 { voice.header(kind) } else { Vec::new() };
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
                if let Some(byte) = bytes.get_mut(usize::try_from(bit / 8).expect("a place in a datagram")) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_has_all_lengths_and_half_of_it_a_header() {
        let voice = Voice { label: 1, id: 2, epoch: 3, incarnation: 4 };
        let mut random = Random::new(1, 0, 0);
        let all: Vec<Vec<u8>> = (0..1000).map(|_| garbage(&voice, 99, &mut random)).collect();
        assert!(all.iter().all(|bytes| bytes.len() <= 99));
        assert!(all.iter().any(Vec::is_empty) && all.iter().any(|bytes| bytes.len() == 99));
        let headed = all.iter().filter(|bytes| bytes.starts_with(b"SW\x01")).count();
        assert!((400..560).contains(&headed), "{headed}");
        assert!(garbage(&voice, u32::MAX, &mut random).len() <= 65_507);
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
}
