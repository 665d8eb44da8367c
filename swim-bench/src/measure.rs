//! One figure, what it is compared with, and what is claimed of it.

use serde::Serialize;

/// The unit of speeds: virtual seconds in each real one.
pub(crate) const SPEED: &str = "s/s";

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measure {
    /// What was done: "ping → ack".
    pub(crate) what: String,
    /// For how many members, nodes or processes.
    pub(crate) size: Option<u64>,
    /// What the figures count: "ns", "instructions", "bytes".
    pub(crate) unit: &'static str,
    pub(crate) ours: f64,
    /// The peer's, if there is one, and its name.
    pub(crate) peer: Option<Peer>,
    /// What must hold.
    pub(crate) claim: Option<Claim>,
}

/// What ours is compared with.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Peer {
    /// "foca 2 (socket addresses)".
    pub(crate) name: &'static str,
    /// Its figure, in the same unit.
    pub(crate) figure: f64,
}

/// What must hold of a measure.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Claim {
    /// Ours is no more than this.
    AtMost(f64),
    /// Ours is no less than this.
    AtLeast(f64),
    /// The peer's figure is at least so many times ours.
    TimesLess(f64),
    /// Ours is at least so many times the peer's.
    TimesMore(f64),
    /// Ours is at most so many times the peer's.
    AtMostTimes(f64),
}

impl Measure {
    pub(crate) fn new(what: impl Into<String>, size: Option<u64>, unit: &'static str, ours: f64) -> Self {
        Self { what: what.into(), size, unit, ours, peer: None, claim: None }
    }

    pub(crate) fn beside(mut self, name: &'static str, figure: f64) -> Self {
        self.peer = Some(Peer { name, figure });
        self
    }

    pub(crate) fn claiming(mut self, claim: impl Into<Option<Claim>>) -> Self {
        self.claim = claim.into();
        self
    }

    /// How many times better ours is than the peer's: less, or more where more is better. Where ours may be a
    /// multiple of the peer's, that multiple.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let theirs = self.peer.as_ref()?.figure;
        let ours_first = matches!(self.claim, Some(Claim::AtMostTimes(_) | Claim::TimesMore(_)));
        Some(if ours_first || self.unit == SPEED { self.ours / theirs } else { theirs / self.ours })
    }

    /// Whether what is claimed of it holds; nothing claimed always holds, and nothing holds of no peer.
    pub(crate) fn met(&self) -> bool {
        let ratio = self.ratio();
        match self.claim {
            None => true,
            Some(Claim::AtMost(limit)) => self.ours <= limit,
            Some(Claim::AtLeast(limit)) => self.ours >= limit,
            Some(Claim::TimesLess(times) | Claim::TimesMore(times)) => {
                ratio.is_some_and(|ratio| ratio >= times)
            }
            Some(Claim::AtMostTimes(times)) => ratio.is_some_and(|ratio| ratio <= times),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Measure, SPEED};

    #[test]
    fn claims_are_checked_by_their_own_direction() {
        let measure = Measure::new("x", None, "ns", 10.0).beside("peer", 30.0);
        let met = |claim| measure.clone().claiming(claim).met();
        assert!(met(Claim::AtMost(10.0)) && !met(Claim::AtMost(9.9)));
        assert!(met(Claim::AtLeast(10.0)) && !met(Claim::AtLeast(10.1)));
        assert!(met(Claim::TimesLess(3.0)) && !met(Claim::TimesLess(3.1)));
        assert!(met(Claim::AtMostTimes(0.34)) && !met(Claim::AtMostTimes(0.33)));
        assert!(met(Claim::TimesMore(0.33)) && !met(Claim::TimesMore(0.34)));
        let ratio = |claim| measure.clone().claiming(claim).ratio().map(|ratio| (ratio * 100.0).round());
        assert_eq!(measure.ratio(), Some(3.0));
        assert_eq!(ratio(Claim::TimesLess(3.0)), Some(300.0));
        assert_eq!(ratio(Claim::AtMostTimes(2.0)), Some(33.0));
        assert_eq!(Measure::new("x", None, SPEED, 10.0).beside("peer", 5.0).ratio(), Some(2.0));
        assert!(!Measure::new("x", None, "ns", 1.0).claiming(Claim::TimesLess(0.0)).met());
    }
}
