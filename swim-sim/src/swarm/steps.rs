//! The faults of a plan, one after the other.
//!
//! Whatever begins also ends, in the same draw; what does not apply when its time comes (a stop of a process
//! that died meanwhile) changes nothing. Each fault has a stream of its own, so leaving one out, as a reduction
//! does, changes no other.

use std::net::SocketAddr;
use std::time::Duration;

use super::Plan;
use crate::action::{Action, Inbox};
use crate::host::HostId;
use crate::random::{Random, purpose};
use crate::scenario::{Profile, Step};

const HOUR_MS: i64 = 3_600_000;
/// Seeds stay where they are born, or nobody would find them again.
const SEEDS: u32 = 3;

/// The steps so far.
pub(super) struct Drawing<'a> {
    plan: &'a Plan,
    random: Random,
    pub(super) steps: Vec<Step>,
    /// When the next fault comes.
    pub(super) at: Duration,
}

/// What may be drawn, if its dial allows it. Several times where it is to come often.
type Fault<'a> = fn(&mut Drawing<'a>, HostId);

impl<'a> Drawing<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let random = Random::new(plan.seed, purpose::FAULTS, 0);
        let mut drawing = Self { plan, random, steps: Vec::new(), at: Duration::ZERO };
        let faults = drawing.faults();
        for number in 0..plan.faults {
            drawing.random = Random::new(plan.seed, purpose::FAULTS, 1 + u64::from(number));
            let pause = drawing.random.below(2000 * u64::from(plan.pace));
            drawing.at += drawing.period() * u32::try_from(pause).unwrap_or(u32::MAX) / 1000;
            let host = drawing.host();
            if let Some(fault) = faults.get(drawing.below(faults.len() as u64)) {
                fault(&mut drawing, host);
            }
        }
        drawing.at += drawing.period();
        drawing.steps.sort_by_key(|step| step.at);
        drawing
    }

    /// Everything that the plan allows.
    fn faults(&self) -> Vec<Fault<'a>> {
        let plan = self.plan;
        let all: [(u32, Fault<'a>); 12] = [
            (plan.crash, Self::crash),
            (plan.crash, Self::crash),
            (plan.pause, Self::pause),
            (plan.partition, Self::partition),
            (plan.one_way, Self::one_way),
            (plan.unplug, Self::unplug),
            (plan.readdress, Self::readdress),
            (plan.leave, Self::leave),
            (plan.remove, Self::remove),
            (plan.metadata, Self::metadata),
            (plan.broadcast, Self::broadcast),
            (plan.message, Self::message),
        ];
        all.into_iter().filter(|(dial, _)| *dial > 0).map(|(_, fault)| fault).collect()
    }

    fn crash(&mut self, host: HostId) {
        if host.0 < SEEDS && self.days_off() {
            return;
        }
        self.push(self.at, Action::Crash(host));
        if self.below(4) > 0 {
            let back = self.at + self.up_to_periods(40);
            self.calendar(back, host);
            self.push(back, Action::Restart(host));
        }
    }

    fn pause(&mut self, host: HostId) {
        let inbox = if self.below(3) == 0 { Inbox::Dropped } else { Inbox::Kept };
        self.push(self.at, Action::Pause { host, inbox });
        let end = self.at + self.up_to_periods(15);
        self.push(end, Action::Resume(host));
    }

    fn partition(&mut self, _host: HostId) {
        let side = (0..self.plan.hosts).map(HostId).filter(|_| self.random.below(3) == 0).collect();
        self.push(self.at, Action::Partition(vec![side]));
        let end = self.at + self.up_to_periods(60);
        self.push(end, Action::Heal);
    }

    fn one_way(&mut self, _host: HostId) {
        let end = self.at + self.up_to_periods(60);
        for _ in 0..=self.below(u64::from(self.plan.hosts).min(12)) {
            let [source, target] = [self.host(), self.host()];
            if source != target {
                self.push(self.at, Action::Cut { source, target });
                self.push(end, Action::Mend { source, target });
            }
        }
    }

    fn unplug(&mut self, host: HostId) {
        self.push(self.at, Action::Unplug(host));
        let end = self.at + self.up_to_periods(20);
        self.push(end, Action::Plug(host));
    }

    fn readdress(&mut self, host: HostId) {
        if host.0 >= SEEDS {
            let [high, low] = [self.random.below(256), self.random.below(256)]
                .map(|byte| u8::try_from(byte).expect("below 256"));
            let addr = SocketAddr::from(([10, 99, high, low], 7000));
            self.push(self.at, Action::Move { host, addr });
        }
    }

    fn leave(&mut self, host: HostId) {
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

    fn remove(&mut self, host: HostId) {
        let target = self.host();
        self.push(self.at, Action::Remove { host, target });
    }

    fn metadata(&mut self, host: HostId) {
        let text = format!("word {}", self.below(1000));
        self.push(self.at, Action::SetMetadata { host, text });
    }

    fn broadcast(&mut self, host: HostId) {
        let text = format!("broadcast {}", self.steps.len());
        self.push(self.at, Action::Broadcast { host, text });
    }

    fn message(&mut self, host: HostId) {
        let target = self.host();
        let text = format!("message {}", self.steps.len());
        self.push(self.at, Action::Send { host, target, text });
    }

    /// The calendar of a host that is about to start.
    fn calendar(&mut self, at: Duration, host: HostId) {
        let hours = i64::from(self.plan.calendar_hours());
        if hours > 0 {
            let off = i64::try_from(self.random.below(2 * hours.unsigned_abs() + 1)).unwrap_or(hours) - hours;
            let _ = (at, host, off * HOUR_MS);
        }
    }

    /// Whether calendars may be wrong by days: then seeds stay, so that there is always a cluster to join.
    fn days_off(&self) -> bool {
        self.plan.calendar_hours() > 24
    }

    fn push(&mut self, at: Duration, action: Action) {
        self.steps.push(Step { at, action });
    }

    fn period(&self) -> Duration {
        match self.plan.profile() {
            Profile::Lan => Duration::from_secs(1),
            Profile::Local => Duration::from_millis(500),
            Profile::Wan => Duration::from_secs(5),
        }
    }

    /// Half a period to so many.
    fn up_to_periods(&mut self, most: u32) -> Duration {
        let halves = 1 + self.random.below(2 * u64::from(most));
        self.period() * u32::try_from(halves).expect("few") / 2
    }

    fn host(&mut self) -> HostId {
        HostId(u32::try_from(self.random.below(self.plan.hosts.into())).expect("below a u32"))
    }

    fn below(&mut self, n: u64) -> usize {
        usize::try_from(self.random.below(n)).expect("small")
    }
}

impl Plan {
    /// Members of two clusters whose clocks differ by more than a day do not hear each other. So either calendars
    /// differ by less, or the cluster stays in one piece.
    const fn calendar_hours(&self) -> u32 {
        let torn = self.partition > 0 || self.one_way > 0 || self.unplug > 0;
        if torn && self.calendar > 11 { 1 } else { self.calendar }
    }
}
