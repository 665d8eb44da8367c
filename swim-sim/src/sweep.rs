//! Many seeds, on all cores, with one result whatever the number of cores.
//!
//! Workers take seeds in order and finish them in any; results are handed on in the order of the seeds, so
//! that the output of a sweep, and where it stops, do not depend on how many workers there were.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use serde::{Deserialize, Serialize};

use crate::coverage::wanted;
use crate::run::{Finished, attempt, attempt_twice};
use crate::scenario::{Scenario, ScenarioError};
use crate::swarm::Plan;

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
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.scenario(self.seeds.start)?.check()
    }

    /// Runs them. `each` gets the results in the order of their seeds and says whether to go on; a `false`
    /// lets nothing further begin.
    ///
    /// # Errors
    /// As [`Sweep::check`] has them.
    pub fn run(&self, mut each: impl FnMut(&Record) -> bool) -> Result<Tally, ScenarioError> {
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

    fn scenario(&self, seed: u64) -> Result<Scenario, ScenarioError> {
        let mut scenario = Plan::with(seed, &self.set)?.scenario();
        scenario.mutant.clone_from(&self.mutant);
        Ok(scenario)
    }

    fn one(&self, seed: u64) -> Record {
        let scenario = self.scenario(seed).expect("it was tried with the first seed");
        let twice = self.twice_every > 0 && seed.is_multiple_of(self.twice_every);
        let finished = if twice { attempt_twice(&scenario) } else { attempt(&scenario, |_| {}) };
        Record::of(seed, scenario.hosts, &finished)
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

/// The same, all of it: the results in the order of their numbers.
pub fn all_in_order<T: Send>(jobs: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let mut results = Vec::new();
    in_order(jobs, count, work, |result| {
        results.push(result);
        true
    });
    results
}

/// One run of a sweep.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// Its seed.
    pub seed: u64,
    /// One word: see [`Outcome::name`](crate::run::Outcome::name).
    #[serde(rename = "verdict")]
    pub outcome: String,
    /// The property that was broken, by its id.
    #[serde(rename = "law", default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When the run ended, in milliseconds of the world's clock.
    pub ended_ms: u64,
    /// How long after peace came all agreed, in milliseconds.
    pub agreed_ms: Option<u64>,
    /// Hosts at the beginning.
    pub hosts: u32,
    /// The run's digest.
    pub digest: String,
    /// How often each property had something to check, by its id.
    #[serde(rename = "laws")]
    pub properties: BTreeMap<String, u64>,
    /// Rare things that happened, and how often.
    pub sometimes: BTreeMap<String, u64>,
}

impl Record {
    /// What is kept of a run.
    #[must_use]
    pub fn of(seed: u64, hosts: u32, finished: &Result<Finished, ScenarioError>) -> Self {
        let finished = match finished {
            Ok(finished) => finished,
            Err(error) => {
                let (outcome, why) = ("impossible".to_owned(), Some(error.to_string()));
                return Self { seed, outcome, why, hosts, ..Self::default() };
            }
        };
        let why = (!finished.outcome.is_good()).then(|| finished.sentence());
        Self {
            seed,
            outcome: finished.outcome.name().to_owned(),
            property: finished.outcome.property().map(str::to_owned),
            why,
            ended_ms: finished.ended.as_nanos() / 1_000_000,
            agreed_ms: finished.agreed.map(|agreed| u64::try_from(agreed.as_millis()).unwrap_or(u64::MAX)),
            hosts,
            digest: finished.digest.to_string(),
            properties: finished.looked().map(|(id, looked)| (id.to_owned(), looked)).collect(),
            sometimes: finished.sometimes.iter().map(|(name, hits)| ((*name).to_owned(), *hits)).collect(),
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.outcome == "passed"
    }
}

/// Seeds after which everything that is to happen now and then should have happened.
pub const ENOUGH: u64 = 1_000;

/// The sum of many runs. Adding up shards in any order gives the same.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// The smallest and the largest seed.
    pub seeds: Option<(u64, u64)>,
    /// Failed runs: seed and record.
    pub failures: BTreeMap<u64, Record>,
    /// How often each property had something to check.
    pub properties: BTreeMap<String, u64>,
    /// Rare things that happened, and how often.
    pub sometimes: BTreeMap<String, u64>,
    /// The longest that it took until all agreed, and in which seed.
    pub agreed_ms: Option<(u64, u64)>,
    /// Simulated time of all runs.
    pub simulated_ms: u64,
    /// All digests in one, whatever their order.
    pub digest: u64,
}

impl Tally {
    /// What a sweep of [`ENOUGH`] seeds should have seen and this one has not, and what it takes.
    #[must_use]
    pub fn missed(&self) -> Vec<(&'static str, &'static str)> {
        wanted().filter(|(name, _)| !self.sometimes.contains_key(*name)).collect()
    }

    /// The properties that never had anything to check.
    #[must_use]
    pub fn idle_properties(&self) -> Vec<&str> {
        self.properties
            .iter()
            .filter(|(_, looked)| **looked == 0)
            .map(|(property, _)| property.as_str())
            .collect()
    }

    /// Whether it was large enough to have seen everything, and has not.
    #[must_use]
    pub fn tried_too_little(&self) -> bool {
        self.runs >= ENOUGH && !(self.missed().is_empty() && self.idle_properties().is_empty())
    }

    /// One run more.
    pub fn add(&mut self, record: &Record) {
        self.runs += 1;
        let (least, most) = self.seeds.unwrap_or((record.seed, record.seed));
        self.seeds = Some((least.min(record.seed), most.max(record.seed)));
        if !record.is_good() {
            self.failures.insert(record.seed, record.clone());
        }
        for (property, looked) in &record.properties {
            *self.properties.entry(property.clone()).or_default() += looked;
        }
        for (name, hits) in &record.sometimes {
            *self.sometimes.entry(name.clone()).or_default() += hits;
        }
        if let Some(agreed) = record.agreed_ms {
            self.agreed_ms = self.agreed_ms.max(Some((agreed, record.seed)));
        }
        self.simulated_ms += record.ended_ms;
        let digest = u64::from_str_radix(&record.digest, 16).unwrap_or_default();
        let mut both = crate::Fingerprint::new();
        both.absorb(record.seed);
        both.absorb(digest);
        self.digest = self.digest.wrapping_add(both.value());
    }
}
