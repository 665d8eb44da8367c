//! One direction between two hosts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Latency;
use crate::action::FaultClass;

/// A per cent in parts per million, the unit of [`Link::loss_ppm`] and [`Link::duplicate_ppm`].
pub const PER_CENT: u32 = 10_000;

/// How a directed link treats datagrams. Each is treated on its own: losses are independent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Link {
    /// One-way delay.
    pub latency: Latency,
    /// Datagrams of a million that are lost.
    pub loss_ppm: u32,
    /// Datagrams of a million that arrive twice, each copy with a delay of its own.
    pub duplicate_ppm: u32,
}

impl Link {
    /// A quiet local network: 200 to 800 µs, nothing lost.
    #[must_use]
    pub const fn lan() -> Self {
        let latency = Latency::Uniform { min: Duration::from_micros(200), max: Duration::from_micros(800) };
        Self { latency, loss_ppm: 0, duplicate_ppm: 0 }
    }

    /// Always the same delay, nothing lost: for scripts that are read by people.
    #[must_use]
    pub const fn constant(delay: Duration) -> Self {
        Self { latency: Latency::Constant(delay), loss_ppm: 0, duplicate_ppm: 0 }
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

    /// The same link that doubles `ppm` of a million datagrams; see [`PER_CENT`].
    #[must_use]
    pub const fn duplication(self, ppm: u32) -> Self {
        Self { duplicate_ppm: ppm, ..self }
    }

    /// The kinds of faults that this link has, compared with [`Link::lan`].
    #[must_use]
    pub fn faults(&self) -> Vec<FaultClass> {
        let all = [
            (FaultClass::Loss, self.loss_ppm > 0),
            (FaultClass::Duplication, self.duplicate_ppm > 0),
            (FaultClass::Latency, self.latency != Self::lan().latency),
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
