//! Many seeds, on all cores, with one result whatever the number of cores.
//!
//! Workers take seeds in order and finish them in any; results are handed on in the order of the seeds, so
//! that the output of a sweep, and where it stops, do not depend on how many workers there were.

mod record;
mod tally;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::run::{attempt, attempt_twice};
use crate::scenario::{Scenario, ScenarioError};
use crate::swarm::{Plan, PlanError};

pub use record::Record;
pub use tally::{ENOUGH, Tally};

/// Which seeds, and how.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Every so-many-th of them: shard `shard.0` of `shard.1`, counted from 0.
    pub shard: (u64, u64),
    /// Runs at once.
    pub jobs: usize,
    /// Goes on after a failure.
    pub keep_going: bool,
    /// Every so-many-th seed is run twice, and its digests compared; 0: none.
    pub twice_every: u64,
    /// Dials set by hand, as `name=value`.
    pub set: Vec<String>,
    /// A deliberately broken core.
    pub mutant: Option<String>,
}

impl Sweep {
    /// All of `seeds`, on one core, until the first failure, every 50th twice.
    #[must_use]
    pub const fn of(seeds: Range<u64>) -> Self {
        Self {
            seeds,
            shard: (0, 1),
            jobs: 1,
            keep_going: false,
            twice_every: 50,
            set: Vec::new(),
            mutant: None,
        }
    }

    /// Whether it can be made: every dial and the mutant exist.
    ///
    /// # Errors
    /// The first that does not, or a value that it cannot have.
    pub fn check(&self) -> Result<(), SweepError> {
        Ok(self.scenario(self.seeds.start)?.check()?)
    }

    /// Runs them. `each` gets the results in the order of their seeds and says whether to go on; a `false`
    /// lets nothing further begin.
    ///
    /// # Errors
    /// As [`Sweep::check`] has them.
    pub fn run(&self, mut each: impl FnMut(&Record) -> bool) -> Result<Tally, SweepError> {
        self.check()?;
        let mine: Vec<u64> = self.seeds.clone().filter(|seed| seed % self.shard.1 == self.shard.0).collect();
        let mut tally = Tally::default();
        in_order(
            self.jobs,
            mine.len(),
            |at| self.one(mine[at]),
            |record| {
                tally.add(&record);
                each(&record) && (record.is_good() || self.keep_going)
            },
        );
        Ok(tally)
    }

    fn scenario(&self, seed: u64) -> Result<Scenario, PlanError> {
        let mut plan = Plan::draw(seed);
        self.set.iter().try_for_each(|assignment| plan.set(assignment))?;
        let mut scenario = plan.scenario();
        scenario.mutant.clone_from(&self.mutant);
        Ok(scenario)
    }

    fn one(&self, seed: u64) -> Record {
        let scenario = self.scenario(seed).expect("it was tried with the first seed");
        let twice = self.twice_every > 0 && seed.is_multiple_of(self.twice_every);
        let outcome = if twice { attempt_twice(&scenario) } else { attempt(&scenario, |_| {}) };
        Record::of(seed, scenario.hosts, &outcome)
    }
}

/// Does `count` pieces of work, numbered from 0, on `jobs` threads. `each` gets the results in the order of
/// their numbers and says whether to go on; a `false` lets nothing further begin.
pub fn in_order<T: Send>(
    jobs: usize,
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    mut each: impl FnMut(T) -> bool,
) {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (sender, work, next, stop) = (sender.clone(), &work, &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || sender.send((number, work(number))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut turn = 0;
        for (number, result) in receiver {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&turn) {
                turn += 1;
                if !stop.load(Ordering::Relaxed) && !each(result) {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
    });
}

/// A sweep that cannot be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SweepError(pub String);

impl From<PlanError> for SweepError {
    fn from(error: PlanError) -> Self {
        Self(error.0)
    }
}

impl From<ScenarioError> for SweepError {
    fn from(error: ScenarioError) -> Self {
        Self(error.0)
    }
}

impl std::fmt::Display for SweepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SweepError {}
