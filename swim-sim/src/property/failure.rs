//! That a rule was broken: when, and how.

use std::fmt;

use swim_core::Instant;

use crate::Phase;

/// What was found wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// When, by the world's clock.
    pub at: Instant,
    /// In which part of the run.
    pub phase: Phase,
    /// What the rule said, or what did not come in time.
    pub why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.at.as_nanos() / 1_000;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let part = match self.phase {
            Phase::Gathering => "while all gather",
            Phase::Trouble => "in the trouble",
            Phase::Peace | Phase::Rest => "in peace",
        };
        write!(f, "{} (at {seconds}.{micros:06} s, {part})", self.why)
    }
}

impl std::error::Error for Failure {}
