//! Randomness by name: a generator of its own for each stream, all of them from one seed.
//!
//! With a single generator everything random hangs together: one more jittered timer, and every probe
//! after it picks another target, so that a small change to the protocol makes an old recording
//! worthless. Here each stream draws from its own `ChaCha` stream (same key, another nonce), and a
//! stream that draws more often disturbs no other.
//!
//! The sampling (bounded integers, jitter) is our own as well, over nothing but `next_u32` and
//! `next_u64`: what a recording replays must not change with the version of a crate. The tests pin the
//! first draws of every stream.

mod prf;

use core::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::api::nanos;

pub(crate) use prf::Prf;

/// Everything random that a node will ever do follows from these 32 bytes.
///
/// Every run of every node needs a fresh one from a source that no other party can predict. A node that starts
/// again with the seed of its former run repeats its request numbers and address tokens: late answers to the
/// former run then count, and a party that has seen them can forge acks. Only a simulation, a replay or a test gives
/// a seed of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seed(pub [u8; 32]);

/// What something random is for. The number is the stream's and part of every recording: append only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Stream {
    /// In which order members are probed, and where a newcomer enters it.
    ProbeOrder = 0,
    /// Which relays are asked for an indirect ping.
    Relays = 1,
    /// Which members get gossip.
    Gossip = 2,
    /// Moving timers apart that would otherwise beat together.
    Jitter = 3,
    /// The unpredictable numbers of pings, so that no node can answer one that it did not see.
    RequestNumbers = 4,
    /// Which missing member or seed is tried.
    Reconnect = 5,
    /// Which members a joiner asks, and which helpers it is named.
    Joining = 6,
    /// Keys: of address tokens, and of hash tables.
    Secrets = 7,
}

impl Stream {
    /// How many there are.
    const COUNT: usize = Self::Secrets as usize + 1;
}

/// All generators of one node.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "Positions", into = "Positions")]
pub(crate) struct Streams {
    generators: [ChaCha8Rng; Stream::COUNT],
}

impl Streams {
    /// Every stream at its beginning.
    #[must_use]
    pub(crate) fn new(seed: &Seed) -> Self {
        let generators = core::array::from_fn(|stream| {
            let mut generator = ChaCha8Rng::from_seed(seed.0);
            generator.set_stream(stream as u64);
            generator
        });
        Self { generators }
    }

    /// 64 uniform bits.
    pub(crate) fn next_u64(&mut self, stream: Stream) -> u64 {
        self.generators[stream as usize].next_u64()
    }

    /// 32 bits near those that will be drawn next: looked at, not drawn.
    pub(crate) fn ahead(&self, stream: Stream) -> u32 {
        self.generators[stream as usize].clone().next_u32()
    }

    /// A number below `n`, each equally likely; 0 if there is none. (Lemire 2019: the upper half of a
    /// product, with the few draws rejected that would favour some numbers. One draw nearly always.)
    pub(crate) fn below(&mut self, stream: Stream, n: u32) -> u32 {
        let generator = &mut self.generators[stream as usize];
        let mut product = u64::from(generator.next_u32()) * u64::from(n);
        if (product as u32) < n {
            let unfair = n.wrapping_neg() % n;
            while (product as u32) < unfair {
                product = u64::from(generator.next_u32()) * u64::from(n);
            }
        }
        let drawn = (product >> 32_u32) as u32;
        debug_assert!(drawn < n.max(1_u32), "a draw is below its bound");
        drawn
    }

    /// A key of 32 bytes.
    pub(crate) fn key(&mut self, stream: Stream) -> [u8; 32] {
        let mut key = [0; 32];
        for chunk in key.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.next_u64(stream).to_le_bytes());
        }
        key
    }

    /// A time in [`duration` / 2, `duration`), uniform to 2⁻³² of it: on average three quarters.
    pub(crate) fn jittered(&mut self, stream: Stream, duration: Duration) -> Duration {
        let draw = self.generators[stream as usize].next_u32();
        let factor_q33 = (1_u128 << 32_u32) + u128::from(draw);
        Duration::from_nanos(((u128::from(nanos(duration)) * factor_q33) >> 33) as u64)
    }
}

/// Where every stream stands.
#[derive(Serialize, Deserialize)]
struct Positions {
    seed: Seed,
    positions: [u128; Stream::COUNT],
}

impl From<Streams> for Positions {
    fn from(streams: Streams) -> Self {
        let positions = streams.generators.each_ref().map(ChaCha8Rng::get_word_pos);
        Self { seed: Seed(streams.generators[0].get_seed()), positions }
    }
}

impl From<Positions> for Streams {
    fn from(Positions { seed, positions }: Positions) -> Self {
        let mut streams = Self::new(&seed);
        for (generator, position) in streams.generators.iter_mut().zip(positions) {
            generator.set_word_pos(position);
        }
        streams
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams() -> Streams {
        Streams::new(&Seed(core::array::from_fn(|i| i as u8)))
    }

    #[test]
    fn the_first_draws_of_every_stream_never_change() {
        let golden = [
            (Stream::ProbeOrder, 0x6aab_126e_8fb2_1540, 482_039, 599_752_580),
            (Stream::Relays, 0xbd0e_d2f9_ef1d_c74f, 573_321, 783_620_665),
            (Stream::Gossip, 0x5efe_b156_aa79_138a, 67_432, 808_838_917),
            (Stream::Jitter, 0xc145_aca9_97b6_ea26, 229_384, 843_750_968),
            (Stream::RequestNumbers, 0x208d_4be5_2ef1_c2c6, 315_013, 630_748_962),
            (Stream::Reconnect, 0x25e0_bb0e_a0e3_a62a, 459_690, 864_374_717),
            (Stream::Joining, 0xd6cd_8c3e_59dc_2163, 458_125, 697_849_909),
            (Stream::Secrets, 0xf0c1_cdb4_f333_b82e, 70_247, 578_405_390),
        ];
        let mut streams = streams();
        let drawn = golden.map(|(stream, ..)| {
            let drawn = streams.next_u64(stream);
            let below = streams.below(stream, 1_000_000);
            (stream, drawn, below, streams.jittered(stream, Duration::from_secs(1)).as_nanos())
        });
        assert_eq!(drawn, golden);
    }

    #[test]
    fn a_stream_that_draws_more_changes_no_other_stream() {
        let (mut quiet, mut busy) = (streams(), streams());
        for _ in 0..100 {
            busy.next_u64(Stream::Gossip);
        }
        for index in 0..Stream::COUNT {
            let [quiet, busy] = [&mut quiet, &mut busy].map(|streams| streams.generators[index].next_u64());
            assert_eq!(quiet == busy, index != Stream::Gossip as usize, "stream {index}");
        }
    }

    #[test]
    fn numbers_below_n_are_below_n_and_all_occur_about_equally_often() {
        let mut streams = streams();
        for n in [1, 2, 3, 7, 10, 16] {
            let mut counts = alloc::vec![0_u32; n as usize];
            for _ in 0..10_000 * n {
                counts[streams.below(Stream::Relays, n) as usize] += 1;
            }
            // Five standard deviations of 10,000 expected hits are 500.
            assert!(counts.iter().all(|c| (9_500..=10_500).contains(c)), "{n}: {counts:?}");
        }
    }

    #[test]
    fn draws_that_would_favour_some_numbers_are_rejected() {
        // With n = 3 · 2³⁰ the unfair quarter of all draws would otherwise make every third number
        // twice as likely as its neighbours.
        let mut streams = streams();
        let n = 3 << 30;
        let hits = (0..30_000).filter(|_| streams.below(Stream::Relays, n).is_multiple_of(3)).count();
        assert!((9_500..=10_500).contains(&hits), "{hits} of 30,000");
    }

    #[test]
    fn a_draw_below_zero_is_zero() {
        assert_eq!(streams().below(Stream::Reconnect, 0), 0);
        assert_eq!(streams().below(Stream::Reconnect, 1), 0);
    }

    #[test]
    fn jitter_covers_the_upper_half_and_stays_below_the_duration() {
        let mut streams = streams();
        let period = Duration::from_secs(1);
        let drawn: alloc::vec::Vec<Duration> =
            (0..10_000).map(|_| streams.jittered(Stream::Jitter, period)).collect();
        let (low, high) = (drawn.iter().min().expect("drawn"), drawn.iter().max().expect("drawn"));
        assert!((500..505).contains(&low.as_millis()) && *low >= period / 2, "{low:?}");
        assert!((995..1_000).contains(&high.as_millis()) && *high < period, "{high:?}");
        assert_eq!(streams.jittered(Stream::Jitter, Duration::ZERO), Duration::ZERO);
        assert!(streams.jittered(Stream::Jitter, Duration::MAX) >= Duration::from_nanos(u64::MAX / 2));
    }

    #[test]
    fn a_key_is_four_draws_of_its_stream() {
        let (mut keys, mut draws) = (streams(), streams());
        let key = keys.key(Stream::Secrets);
        for chunk in key.chunks_exact(8) {
            assert_eq!(chunk, draws.next_u64(Stream::Secrets).to_le_bytes());
        }
    }

    #[test]
    fn a_stream_is_continued_wherever_it_was_saved() {
        let mut streams = Streams::new(&Seed([9; 32]));
        for draw in 0..300 {
            let bytes = postcard::to_extend(&streams, alloc::vec::Vec::new()).expect("memory takes it");
            let mut loaded: Streams = postcard::from_bytes(&bytes).expect("it was saved");
            let mut ahead = streams.clone();
            for _ in 0..70 {
                assert_eq!(loaded.below(Stream::Gossip, 1 << 31), ahead.below(Stream::Gossip, 1 << 31));
                assert_eq!(loaded.next_u64(Stream::Gossip), ahead.next_u64(Stream::Gossip));
            }
            assert_eq!(loaded.key(Stream::Secrets), ahead.key(Stream::Secrets));
            // Both widths, so that every place in a block is come by, and numbers that span two blocks.
            match draw % 3 {
                0 => drop(streams.below(Stream::Gossip, 3)),
                _ => drop(streams.next_u64(Stream::Gossip)),
            }
        }
    }
}
