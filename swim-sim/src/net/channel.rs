//! What a link does to one datagram.
//!
//! A link that only loses, delays and doubles needs no memory. Two models do: whether a burst is going on,
//! and how much waits in front of a narrow link. That memory is kept for each pair that needs it, and
//! forgotten with the link.

use std::collections::BTreeMap;
use std::time::Duration;

use swim_core::Instant;

use super::link::{Burst, Link, Rate};
use crate::host_id::HostId;
use crate::random::{Random, is_chosen, purpose, scale};
use crate::traffic::Fate;

/// A direction: from a host to a host, or to addresses outside.
pub(crate) type Way = (HostId, Option<HostId>);

/// What links remember.
#[derive(Default)]
pub(crate) struct Channels {
    /// Directions in which a burst is going on.
    bursts: BTreeMap<Way, bool>,
    /// When a narrow link will have sent everything that waits.
    free_at: BTreeMap<Way, Instant>,
}

/// How a datagram passes that does pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Passage {
    /// What every copy of it waits for.
    pub(crate) queued: Duration,
    /// What only the first copy waits for.
    pub(crate) held_back: Duration,
    pub(crate) spiked: bool,
    pub(crate) reordered: bool,
    pub(crate) corrupted: bool,
}

impl Passage {
    /// Of a link that does nothing to what it does not lose.
    const PLAIN: Self = Self {
        queued: Duration::ZERO,
        held_back: Duration::ZERO,
        spiked: false,
        reordered: false,
        corrupted: false,
    };
}

impl Channels {
    /// Whether and how a datagram of `len` bytes passes, whatever `Link::loss_ppm` says.
    pub(crate) fn pass(
        &mut self,
        link: &Link,
        way: Way,
        now: Instant,
        len: usize,
        dice: Dice,
    ) -> Result<Passage, Fate> {
        if link.is_plain() {
            return Ok(Passage::PLAIN);
        }
        if link.mtu.is_some_and(|mtu| len > mtu as usize) {
            return Err(Fate::TooLong);
        }
        if link.burst.is_some_and(|burst| self.bursts(burst, way, dice)) {
            return Err(Fate::Burst);
        }
        let queued = match link.rate {
            Some(rate) => self.queue(rate, way, now, len).ok_or(Fate::Congested)?,
            None => Duration::ZERO,
        };
        let spiked = dice.chance(Side::Spike, link.spike_ppm);
        let reordered = dice.chance(Side::Reorder, link.reorder_ppm);
        let spike = if spiked { link.spike } else { Duration::ZERO };
        let held_back = spike.saturating_add(if reordered { link.reorder_by } else { Duration::ZERO });
        let corrupted = dice.chance(Side::Corrupt, link.corrupt_ppm);
        Ok(Passage { queued, held_back, spiked, reordered, corrupted })
    }

    /// Forgets what is remembered of all links: what waited has been sent already.
    pub(crate) fn clear(&mut self) {
        self.bursts.clear();
        self.free_at.clear();
    }

    /// Whether a burst swallows the datagram.
    fn bursts(&mut self, burst: Burst, way: Way, dice: Dice) -> bool {
        let bad = self.bursts.entry(way).or_default();
        let turn_ppm = if *bad { burst.end_ppm } else { burst.begin_ppm };
        *bad ^= dice.chance(Side::BurstTurn, turn_ppm);
        *bad && dice.chance(Side::BurstLoss, burst.loss_ppm)
    }

    /// How long the datagram needs to get through the queue and onto the link; `None`: no room.
    fn queue(&mut self, rate: Rate, way: Way, now: Instant, len: usize) -> Option<Duration> {
        let free_at = self.free_at.entry(way).or_insert(now);
        let backlog = free_at.since(now);
        let waiting = backlog.as_nanos() * u128::from(rate.bytes_per_second) / 1_000_000_000;
        if rate.bytes_per_second == 0 || waiting + len as u128 > u128::from(rate.queue_bytes) {
            return None;
        }
        let takes = (len as u128 * 1_000_000_000).div_ceil(u128::from(rate.bytes_per_second));
        let done = backlog + Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX));
        *free_at = now.after(done);
        Some(done)
    }
}

/// Flips 1 to 8 bits that the dice choose.
pub(crate) fn corrupt(bytes: &mut [u8], dice: Dice) {
    let bits = bytes.len() as u64 * 8;
    let flips = 1 + scale(dice.bits(Side::Flips), 8);
    for n in (1..=flips).filter(|_| bits > 0) {
        let bit = scale(dice.nth_bits(Side::Flips, n), bits);
        let byte = usize::try_from(bit / 8).expect("a place in a datagram");
        bytes[byte] ^= 1 << (bit % 8);
    }
}

/// Which model mixes the word. The numbers are part of every recorded seed: append only.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    BurstTurn = 1,
    BurstLoss = 2,
    Spike = 3,
    Reorder = 4,
    Corrupt = 5,
    /// How many bits are flipped, and after it one word for each.
    Flips = 64,
}

/// One word for one datagram, which every model of a link mixes in its own way. A model that drew for itself would
/// shift the numbers of all that come after it: switching corruption on would change which datagrams are lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// 64 bits that only this side sees.
    pub(crate) const fn bits(self, side: Side) -> u64 {
        self.nth_bits(side, 0)
    }

    /// The `n`th such word.
    pub(crate) const fn nth_bits(self, side: Side, n: u64) -> u64 {
        // splitmix64: a Weyl step for each question, then its finaliser.
        let mut bits = self.0.wrapping_add((side as u64 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// True in `ppm` of a million throws.
    pub(crate) const fn chance(self, side: Side, ppm: u32) -> bool {
        is_chosen(self.bits(side), ppm)
    }
}

/// Datagrams that are drawn for at once.
const AHEAD: usize = 8;

/// What decides over one datagram: five words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throw {
    pub(crate) loss: u64,
    pub(crate) doubling: u64,
    /// Of the first copy and of the second.
    pub(crate) latencies: [u64; 2],
    /// Everything else.
    pub(crate) dice: Dice,
}

/// The throws of one host, drawn ahead. A stream of random numbers is some hundred bytes, and a world has two for every
/// host: drawing for several datagrams at once leaves one cache line of them in use, in the same order.
pub(crate) struct Throws {
    ahead: [Throw; AHEAD],
    next: usize,
    streams: Box<[Random; 2]>,
}

impl Throws {
    /// The throws of the host with this number.
    pub(crate) fn new(seed: u64, host: u64) -> Self {
        let streams = [purpose::LINK, purpose::DICE].map(|purpose| Random::new(seed, purpose, host));
        let none = Throw { loss: 0, doubling: 0, latencies: [0; 2], dice: Dice(0) };
        Self { ahead: [none; AHEAD], next: AHEAD, streams: Box::new(streams) }
    }

    /// Looks at the next one.
    pub(crate) fn warm(&self) -> u64 {
        self.ahead[self.next % AHEAD].loss
    }

    pub(crate) fn next(&mut self) -> Throw {
        if self.next == AHEAD {
            self.draw();
        }
        self.next += 1;
        self.ahead[self.next - 1]
    }

    #[cold]
    fn draw(&mut self) {
        let [link, dice] = &mut *self.streams;
        for throw in &mut self.ahead {
            *throw = Throw {
                loss: link.bits(),
                doubling: link.bits(),
                latencies: [link.bits(), link.bits()],
                dice: Dice(dice.bits()),
            };
        }
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PER_CENT;

    const WAY: Way = (HostId(0), None);
    const LEN: usize = 100;

    /// What becomes of `n` datagrams of 100 bytes that are sent at once.
    fn pass(link: Link, n: usize) -> Vec<Result<Passage, Fate>> {
        let (mut channels, mut random) = (Channels::default(), Random::new(7, 0, 0));
        let mut one = || channels.pass(&link, WAY, Instant::ORIGIN, LEN, Dice(random.bits()));
        (0..n).map(|_| one()).collect()
    }

    #[test]
    fn a_plain_link_lets_everything_pass_at_once() {
        assert!(pass(Link::lan(), 1000).iter().all(|passed| *passed == Ok(Passage::PLAIN)));
    }

    #[test]
    fn spikes_reordering_and_corruption_come_in_their_shares_and_do_not_disturb_each_other() {
        let (slow, late) = (Duration::from_secs(3), Duration::from_millis(7));
        let spiky = Link::lan().spikes(PER_CENT, slow);
        let all = pass(spiky.reordering(20 * PER_CENT, late).corruption(5 * PER_CENT), 10_000);
        let all: Vec<Passage> = all.into_iter().map(|passed| passed.expect("nothing is lost")).collect();
        let count = |is: fn(&Passage) -> bool| all.iter().filter(|passage| is(passage)).count();
        assert!((60..140).contains(&count(|passage| passage.spiked)));
        assert!((1_850..2_150).contains(&count(|passage| passage.reordered)));
        assert!((430..570).contains(&count(|passage| passage.corrupted)));
        assert!((0..40).contains(&count(|passage| passage.corrupted && passage.spiked)));
        for (passage, alone) in all.iter().zip(pass(spiky, 10_000)) {
            assert_eq!(passage.spiked, alone.expect("nothing is lost").spiked);
            let held = slow * u32::from(passage.spiked) + late * u32::from(passage.reordered);
            assert_eq!(passage.held_back, held);
        }
    }

    #[test]
    fn bursts_have_the_length_and_the_share_that_their_chances_give() {
        let burst = Burst { begin_ppm: PER_CENT, end_ppm: 10 * PER_CENT, loss_ppm: 100 * PER_CENT };
        let lost: Vec<bool> = pass(Link::lan().burst(burst), 100_000).iter().map(Result::is_err).collect();
        let share = lost.iter().filter(|lost| **lost).count();
        // Of 1 % in and 10 % out, one datagram of eleven finds the bad state.
        assert!((8_200..10_000).contains(&share), "{share}");
        let begun = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        let length = share / begun;
        assert!((9..=11).contains(&length), "{length}");
    }

    #[test]
    fn a_narrow_link_delays_more_and_more_and_then_drops() {
        let rate = Rate { bytes_per_second: 1_000, queue_bytes: 350 };
        let passed = pass(Link::lan().rate(rate), 5);
        let queued: Vec<_> = passed.iter().map(|passed| passed.map(|passage| passage.queued)).collect();
        let full = Err(Fate::Congested);
        let tenths = |n: u64| Ok(Duration::from_millis(100 * n));
        assert_eq!(queued, [tenths(1), tenths(2), tenths(3), full, full]);
    }

    #[test]
    fn a_queue_empties_with_time() {
        let link = Link::lan().rate(Rate { bytes_per_second: 1_000, queue_bytes: 100 });
        let mut channels = Channels::default();
        let mut at = |millis| channels.pass(&link, WAY, Instant::from_millis(millis), LEN, Dice(0)).is_ok();
        assert_eq!([at(0), at(50), at(100), at(199), at(250)], [true, false, true, false, true]);
    }

    #[test]
    fn what_is_longer_than_the_mtu_vanishes() {
        assert!(pass(Link::lan().mtu(100), 1)[0].is_ok());
        assert_eq!(pass(Link::lan().mtu(99), 1)[0], Err(Fate::TooLong));
    }

    #[test]
    fn a_corrupted_datagram_differs_in_a_few_bits_and_an_empty_one_in_none() {
        let mut random = Random::new(7, 0, 1);
        let mut seen = 0;
        for _ in 0..1000 {
            let mut bytes = [0; 64];
            corrupt(&mut bytes, Dice(random.bits()));
            let flipped: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
            assert!(flipped <= 8);
            seen |= 1 << flipped;
        }
        // Each number of flips occurs; two that hit one bit undo each other.
        assert_eq!(seen & 0b1_1111_1110, 0b1_1111_1110);
        corrupt(&mut [], Dice(1));
    }
}
