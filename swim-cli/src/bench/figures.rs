//! What was measured, what is claimed of it, and whether that was met.
//!
//! CPU is checked with both sides on one core: that is the stricter, since a wake-up then costs nearly nothing
//! and the same nanoseconds of the protocol are a larger share; and it is the one that two runs agree on.

use std::collections::HashMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::bench::load::{Workload, histogram};
use crate::bench::process::{Counted, Placement};
use crate::bench::trace::Purpose;
use crate::contestant::Contestant;

/// All that is printed in the end.
pub(crate) struct Figures {
    /// Times that every contestant had its turn.
    pub(crate) rounds: u32,
    /// Cores that there were.
    pub(crate) cores: u32,
    /// Of each contestant, workload and placement.
    pub(crate) loads: HashMap<(Contestant, Workload, Placement), Load>,
    /// Of each contestant at rest.
    pub(crate) rest: HashMap<Contestant, Rest>,
    /// The system calls, or why they could not be watched.
    pub(crate) calls: Result<TracedCalls, String>,
}

/// One contestant under one workload in one placement, all rounds together.
pub(crate) struct Load {
    /// CPU time for a datagram and its answer, ns, of each round.
    pub(crate) cpu_ns: Vec<f64>,
    /// All rounds together.
    pub(crate) counted: Counted,
    /// Pings sent, and answered.
    pub(crate) asked: u64,
    pub(crate) answered: u64,
    /// From a ping to its answer, ns.
    pub(crate) rtt_ns: Histogram<u64>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Rest {
    /// Times a second that a thread slept and was woken.
    pub(crate) wakeups_per_s: f64,
    pub(crate) cpu_us_per_s: f64,
    pub(crate) resident_kib: u64,
    /// The part of it that belongs to this process alone, KiB.
    pub(crate) own_kib: u64,
    /// System calls a second, if they could be watched.
    pub(crate) calls_per_s: Option<f64>,
}

/// System calls, as a tracer saw them.
pub(crate) struct TracedCalls {
    /// Under a workload: for each call its times, and how many datagrams were answered meanwhile.
    pub(crate) loads: HashMap<(Contestant, Workload), Traced>,
    /// At rest, for a while.
    pub(crate) rest: HashMap<Contestant, Traced>,
}

/// The calls of one contestant.
pub(crate) struct Traced {
    /// Times by name, ns, with the tracer's own stops in them; the most frequent first.
    pub(crate) calls: Vec<Call>,
    /// Datagrams answered, or seconds at rest.
    pub(crate) per: f64,
}

/// One system call of one contestant.
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) purpose: Purpose,
    pub(crate) took_ns: Histogram<u64>,
}

impl Load {
    pub(crate) fn new() -> Self {
        Self { cpu_ns: Vec::new(), counted: Counted::default(), asked: 0, answered: 0, rtt_ns: histogram() }
    }

    /// CPU time for a datagram and its answer, ns: the median of all rounds.
    pub(crate) fn cpu(&self) -> f64 {
        median(&self.cpu_ns)
    }

    /// The share of it that was spent in the kernel.
    pub(crate) fn in_kernel(&self) -> f64 {
        let ticks = self.counted.user_ticks + self.counted.sys_ticks;
        self.counted.sys_ticks as f64 / ticks.max(1) as f64
    }

    /// Times that a thread slept for one datagram.
    pub(crate) fn sleeps(&self) -> f64 {
        self.counted.sleeps as f64 / self.answered.max(1) as f64
    }

    /// Times that a thread was put off its core for one datagram.
    pub(crate) fn preemptions(&self) -> f64 {
        self.counted.preemptions as f64 / self.answered.max(1) as f64
    }

    /// Round-trip time that this share of pings did not exceed, microseconds.
    pub(crate) fn rtt_us(&self, quantile: f64) -> f64 {
        self.rtt_ns.value_at_quantile(quantile) as f64 / 1e3
    }
}

impl Figures {
    /// One contestant's figures under one workload in one placement.
    pub(crate) fn load(&self, contestant: Contestant, workload: Workload, placement: Placement) -> &Load {
        &self.loads[&(contestant, workload, placement)]
    }

    /// How many times the CPU time of the same loop without a protocol a member takes.
    pub(crate) fn times_bare(
        &self,
        member: Contestant,
        workload: Workload,
        placement: Placement,
    ) -> Option<f64> {
        let bare = self.load(member.bare()?, workload, placement);
        Some(self.load(member, workload, placement).cpu() / bare.cpu())
    }

    /// The system calls of a contestant under a workload.
    pub(crate) fn traced(&self, contestant: Contestant, workload: Workload) -> Option<&Traced> {
        self.calls.as_ref().ok()?.loads.get(&(contestant, workload))
    }
}

impl Traced {
    /// How many calls of that purpose there were for a datagram, or in a second; of any if there is none.
    pub(crate) fn rate(&self, purpose: Option<Purpose>) -> f64 {
        let calls = self.calls.iter().filter(|call| purpose.is_none_or(|purpose| call.purpose == purpose));
        calls.map(|call| call.took_ns.len()).sum::<u64>() as f64 / self.per.max(1.0)
    }
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}

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
        let members = || Contestant::all().filter(|contestant| contestant.is_member());
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
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_claim_is_met_up_to_its_limit_and_never_without_a_figure() {
        let claim = |figure| Claim { what: String::new(), limit: 1.05, figure, unit: "times" };
        assert!(claim(1.05).met() && claim(0.9).met());
        assert!(!claim(1.051).met() && !claim(f64::NAN).met());
    }
}
