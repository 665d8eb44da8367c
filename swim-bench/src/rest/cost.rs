//! What a member costs.

use std::io;
use std::time::Instant;

use crate::measure::{Claim, Measure};
use crate::rest::Contestant;
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

/// The figures of a cost: what, in which unit, and where it is.
type Figure = (&'static str, &'static str, fn(&Cost) -> f64);
const FIGURES: [Figure; 4] = [
    ("wake-ups", "/s", |cost| cost.wakes_per_second),
    ("processor", "ms/min", |cost| cost.cpu_ms_per_minute),
    ("resident", "KiB", |cost| cost.resident_kib),
    ("of that its own", "KiB", |cost| cost.anonymous_kib),
];

/// Shows what a member of `who` costs beside a member of each peer, in clusters of `size`. `claim` says of a figure
/// and a peer what must hold.
pub(crate) fn show(
    presenter: &mut Presenter,
    who: Contestant,
    size: usize,
    ours: &Cost,
    peers: &[(Contestant, Cost)],
    claim: impl Fn(&str, Contestant) -> Option<Claim>,
) -> io::Result<()> {
    for (what, unit, figure) in FIGURES {
        let measure = Measure::new(format!("{}: {what}", who.label()), Some(size as u64), unit, figure(ours));
        // What a bare loop has in memory says nothing.
        let peers = peers.iter().filter(|(peer, _)| *peer != Contestant::Bare || unit != "KiB");
        let peers = peers.map(|(peer, cost)| (peer.label(), figure(cost), claim(what, *peer)));
        presenter.show_beside(&measure, peers)?;
    }
    Ok(())
}
