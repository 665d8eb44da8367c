//! The run: rounds of load, then rest, then the tracer.
//!
//! Contestants take short turns, round after round, each in a fresh process, so that whatever else the
//! machine does meets all of them alike, and no process is lucky with its memory for the whole run.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use crate::bench::figures::{Call, Figures, Load, Rest, Traced, TracedCalls};
use crate::bench::load::{Answers, Workload};
use crate::bench::peer::{ACK_LEN, Peer};
use crate::bench::process::{Cores, Counted, Placement, Process};
use crate::bench::trace::{self, Calls, describe};
use crate::contestant::Contestant;

/// Time for a contestant to go back to sleep after the last answer.
const SETTLE: Duration = Duration::from_millis(1);
/// Time for a contestant under the tracer to go back to sleep between two pings.
const TRACED_PAUSE: Duration = Duration::from_micros(300);
/// Time for threads that the tracer woke to go back to sleep.
const ATTACHED: Duration = Duration::from_millis(20);
/// Time for a cluster to come to rest.
const COME_TO_REST: Duration = Duration::from_millis(1500);

/// A contestant and whom it talks to.
struct Pair {
    contestant: Contestant,
    process: Process,
    peer: Peer,
}

impl Pair {
    /// Starts a contestant, and waits until its answers have nothing to add.
    fn start(contestant: Contestant) -> io::Result<Self> {
        let mut peer = Peer::new()?;
        let process = Process::start(contestant, peer.addr(), ACK_LEN)?;
        peer.connect(process.addr())?;
        if contestant.is_member() {
            peer.get_acquainted()?;
        }
        Ok(Self { contestant, process, peer })
    }

    /// What one workload costs it.
    fn measure(&mut self, workload: Workload, plan: &Plan) -> io::Result<(Answers, Counted)> {
        workload.run(&mut self.peer, plan.warm_up, Duration::ZERO)?;
        thread::sleep(SETTLE);
        let before = self.process.counted()?;
        let answers = workload.run(&mut self.peer, plan.load, Duration::ZERO)?;
        thread::sleep(SETTLE);
        Ok((answers, self.process.counted()?.since(before)))
    }
}

/// Measures everything that there is.
pub(crate) fn all(plan: &Plan) -> io::Result<Figures> {
    let cores = Cores::new()?;
    let mut figures = Figures {
        rounds: plan.rounds,
        cores: cores.count(),
        loads: HashMap::new(),
        rest: HashMap::new(),
        calls: Err("not tried".to_owned()),
    };
    for round in 0..plan.rounds {
        for contestant in Contestant::all() {
            progress(&format!("round {} of {}: {}", round + 1, plan.rounds, contestant.name()));
            turn(contestant, plan, &cores, &mut figures)?;
        }
    }
    progress("all of them at rest");
    rest(plan, &mut figures)?;
    figures.calls = calls(plan).map_err(|error| error.to_string());
    progress("");
    if let Ok(calls) = &figures.calls {
        for (contestant, rest) in &mut figures.rest {
            rest.calls_per_s = calls.rest.get(contestant).map(|traced| traced.rate(None));
        }
    }
    Ok(figures)
}

/// One contestant's turn.
fn turn(contestant: Contestant, plan: &Plan, cores: &Cores, figures: &mut Figures) -> io::Result<()> {
    let mut pair = Pair::start(contestant)?;
    for placement in Placement::ALL {
        cores.assign(placement, &pair.process)?;
        for workload in Workload::ALL {
            let (answers, counted) = pair.measure(workload, plan)?;
            if answers.answered == 0 {
                return Err(io::Error::other(format!("{} answered nothing", contestant.name())));
            }
            let load = figures.loads.entry((contestant, workload, placement)).or_insert_with(Load::new);
            load.cpu_ns.push(counted.cpu_ns as f64 / answers.answered as f64);
            load.counted = load.counted.and(counted);
            load.asked += answers.asked;
            load.answered += answers.answered;
            load.rtt_ns.add(&answers.rtt_ns).map_err(io::Error::other)?;
        }
    }
    cores.free()
}

/// All contestants side by side, each with a peer that rests as well.
fn rest(plan: &Plan, figures: &mut Figures) -> io::Result<()> {
    let mut pairs = resting()?;
    let sample =
        |pairs: &[Pair]| pairs.iter().map(|pair| pair.process.counted()).collect::<io::Result<Vec<_>>>();
    let before = sample(&pairs)?;
    together(&mut pairs, plan.rest)?;
    let seconds = plan.rest.as_secs_f64();
    for ((pair, before), after) in pairs.iter().zip(before).zip(sample(&pairs)?) {
        let counted = after.since(before);
        let (resident_kib, own_kib) = pair.process.memory_kib()?;
        let rest = Rest {
            wakeups_per_s: counted.sleeps as f64 / seconds,
            cpu_us_per_s: counted.cpu_ns as f64 / 1e3 / seconds,
            resident_kib,
            own_kib,
            calls_per_s: None,
        };
        figures.rest.insert(pair.contestant, rest);
    }
    Ok(())
}

/// All contestants, once they have come to rest.
fn resting() -> io::Result<Vec<Pair>> {
    let mut pairs = Contestant::all().map(Pair::start).collect::<io::Result<Vec<_>>>()?;
    together(&mut pairs, COME_TO_REST)?;
    Ok(pairs)
}

/// Lets all of them rest for `time`.
fn together(pairs: &mut [Pair], time: Duration) -> io::Result<()> {
    thread::scope(|scope| {
        let resting: Vec<_> = pairs.iter_mut().map(|pair| scope.spawn(|| pair.peer.rest(time))).collect();
        resting
            .into_iter()
            .try_for_each(|it| it.join().unwrap_or_else(|_| Err(io::Error::other("a peer panicked"))))
    })
}

/// The system calls of all contestants.
fn calls(plan: &Plan) -> io::Result<TracedCalls> {
    let mut traced = TracedCalls { loads: HashMap::new(), rest: HashMap::new() };
    for workload in Workload::ALL {
        for contestant in Contestant::all() {
            progress(&format!("system calls, {}: {}", workload.name(), contestant.name()));
            let mut pair = Pair::start(contestant)?;
            workload.run(&mut pair.peer, plan.warm_up, Duration::ZERO)?;
            let mut answered = 0;
            let mut calls = watched(std::slice::from_mut(&mut pair), |pairs| {
                answered = workload.run(&mut pairs[0].peer, plan.traced, TRACED_PAUSE)?.answered;
                Ok(())
            })?;
            let calls = calls.pop().unwrap_or_default();
            traced.loads.insert((contestant, workload), by_name(calls, answered as f64));
        }
    }
    progress("system calls at rest");
    let mut pairs = resting()?;
    let calls = watched(&mut pairs, |pairs| together(pairs, plan.traced_rest))?;
    for (pair, calls) in pairs.iter().zip(calls) {
        traced.rest.insert(pair.contestant, by_name(calls, plan.traced_rest.as_secs_f64()));
    }
    Ok(traced)
}

/// Does `work` while a tracer watches the contestants, who do not survive it.
fn watched(pairs: &mut [Pair], work: impl FnOnce(&mut [Pair]) -> io::Result<()>) -> io::Result<Vec<Calls>> {
    let threads = pairs.iter().map(|pair| pair.process.threads()).collect::<io::Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let (attached, begin) = sync_channel(1);
        let started = move || attached.send(()).unwrap_or_default();
        let tracer = scope.spawn(move || trace::trace(&threads, started));
        // If the tracer could not attach, it says why in the end.
        let worked = begin.recv().map_or(Ok(()), |()| {
            thread::sleep(ATTACHED);
            work(pairs)
        });
        for pair in &mut *pairs {
            pair.process.kill()?;
        }
        let calls = tracer.join().unwrap_or_else(|_| Err(io::Error::other("the tracer panicked")))?;
        for pair in &mut *pairs {
            pair.process.is_gone();
        }
        worked.map(|()| calls)
    })
}

fn by_name(calls: Calls, per: f64) -> Traced {
    let named = calls.into_iter().map(|(number, took_ns)| {
        let (name, purpose) = describe(number);
        Call { name, purpose, took_ns }
    });
    let mut calls: Vec<Call> = named.collect();
    calls.sort_by(|a, b| b.took_ns.len().cmp(&a.took_ns.len()).then_with(|| a.name.cmp(&b.name)));
    Traced { calls, per }
}

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

/// Says on standard error what is being done, in one line that is written over and over; nothing if that is no
/// terminal.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{what}");
        let _ = io::stderr().flush();
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
