//! A run whose panics are findings.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Outcome, Run, Verdict};
use crate::scenario::{Scenario, ScenarioError};

/// Carries `scenario` out; `prepare` may attach watchers or set a limit. A panic of the core or of the
/// simulator becomes the verdict.
///
/// # Errors
/// The scenario cannot be carried out.
pub fn attempt(scenario: &Scenario, prepare: impl FnOnce(&mut Run)) -> Result<Outcome, ScenarioError> {
    let mut run = Run::new(scenario)?;
    let finished = catch_unwind(AssertUnwindSafe(|| {
        prepare(&mut run);
        run.finish()
    }));
    Ok(finished.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Outcome { verdict: Verdict::Panicked(text.unwrap_or_default()), ..Outcome::of(&run, false) }
    }))
}

/// [`attempt`] twice: the same scenario must give the same digest.
///
/// # Errors
/// The scenario cannot be carried out.
pub fn attempt_twice(scenario: &Scenario) -> Result<Outcome, ScenarioError> {
    let [first, second] = [attempt(scenario, |_| {})?, attempt(scenario, |_| {})?];
    if first.digest == second.digest {
        return Ok(first);
    }
    let verdict = Verdict::Nondeterministic { first: first.digest, second: second.digest };
    Ok(Outcome { verdict, ..first })
}
