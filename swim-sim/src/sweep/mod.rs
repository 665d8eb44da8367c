//! Many seeds, on all cores, with one result whatever the number of cores.
//!
//! Workers take seeds in order and finish them in any; results are handed on in the order of the seeds, so
//! that the output of a sweep, and where it stops, do not depend on how many workers there were.

mod record;
mod tally;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
        let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let mut tally = Tally::default();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                let (sender, mine, next, stop) = (sender.clone(), &mine, &next, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let seed = usize::try_from(place).ok().and_then(|place| mine.get(place));
                        let Some(seed) = seed else { return };
                        if sender.send((place, self.one(*seed))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let mut waiting = BTreeMap::new();
            let mut turn = 0;
            for (place, record) in receiver {
                waiting.insert(place, record);
                while let Some(record) = waiting.remove(&turn) {
                    turn += 1;
                    if stop.load(Ordering::Relaxed) {
                        continue;
                    }
                    tally.add(&record);
                    let go_on = each(&record);
                    if !go_on || (!record.is_good() && !self.keep_going) {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            }
        });
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
