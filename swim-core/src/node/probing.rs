//! The period: ping, retry, ask relays, be a relay, accuse.
//!
//! One member is probed in each period (`probe.rs` keeps the book); the end of one probe and the beginning
//! of the next are one wake-up, and everything that can wait (healing, tombstones, looking for the
//! cluster again) rides on it. At rest that is the only timer a node has.

use core::net::SocketAddr;
use core::time::Duration;

use super::{Core, Detector};
use super::table::Timer;
use super::telling::Cargo;
use crate::claim::{Claim, Status};
use crate::identity::NodeId;
use crate::members::{SAMPLE_MAX, Slot};
use crate::numbers::{self, Question};
use crate::output::Event;
use crate::probe::{Probe, Step, Timing, Verdict};
use crate::random::Purpose;
use crate::relay::{Due, Origin};
use crate::rtt::smooth;
use crate::stats::DropReason;
use crate::wire::{Accusers, Message, Nack, PingReq, RelayedAck};


/// The prober.
impl Detector {
    /// Ends the last period and begins the next.
    pub(super) fn end_period(&mut self, core: &mut Core) {
        if core.cx.doubt.listen(core.n().saturating_sub(1), core.cx.direct_timeout()) {
            core.cx.stats.deaf_spells += 1;
            core.cx.health.worsen(1);
            core.arm_suspicions();
            core.cx.event(Event::Deaf { deaf: true });
        }
        self.conclude(core);
        self.period_at = Some(core.cx.now().after(core.cx.period()));
    }

    /// Begins the next one.
    pub(super) fn begin_period(&mut self, core: &mut Core) {
        let now = core.cx.now();
        let (period, direct_timeout) = (core.cx.period(), core.cx.direct_timeout());
        let streams = &mut core.cx.streams;
        let target = core.members.next_target(&mut |n| streams.below(Purpose::ProbeOrder, n));
        let Some(target) = target else { return };
        let timing = Timing {
            period,
            direct_timeout,
            retries: core.cx.config.retries,
            rtt: Self::rtt(core, target).filter(|_| core.cx.config.adaptive),
        };
        let (id, addr) = (core.members.id(target), core.members.addr(target));
        let random = if mutant!(NumberReused) { core.cx.me.id.0 << 16_u32 } else { core.cx.number() };
        let epoch = core.members.claim(target).epoch;
        self.probe = Some(Probe::begin(target, (id, addr, epoch), random, timing, now));
        core.cx.stats.probes += 1;
        core.cx.doubt.ask(1);
        self.attempt(core, target, addr, random, 0);
        self.arm_step(core);
    }

    /// Takes the probe's next step.
    pub(super) fn step_probe(&mut self, core: &mut Core) {
        let now = core.cx.now();
        let Some(probe) = &mut self.probe else { return };
        let (target, id, addr) = (probe.target, probe.target_id, probe.target_addr);
        let random = probe.number_random();
        match probe.step(now) {
            Some(Step::Retry { attempt }) if core.members.is_at(target, id) => {
                core.cx.stats.retries += 1;
                self.attempt(core, target, addr, random, attempt);
            }
            Some(Step::AskRelays) => self.ask_relays(core, target, id, random),
            Some(Step::Retry { .. }) | None => {}
        }
        self.arm_step(core);
    }

    fn attempt(&mut self, core: &mut Core, target: Slot, addr: SocketAddr, random: u64, attempt: u8) {
        let number = numbers::compose(random, Question::Probe { attempt });
        let cargo = core.gossip_for(target, addr);
        if !core.ping(target, addr, number, cargo)
            && let Some(probe) = &mut self.probe
        {
            probe.undelivered(addr);
        }
    }

    fn ask_relays(&mut self, core: &mut Core, target: Slot, target_id: NodeId, random: u64) {
        let mut found = [Slot::ME; SAMPLE_MAX];
        let (streams, members) = (&mut core.cx.streams, &core.members);
        let count = members.sample(
            &mut |n| streams.below(Purpose::Relays, n),
            &mut found,
            usize::from(core.cx.config.relays),
            |slot| {
                (slot != target || mutant!(TargetAskedAsRelay)) && members.claim(slot).status == Status::Alive
            },
        );
        if core.cx.config.nacks {
            core.cx.doubt.ask(count as u8);
        }
        let number = numbers::compose(random, Question::Probe { attempt: 0 });
        for relay in &found[..count] {
            let addr = core.members.addr(*relay);
            let Some(probe) = &mut self.probe else { return };
            probe.add_relay(addr);
            let left = probe.ends().since(core.cx.doubt.awake());
            let budget = left.saturating_sub(Self::rtt(core, *relay).unwrap_or_default());
            let budget_us = u32::try_from(budget.as_micros()).unwrap_or(u32::MAX);
            let request = PingReq { target: target_id, number, budget_us };
            core.cx.stats.relays_asked += 1;
            core.send(addr, &Message::PingReq(request), Cargo::GOSSIP);
        }
    }

    /// The target itself answered; `Ok(false)`: this is not an answer to the open probe.
    pub(super) fn hear_probe_ack(
        &mut self,
        core: &mut Core,
        source: SocketAddr,
        sender: NodeId,
        number: u64,
        attempt: u8,
    ) -> Result<bool, DropReason> {
        let now = core.cx.now();
        let Some(probe) = &mut self.probe else { return Ok(false) };
        if !probe.knows(number, attempt) || probe.target_id != sender {
            return Ok(false);
        }
        // Forgotten within the period, it has no slot, or another's.
        let target = core.members.find_at(probe.target, sender);
        if source != probe.target_addr && !mutant!(AckFromAnywhere) {
            if let Some(target) = target {
                core.tell_wrong_source(target, source);
            }
            if !core.cx.config.accept_wrong_source {
                return Err(DropReason::WrongSource);
            }
        }
        let Some(probe) = &mut self.probe else { return Ok(false) };
        let Some(rtt) = probe.answer(attempt, now) else { return Ok(true) };
        self.arm_step(core);
        core.cx.stats.probes_answered += 1;
        if !core.cx.doubt.doubts() {
            let measured = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX);
            core.cx.stats.rtt.record(measured);
            if let Some(target) = target {
                core.members.change_rtt_us(target, |held| smooth(held, measured));
            }
        }
        Ok(true)
    }

    pub(super) fn hear_relayed_ack(&mut self, core: &mut Core, source: SocketAddr, ack: RelayedAck) -> Result<(), DropReason> {
        let Some(probe) = &mut self.probe else { return Err(DropReason::UnexpectedAnswer) };
        let answered = probe.is_answered();
        let ours = probe.knows(ack.number, 0) && probe.target_id == ack.target;
        if !ours || !probe.answer_by_relay(source) {
            return Err(DropReason::UnexpectedAnswer);
        }
        self.arm_step(core);
        core.cx.stats.probes_answered_by_relay += u64::from(!answered);
        Ok(())
    }

    pub(super) fn hear_nack(&mut self, core: &mut Core, source: SocketAddr, nack: Nack) -> Result<(), DropReason> {
        let Some(probe) = &mut self.probe else { return Err(DropReason::UnexpectedAnswer) };
        if !probe.knows(nack.number, 0) || !probe.nack(source) {
            return Err(DropReason::UnexpectedAnswer);
        }
        core.cx.stats.nacks_received += 1;
        Ok(())
    }

    pub(super) fn on_undelivered(&mut self, core: &mut Core, target: SocketAddr) {
        if let Some(probe) = &mut self.probe {
            probe.undelivered(target);
        }
    }

    /// Judges the probe that ends now (Lifeguard section IV-A).
    fn conclude(&mut self, core: &mut Core) {
        let Some(probe) = &self.probe else { return };
        match probe.verdict() {
            Verdict::Answered => core.cx.health.improve(),
            Verdict::NeverSent => core.cx.stats.probes_excused += 1,
            Verdict::Failed { .. } if core.cx.doubt.doubts() => core.cx.stats.probes_excused += 1,
            Verdict::Failed { relays, silent } => {
                core.cx.stats.probes_failed += 1;
                let forgiven = core.cx.config.nacks_forgive && core.cx.config.nacks && relays > 0 && silent == 0;
                if !forgiven {
                    core.cx.health.worsen(1 + u8::from(core.cx.config.nacks && silent > 0));
                }
                // Whoever began another life meanwhile, or moved, was not the one who was asked.
                let same = core.members.is_at(probe.target, probe.target_id)
                    && core.members.claim(probe.target).epoch == probe.target_epoch
                    && core.members.addr(probe.target) == probe.target_addr;
                if same {
                    self.accuse(core, probe.target);
                }
            }
        }
        self.probe = None;
        self.arm_step(core);
    }

    fn arm_step(&self, core: &mut Core) {
        core.cx.timers.set(Timer::ProbeStep, self.probe.as_ref().and_then(Probe::next_at));
    }

    fn arm_relays(&self, core: &mut Core) {
        core.cx.timers.set(Timer::Relay, self.relays.deadline());
    }

    fn accuse(&mut self, core: &mut Core, target: Slot) {
        let held = core.members.claim(target);
        match held.status {
            Status::Alive => {
                let accusers = Accusers::new(core.cx.me.id);
                if core.suspect(target, Claim { status: Status::Suspect, ..held }, accusers) {
                    core.cx.stats.suspicions_raised += 1;
                }
            }
            Status::Suspect => {
                core.confirm(target, core.cx.me.id);
            }
            Status::Dead | Status::Left => {}
        }
    }

    fn rtt(core: &Core, slot: Slot) -> Option<Duration> {
        core.members.rtt_us(slot).map(|us| Duration::from_micros(u64::from(us)))
    }
}

/// The relay.
impl Detector {
    /// A member asks us to ping another: only members, and only where we know them to be.
    pub(super) fn hear_ping_req(
        &mut self,
        core: &mut Core,
        source: SocketAddr,
        sender: NodeId,
        request: PingReq,
    ) -> Result<(), DropReason> {
        let target = core
            .members
            .find(request.target)
            .filter(|slot| *slot != Slot::ME && core.members.claim(*slot).status.is_active());
        let Some(target) = target else {
            // Whoever alone holds a member would take itself for deaf if nobody answered, each time.
            if core.cx.config.nacks && request.target != core.cx.me.id {
                core.send(source, &Message::Nack(Nack { number: request.number }), Cargo::GOSSIP);
            }
            return Err(DropReason::RelayTarget);
        };
        let place = self.relays.room(source).ok_or(DropReason::RelayLimit)?;
        let number = numbers::compose(core.cx.number(), Question::Relayed { place });
        let longest = core.cx.config.period.saturating_mul(u32::from(core.cx.config.health_max) + 1);
        let budget = Duration::from_micros(u64::from(request.budget_us)).min(longest);
        let addr = core.members.addr(target);
        let now = core.cx.now();
        let origin = Origin { id: sender, addr: source, number: request.number };
        self.relays.open(place, origin, (request.target, addr), number, budget, now);
        self.arm_relays(core);
        core.cx.stats.relayed += 1;
        core.ping(target, addr, number, Cargo::GOSSIP);
        Ok(())
    }

    /// The target of a ping on behalf of another answered. `false`: none such is open.
    pub(super) fn pass_on(&mut self, core: &mut Core, place: u16, number: u64, source: SocketAddr) -> bool {
        let Some(relayed) = self.relays.answer(place, number, source) else { return false };
        self.arm_relays(core);
        let origin = relayed.origin;
        let ack = RelayedAck { number: origin.number, target: relayed.target };
        core.send(origin.addr, &Message::RelayedAck(ack), Self::gossip_for_origin(core, &origin));
        true
    }

    /// It was a member when it asked.
    fn gossip_for_origin(core: &Core, origin: &Origin) -> Cargo<'static> {
        core.members.find(origin.id).map_or(Cargo::EMPTY, |slot| core.gossip_for(slot, origin.addr))
    }

    /// Tells origins that nothing was heard.
    pub(super) fn nack_silent(&mut self, core: &mut Core) {
        let now = core.cx.now();
        while core.cx.outbox.quantum_left() > 0
            && let Some(Due::Nack(origin)) = self.relays.due(now)
        {
            let cargo = Self::gossip_for_origin(core, &origin);
            core.send(origin.addr, &Message::Nack(Nack { number: origin.number }), cargo);
        }
        self.arm_relays(core);
    }
}
