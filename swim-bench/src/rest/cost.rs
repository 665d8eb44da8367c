//! What a member costs, and how that is shown beside its peers.

use std::error::Error;
use std::io;
use std::time::Instant;

use crate::measure::{Claim, Measure};
use crate::rest::usage::{Memory, Usage};
use crate::table::Presenter;

/// What one member used in a minute, and holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// How often it was woken in a second.
    pub(crate) wakes_per_second: f64,
    /// Its time on a processor.
    pub(crate) cpu_ms_per_minute: f64,
    /// What of it is in memory.
    pub(crate) resident_kib: f64,
    /// What of that is its own.
    pub(crate) anonymous_kib: f64,
}

/// What processes had used at one moment.
pub(crate) struct Usages {
    at: Instant,
    each: Vec<Usage>,
}

impl Usages {
    /// Of `pids`, now.
    pub(crate) fn of(pids: &[u32]) -> io::Result<Self> {
        let each = pids.iter().map(|pid| Usage::of(*pid)).collect::<Result<_, _>>()?;
        Ok(Self { at: Instant::now(), each })
    }

    /// What each of `members`, who all live in `pids`, used on average since then, and holds now.
    pub(crate) fn cost_until_now(&self, pids: &[u32], members: usize) -> io::Result<Cost> {
        let now = Self::of(pids)?;
        let (mut cpu_ns, mut wakes, mut resident, mut anonymous) = (0, 0, 0, 0);
        for ((before, after), pid) in self.each.iter().zip(&now.each).zip(pids) {
            let (spent, memory) = (after.since(before), Memory::of(*pid)?);
            cpu_ns += spent.cpu_ns;
            wakes += spent.wakes;
            resident += memory.resident;
            anonymous += memory.anonymous;
        }
        let (seconds, count) = (now.at.duration_since(self.at).as_secs_f64(), members as f64);
        let mean = |sum: u64| sum as f64 / count;
        Ok(Cost {
            wakes_per_second: mean(wakes) / seconds,
            cpu_ms_per_minute: mean(cpu_ns) / 1e6 / seconds * 60.0,
            resident_kib: mean(resident) / 1024.0,
            anonymous_kib: mean(anonymous) / 1024.0,
        })
    }
}

/// How ours stands beside each peer.
pub(crate) struct Rows<'a> {
    /// Where it is shown.
    pub(crate) presenter: &'a mut Presenter,
    /// Ours.
    pub(crate) name: &'static str,
    /// Members of each cluster.
    pub(crate) size: u64,
    /// Theirs.
    pub(crate) peers: &'a [(&'static str, Cost)],
}

impl Rows<'_> {
    /// One row for each peer with what is claimed beside it; if there is none, one row without a claim.
    pub(crate) fn show(
        &mut self,
        what: &str,
        unit: &'static str,
        ours: Cost,
        figure: impl Fn(Cost) -> f64,
        claim: impl Fn(&str) -> Option<Claim>,
    ) -> Result<(), Box<dyn Error>> {
        let row = || Measure::new(format!("{}: {what}", self.name), Some(self.size), unit, figure(ours));
        for (peer, theirs) in self.peers {
            let mut measure = row().beside(peer, figure(*theirs));
            measure.claim = claim(peer);
            self.presenter.show(measure)?;
        }
        if self.peers.is_empty() {
            self.presenter.show(row())?;
        }
        Ok(())
    }
}
