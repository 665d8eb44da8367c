//! Faults of processes, and what their operators do.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Drawing, SEEDS};
use crate::action::{Action, Inbox, Memory};
use crate::host::HostId;

const HOUR_MS: i64 = 3_600_000;

impl Drawing<'_> {
    pub(super) fn crash(&mut self, host: HostId) {
        if host.0 < SEEDS && self.days_off() {
            return;
        }
        self.push(self.at, Action::Crash(host));
        if self.below(4) > 0 {
            let back = self.at + self.up_to_periods(40);
            self.calendar(back, host);
            let memory = if self.below(4) == 0 { Memory::Kept } else { Memory::Lost };
            let again = if self.below(4) > 0 {
                Action::Restart(host)
            } else {
                Action::RestartAs { host, memory, addr: None }
            };
            self.push(back, again);
        }
    }

    pub(super) fn pause(&mut self, host: HostId) {
        let inbox = if self.below(3) == 0 { Inbox::Dropped } else { Inbox::Kept };
        self.push(self.at, Action::Pause { host, inbox });
        let end = self.at + self.up_to_periods(15);
        self.push(end, Action::Resume(host));
    }

    pub(super) fn readdress(&mut self, host: HostId) {
        if host.0 >= SEEDS {
            let [high, low] = [self.random.below(256), self.random.below(256)]
                .map(|byte| u8::try_from(byte).expect("below 256"));
            let addr = SocketAddr::from(([10, 99, high, low], 7000));
            self.push(self.at, Action::Move { host, addr });
        }
    }

    pub(super) fn leave(&mut self, host: HostId) {
        if host.0 < SEEDS && self.days_off() {
            return;
        }
        self.push(self.at, Action::Leave(host));
        if self.below(2) == 0 {
            let back = self.at + self.up_to_periods(40);
            self.calendar(back, host);
            self.push(back, Action::Restart(host));
        }
    }

    pub(super) fn remove(&mut self, host: HostId) {
        let target = self.host();
        self.push(self.at, Action::Remove { host, target });
    }

    /// The calendar of a host that is about to start.
    pub(super) fn calendar(&mut self, at: Duration, host: HostId) {
        let hours = i64::from(self.plan.calendar_hours());
        if hours > 0 {
            let off = i64::try_from(self.random.below(2 * hours.unsigned_abs() + 1)).unwrap_or(hours) - hours;
            self.push(at, Action::Calendar { host, ahead_ms: off * HOUR_MS });
        }
    }

    /// A process is killed, for good, and nothing else happens until everybody knows.
    pub(super) fn single_crash(&mut self, host: HostId) {
        // Somebody must be left whom newcomers know.
        if self.below(2) == 0 && host.0 > 0 {
            self.at += self.period() * 60;
            self.push(self.at, Action::Crash(host));
            self.at += self.period() * 90;
        }
    }

    /// One more host, that nobody knew before.
    pub(super) fn newcomer(&mut self, host: HostId) {
        self.push(self.at, Action::Start { like: host, seeds: Vec::new() });
    }

    /// One more host, that bears the name of another.
    pub(super) fn twin(&mut self, host: HostId) {
        if host.0 >= SEEDS {
            self.push(self.at, Action::Twin { of: host, seeds: Vec::new() });
        }
    }
}
