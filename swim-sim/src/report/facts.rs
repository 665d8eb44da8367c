//! What is known of a run besides what happened in it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::run::{Outcome, Verdict};

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
    /// `passed`, `cut-short`, or how it failed: `safety`, `liveness`, `quality`, `panic`, `nondeterminism`.
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

impl From<&Outcome> for Facts {
    /// How it ended. Title, command, seed and options are for the caller to say.
    fn from(outcome: &Outcome) -> Self {
        let violation = match &outcome.verdict {
            Verdict::Broken(violation) => Some(violation),
            _ => None,
        };
        let invariants = outcome.laws.iter().map(|(law, looked)| Invariant {
            number: law.id.to_owned(),
            name: law.name.to_owned(),
            statement: law.claim.to_owned(),
            looked: *looked,
            broken: violation
                .filter(|broken| broken.property == *law)
                .map(|broken| broken.broken.why.clone()),
        });
        Self {
            digest: outcome.digest.to_string(),
            verdict: outcome.verdict.word().to_owned(),
            sentence: sentence(outcome),
            failed_at_ns: violation.map(|broken| broken.at.as_nanos()),
            hosts: violation.iter().flat_map(|broken| &broken.broken.hosts).map(|host| host.0).collect(),
            invariants: invariants.collect(),
            sometimes: outcome.sometimes.iter().map(|(name, hits)| ((*name).to_owned(), *hits)).collect(),
            ..Self::default()
        }
    }
}

fn sentence(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Passed => {
            let looked = outcome.laws.iter().filter(|(_, looked)| *looked > 0).count();
            let agreed =
                outcome.agreed.map(|agreed| format!("; all agreed {} after peace came", in_words(agreed)));
            format!(
                "{looked} of {} laws had something to judge, and held{}.",
                outcome.laws.len(),
                agreed.unwrap_or_default()
            )
        }
        Verdict::CutShort => "Stopped before its end; every law held so far.".to_owned(),
        Verdict::Broken(violation) => {
            format!("{} {}: {}", violation.property.id, violation.property.name, violation.broken.why)
        }
        Verdict::Panicked(message) => format!("It panicked: {message}"),
        Verdict::Nondeterministic { first, second } => {
            format!("The same run gave {first} and then {second}.")
        }
    }
}

/// Milliseconds below ten seconds, seconds above.
fn in_words(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..10_000 => format!("{millis} ms"),
        millis => format!("{} s", millis / 1000),
    }
}
