//! Whether a sweep uses all cores that it may.

use std::error::Error;
use std::time::Instant;

use procfs::process::Process;
use swim_sim::sweep::{Sweep, Tally};

/// What a sweep took.
pub(crate) struct Swept {
    /// Real seconds.
    pub(crate) wall_s: f64,
    /// Seconds of all cores together, in the program and in the system.
    pub(crate) cpu_s: Option<f64>,
    pub(crate) tally: Tally,
}

/// Sweeps the first `seeds` seeds, so many at a time, with all properties.
pub(crate) fn sweep(seeds: u64, jobs: usize) -> Result<Swept, Box<dyn Error>> {
    let (began, before) = (Instant::now(), cpu_s());
    let sweep = Sweep { jobs, keep_going: true, ..Sweep::of(0..seeds) };
    let tally = sweep.run(|_| true).map_err(|error| error.0)?;
    let cpu_s = cpu_s().zip(before).map(|(after, before)| after - before);
    Ok(Swept { wall_s: began.elapsed().as_secs_f64(), cpu_s, tally })
}

/// What this process has used of all cores so far, to a hundredth of a second.
fn cpu_s() -> Option<f64> {
    let stat = Process::myself().ok()?.stat().ok()?;
    Some((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_at_a_time_do_what_one_does() {
        let [one, two] = [1, 2].map(|jobs| sweep(6, jobs).expect("the first seeds can be swept"));
        assert_eq!((one.tally.runs, one.tally.digest), (6, two.tally.digest));
    }
}
