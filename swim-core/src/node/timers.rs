//! What is due, in which order, and how much of it at once.
//!
//! A node has many reasons to wake up and one deadline. What runs on awake time (everything but
//! suspicions, see `doubt.rs`) is translated to the driver's time at the very end. One `Tick` sends at most
//! `QUANTUM` datagrams and buries at most `EXPIRIES_MAX` suspects; what is left stays due, so the deadline
//! is in the past and the driver comes again after it has sent what there was.

use core::time::Duration;

use super::telling::Cargo;
use super::{Life, Node};
use crate::claim::{Claim, Status};
use crate::join::{Search, Why};
use crate::members::{SAMPLE_MAX, Slot};
use crate::numbers::{self, Question};
use crate::output::Event;
use crate::random::Purpose;
use crate::suspicion::Due;
use crate::time::Instant;
use crate::wire::Message;

/// Suspicions that run out, and tombstones that are forgotten, in one `handle`.
pub(super) const EXPIRIES_MAX: u32 = 64;

impl Node {
    /// Does what is due.
    pub(super) fn run_timers(&mut self) {
        if self.life == Life::Quiet {
            return;
        }
        self.bury_expired();
        let now = self.now();
        if self.period_at.is_some_and(|at| at <= now) && self.has_quantum(3) {
            self.begin_period();
        }
        if self.probe.as_ref().and_then(crate::probe::Probe::next_at).is_some_and(|at| at <= now)
            && self.has_quantum(SAMPLE_MAX)
        {
            self.step_probe();
        }
        self.nack_silent();
        self.pursue_rivals();
        self.pursue_contacts();
        if self.gossip_at().is_some_and(|at| at <= now) && self.has_quantum(SAMPLE_MAX) {
            self.spread();
        }
        self.pull();
    }

    /// Whether a tick at this time would find nothing to do, and leave the deadline where it is. (Whoever looks
    /// for the cluster asks others at every tick.)
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.deadline.is_none_or(|deadline| deadline > self.doubt.real())
            && self.join.search != Search::Seeking
            && !self.has_surplus()
    }

    /// Whether there are more tombstones than there may be.
    #[inline]
    fn has_surplus(&self) -> bool {
        let tombstones = self.members.count(Status::Dead) + self.members.count(Status::Left);
        tombstones > self.config.tombstones_max
    }

    /// After every input: keeps the bounds, and works out when to come back.
    pub(super) fn settle(&mut self) {
        if self.life == Life::Quiet {
            self.deadline = None;
            self.doubt.set_deadline(None);
            return;
        }
        if self.has_surplus() {
            self.forget_tombstones();
        }
        // The goodbye has been said often enough, or there is nobody left to say it to.
        if matches!(self.life, Life::Leaving { .. })
            && (self.members.queue(Slot::ME).is_none() || self.members.len_active() == 0)
        {
            return self.fall_silent();
        }
        self.adjust_patience();
        if self.life == Life::Running {
            let alone = self.n() == 1;
            if alone && self.join.search == Search::Joined && !self.join.seeds.is_empty() {
                // Not at once: whoever lets us in may not be able to bring us back to life yet.
                let pause = self.streams.jittered(Purpose::Jitter, self.config.join_retry.0);
                self.seek(self.now().after(pause));
            }
            self.schedule_period(alone);
        }
        let late = if mutant!(DeadlineLate) { self.config.period } else { Duration::ZERO };
        self.deadline = self.earliest().map(|at| self.doubt.to_real(at).after(late));
        self.doubt.set_deadline(self.deadline);
    }

    /// Everything that can wait rides on the probe's wake-up.
    pub(super) fn ride_along(&mut self) {
        self.forget_tombstones();
        let unmet = self.unmet_seeds();
        let missing = self.members.count(Status::Dead) + self.heal.forgotten() + u32::from(unmet > 0);
        let (alive, period, streams) = (self.n(), self.period(), &mut self.streams);
        let due = self.heal.is_due(alive, missing, period, |n| streams.below(Purpose::Healing, n));
        if due && !mutant!(HealForgotten) {
            self.mend(unmet);
        }
    }

    fn schedule_period(&mut self, alone: bool) {
        if !alone && self.period_at.is_some() {
            return;
        }
        let wanted = !alone
            || self.members.count(Status::Dead) > 0
            || self.heal.forgotten() > 0
            || (self.join.search == Search::Joined && !self.join.seeds.is_empty());
        if !wanted {
            self.period_at = None;
        } else if self.period_at.is_none() {
            let period = self.period();
            let first = self.streams.jittered(Purpose::Jitter, period);
            self.period_at = Some(self.now().after(first));
        }
    }

    fn has_quantum(&self, datagrams: usize) -> bool {
        self.outbox.quantum_left() >= datagrams
    }

    /// The earliest of all reasons to wake up, in awake time.
    fn earliest(&self) -> Option<Instant> {
        let mut earliest = self.period_at;
        let mut consider = |at: Option<Instant>| {
            if at.is_some_and(|at| earliest.is_none_or(|held| at < held)) {
                earliest = at;
            }
        };
        consider(self.probe.as_ref().and_then(crate::probe::Probe::next_at));
        consider(self.relays.deadline());
        consider(self.gossip_at());
        consider(self.join.contacts.deadline());
        consider(self.admissions.deadline());
        consider(self.rival.as_ref().map(crate::conflict::Rival::deadline));
        consider(self.sync.deadline());
        consider(self.suspicions.deadline().map(|at| self.doubt.when_patient(at)));
        earliest
    }

    fn bury_expired(&mut self) {
        if self.doubt.doubts() {
            return;
        }
        let now = self.doubt.patience();
        for _ in 0..EXPIRIES_MAX {
            let slot = match self.suspicions.due(now) {
                None => return,
                Some(Due::Retell(slot)) => {
                    let id = self.members.id(slot);
                    self.tell(slot, id, id);
                    continue;
                }
                Some(Due::Expired(slot)) => slot,
            };
            let held = self.members.claim(slot);
            let place = self.members.suspicion(slot);
            let accuser = place.and_then(|place| self.suspicions.accusers(place));
            let accuser = accuser.map_or(self.me.id, crate::wire::Accusers::first);
            self.stats.suspicions_expired += 1;
            let by = place.and_then(|place| self.suspicions.verdict(place)).unwrap_or(self.me.id);
            self.bury(slot, Claim { status: Status::Dead, ..held }, by, accuser);
        }
    }

    /// When to gossip next, if there is something to say and somebody to say it to.
    fn gossip_at(&self) -> Option<Instant> {
        if (self.updates.len() == 0 && self.broadcasts.len() == 0) || mutant!(GossipTickForgotten) {
            return None;
        }
        let leaving = matches!(self.life, Life::Leaving { .. });
        let interval = match self.config.gossip_interval {
            Some(interval) => interval,
            None if leaving => self.config.period / 5,
            None => return None,
        };
        let others = self.members.len_active() > u32::from(!leaving);
        others.then(|| self.gossip_last.after(interval))
    }

    /// One gossip tick.
    fn spread(&mut self) {
        self.gossip_last = self.now();
        let mut found = [Slot::ME; SAMPLE_MAX];
        let streams = &mut self.streams;
        let random = &mut |n| streams.below(Purpose::Gossip, n);
        let fanout = usize::from(self.config.gossip_fanout);
        let count = self.members.sample(random, &mut found, fanout, |_| true);
        for slot in &found[..count] {
            if self.updates.len() == 0 && self.broadcasts.len() == 0 {
                break;
            }
            let addr = self.members.addr(*slot);
            let sent = self.send(addr, &Message::Gossip, Cargo::GOSSIP);
            if let Life::Leaving { datagrams } = &mut self.life {
                *datagrams += u32::from(sent);
            }
        }
    }

    fn forget_tombstones(&mut self) {
        let now = self.now();
        let (updates, broadcasts) = (&mut self.updates, &mut self.broadcasts);
        let (outbox, stats, heal) = (&mut self.outbox, &mut self.stats, &mut self.heal);
        self.members.forget_expired(now, EXPIRIES_MAX, |forgotten| {
            if let Some(place) = forgotten.queue {
                updates.remove(place);
            }
            broadcasts.forget(forgotten.id);
            if forgotten.status == Status::Dead {
                heal.remember(forgotten.addr);
            }
            if !outbox.event(Event::Forgotten { id: forgotten.id }) {
                stats.events_lost += 1;
            }
        });
    }

    /// Seeds that are not known to be an active member.
    fn unmet_seeds(&mut self) -> u32 {
        if self.join.search != Search::Joined {
            return 0;
        }
        let members = &self.members;
        self.join.unmet(members.revision(), |id| {
            members.find(id).is_some_and(|slot| members.claim(slot).status.is_active())
        })
    }

    fn is_met(&self, id: Option<crate::NodeId>) -> bool {
        let slot = id.and_then(|id| self.members.find(id));
        slot.is_some_and(|slot| self.members.claim(slot).status.is_active())
    }

    /// One contact to somebody who is missing: a Dead member, a forgotten address, or a seed.
    fn mend(&mut self, unmet: u32) {
        self.stats.heal_contacts += 1;
        let dead = self.members.count(Status::Dead);
        let strangers = self.heal.forgotten() + unmet;
        let choice = self.streams.below(Purpose::Healing, dead + strangers);
        if choice < dead {
            let streams = &mut self.streams;
            let random = &mut |n| streams.below(Purpose::Healing, n);
            let Some(slot) = self.members.sample_tombstone(random) else { return };
            // It may have left, and somebody may know.
            let mut found = [Slot::ME; SAMPLE_MAX];
            if self.members.sample(random, &mut found, 1, |_| true) == 1 {
                self.send(self.members.addr(found[0]), &Message::Gossip, Cargo::claims(&[slot]));
            }
            let (id, addr) = (self.members.id(slot), self.members.addr(slot));
            let place = self.heal.next_place();
            let number = numbers::compose(self.number(), Question::Healing { place });
            self.heal.asked(id, addr, number);
            self.ping(slot, addr, number, Cargo::EMPTY);
            return;
        }
        let choice = (choice - dead) as usize;
        let addr = self.heal.forgotten_at(choice).or_else(|| {
            let unmet = self.join.seeds.iter().filter(|seed| !self.is_met(seed.id));
            unmet.map(|seed| seed.addr).nth(choice - self.heal.forgotten() as usize)
        });
        if let Some(addr) = addr {
            self.contact(addr, Why::Mending);
        }
    }
}
