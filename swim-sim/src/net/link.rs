//! One direction between two hosts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Latency;
use crate::action::FaultClass;
use crate::text;

/// A per cent in parts per million, the unit of every `…_ppm` of a [`Link`].
pub const PER_CENT: u32 = 10_000;

/// How a directed link treats datagrams. Each datagram's fate is drawn on its own (but for bursts and full
/// queues), and switching a model on changes what another does to no datagram.
///
/// In text every field may be left out, and then is as [`Link::lan`] has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Link {
    /// One-way delay.
    pub latency: Latency,
    /// Datagrams of a million that are lost.
    pub loss_ppm: u32,
    /// Times in which more is lost. Default: none.
    pub burst: Option<Burst>,
    /// Datagrams of a million that arrive twice, each copy with a delay of its own.
    pub duplicate_ppm: u32,
    /// Datagrams of a million that are held back by `reorder_by`, so that later ones overtake them.
    pub reorder_ppm: u32,
    /// How long those are held back. Default: 10 ms.
    #[serde(with = "text::duration")]
    pub reorder_by: Duration,
    /// Datagrams of a million that take `spike` longer: rare, but far beyond every timeout.
    pub spike_ppm: u32,
    /// How much longer those take. Default: 2 s.
    #[serde(with = "text::duration")]
    pub spike: Duration,
    /// Datagrams of a million that arrive with 1 to 8 of their bits flipped. (What a real network corrupts
    /// is caught by UDP's checksum but for about one in 65,536.)
    pub corrupt_ppm: u32,
    /// How much passes in a time. Default: any amount at once.
    pub rate: Option<Rate>,
    /// Longer datagrams, in bytes of UDP payload, vanish. Default: none is too long.
    pub mtu: Option<u32>,
}

/// Loss in bursts, after Gilbert and Elliott: the link is in a good or in a bad state, and each datagram
/// may turn it over before its fate is drawn. In the good state [`Link::loss_ppm`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// Datagrams of a million that begin a burst, if there is none.
    pub begin_ppm: u32,
    /// Datagrams of a million that end the burst: a burst is 1,000,000 / `end_ppm` datagrams long on the
    /// average.
    pub end_ppm: u32,
    /// Datagrams of a million that are lost in a burst.
    pub loss_ppm: u32,
}

/// A narrow link with a queue in front of it; what finds the queue full is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How fast it is. 0 lets nothing pass.
    pub bytes_per_second: u64,
    /// How much may wait, in bytes of datagrams, what is being sent included.
    pub queue_bytes: u64,
}

impl Link {
    /// A quiet local network: 200 to 800 µs, nothing lost.
    #[must_use]
    pub const fn lan() -> Self {
        Self::with_latency(Latency::Uniform {
            min: Duration::from_micros(200),
            max: Duration::from_micros(800),
        })
    }

    /// Whether it is that one.
    #[must_use]
    pub fn is_lan(&self) -> bool {
        *self == Self::lan()
    }

    /// Always the same delay, nothing lost: for scripts that are read by people.
    #[must_use]
    pub const fn constant(delay: Duration) -> Self {
        Self::with_latency(Latency::Constant(delay))
    }

    /// Whether it only loses, doubles and delays, each datagram for itself.
    pub(crate) const fn is_plain(&self) -> bool {
        self.burst.is_none()
            && self.rate.is_none()
            && self.mtu.is_none()
            && self.reorder_ppm | self.spike_ppm | self.corrupt_ppm == 0
    }

    const fn with_latency(latency: Latency) -> Self {
        Self {
            latency,
            loss_ppm: 0,
            burst: None,
            duplicate_ppm: 0,
            reorder_ppm: 0,
            reorder_by: Duration::from_millis(10),
            spike_ppm: 0,
            spike: Duration::from_secs(2),
            corrupt_ppm: 0,
            rate: None,
            mtu: None,
        }
    }

    /// The same link with another delay.
    #[must_use]
    pub const fn latency(self, latency: Latency) -> Self {
        Self { latency, ..self }
    }

    /// The same link that loses `ppm` of a million datagrams; see [`PER_CENT`].
    #[must_use]
    pub const fn loss(self, ppm: u32) -> Self {
        Self { loss_ppm: ppm, ..self }
    }

    /// The same link that loses in bursts.
    #[must_use]
    pub const fn burst(self, burst: Burst) -> Self {
        Self { burst: Some(burst), ..self }
    }

    /// The same link that doubles `ppm` of a million datagrams; see [`PER_CENT`].
    #[must_use]
    pub const fn duplication(self, ppm: u32) -> Self {
        Self { duplicate_ppm: ppm, ..self }
    }

    /// The same link that holds back `ppm` of a million datagrams by so much.
    #[must_use]
    pub const fn reordering(self, ppm: u32, by: Duration) -> Self {
        Self { reorder_ppm: ppm, reorder_by: by, ..self }
    }

    /// The same link that needs so much longer for `ppm` of a million datagrams.
    #[must_use]
    pub const fn spikes(self, ppm: u32, spike: Duration) -> Self {
        Self { spike_ppm: ppm, spike, ..self }
    }

    /// The same link that flips bits in `ppm` of a million datagrams.
    #[must_use]
    pub const fn corruption(self, ppm: u32) -> Self {
        Self { corrupt_ppm: ppm, ..self }
    }

    /// The same link, but narrow.
    #[must_use]
    pub const fn rate(self, rate: Rate) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// The same link that swallows datagrams longer than this.
    #[must_use]
    pub const fn mtu(self, bytes: u32) -> Self {
        Self { mtu: Some(bytes), ..self }
    }

    /// The kinds of faults that this link has, compared with [`Link::lan`].
    #[must_use]
    pub fn faults(&self) -> Vec<FaultClass> {
        let all = [
            (FaultClass::Loss, self.loss_ppm > 0),
            (FaultClass::Burst, self.burst.is_some()),
            (FaultClass::Duplication, self.duplicate_ppm > 0),
            (FaultClass::Reordering, self.reorder_ppm > 0),
            (FaultClass::Corruption, self.corrupt_ppm > 0),
            (FaultClass::Rate, self.rate.is_some()),
            (FaultClass::Mtu, self.mtu.is_some()),
            (FaultClass::Latency, self.latency != Self::lan().latency),
            (FaultClass::Spike, self.spike_ppm > 0),
        ];
        all.into_iter().filter(|(_, has)| *has).map(|(class, _)| class).collect()
    }
}

/// [`Link::lan`].
impl Default for Link {
    fn default() -> Self {
        Self::lan()
    }
}
