//! How the time is spent, and how far it is.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

/// How long what takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    /// Times that every contestant has its turn.
    pub(crate) rounds: u32,
    /// Before each measurement, so that caches are warm and gossip has been sent.
    pub(crate) warm_up: Duration,
    /// One measurement.
    pub(crate) load: Duration,
    /// One workload under the tracer.
    pub(crate) traced: Duration,
    /// All contestants at rest, side by side; whole periods.
    pub(crate) rest: Duration,
    /// The same under the tracer.
    pub(crate) traced_rest: Duration,
}

/// Measurements of one contestant in a round: two workloads, each in two placements.
const MEASUREMENTS: u32 = 4;
/// For a contestant to start, join and end.
const START: Duration = Duration::from_millis(60);

impl Plan {
    /// A plan for about `seconds`, and for at least one round of everything.
    pub(crate) fn new(seconds: u16, contestants: u32) -> Self {
        let all = Duration::from_secs(seconds.into());
        let rest = Duration::from_secs(u64::from(seconds / 7).clamp(1, 30));
        let traced_rest = Duration::from_secs(u64::from(seconds / 14).clamp(1, 15));
        let brief = seconds < 20;
        let (warm_up, load) = if brief { (5, 15) } else { (10, 50) };
        let (warm_up, load) = (Duration::from_millis(warm_up), Duration::from_millis(load));
        let traced = if brief { Duration::from_millis(20) } else { Duration::from_millis(100) };
        let round = (START + (warm_up + load) * MEASUREMENTS) * contestants;
        let fixed = rest + traced_rest + (START + warm_up + traced) * 2 * contestants;
        let rounds = all.saturating_sub(fixed).div_duration_f64(round).max(1.0) as u32;
        Self { rounds, warm_up, load, traced, rest, traced_rest }
    }
}

/// One line on standard error that is written over and over; nothing if that is no terminal.
pub(crate) struct Progress {
    terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { terminal: io::stderr().is_terminal() }
    }

    /// What is being done.
    pub(crate) fn show(&mut self, what: &str) {
        if self.terminal {
            eprint!("\r\x1b[K{what} …");
            let _ = io::stderr().flush();
        }
    }

    /// Leaves the line empty.
    pub(crate) fn clear(&mut self) {
        if self.terminal {
            eprint!("\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_takes_about_as_long_as_it_may() {
        for seconds in [20, 75, 300] {
            let plan = Plan::new(seconds, 10);
            let rounds = (START + (plan.warm_up + plan.load) * MEASUREMENTS) * 10 * plan.rounds;
            let all = (rounds + plan.rest + plan.traced_rest).as_secs_f64();
            assert!(all <= f64::from(seconds) && all >= f64::from(seconds) * 0.7, "{seconds}: {all}");
        }
    }

    #[test]
    fn however_short_there_is_a_round_of_everything() {
        let plan = Plan::new(1, 10);
        assert_eq!(plan.rounds, 1);
        assert!(!plan.rest.is_zero() && !plan.traced.is_zero());
    }
}
