//! What is kept of one run of a sweep: one line of its output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::run::{Outcome, Verdict};
use crate::scenario::ScenarioError;

/// One run of a sweep.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its seed.
    pub seed: u64,
    /// One word: see [`Verdict::word`].
    pub verdict: String,
    /// The law that was broken, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<String>,
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
    /// How often each law had something to judge, by its number.
    pub laws: BTreeMap<String, u64>,
    /// Rare things that happened, and how often.
    pub sometimes: BTreeMap<String, u64>,
}

impl Record {
    pub(super) fn of(seed: u64, hosts: u32, outcome: &Result<Outcome, ScenarioError>) -> Self {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return Self::impossible(seed, hosts, error),
        };
        let why = match &outcome.verdict {
            Verdict::Broken(violation) => Some(format!("{}: {}", violation.property, violation.broken.why)),
            Verdict::Panicked(text) => Some(text.clone()),
            Verdict::Nondeterministic { first, second } => Some(format!("digests {first} and {second}")),
            Verdict::Passed | Verdict::CutShort => None,
        };
        Self {
            seed,
            verdict: outcome.verdict.word().to_owned(),
            law: outcome.verdict.law().map(str::to_owned),
            why,
            ended_ms: outcome.ended.as_nanos() / 1_000_000,
            agreed_ms: outcome.agreed.map(|agreed| u64::try_from(agreed.as_millis()).unwrap_or(u64::MAX)),
            hosts,
            digest: outcome.digest.to_string(),
            laws: outcome.laws.iter().map(|(law, looked)| (law.id.to_owned(), *looked)).collect(),
            sometimes: outcome.sometimes.iter().map(|(name, hits)| ((*name).to_owned(), *hits)).collect(),
        }
    }

    fn impossible(seed: u64, hosts: u32, error: &ScenarioError) -> Self {
        Self {
            seed,
            verdict: "impossible".to_owned(),
            law: None,
            why: Some(error.to_string()),
            ended_ms: 0,
            agreed_ms: None,
            hosts,
            digest: String::new(),
            laws: BTreeMap::new(),
            sometimes: BTreeMap::new(),
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.verdict == "passed"
    }
}
