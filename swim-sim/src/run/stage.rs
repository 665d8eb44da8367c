//! Everybody joins; then the steps of the scenario, at their times.

use super::{GATHERING_PERIODS, Run, Stop};
use crate::action::Action;
use crate::ground_truth::Phase;
use crate::host::Spec;

impl Run {
    pub(super) fn gather(&mut self) -> Result<(), Stop> {
        self.enter(Phase::Gathering);
        for _ in 0..self.case.scenario.hosts {
            let host = self.world.start(Spec::new(self.case.config.clone()));
            self.hosts.push(host);
        }
        for host in self.hosts.clone() {
            self.case.scenario.join(&mut self.world, host);
        }
        self.go(self.periods(GATHERING_PERIODS))?;
        self.after_phase(Phase::Gathering)
    }

    pub(super) fn trouble(&mut self) -> Result<(), Stop> {
        self.enter(Phase::Trouble);
        let began = self.world.now();
        self.perform(&Action::SetDefaultLink(self.case.scenario.link));
        for step in self.case.scenario.steps_in_order() {
            self.go(began.after(step.at).since(self.world.now()))?;
            self.perform(&step.action);
        }
        let end = began.after(self.case.scenario.trouble());
        self.go(end.since(self.world.now()))?;
        self.after_phase(Phase::Trouble)
    }

    /// Does one thing, and what goes without saying after it.
    pub(super) fn perform(&mut self, action: &Action) {
        self.case.scenario.act(&mut self.world, action);
    }
}
