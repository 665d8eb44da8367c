//! Carrying a scenario out: all hosts join, the faults come, then peace, then rest, and all the while the
//! properties are checked.
//!
//! ```text
//!   Gathering ─ ten periods ─▶ Trouble ─ steps, until they end ─▶ Peace ─ until all agree ─▶ Rest ─▶ Finished
//!       whole links              the scenario's link and steps     whole links, the lost come back
//! ```
//!
//! In trouble only safety is checked. Then every network fault ends and every host that is to run runs, so that
//! whatever does not come right now is the members' own doing: they must agree within a stated time, have
//! nothing left over, and go back to one ping and one ack a period.

mod conduct;
mod outcome;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use swim_core::Instant;

use crate::coverage::Coverage;
use crate::ground_truth::Phase;
use crate::properties::{Case, Checker, Violation};
use crate::scenario::{REST_PERIODS, RESTS, Scenario, ScenarioError};
use crate::{Setup, World};

pub(crate) use conduct::{Conduct, GATHERING_PERIODS};
pub use outcome::{Finished, Outcome};

/// Is shown the transcript of each step.
type OnStep = Box<dyn FnMut(&str) + Send>;
/// Looks at the world in the end.
type AtEnd = Box<dyn FnOnce(&World) + Send>;

/// Periods in which everything said has been said, and caches and health have settled.
const SETTLED_WITHIN_PERIODS: u32 = 90;
/// The same where tombstones live so short that addresses of the forgotten are asked one by one before it is
/// known that no member is missed there.
const SETTLED_FORGETFUL_PERIODS: u32 = 450;

/// A scenario on its way.
pub struct Run {
    case: Case,
    world: World,
    checker: Arc<Mutex<Checker>>,
    sometimes: Arc<Mutex<Coverage>>,
    until: Instant,
    agreed: Option<Duration>,
    on_step: Option<OnStep>,
    at_end: Option<AtEnd>,
}

/// Why a run ends before its end.
pub(crate) enum Stop {
    Broken,
    Until,
}

impl Run {
    /// Everything ready, nothing begun.
    ///
    /// # Errors
    /// The scenario cannot be carried out.
    pub fn new(scenario: &Scenario) -> Result<Self, ScenarioError> {
        scenario.check()?;
        crate::mutants::choose(scenario.mutant.as_deref()).map_err(ScenarioError)?;
        let case = Case::of(scenario)?;
        let mut world = World::with(Setup { fingerprint_states: true, ..Setup::new(scenario.seed) });
        let checker = Arc::new(Mutex::new(Checker::new(&case)));
        let sometimes = Arc::new(Mutex::new(Coverage::default()));
        world.attach(Arc::clone(&checker));
        world.attach(Arc::clone(&sometimes));
        let until = Instant::MAX;
        Ok(Self { case, world, checker, sometimes, until, agreed: None, on_step: None, at_end: None })
    }

    /// Stops at this instant of the world's clock, whatever has been checked by then.
    pub const fn until(&mut self, until: Instant) {
        self.until = until;
    }

    /// The world, to attach a watcher to, or to look at.
    pub const fn world(&mut self) -> &mut World {
        &mut self.world
    }

    /// Calls `show` after each step of the world with the transcript of what happened in it.
    pub fn on_step(&mut self, show: impl FnMut(&str) + Send + 'static) {
        self.world.set_transcript(true);
        self.on_step = Some(Box::new(show));
    }

    /// Lets `look` see the world as the run leaves it.
    pub fn at_end(&mut self, look: impl FnOnce(&World) + Send + 'static) {
        self.at_end = Some(Box::new(look));
    }

    /// Carries it out to its end, or to the first broken property.
    pub fn finish(&mut self) -> Finished {
        let stopped = self.play().err();
        let cut_short = matches!(stopped, Some(Stop::Until));
        if let Some(look) = self.at_end.take() {
            look(&self.world);
        }
        Finished::of(self, cut_short)
    }

    fn play(&mut self) -> Result<(), Stop> {
        let Case { scenario, config } = self.case.clone();
        self.gather(&scenario, &config)?;
        self.after_phase(Phase::Gathering)?;
        self.trouble(&scenario)?;
        self.after_phase(Phase::Trouble)?;
        scenario.make_peace(&mut self.world);
        let limit = self.periods(scenario.agreed_within_periods());
        let limit = scenario.expect.agree_within.unwrap_or(limit);
        self.agreed = self.go_until(limit, World::converged)?;
        self.after_phase(Phase::Peace)?;
        self.rest()
    }

    /// First whatever was said is said to the end, then it is measured.
    fn rest(&mut self) -> Result<(), Stop> {
        let forgetful = self.case.config.tombstone_life < self.periods(SETTLED_FORGETFUL_PERIODS);
        let settled = if forgetful { SETTLED_FORGETFUL_PERIODS } else { SETTLED_WITHIN_PERIODS };
        self.go_until(self.periods(settled), |_| false)?;
        self.world.enter(Phase::Rest);
        self.go_until(self.periods(REST_PERIODS * RESTS), |_| false)?;
        self.after_phase(Phase::Rest)
    }

    fn periods(&self, n: u32) -> Duration {
        self.case.config.period * n
    }

    /// Lets the world go on for `limit`, or until `done`, which is asked ten times in a period. How long that
    /// took, if it came.
    fn go_until(&mut self, limit: Duration, done: impl Fn(&World) -> bool) -> Result<Option<Duration>, Stop> {
        let (begin, tenth) = (self.world.now(), self.case.config.period / 10);
        let end = begin.after(limit);
        let mut ask_at = begin;
        loop {
            let next = self.world.next_at().filter(|at| *at <= end);
            if next.unwrap_or(end) >= ask_at {
                if done(&self.world) {
                    return Ok(Some(self.world.now().since(begin)));
                }
                ask_at = next.unwrap_or(end).after(tenth);
            }
            let Some(next) = next else { break };
            if next > self.until {
                return Err(Stop::Until);
            }
            self.world.step();
            if let Some(show) = &mut self.on_step {
                show(&self.world.take_transcript());
            }
            if self.checker().violation().is_some() {
                return Err(Stop::Broken);
            }
        }
        if end > self.until {
            return Err(Stop::Until);
        }
        self.world.run_for(end.since(self.world.now()));
        Ok(None)
    }

    /// Lets the checker look at a part of the run as a whole.
    fn after_phase(&mut self, phase: Phase) -> Result<(), Stop> {
        self.checker().after_phase(&self.world, phase);
        if self.checker().violation().is_some() { Err(Stop::Broken) } else { Ok(()) }
    }

    fn checker(&self) -> MutexGuard<'_, Checker> {
        self.checker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn violation(&self) -> Option<Violation> {
        self.checker().violation().cloned()
    }
}

/// Carries `scenario` out; `prepare` may attach watchers or set a limit. A panic of the core or of the
/// simulator becomes the outcome.
///
/// # Errors
/// The scenario cannot be carried out.
pub fn attempt(scenario: &Scenario, prepare: impl FnOnce(&mut Run)) -> Result<Finished, ScenarioError> {
    let mut run = Run::new(scenario)?;
    let finished = catch_unwind(AssertUnwindSafe(|| {
        prepare(&mut run);
        run.finish()
    }));
    Ok(finished.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Finished { outcome: Outcome::Panicked(text.unwrap_or_default()), ..Finished::of(&run, false) }
    }))
}

/// [`attempt`] twice: the same scenario must give the same digest.
///
/// # Errors
/// The scenario cannot be carried out.
pub fn attempt_twice(scenario: &Scenario) -> Result<Finished, ScenarioError> {
    let [first, second] = [attempt(scenario, |_| {})?, attempt(scenario, |_| {})?];
    if first.digest == second.digest {
        return Ok(first);
    }
    let outcome = Outcome::Nondeterministic { first: first.digest, second: second.digest };
    Ok(Finished { outcome, ..first })
}

impl Conduct for Run {
    type Stop = Stop;

    fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    fn go_to(&mut self, at: Instant) -> Result<(), Stop> {
        self.go_until(at.since(self.world.now()), |_| false).map(drop)
    }
}
