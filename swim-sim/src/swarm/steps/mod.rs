//! The faults of a plan, one after the other.
//!
//! Whatever begins also ends, in the same draw; what does not apply when its time comes (a stop of a process
//! that died meanwhile) changes nothing. Each fault has a stream of its own, so leaving one out, as a reduction
//! does, changes no other.

use std::time::Duration;

mod hostile;
mod machines;
mod network;
mod processes;
mod users;

use super::Plan;
use crate::action::Action;
use crate::host::HostId;
use crate::random::{Random, purpose};
use crate::scenario::{Profile, Step};

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
            let slower = if plan.quiet > 0 { 8 } else { 1 };
            drawing.at += drawing.period() * u32::try_from(slower * pause).unwrap_or(u32::MAX) / 1000;
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
        if plan.quiet > 0 {
            return vec![Self::single_crash, Self::metadata, Self::broadcast, Self::message, Self::newcomer];
        }
        let all: [(u32, Fault<'a>); 28] = [
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
            (plan.newcomer, Self::newcomer),
            (plan.twin, Self::twin),
            (plan.bad_card, Self::bad_card),
            (plan.slow, Self::slow),
            (plan.drift, Self::drift),
            (plan.jump, Self::jump),
            (plan.late_ticks, Self::late_ticks),
            (plan.turbulence, Self::turbulence),
            (plan.garbage, Self::garbage),
            (plan.mutants, Self::mutants),
            (plan.replay, Self::replay),
            (plan.forge, Self::forge),
            (plan.spoof_acks, Self::spoof_acks),
            (plan.reflect, Self::reflect),
            (plan.strangers, Self::strangers),
            (plan.mask, Self::mask),
        ];
        all.into_iter().filter(|(dial, _)| *dial > 0).map(|(_, fault)| fault).collect()
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
