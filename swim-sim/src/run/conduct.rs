//! What every scenario implies: a process that starts also joins, and when peace comes the lost ones are started
//! again. Runs and tests of applications share these rules.

use std::net::SocketAddr;

use crate::action::Action;
use crate::host_id::HostId;
use crate::scenario::{Scenario, Step};
use crate::{Presence, World};

/// Periods that all hosts have to join before the trouble begins.
pub(crate) const GATHERING_PERIODS: u32 = 10;
/// Periods within which all must agree after peace came, and for each host two more: a member may be the last
/// to learn of a death, and only by probing the dead member itself.
const AGREED_WITHIN_PERIODS: u32 = 90;
/// So many times longer where bits were flipped: an epoch or a member that never was is known to no other member, so
/// the one that holds it has to find out by its own probes and suspicions, one false claim after the other.
const FLIPPED_FACTOR: u32 = 4;

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
    pub(crate) fn join(&self, world: &mut World, host: HostId) {
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

    /// Ends everything that lasts, and starts the lost again.
    pub(crate) fn make_peace(&self, world: &mut World) {
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
