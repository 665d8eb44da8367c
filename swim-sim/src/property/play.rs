//! A scenario from its beginning to its end, as `swim-sim run` carries it out, with applications on the hosts.

use std::sync::Arc;

use super::{Application, Cluster, Failure};
use crate::action::Action;
use crate::host::Spec;
use crate::run::GATHERING_PERIODS;
use crate::{Phase, World};

impl<A: Application> Cluster<A> {
    /// Everybody joins, the faults come, and peace after them, until all members agree on who is there.
    ///
    /// # Errors
    /// A rule is broken, or the members do not agree in time.
    pub fn play(&mut self) -> Result<(), Failure> {
        self.gather()?;
        self.trouble()?;
        self.peace()
    }

    /// All hosts start and join each other, for ten periods, with nothing in their way.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn gather(&mut self) -> Result<(), Failure> {
        self.world.enter(Phase::Gathering);
        for _ in 0..self.scenario.hosts {
            self.world.start(Spec::new(Arc::clone(&self.config)));
        }
        self.attend()?;
        let scenario = Arc::clone(&self.scenario);
        for host in self.world.hosts() {
            scenario.join(&mut self.world, host);
        }
        self.attend()?;
        self.run_for(self.config.period * GATHERING_PERIODS)
    }

    /// The steps of the scenario, at their times, over its link.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn trouble(&mut self) -> Result<(), Failure> {
        self.world.enter(Phase::Trouble);
        let began = self.world.now();
        self.perform(&Action::SetDefaultLink(self.scenario.link))?;
        for step in self.scenario.steps_in_order() {
            self.run_for(began.after(step.at).since(self.world.now()))?;
            self.perform(&step.action)?;
        }
        let end = began.after(self.scenario.trouble());
        self.run_for(end.since(self.world.now()))
    }

    /// Nothing is wrong any more, and the lost are started again, until all members agree on who is there.
    ///
    /// # Errors
    /// A rule is broken, or the members do not agree in time.
    pub fn peace(&mut self) -> Result<(), Failure> {
        self.world.enter(Phase::Peace);
        let scenario = Arc::clone(&self.scenario);
        scenario.make_peace(&mut self.world);
        self.attend()?;
        let tenth = self.config.period / 10;
        for _ in 0..scenario.agreed_within_periods() * 10 {
            self.run_for(tenth)?;
            if self.world.converged() {
                return Ok(());
            }
        }
        let (_, views) = World::wrong_views(&self.world);
        Err(self.failure(format!("the members do not agree:\n{views}")))
    }
}
