//! The period: ping, retry, ask relays, be a relay, accuse.
//!
//! One member is probed in each period (`probe.rs` keeps the book); the end of one probe and the beginning
//! of the next are one wake-up, and everything that can wait (healing, tombstones, looking for the
//! cluster again) rides on it. At rest that is the only timer a node has.

use core::net::SocketAddr;
use core::time::Duration;

use super::Node;
use super::telling::Cargo;
use crate::claim::{Claim, Status};
use crate::identity::{Epoch, Incarnation, NodeId};
use crate::members::{SAMPLE_MAX, Slot};
use crate::numbers::{self, Question};
use crate::output::Event;
use crate::probe::{Probe, Step, Timing, Verdict};
use crate::random::Purpose;
use crate::relay::{Due, Origin};
use crate::rtt::smooth;
use crate::stats::DropReason;
use crate::wire::{Accusers, Message, Nack, Ping, PingReq, RelayedAck};

/// What is believed of an unknown node.
const NOTHING: Claim = Claim { epoch: Epoch(0), incarnation: Incarnation(0), status: Status::Alive };

/// The prober.
impl Node {
    /// Ends the last period and begins the next.
    pub(super) fn begin_period(&mut self) {
        if self.doubt.listen(self.n().saturating_sub(1), self.direct_timeout()) {
            self.stats.deaf_spells += 1;
            self.health.worsen(1);
            self.event(Event::Deaf { deaf: true });
        }
        self.conclude();
        let now = self.now();
        self.period_at = Some(now.after(self.period()));
        self.ride_along();
        let streams = &mut self.streams;
        let target = self.members.next_target(&mut |n| streams.below(Purpose::ProbeOrder, n));
        let Some(target) = target else { return };
        let timing = Timing {
            period: self.period(),
            direct_timeout: self.direct_timeout(),
            retries: self.config.retries,
            rtt: self.rtt(target).filter(|_| self.config.adaptive),
        };
        let (id, addr) = (self.members.id(target), self.members.addr(target));
        let random = if mutant!(NumberReused) { self.me.id.0 << 16_u32 } else { self.number() };
        let epoch = self.members.claim(target).epoch;
        let probe = Probe::begin(target, (id, addr, epoch), random, timing, now);
        self.probe = Some(probe);
        self.stats.probes += 1;
        self.doubt.ask(1);
        self.attempt(target, addr, random, 0);
    }

    /// Takes the probe's next step.
    pub(super) fn step_probe(&mut self) {
        let now = self.now();
        let Some(probe) = &mut self.probe else { return };
        let (target, id, addr) = (probe.target, probe.target_id, probe.target_addr);
        let random = probe.number_random();
        match probe.step(now) {
            Some(Step::Retry { attempt }) if self.members.is_at(target, id) => {
                self.stats.retries += 1;
                self.attempt(target, addr, random, attempt);
            }
            Some(Step::AskRelays) => self.ask_relays(target, id, random),
            Some(Step::Retry { .. }) | None => {}
        }
    }

    fn attempt(&mut self, target: Slot, addr: SocketAddr, random: u64, attempt: u8) {
        let number = numbers::compose(random, Question::Probe { attempt });
        let cargo = self.gossip_for(target, addr);
        if !self.ping(target, addr, number, cargo)
            && let Some(probe) = &mut self.probe
        {
            probe.undelivered(addr);
        }
    }

    fn ask_relays(&mut self, target: Slot, target_id: NodeId, random: u64) {
        let mut found = [Slot::ME; SAMPLE_MAX];
        let (streams, members) = (&mut self.streams, &self.members);
        let count = members.sample(
            &mut |n| streams.below(Purpose::Relays, n),
            &mut found,
            usize::from(self.config.relays),
            |slot| {
                (slot != target || mutant!(TargetAskedAsRelay)) && members.claim(slot).status == Status::Alive
            },
        );
        if self.config.nacks {
            self.doubt.ask(count as u8);
        }
        let number = numbers::compose(random, Question::Probe { attempt: 0 });
        for relay in &found[..count] {
            let addr = self.members.addr(*relay);
            let Some(probe) = &mut self.probe else { return };
            probe.add_relay(addr);
            let left = probe.ends().since(self.doubt.awake());
            let budget = left.saturating_sub(self.rtt(*relay).unwrap_or_default());
            let budget_us = u32::try_from(budget.as_micros()).unwrap_or(u32::MAX);
            let request = PingReq { target: target_id, number, budget_us };
            self.stats.relays_asked += 1;
            self.send(addr, &Message::PingReq(request), Cargo::GOSSIP);
        }
    }

    /// Whether `number` is that of a ping to `sender` at `source`, in the open probe or to heal.
    pub(super) fn has_asked(&mut self, source: SocketAddr, sender: NodeId, number: u64) -> bool {
        match numbers::question(number) {
            Some(Question::Probe { attempt }) => self.probe.as_ref().is_some_and(|probe| {
                let asked = (probe.target_id, probe.target_addr) == (sender, source);
                asked && probe.knows(number, attempt)
            }),
            Some(Question::Healing { place }) => self.heal.answered(place, sender, number, source),
            _ => false,
        }
    }

    /// The target itself answered; `Ok(false)`: this is not an answer to the open probe.
    pub(super) fn hear_probe_ack(
        &mut self,
        source: SocketAddr,
        sender: NodeId,
        number: u64,
        attempt: u8,
    ) -> Result<bool, DropReason> {
        let now = self.now();
        let Some(probe) = &mut self.probe else { return Ok(false) };
        if !probe.knows(number, attempt) || probe.target_id != sender {
            return Ok(false);
        }
        // Forgotten within the period, it has no slot, or another's.
        let target = self.members.find_at(probe.target, sender);
        if source != probe.target_addr && !mutant!(AckFromAnywhere) {
            if let Some(target) = target {
                self.tell_wrong_source(target, source);
            }
            if !self.config.accept_wrong_source {
                return Err(DropReason::WrongSource);
            }
        }
        let Some(probe) = &mut self.probe else { return Ok(false) };
        let Some(rtt) = probe.answer(attempt, now) else { return Ok(true) };
        self.stats.probes_answered += 1;
        if !self.doubt.doubts() {
            let measured = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX);
            self.stats.rtt.record(measured);
            if let Some(target) = target {
                let smoothed = smooth(self.members.rtt_us(target), measured);
                self.members.set_rtt_us(target, smoothed);
            }
        }
        Ok(true)
    }

    pub(super) fn hear_relayed_ack(&mut self, source: SocketAddr, ack: RelayedAck) -> Result<(), DropReason> {
        let Some(probe) = &mut self.probe else { return Err(DropReason::UnexpectedAnswer) };
        let answered = probe.is_answered();
        let ours = probe.knows(ack.number, 0) && probe.target_id == ack.target;
        if !ours || !probe.answer_by_relay(source) {
            return Err(DropReason::UnexpectedAnswer);
        }
        self.stats.probes_answered_by_relay += u64::from(!answered);
        Ok(())
    }

    pub(super) fn hear_nack(&mut self, source: SocketAddr, nack: Nack) -> Result<(), DropReason> {
        let Some(probe) = &mut self.probe else { return Err(DropReason::UnexpectedAnswer) };
        if !probe.knows(nack.number, 0) || !probe.nack(source) {
            return Err(DropReason::UnexpectedAnswer);
        }
        self.stats.nacks_received += 1;
        Ok(())
    }

    pub(super) fn on_undelivered(&mut self, target: SocketAddr) {
        if let Some(probe) = &mut self.probe {
            probe.undelivered(target);
        }
    }

    /// Judges the probe that ends now (Lifeguard section IV-A).
    fn conclude(&mut self) {
        let Some(probe) = &self.probe else { return };
        match probe.verdict() {
            Verdict::Answered => self.health.improve(),
            Verdict::NeverSent => self.stats.probes_excused += 1,
            Verdict::Failed { .. } if self.doubt.doubts() => self.stats.probes_excused += 1,
            Verdict::Failed { relays, silent } => {
                self.stats.probes_failed += 1;
                let forgiven = self.config.nacks_forgive && self.config.nacks && relays > 0 && silent == 0;
                if !forgiven {
                    self.health.worsen(1 + u8::from(self.config.nacks && silent > 0));
                }
                // Whoever began another life meanwhile, or moved, was not the one who was asked.
                let same = self.members.is_at(probe.target, probe.target_id)
                    && self.members.claim(probe.target).epoch == probe.target_epoch
                    && self.members.addr(probe.target) == probe.target_addr;
                if same {
                    self.accuse(probe.target);
                }
            }
        }
        self.probe = None;
    }

    fn accuse(&mut self, target: Slot) {
        let held = self.members.claim(target);
        match held.status {
            Status::Alive => {
                let accusers = Accusers::new(self.me.id);
                if self.suspect(target, Claim { status: Status::Suspect, ..held }, accusers) {
                    self.stats.suspicions_raised += 1;
                }
            }
            Status::Suspect => {
                self.confirm(target, self.me.id);
            }
            Status::Dead | Status::Left => {}
        }
    }

    fn rtt(&self, slot: Slot) -> Option<Duration> {
        self.members.rtt_us(slot).map(|us| Duration::from_micros(u64::from(us)))
    }
}

/// The relay.
impl Node {
    /// Pings `target` and says what is believed of it, so that it can speak up at once (Lifeguard's
    /// buddy rule; it holds for the Dead too: that is how a partition heals).
    pub(super) fn ping(&mut self, target: Slot, addr: SocketAddr, number: u64, cargo: Cargo<'_>) -> bool {
        // Of somebody who may be there, where the member is not held (any longer), nothing is believed: told
        // the member's word, a namesake would outbid it.
        let here = self.members.addr(target) == addr;
        let held = if here { self.members.claim(target) } else { NOTHING };
        let buddy = self.config.buddy && !mutant!(BuddyForgotten);
        let status = if buddy || held.status == Status::Dead { held.status } else { Status::Alive };
        let ping = Ping {
            target: self.members.id(target),
            target_epoch: held.epoch,
            target_incarnation: held.incarnation,
            target_status: status,
            number,
            root: self.digest_root(),
        };
        self.send(addr, &Message::Ping(ping), cargo)
    }

    /// A member asks us to ping another: only members, and only where we know them to be.
    pub(super) fn hear_ping_req(
        &mut self,
        source: SocketAddr,
        sender: NodeId,
        request: PingReq,
    ) -> Result<(), DropReason> {
        let target = self
            .members
            .find(request.target)
            .filter(|slot| *slot != Slot::ME && self.members.claim(*slot).status.is_active());
        let Some(target) = target else {
            // Whoever alone holds a member would take itself for deaf if nobody answered, each time.
            if self.config.nacks && request.target != self.me.id {
                self.send(source, &Message::Nack(Nack { number: request.number }), Cargo::GOSSIP);
            }
            return Err(DropReason::RelayTarget);
        };
        let place = self.relays.room(source).ok_or(DropReason::RelayLimit)?;
        let number = numbers::compose(self.number(), Question::Relayed { place });
        let longest = self.config.period.saturating_mul(u32::from(self.config.health_max) + 1);
        let budget = Duration::from_micros(u64::from(request.budget_us)).min(longest);
        let addr = self.members.addr(target);
        let now = self.now();
        let origin = Origin { id: sender, addr: source, number: request.number };
        self.relays.open(place, origin, (request.target, addr), number, budget, now);
        self.stats.relayed += 1;
        self.ping(target, addr, number, Cargo::GOSSIP);
        Ok(())
    }

    /// The target of a ping on behalf of another answered. `false`: none such is open.
    pub(super) fn pass_on(&mut self, place: u16, number: u64, source: SocketAddr) -> bool {
        let Some(relayed) = self.relays.answer(place, number, source) else { return false };
        let origin = relayed.origin;
        let ack = RelayedAck { number: origin.number, target: relayed.target };
        self.send(origin.addr, &Message::RelayedAck(ack), self.gossip_for_origin(&origin));
        true
    }

    /// It was a member when it asked.
    fn gossip_for_origin(&self, origin: &Origin) -> Cargo<'static> {
        self.members.find(origin.id).map_or(Cargo::EMPTY, |slot| self.gossip_for(slot, origin.addr))
    }

    /// Tells origins that nothing was heard.
    pub(super) fn nack_silent(&mut self) {
        let now = self.now();
        while self.outbox.quantum_left() > 0
            && let Some(Due::Nack(origin)) = self.relays.due(now)
        {
            let cargo = self.gossip_for_origin(&origin);
            self.send(origin.addr, &Message::Nack(Nack { number: origin.number }), cargo);
        }
    }
}
