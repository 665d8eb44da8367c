//! What a whole sweep saw.

use std::collections::BTreeMap;

use crate::coverage::wanted;
use crate::sweep::Record;

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
    /// How often each law had something to judge.
    pub laws: BTreeMap<String, u64>,
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

    /// The laws that never had anything to judge.
    #[must_use]
    pub fn idle_laws(&self) -> Vec<&str> {
        self.laws.iter().filter(|(_, looked)| **looked == 0).map(|(law, _)| law.as_str()).collect()
    }

    /// Whether it was large enough to have seen everything, and has not.
    #[must_use]
    pub fn tried_too_little(&self) -> bool {
        self.runs >= ENOUGH && !(self.missed().is_empty() && self.idle_laws().is_empty())
    }

    /// One run more.
    pub fn add(&mut self, record: &Record) {
        self.runs += 1;
        let (least, most) = self.seeds.unwrap_or((record.seed, record.seed));
        self.seeds = Some((least.min(record.seed), most.max(record.seed)));
        if !record.is_good() {
            self.failures.insert(record.seed, record.clone());
        }
        for (law, looked) in &record.laws {
            *self.laws.entry(law.clone()).or_default() += looked;
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
