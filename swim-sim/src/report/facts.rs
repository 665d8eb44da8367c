//! What is known of a run besides what happened in it.

use serde::{Deserialize, Serialize};

/// How a run was asked for, and how it was judged. Empty fields are left out of the page.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What the page is called: the name of the scenario, or the seed.
    pub title: String,
    /// The command that does this run again.
    pub command: String,
    /// The seed, or the file that the run was read from.
    pub seed: String,
    /// The fingerprint of the whole run.
    pub digest: String,
    /// `passed`, or how it failed: `safety`, `liveness`, `panic`, `nondeterminism`.
    pub verdict: String,
    /// The verdict in a sentence.
    pub sentence: String,
    /// When it went wrong, in ns of the world's clock.
    pub failed_at_ns: Option<u64>,
    /// Hosts that the failure is about, by number from 0.
    pub hosts: Vec<u32>,
    /// Every option of the run, and what it was.
    pub options: Vec<(String, String)>,
    /// Every invariant that was watched.
    pub invariants: Vec<Invariant>,
    /// What should happen in some run of a sweep, and how often it did in this one.
    pub sometimes: Vec<(String, u64)>,
    /// Anything else, a sentence each.
    pub notes: Vec<String>,
}

/// One invariant, and how the run stood by it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Invariant {
    /// Its number, such as `S4`.
    pub number: String,
    /// A few words.
    pub name: String,
    /// What it says.
    pub statement: String,
    /// How often it was looked at; 0: this run says nothing about it.
    pub looked: u64,
    /// How it was broken; `None`: it was not.
    pub broken: Option<String>,
}
