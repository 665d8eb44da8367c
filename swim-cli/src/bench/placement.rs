//! On which cores the two sides of a conversation run.
//!
//! With a core for each, a ping-pong measures mostly how the machine wakes a core that sleeps: on a virtual
//! one twenty microseconds, with a lot of noise. With both on one core it measures the work alone, to a
//! percent or two. So both are shown, and claims are checked on one core.

use std::io;

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

use crate::bench::process::Process;

/// Where the contestant and its peer run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Placement {
    /// Both on the same core, in turns.
    OneCore,
    /// Wherever the scheduler puts them.
    Free,
}

/// The cores that this process had in the beginning.
pub(crate) struct Cores(CpuSet);

impl Placement {
    pub(crate) const ALL: [Self; 2] = [Self::OneCore, Self::Free];
}

impl Cores {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(sched_getaffinity(None)?))
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.count()
    }

    /// Places the calling thread, and all threads of `process`.
    pub(crate) fn assign(&self, placement: Placement, process: &Process) -> io::Result<()> {
        let set = match placement {
            Placement::Free => self.0,
            Placement::OneCore => {
                let mut one = CpuSet::new();
                // The last: the first one serves most interrupts.
                let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| self.0.is_set(*cpu));
                one.set(last.unwrap_or(0));
                one
            }
        };
        for thread in process.threads()? {
            let thread = i32::try_from(thread).ok().and_then(Pid::from_raw);
            sched_setaffinity(thread, &set)?;
        }
        sched_setaffinity(None, &set)?;
        Ok(())
    }

    /// Frees the calling thread again: what it starts next begins free.
    pub(crate) fn free(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &self.0)?)
    }
}
