//! What is due, in which order, and how much of it at once.
//!
//! A node has many reasons to wake up and one deadline. What runs on awake time (everything but
//! suspicions, see `doubt.rs`) is translated to the driver's time at the very end. One `Tick` sends at most
//! `QUANTUM` datagrams and buries at most `EXPIRIES_MAX` suspects; what is left stays due, so the deadline
//! is in the past and the driver comes again after it has sent what there was.

use core::time::Duration;

use super::telling::Cargo;
use super::{Life, Node};
use crate::claim::Status;
use crate::join::{Search, Why};
use crate::members::{SAMPLE_MAX, Slot};
use crate::numbers::{self, Question};
use crate::random::Purpose;
use crate::time::Instant;
use super::table::Timer;
use crate::wire::Message;

/// Suspicions that run out, and tombstones that are forgotten, in one `handle`.
pub(super) const EXPIRIES_MAX: u32 = 64;

impl Node {
    /// Does what is due.
    pub(super) fn run_timers(&mut self) {
        self.touched = true;
        if self.core.cx.life == Life::Quiet {
            return;
        }
        let now = self.core.cx.now();
        if self.is_due(Timer::Suspicion, now) {
            self.core.bury_expired();
        }
        if self.is_due(Timer::Period, now) && self.has_quantum(3) {
            self.turn_period();
        }
        if self.is_due(Timer::ProbeStep, now) && self.has_quantum(SAMPLE_MAX) {
            self.detector.step_probe(&mut self.core);
        }
        if self.is_due(Timer::Relay, now) {
            self.detector.nack_silent(&mut self.core);
        }
        self.arm_rest();
        if self.is_due(Timer::Rival, now) || self.is_due(Timer::Admission, now) {
            self.handshake.pursue_rivals(&mut self.core);
        }
        if self.is_due(Timer::Contact, now) || self.handshake.join.search == Search::Seeking {
            self.handshake.pursue_contacts(&mut self.core);
        }
        if self.core.gossip_at().is_some_and(|at| at <= now) && self.has_quantum(SAMPLE_MAX) {
            self.core.spread();
        }
        if self.is_due(Timer::Pull, now) {
            self.pull();
        }
        self.touched = true;
    }

    fn is_due(&self, timer: Timer, now: Instant) -> bool {
        self.core.cx.timers.is_due(timer, now)
    }

    /// Whether a tick at this time would find nothing to do, and leave the deadline where it is. (Whoever looks
    /// for the cluster asks others at every tick.)
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.deadline.is_none_or(|deadline| deadline > self.core.cx.doubt.real())
            && self.handshake.join.search != Search::Seeking
            && !self.core.has_surplus()
    }

    /// After every input: keeps the bounds, and works out when to come back.
    pub(super) fn settle(&mut self) {
        if self.core.cx.life == Life::Quiet {
            self.deadline = None;
            self.core.cx.doubt.set_deadline(None);
            return;
        }
        if self.core.has_surplus() {
            self.core.forget_tombstones(|addr| self.heal.remember(addr));
        }
        // The goodbye has been said often enough, or there is nobody left to say it to.
        if matches!(self.core.cx.life, Life::Leaving { .. })
            && (self.core.members.queue(Slot::ME).is_none() || self.core.members.len_active() == 0)
        {
            return self.fall_silent();
        }
        self.core.adjust_patience();
        if self.core.cx.life == Life::Running {
            let alone = self.core.n() == 1;
            if alone && self.handshake.join.search == Search::Joined && !self.handshake.join.seeds.is_empty() {
                // Not at once: whoever lets us in may not be able to bring us back to life yet.
                let pause = self.core.cx.streams.jittered(Purpose::Jitter, self.core.cx.config.join_retry.0);
                let at = self.core.cx.now().after(pause);
                self.handshake.seek(&mut self.core, at);
            }
            self.schedule_period(alone);
        }
        let late = if mutant!(DeadlineLate) { self.core.cx.config.period } else { Duration::ZERO };
        self.arm();
        self.deadline = self.core.cx.timers.next().map(|at| self.core.cx.doubt.to_real(at).after(late));
        self.core.cx.doubt.set_deadline(self.deadline);
    }

    /// Everything that can wait rides on the probe's wake-up.
    pub(super) fn ride_along(&mut self) {
        self.core.forget_tombstones(|addr| self.heal.remember(addr));
        let unmet = self.unmet_seeds();
        let missing = self.core.members.count(Status::Dead) + self.heal.forgotten() + u32::from(unmet > 0);
        let (alive, period, streams) = (self.core.n(), self.core.cx.period(), &mut self.core.cx.streams);
        let due = self.heal.is_due(alive, missing, period, |n| streams.below(Purpose::Healing, n));
        if due && !mutant!(HealForgotten) {
            self.mend(unmet);
        }
    }

    /// Ends the last period and begins the next.
    fn turn_period(&mut self) {
        self.detector.end_period(&mut self.core);
        self.ride_along();
        self.detector.begin_period(&mut self.core);
    }

    fn schedule_period(&mut self, alone: bool) {
        if !alone && self.detector.period_at.is_some() {
            return;
        }
        let wanted = !alone
            || self.core.members.count(Status::Dead) > 0
            || self.heal.forgotten() > 0
            || (self.handshake.join.search == Search::Joined && !self.handshake.join.seeds.is_empty());
        if !wanted {
            self.detector.period_at = None;
        } else if self.detector.period_at.is_none() {
            let period = self.core.cx.period();
            let first = self.core.cx.streams.jittered(Purpose::Jitter, period);
            self.detector.period_at = Some(self.core.cx.now().after(first));
        }
    }

    fn has_quantum(&self, datagrams: usize) -> bool {
        self.core.cx.outbox.quantum_left() >= datagrams
    }

    /// Sets what follows from the state, and what may have changed.
    #[inline]
    fn arm(&mut self) {
        let gossip = self.core.gossip_at();
        let timers = &mut self.core.cx.timers;
        timers.set(Timer::Gossip, gossip);
        timers.creep(Timer::Suspicion, self.core.cx.doubt.awake());
        timers.set(Timer::Period, self.detector.period_at);
        if core::mem::take(&mut self.touched) {
            self.arm_rest();
        }
    }

    #[cold]
    #[inline(never)]
    fn arm_rest(&mut self) {
        let timers = &mut self.core.cx.timers;
        timers.set(Timer::Contact, self.handshake.join.contacts.deadline());
        timers.set(Timer::Admission, self.handshake.admissions.deadline());
        timers.set(Timer::Rival, self.handshake.rival.as_ref().map(crate::conflict::Rival::deadline));
        timers.set(Timer::Pull, self.sync.deadline());
    }

    /// Seeds that are not known to be an active member.
    fn unmet_seeds(&mut self) -> u32 {
        if self.handshake.join.search != Search::Joined {
            return 0;
        }
        let members = &self.core.members;
        self.handshake.join.unmet(members.revision(), |id| {
            members.find(id).is_some_and(|slot| members.claim(slot).status.is_active())
        })
    }

    fn is_met(&self, id: Option<crate::NodeId>) -> bool {
        let slot = id.and_then(|id| self.core.members.find(id));
        slot.is_some_and(|slot| self.core.members.claim(slot).status.is_active())
    }

    /// One contact to somebody who is missing: a Dead member, a forgotten address, or a seed.
    fn mend(&mut self, unmet: u32) {
        self.core.cx.stats.heal_contacts += 1;
        let dead = self.core.members.count(Status::Dead);
        let strangers = self.heal.forgotten() + unmet;
        let choice = self.core.cx.streams.below(Purpose::Healing, dead + strangers);
        if choice < dead {
            let streams = &mut self.core.cx.streams;
            let random = &mut |n| streams.below(Purpose::Healing, n);
            let Some(slot) = self.core.members.sample_tombstone(random) else { return };
            // It may have left, and somebody may know.
            let mut found = [Slot::ME; SAMPLE_MAX];
            if self.core.members.sample(random, &mut found, 1, |_| true) == 1 {
                self.core.send(self.core.members.addr(found[0]), &Message::Gossip, Cargo::claims(&[slot]));
            }
            let (id, addr) = (self.core.members.id(slot), self.core.members.addr(slot));
            let place = self.heal.next_place();
            let number = numbers::compose(self.core.cx.number(), Question::Healing { place });
            self.heal.asked(id, addr, number);
            self.core.ping(slot, addr, number, Cargo::EMPTY);
            return;
        }
        let choice = (choice - dead) as usize;
        let addr = self.heal.forgotten_at(choice).or_else(|| {
            let unmet = self.handshake.join.seeds.iter().filter(|seed| !self.is_met(seed.id));
            unmet.map(|seed| seed.addr).nth(choice - self.heal.forgotten() as usize)
        });
        if let Some(addr) = addr {
            self.handshake.contact(&mut self.core, addr, Why::Mending);
        }
    }
}
