//! Faults of machines: slowness and clocks.

use std::time::Duration;

use super::Drawing;
use crate::action::Action;
use crate::host::HostId;

impl Drawing<'_> {
    /// Each datagram takes the process a while.
    pub(super) fn slow(&mut self, host: HostId) {
        let service = self.period() / 1000 * [1, 5, 20, 100][self.below(4)];
        let queue = [16, 1024][self.below(2)];
        self.push(self.at, Action::Slow { host, service, queue });
        let end = self.at + self.up_to_periods(30);
        self.push(end, Action::Quicken(host));
    }

    /// The clock runs wrong from now on.
    pub(super) fn drift(&mut self, host: HostId) {
        let ppm = [-20_000, -500, 500, 20_000][self.below(4)];
        self.push(self.at, Action::Drift { host, ppm });
    }

    /// The clock leaps, as that of a machine which was suspended.
    pub(super) fn jump(&mut self, host: HostId) {
        let by = [self.period() / 2, self.period() * 5, self.period() * 60, Duration::from_secs(3600)]
            [self.below(4)];
        self.push(self.at, Action::Jump { host, by });
    }

    /// Timers fire late.
    pub(super) fn late_ticks(&mut self, host: HostId) {
        let up_to = self.period() / 1000 * [10, 100, 1000][self.below(3)];
        self.push(self.at, Action::LateTicks { host, up_to });
        let end = self.at + self.up_to_periods(30);
        self.push(end, Action::LateTicks { host, up_to: Duration::ZERO });
    }
}
