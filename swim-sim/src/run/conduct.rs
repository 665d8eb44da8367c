//! What every scenario implies: a process that starts also joins, and when peace comes the lost ones are started
//! again. Runs, measurements and tests of applications share these rules, and the order of the parts; they differ in
//! how time passes and in what is looked at meanwhile.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use swim_core::{Config, Instant};

use crate::action::Action;
use crate::host_id::HostId;
use crate::scenario::{Scenario, Step};
use crate::{Phase, Presence, World};

/// Periods that all hosts have to join before the trouble begins.
pub(crate) const GATHERING_PERIODS: u32 = 10;
/// Periods within which all must agree after peace came, and for each host two more: a member may be the last
/// to learn of a death, and only by probing the dead member itself.
const AGREED_WITHIN_PERIODS: u32 = 90;
/// So many times longer where bits were flipped: an epoch or a member that never was is known to no other member, so
/// the one that holds it has to find out by its own probes and suspicions, one false claim after the other.
const FLIPPED_FACTOR: u32 = 4;

/// What carries a scenario out.
pub(crate) trait Conduct {
    /// Why it ends before its end.
    type Stop;

    fn world_mut(&mut self) -> &mut World;

    /// Lets time pass until `at`.
    fn go_to(&mut self, at: Instant) -> Result<(), Self::Stop>;

    /// Something was done to the world.
    fn attend(&mut self) -> Result<(), Self::Stop> {
        Ok(())
    }

    /// All hosts start and join each other, for ten periods, with nothing in their way.
    fn gather(&mut self, scenario: &Scenario, config: &Arc<Config>) -> Result<(), Self::Stop> {
        self.world_mut().enter(Phase::Gathering);
        let hosts = self.world_mut().start_many(scenario.hosts as usize, config);
        self.attend()?;
        hosts.into_iter().for_each(|host| scenario.join(self.world_mut(), host));
        self.attend()?;
        let end = self.world_mut().now().after(config.period * GATHERING_PERIODS);
        self.go_to(end)
    }

    /// The steps of the scenario, at their times, over its link.
    fn trouble(&mut self, scenario: &Scenario) -> Result<(), Self::Stop> {
        self.world_mut().enter(Phase::Trouble);
        let began = self.world_mut().now();
        scenario.act(self.world_mut(), &Action::SetDefaultLink(scenario.link));
        self.attend()?;
        for step in scenario.steps_in_order() {
            self.go_to(began.after(step.at))?;
            scenario.act(self.world_mut(), &step.action);
            self.attend()?;
        }
        self.go_to(began.after(scenario.trouble()))
    }
}

/// Nothing is looked at.
impl Conduct for World {
    type Stop = Infallible;

    fn world_mut(&mut self) -> &mut World {
        self
    }

    fn go_to(&mut self, at: Instant) -> Result<(), Infallible> {
        self.run_for(at.since(self.now()));
        Ok(())
    }
}

impl Scenario {
    /// Whether `host` is one of the seeds.
    #[must_use]
    pub const fn is_seed(&self, host: HostId) -> bool {
        host.0 < self.seeds
    }

    /// Does one thing. A process that begins by it gets the command to join.
    pub(crate) fn act(&self, world: &mut World, action: &Action) {
        let running: Vec<bool> = world.hosts().map(|host| world.node(host).is_some()).collect();
        world.perform(action);
        for host in world.hosts() {
            let began = !running.get(host.index()).copied().unwrap_or(false);
            if began && world.presence(host) == Presence::Up {
                self.join(world, host);
            }
        }
    }

    /// Lets `host` join where the seeds were born.
    fn join(&self, world: &mut World, host: HostId) {
        let count = self.seeds.min(self.hosts);
        let seeds: Vec<SocketAddr> =
            (0..count).map(HostId).filter(|seed| *seed != host).map(HostId::birthplace).collect();
        if !seeds.is_empty() {
            world.join_at(host, &seeds);
        }
    }

    /// The steps by their times.
    pub(crate) fn steps_in_order(&self) -> Vec<Step> {
        let mut steps = self.steps.clone();
        steps.sort_by_key(|step| step.at);
        steps
    }

    /// Peace comes: whole links, no host stopped, and the lost are started again.
    pub(crate) fn make_peace(&self, world: &mut World) {
        world.enter(Phase::Peace);
        self.act(world, &Action::Peace);
        for host in world.hosts() {
            // A member that left stays away, unless it is a seed.
            let back = match world.presence(host) {
                Presence::Crashed => !self.absent.contains(&host),
                Presence::Gone => self.is_seed(host),
                Presence::Up | Presence::Paused => false,
            };
            if back {
                self.act(world, &Action::Restart(host));
            }
        }
    }

    /// Periods within which all must agree after peace came.
    pub(crate) fn agreed_within_periods(&self) -> u32 {
        let factor = if self.flips_bits() { FLIPPED_FACTOR } else { 1 };
        factor * (AGREED_WITHIN_PERIODS + 2 * self.hosts)
    }
}
