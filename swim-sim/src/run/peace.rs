//! Nothing is wrong any more: all must agree, and then be at rest.

use super::{Run, Stop};
use crate::World;
use crate::ground_truth::Phase;

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
        self.case.scenario.make_peace(&mut self.world);
        let limit = self.periods(self.case.scenario.agreed_within_periods());
        let limit = self.case.scenario.expect.agree_within.unwrap_or(limit);
        self.agreed = self.go_until(limit, World::converged)?;
        self.after_phase(Phase::Peace)
    }

    /// First whatever was said is said to the end, then it is measured.
    pub(super) fn rest(&mut self) -> Result<(), Stop> {
        let forgetful = self.case.config.tombstone_life < self.periods(SETTLED_FORGETFUL_PERIODS);
        self.go(self.periods(if forgetful { SETTLED_FORGETFUL_PERIODS } else { SETTLED_WITHIN_PERIODS }))?;
        self.enter(Phase::Rest);
        self.go(self.periods(REST_PERIODS * RESTS))?;
        self.after_phase(Phase::Rest)
    }
}
