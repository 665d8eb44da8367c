//! E1: what a scenario says must hold in it, beyond the laws.
//!
//! A scenario's [`Expect`] is a list of sentences of a few kinds. Some are about a moment: they wait, sorted
//! by time, and are judged after the first input from then on. Some are about a stretch of time: they count,
//! and are judged when there is one too many, or when their time is over.

mod counted;
mod momentary;

use std::time::Duration;

use swim_core::Instant;

use super::{Broken, Case, Check, Monitor, declare};
use crate::ground_truth::{Happening, Phase, Scene};
use crate::host::HostId;
use crate::scenario::Expect;
use crate::{Presence, World};

use counted::Counted;
use momentary::Moments;

/// E1.
pub(super) struct Expected {
    expect: Expect,
    /// When the trouble began, once it has.
    began: Option<Instant>,
    moments: Moments,
    counted: Counted,
    deaths_seen: usize,
    looked: u64,
}

impl Expected {
    /// `None`: the scenario expects nothing.
    pub(super) fn new(case: &Case) -> Option<Self> {
        let expect = case.scenario.expect.clone();
        if expect.is_default() {
            return None;
        }
        let (moments, counted) = (Moments::new(&expect), Counted::new(&expect));
        Some(Self { expect, began: None, moments, counted, deaths_seen: 0, looked: 0 })
    }

    /// How long the trouble has lasted.
    fn elapsed(&self, now: Instant) -> Option<Duration> {
        self.began.map(|began| now.since(began))
    }

    /// Verdicts that were new in the last input.
    fn judge_deaths(&mut self, world: &World) -> Check {
        let deaths = world.deaths();
        let new = deaths.get(self.deaths_seen..).unwrap_or_default();
        self.deaths_seen = deaths.len();
        for death in new {
            self.looked += 1;
            let lives = matches!(death.truth, Some(Presence::Up | Presence::Paused)) && !death.earlier_life;
            let excepted = |host: &HostId| world.id(*host) == death.subject;
            if !lives || self.expect.may_be_dead.iter().any(excepted) {
                continue;
            }
            let (observer, subject, by) = (death.observer, death.subject, death.by);
            let why = format!(
                "{observer:?} calls {subject:?} Dead by the verdict of {by:?}; nobody who lives was to be called so"
            );
            return Err(Broken::by(&[observer], why));
        }
        Ok(())
    }
}

impl Monitor for Expected {
    declare! { "E1", "expected", SENT | REPORTED | AFTER_INPUT,
    "what a scenario says of itself comes true" }

    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) -> Check {
        if let Happening::Entered { phase: Phase::Trouble } = what {
            self.began = Some(scene.now());
        }
        let Some(elapsed) = self.elapsed(scene.now()) else { return Ok(()) };
        self.counted.on_happening(&self.expect, scene, elapsed, what, &mut self.looked)
    }

    fn after_input(&mut self, world: &World, _: HostId) -> Check {
        if self.expect.nobody_dead {
            self.judge_deaths(world)?;
        }
        let Some(elapsed) = self.elapsed(world.now()) else { return Ok(()) };
        self.moments.until(&self.expect, world, elapsed, &mut self.looked)
    }

    fn after_phase(&mut self, world: &World, phase: Phase) -> Check {
        let Some(elapsed) = self.elapsed(world.now()) else { return Ok(()) };
        self.moments.until(&self.expect, world, elapsed, &mut self.looked)?;
        if phase == Phase::Trouble {
            self.looked += 1;
            momentary::at_the_end(&self.expect, world)?;
        }
        let elapsed = if phase == Phase::Rest { Duration::MAX } else { elapsed };
        self.counted.enough(&self.expect, elapsed)
    }
}

#[cfg(test)]
mod tests;
