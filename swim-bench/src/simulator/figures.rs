//! What one loop did in how much time, and how a process reports it to its parent.

use std::time::{Duration, Instant};

use procfs::process::Process;
use serde::{Deserialize, Serialize};

/// What a loop did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Things taken out of the queue.
    pub(crate) events: u64,
    /// Datagrams among them.
    pub(crate) arrivals: u64,
    /// Datagrams that nodes sent, lost ones included.
    pub(crate) sent: u64,
    /// Bytes in those.
    pub(crate) bytes: u64,
}

/// A loop that can be run for some virtual time.
pub(crate) trait Loop {
    /// Lets so much virtual time pass.
    fn run_for(&mut self, time: Duration);
    /// What was done since the beginning.
    fn work(&self) -> Work;
}

/// What was measured of a loop in the steady state.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Virtual seconds in each real one: the median of the slices.
    pub(crate) speed: f64,
    /// Real nanoseconds for each thing taken out of the queue: likewise.
    pub(crate) event_ns: f64,
    /// All that was done while it was measured.
    pub(crate) work: Work,
    /// Virtual seconds in which it was done.
    pub(crate) simulated_s: f64,
    /// Real seconds before, in which all members joined.
    pub(crate) prepared_s: f64,
    /// Largest resident size of the process, in MiB; 0 where the system does not say.
    pub(crate) peak_mib: f64,
}

/// Slices that are timed each for itself.
const SLICES: usize = 5;
/// Real time of each.
const SLICE: Duration = Duration::from_millis(600);

/// Times `run` in the steady state.
pub(crate) fn time(run: &mut dyn Loop) -> Figures {
    // How much virtual time fills a slice, and caches with what is used.
    let mut step = Duration::from_secs(1);
    loop {
        let began = Instant::now();
        run.run_for(step);
        let took = began.elapsed();
        if took >= SLICE / 4 {
            let fit = step.mul_f64(SLICE.as_secs_f64() / took.as_secs_f64());
            // Whole periods: each has the same work.
            step = Duration::from_secs(fit.as_secs().max(1));
            break;
        }
        step *= 2;
    }
    let before = run.work();
    let mut slices = [(0.0, 0.0); SLICES];
    for slice in &mut slices {
        let (events, began) = (run.work().events, Instant::now());
        run.run_for(step);
        let took = began.elapsed().as_secs_f64();
        let events = (run.work().events - events) as f64;
        *slice = (step.as_secs_f64() / took, took * 1e9 / events);
    }
    let median = |figure: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = slices.iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        all[SLICES / 2]
    };
    let after = run.work();
    Figures {
        speed: median(|slice| slice.0),
        event_ns: median(|slice| slice.1),
        work: Work {
            events: after.events - before.events,
            arrivals: after.arrivals - before.arrivals,
            sent: after.sent - before.sent,
            bytes: after.bytes - before.bytes,
        },
        simulated_s: step.as_secs_f64() * SLICES as f64,
        prepared_s: 0.0,
        peak_mib: peak_mib().unwrap_or(0.0),
    }
}

/// The largest resident size that this process ever had, in MiB.
pub(crate) fn peak_mib() -> Option<f64> {
    let kib = Process::myself().ok()?.status().ok()?.vmhwm?;
    Some(kib as f64 / 1024.0)
}
