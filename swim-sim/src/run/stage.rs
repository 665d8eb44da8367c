//! Everybody joins; then the steps of the scenario, at their times.

use std::net::SocketAddr;

use super::{GATHERING_PERIODS, Run, Stop};
use crate::action::Action;
use crate::evidence::Phase;
use crate::host::{HostId, Spec};
use crate::scenario::Step;
use crate::{Presence, World};

impl Run {
    pub(super) fn gather(&mut self) -> Result<(), Stop> {
        self.enter(Phase::Gathering);
        for _ in 0..self.case.scenario.hosts {
            let host = self.world.start(Spec::new(self.case.config.clone()));
            self.hosts.push(host);
        }
        for host in self.hosts.clone() {
            self.join(host);
        }
        self.go(self.periods(GATHERING_PERIODS))?;
        self.over(Phase::Gathering)
    }

    pub(super) fn trouble(&mut self) -> Result<(), Stop> {
        self.enter(Phase::Trouble);
        let began = self.world.now();
        self.perform(&Action::SetDefaultLink(self.case.scenario.link));
        let mut steps: Vec<Step> = self.case.scenario.steps.clone();
        steps.sort_by_key(|step| step.at);
        for step in steps {
            self.go(began.after(step.at).since(self.world.now()))?;
            self.perform(&step.action);
        }
        let end = began.after(self.case.scenario.trouble());
        self.go(end.since(self.world.now()))?;
        self.over(Phase::Trouble)
    }

    /// Does one thing. A process that begins by it is told to join, as whoever starts a real one does.
    pub(super) fn perform(&mut self, action: &Action) {
        let running: Vec<bool> = self.world.hosts().map(|host| self.world.node(host).is_some()).collect();
        self.world.perform(action);
        for host in self.world.hosts() {
            let began = !running.get(host.index()).copied().unwrap_or(false);
            if began && self.world.presence(host) == Presence::Up {
                self.join(host);
            }
        }
    }

    /// Where the seeds were born.
    fn join(&mut self, host: HostId) {
        let count = self.case.scenario.seeds.min(self.case.scenario.hosts);
        let seeds: Vec<SocketAddr> =
            (0..count).map(HostId).filter(|seed| *seed != host).map(World::birthplace).collect();
        if !seeds.is_empty() {
            self.world.join_at(host, &seeds);
        }
    }
}
