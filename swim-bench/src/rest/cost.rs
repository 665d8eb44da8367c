//! What a member costs, as Linux shows it under `/proc`: no process has to be asked, stopped or traced.
//!
//! Each thread is read for itself. The files of a whole process count switches of its first thread only, and its
//! time in hundredths of a second, which is as much as a member uses in ten seconds.

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use procfs::ProcResult;
use procfs::process::Process;

use crate::measure::{Claim, Measure};
use crate::rest::Contestant;
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
    pub(crate) fn of(pids: &[u32]) -> ProcResult<Self> {
        let each = pids.iter().map(|pid| Usage::of(*pid)).collect::<Result<_, _>>()?;
        Ok(Self { at: Instant::now(), each })
    }

    /// What each of `members`, who all live in `pids`, used on average since then, and holds now.
    pub(crate) fn cost_until_now(&self, pids: &[u32], members: usize) -> ProcResult<Cost> {
        let now = Self::of(pids)?;
        let (mut cpu_ns, mut wakes, mut resident, mut anonymous) = (0, 0, 0, 0);
        for ((before, after), pid) in self.each.iter().zip(&now.each).zip(pids) {
            let (spent, memory) = (after.since(before), Process::new(pid.cast_signed())?.status()?);
            cpu_ns += spent.cpu_ns;
            wakes += spent.wakes;
            resident += memory.vmrss.unwrap_or(0);
            anonymous += memory.rssanon.unwrap_or(0);
        }
        let (seconds, count) = (now.at.duration_since(self.at).as_secs_f64(), members as f64);
        let mean = |sum: u64| sum as f64 / count;
        Ok(Cost {
            wakes_per_second: mean(wakes) / seconds,
            cpu_ms_per_minute: mean(cpu_ns) / 1e6 / seconds * 60.0,
            resident_kib: mean(resident),
            anonymous_kib: mean(anonymous),
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

/// What the threads of a process have used since they began.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Usage {
    threads: BTreeMap<i32, Spent>,
}

/// What was used, by one thread or by all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Spent {
    /// Time on a processor, in the program and in the kernel, in nanoseconds.
    pub(crate) cpu_ns: u64,
    /// How often a thread gave up the processor by itself, because it waited: as often it was woken.
    pub(crate) wakes: u64,
}

impl Usage {
    /// Of the process `pid`, until now.
    pub(crate) fn of(pid: u32) -> ProcResult<Self> {
        let mut threads = BTreeMap::new();
        for thread in Process::new(pid.cast_signed())?.tasks()?.flatten() {
            // A thread may end while its neighbours are read.
            let (Ok(spent), Ok(status)) = (thread.schedstat(), thread.status()) else { continue };
            let wakes = status.voluntary_ctxt_switches.unwrap_or(0);
            threads.insert(thread.tid, Spent { cpu_ns: spent.sum_exec_runtime, wakes });
        }
        Ok(Self { threads })
    }

    /// What was used between `earlier` and this. What threads used that ended in between is not in it.
    pub(crate) fn since(&self, earlier: &Self) -> Spent {
        let mut sum = Spent::default();
        for (id, now) in &self.threads {
            let then = earlier.threads.get(id).copied().unwrap_or_default();
            sum.cpu_ns += now.cpu_ns.saturating_sub(then.cpu_ns);
            sum.wakes += now.wakes.saturating_sub(then.wakes);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn sleeper() -> Ended {
        Ended(Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().expect("sleep is everywhere"))
    }

    #[test]
    fn a_child_that_sleeps_uses_memory_and_nothing_else() {
        let child = sleeper();
        let pid = child.0.id();
        // Asleep for good: it has been switched away from, and twice in a row nothing has changed.
        let mut last = Usage::default();
        loop {
            let now = Usage::of(pid).expect("a child");
            if now == last && now.since(&Usage::default()).wakes > 0 {
                break;
            }
            last = now;
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let total = last.since(&Usage::default());
        assert!(total.cpu_ns > 0, "{total:?}");
        assert_eq!(last.threads.len(), 1);
        assert_eq!(Usage::of(pid).expect("a child").since(&last), Spent::default());
    }

    #[test]
    fn threads_count_each_from_where_it_was() {
        let of = |threads: &[(i32, u64)]| Usage {
            threads: threads.iter().map(|&(id, wakes)| (id, Spent { cpu_ns: 10 * wakes, wakes })).collect(),
        };
        // 1 went on, 2 ended, 3 is new.
        let spent = of(&[(1, 5), (3, 7)]).since(&of(&[(1, 2), (2, 100)]));
        assert_eq!(spent, Spent { cpu_ns: 100, wakes: 10 });
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        let mut child = sleeper();
        let pid = child.0.id();
        child.0.kill().expect("ours");
        child.0.wait().expect("ours");
        assert!(Usage::of(pid).is_err());
    }
}
