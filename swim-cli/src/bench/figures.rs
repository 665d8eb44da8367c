//! What was measured.

use std::collections::HashMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::bench::load::{Workload, histogram};
use crate::bench::placement::Placement;
use crate::bench::process::Counted;
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
    pub(crate) purpose: crate::bench::calls::Purpose,
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
    pub(crate) fn rate(&self, purpose: Option<crate::bench::calls::Purpose>) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }
}
