//! What is claimed of the drivers, and whether it was met.
//!
//! CPU is checked with both sides on one core: that is the stricter, since a wake-up then costs nearly nothing
//! and the same nanoseconds of the protocol are a larger share; and it is the one that two runs agree on.

use serde::Serialize;

use crate::bench::figures::Figures;
use crate::bench::load::Workload;
use crate::bench::placement::Placement;
use crate::contestant::Contestant;

/// Something that must hold: `figure` is at most `limit`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Claim {
    pub(crate) what: String,
    /// The most that it may be.
    pub(crate) limit: f64,
    pub(crate) figure: f64,
    /// What both count.
    pub(crate) unit: &'static str,
}

/// Times the CPU of the same loop without a protocol that a member may take.
pub(crate) const fn times_bare_max(workload: Workload) -> f64 {
    match workload {
        Workload::BusyEcho => 1.15,
        Workload::PingPong => 1.05,
    }
}

/// Where claims about CPU are checked.
pub(crate) const CLAIMED_ON: Placement = Placement::OneCore;

/// At a period of a second a member wakes for its own timer, for the ack, and for the ping of another.
const WAKEUPS_MAX: f64 = 3.2;

impl Claim {
    /// All claims about these figures.
    pub(crate) fn all(figures: &Figures) -> Vec<Self> {
        let members = || Contestant::ALL.into_iter().filter(|contestant| contestant.is_member());
        let mut claims = Vec::new();
        for workload in Workload::ALL {
            for member in members() {
                let figure = figures.times_bare(member, workload, CLAIMED_ON);
                let Some((figure, bare)) = figure.zip(member.bare()) else { continue };
                claims.push(Self {
                    what: format!(
                        "{}: CPU of {} over that of {}",
                        workload.name(),
                        member.name(),
                        bare.name()
                    ),
                    limit: times_bare_max(workload),
                    figure,
                    unit: "times",
                });
            }
        }
        for member in members() {
            let Some(rest) = figures.rest.get(&member) else { continue };
            claims.push(Self {
                what: format!("at rest: wake-ups of {} at a period of 1 s", member.name()),
                limit: WAKEUPS_MAX,
                figure: rest.wakeups_per_s,
                unit: "a second",
            });
        }
        claims
    }

    /// Whether it holds; nothing that was not measured does.
    pub(crate) fn met(&self) -> bool {
        self.figure <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_met_up_to_its_limit_and_never_without_a_figure() {
        let claim = |figure| Claim { what: String::new(), limit: 1.05, figure, unit: "times" };
        assert!(claim(1.05).met() && claim(0.9).met());
        assert!(!claim(1.051).met() && !claim(f64::NAN).met());
    }
}
