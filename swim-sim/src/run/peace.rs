//! Nothing is wrong any more: all must agree, and then be at rest.

use super::{Run, Stop};
use crate::action::Action;
use crate::evidence::Phase;
use crate::scenario::Scenario;
use crate::{Presence, World};

/// Periods within which all must agree after peace came, and for each host two more: somebody may be the last
/// to learn of a death, and only by probing the dead member itself.
const AGREED_WITHIN_PERIODS: u32 = 90;
/// Periods in which everything said has been said, and caches and health have settled.
const SETTLED_WITHIN_PERIODS: u32 = 90;
/// The same where tombstones live so short that addresses of the forgotten are asked one by one before it is
/// known that nobody is missed there.
const SETTLED_FORGETFUL_PERIODS: u32 = 450;
/// Periods of one measurement of the rest, and how many there are: what somebody still learns may stir one
/// stretch of time, but not every one.
pub(crate) const REST_PERIODS: u32 = 40;
pub(crate) const RESTS: u32 = 3;

impl Run {
    /// Whole links, nobody stopped, and the lost come back.
    pub(super) fn peace(&mut self) -> Result<(), Stop> {
        self.enter(Phase::Peace);
        self.perform(&Action::Peace);
        for host in self.world.hosts() {
            let scenario = &self.case.scenario;
            let seed = host.0 < scenario.seeds;
            // Whoever left stays away, unless it is a seed.
            let back = match self.world.presence(host) {
                Presence::Crashed => !scenario.absent.contains(&host),
                Presence::Gone => seed,
                Presence::Up | Presence::Paused => false,
            };
            if back {
                self.perform(&Action::Restart(host));
            }
        }
        let limit = self.periods(AGREED_WITHIN_PERIODS + 2 * self.case.scenario.hosts);
        let limit = self.case.scenario.expect.agree_within.unwrap_or(limit);
        self.agreed = self.go_until(limit, World::converged)?;
        self.over(Phase::Peace)
    }

    /// First whatever was said is said to the end, then it is measured.
    pub(super) fn rest(&mut self) -> Result<(), Stop> {
        let forgetful = self.case.config.tombstone_life < self.periods(SETTLED_FORGETFUL_PERIODS);
        self.go(self.periods(if forgetful { SETTLED_FORGETFUL_PERIODS } else { SETTLED_WITHIN_PERIODS }))?;
        self.enter(Phase::Rest);
        self.go(self.periods(REST_PERIODS * RESTS))?;
        self.over(Phase::Rest)
    }
}

impl Scenario {
    /// Whether `host` is one of everybody's seeds.
    #[must_use]
    pub const fn is_seed(&self, host: crate::HostId) -> bool {
        host.0 < self.seeds
    }
}
