//! From a failing run to the smallest one that fails in the same way.
//!
//! A seed that fails does so among dozens of faults, most of which have nothing to do with it. A scenario is
//! data, so it can be reduced: steps are left out, hosts, links, options and times made simpler, and whatever
//! still breaks the same property is kept. Every candidate is a whole new run, checked as the first one was; the
//! order of the attempts is fixed, so the same failure always shrinks to the same scenario.

mod actions;
mod candidates;
mod expectations;

use std::time::Duration;

use crate::ground_truth::Phase;
use crate::run::{Finished, GATHERING_PERIODS, Outcome, attempt};
use crate::scenario::{Scenario, ScenarioError};

/// Runs that a reduction may take.
pub const ATTEMPTS_DEFAULT: u32 = 2_000;

/// What a reduction gave.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest scenario that was found.
    pub scenario: Scenario,
    /// How it fails.
    pub finished: Finished,
    /// Runs that it took.
    pub attempts: u32,
    /// Nothing smaller was found; `false`: the attempts ran out first.
    pub minimal: bool,
}

/// Reduces `scenario`. `None`: it does not fail. `each` is called after every attempt, with the
/// smallest so far.
///
/// # Errors
/// The scenario cannot be carried out.
pub fn shrink(
    scenario: &Scenario,
    attempts_max: u32,
    each: impl FnMut(&Scenario, u32),
) -> Result<Option<Shrunk>, ScenarioError> {
    shrink_by(|scenario| attempt(scenario, |_| {}), scenario, attempts_max, each)
}

/// The same where `run` says how a scenario ends.
fn shrink_by<R: FnMut(&Scenario) -> Result<Finished, ScenarioError>>(
    mut run: R,
    scenario: &Scenario,
    attempts_max: u32,
    mut each: impl FnMut(&Scenario, u32),
) -> Result<Option<Shrunk>, ScenarioError> {
    let finished = run(scenario)?;
    if finished.outcome.is_good() {
        return Ok(None);
    }
    let mut shrinking = Shrinking { run, best: scenario.clone(), finished, attempts: 1, attempts_max };
    shrinking.cut_off();
    loop {
        let before = shrinking.best.clone();
        for pass in candidates::PASSES {
            shrinking.pass(*pass, &mut each);
        }
        if shrinking.best == before || shrinking.is_spent() {
            break;
        }
    }
    let minimal = !shrinking.is_spent();
    let Shrinking { best, finished, attempts, .. } = shrinking;
    let scenario = Scenario { name: format!("{}-shrunk", best.name), about: about(&finished), ..best };
    Ok(Some(Shrunk { scenario, finished, attempts, minimal }))
}

fn about(finished: &Finished) -> String {
    let sentence = finished.sentence();
    let first = sentence.lines().next().unwrap_or_default();
    if finished.outcome.property().is_some() { format!("breaks {first}") } else { first.to_owned() }
}

/// A reduction under way.
struct Shrinking<R> {
    run: R,
    best: Scenario,
    finished: Finished,
    attempts: u32,
    attempts_max: u32,
}

impl<R: FnMut(&Scenario) -> Result<Finished, ScenarioError>> Shrinking<R> {
    const fn is_spent(&self) -> bool {
        self.attempts >= self.attempts_max
    }

    /// What comes after a violation or a panic in the trouble has no part in it.
    fn cut_off(&mut self) {
        let at = match &self.finished.outcome {
            Outcome::Broken(violation) if violation.phase == Phase::Trouble => Some(violation.at),
            Outcome::Panicked(_) => Some(self.finished.ended),
            _ => None,
        };
        let gathering = self.best.config().map_or(Duration::ZERO, |config| config.period * GATHERING_PERIODS);
        if let Some(at) = at {
            let at = Duration::from_nanos(at.as_nanos()).saturating_sub(gathering);
            if at >= self.best.trouble() {
                return;
            }
            let mut candidate = self.best.clone();
            candidate.steps.retain(|step| step.at <= at);
            candidate.trouble = Some(at + Duration::from_millis(1));
            self.consider(candidate);
        }
    }

    /// Tries one kind of simplification until it helps no more. A success leaves the index where the next
    /// attempt begins, so that a list is gone through once.
    fn pass(&mut self, pass: candidates::Pass, each: &mut impl FnMut(&Scenario, u32)) {
        let mut index = 0;
        while !self.is_spent() {
            let Some(candidate) = pass(&self.best, index) else { return };
            let smaller = self.consider(candidate);
            each(&self.best, self.attempts);
            index += usize::from(!smaller);
        }
    }

    /// Keeps a candidate if it fails as the first run did.
    fn consider(&mut self, candidate: Scenario) -> bool {
        if candidate == self.best || candidate.check().is_err() {
            return false;
        }
        self.attempts += 1;
        let Ok(finished) = (self.run)(&candidate) else { return false };
        let same = match (&self.finished.outcome, &finished.outcome) {
            (Outcome::Broken(a), Outcome::Broken(b)) => a.property.id == b.property.id,
            (Outcome::Panicked(_), Outcome::Panicked(_)) => true,
            _ => false,
        };
        if same {
            self.best = candidate;
            self.finished = finished;
        }
        same
    }
}

#[cfg(test)]
mod tests;
