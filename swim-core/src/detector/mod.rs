//! The failure detector (SWIM section 3.1, Lifeguard section IV-A): one member is probed in each period.
//!
//! The end of one probe and the beginning of the next are one wake-up; everything that can wait happens on it. At rest
//! that is the only timer a node has.
//!
//! | file | what |
//! | --- | --- |
//! | here | the period: ping, retry, ask relays, accuse |
//! | `probe.rs` | the state of the open probe |
//! | `relays.rs` | pinging on behalf of others |
//! | `isolation.rs` | whether this node hears anything at all |
//! | `bound.rs` | how long detection takes at most |
//!
//! Local health is in `context/health.rs`, for all timeouts depend on it; what follows from an accusation is in
//! `group/suspicion.rs`.

mod bound;
mod isolation;
mod probe;
mod relays;

use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{Config, DropReason, Event, Handled, NodeId, Status};
use crate::context::{Context, RequestKind, Stream};
use crate::group::{Group, Piggyback, Slot};
use crate::timers::{Timer, Timers};
use crate::wire::{Datagram, Message, Nack, PingReq, RelayedAck};
use isolation::Isolation;
use probe::{Probe, ProbeOutcome, Step, Timing};
use relays::Relays;

/// The probe of the period, pings on behalf of others, and whether anything is heard.
#[derive(Serialize, Deserialize)]
pub(crate) struct Detector {
    probe: Option<Probe>,
    relays: Relays,
    isolation: Isolation,
}

impl Detector {
    pub(crate) fn new(cx: &Context) -> Self {
        Self {
            probe: None,
            relays: Relays::default(),
            isolation: Isolation::new(cx.config.self_doubt, cx.now()),
        }
    }

    /// Begins with periods, at a random time within the first one, or ends with them.
    #[inline]
    pub(crate) fn schedule(&mut self, group: &mut Group, wanted: bool) {
        let cx = &mut group.cx;
        if !wanted {
            cx.timers.set(Timer::Period, None);
        } else if cx.timers.get(Timer::Period).is_none() {
            let first = cx.jittered(cx.period());
            cx.timers.set(Timer::Period, Some(cx.now().after(first)));
        }
    }

    /// Gives the open probe up.
    pub(crate) fn stop_probe(&mut self, group: &mut Group) {
        self.probe = None;
        self.arm_step(group);
    }

    /// Ends the last period.
    pub(crate) fn end_period(&mut self, group: &mut Group) {
        let (others, direct_timeout) = (group.n().saturating_sub(1), group.cx.direct_timeout());
        let refused = self.probe.as_ref().is_some_and(Probe::is_refused);
        if self.isolation.on_period(&mut group.cx.clock, others, direct_timeout, refused) {
            group.cx.stats.isolations += 1;
            group.cx.health.worsen(1);
            group.arm_suspicions();
            group.cx.event(Event::Isolated { isolated: true });
        }
        self.conclude(group);
        let next = group.cx.now().after(group.cx.period());
        group.cx.timers.set(Timer::Period, Some(next));
    }

    /// Begins the next one.
    pub(crate) fn begin_period(&mut self, group: &mut Group) {
        debug_assert!(self.probe.is_none(), "the last period was ended");
        let (period, direct_timeout) = (group.cx.period(), group.cx.direct_timeout());
        let Some(target) = group.next_target() else { return };
        let timing = Timing { period, direct_timeout, retries: group.cx.config.retries };
        let (id, addr, epoch) = (group.id(target), group.addr(target), group.claim(target).epoch);
        let number = group.cx.number(RequestKind::Probe { attempt: 0 });
        self.probe = Some(Probe::begin(target, (id, addr, epoch), number, timing, group.cx.now()));
        group.cx.stats.probes += 1;
        self.isolation.on_asked(1);
        self.attempt(group, target, addr, number);
        self.arm_step(group);
    }

    /// Takes the probe's next step.
    pub(crate) fn on_step_timer(&mut self, group: &mut Group) {
        let now = group.cx.now();
        let Some(probe) = &mut self.probe else { return };
        let (target, id, addr) = (probe.target, probe.target_id, probe.target_addr);
        match probe.step(now) {
            Some(Step::Retry { attempt }) if group.members().is_at(target, id) => {
                let number = probe.number(attempt);
                group.cx.stats.retries += 1;
                self.attempt(group, target, addr, number);
            }
            Some(Step::AskRelays) => self.ask_relays(group),
            Some(Step::Retry { .. }) | None => {}
        }
        self.arm_step(group);
    }

    fn attempt(&mut self, group: &mut Group, target: Slot, addr: SocketAddr, number: u64) {
        let piggyback = group.gossip_for(target, addr);
        if !group.ping(target, addr, number, piggyback) {
            self.on_undelivered(addr);
        }
    }

    fn ask_relays(&mut self, group: &mut Group) {
        let Some(probe) = &mut self.probe else { return };
        let (target, number) = (probe.target, probe.number(0));
        let relays = usize::from(group.cx.config.relays);
        let relays = group.sample(Stream::Relays, relays, |members, slot| {
            slot != target && members.status(slot) == Status::Alive
        });
        self.isolation.on_asked(relays.len() as u8);
        debug_assert!(relays.len() <= probe::RELAYS_MAX, "the relays of a probe are bounded");
        for relay in relays {
            let addr = group.addr(relay);
            debug_assert!(relay != target && relay != Slot::ME, "a relay is a third member");
            probe.add_relay(addr);
            let left = probe.ends().since(group.cx.now());
            let budget = left.saturating_sub(rtt(group, relay).unwrap_or_default());
            let budget_us = u32::try_from(budget.as_micros()).unwrap_or(u32::MAX);
            let request = PingReq { target: probe.target_id, number, budget_us };
            group.cx.stats.relays_asked += 1;
            group.send(addr, &Message::PingReq(request), Piggyback::GOSSIP);
        }
    }

    /// Where the member with this id is held: probably it is the target of the probe.
    #[inline]
    pub(crate) fn find(&self, group: &Group, id: NodeId) -> Option<Slot> {
        match &self.probe {
            Some(probe) if probe.target_id == id => group.members().find_at(probe.target, id),
            _ => group.find(id),
        }
    }

    /// A member was heard.
    #[inline]
    pub(crate) fn on_heard(&mut self, group: &mut Group) {
        let (health, config) = (group.cx.health, &group.cx.config);
        if self.isolation.on_heard(&mut group.cx.clock, || health.scale(config.direct_timeout)) {
            group.arm_suspicions();
            group.cx.event(Event::Isolated { isolated: false });
        }
    }

    /// A ping was answered by its target; `Ok(false)`: not one of the open probe.
    pub(crate) fn on_ack(
        &mut self,
        group: &mut Group,
        datagram: &Datagram<'_>,
        number: u64,
        attempt: u8,
    ) -> Handled<bool> {
        let (source, sender) = (datagram.source, datagram.header.sender);
        let Some(probe) = &mut self.probe else { return Ok(false) };
        if !probe.knows(number, attempt) || probe.target_id != sender {
            return Ok(false);
        }
        // Forgotten within the period, it has no slot, or another's.
        let target = group.members().find_at(probe.target, sender);
        if source != probe.target_addr {
            if let Some(target) = target {
                group.on_wrong_source(target, source);
            }
            if !group.cx.config.accept_wrong_source {
                return Err(DropReason::WrongSource);
            }
        }
        let Some(rtt) = probe.answer(attempt, group.cx.now()) else { return Ok(true) };
        self.arm_step(group);
        group.cx.stats.probes_answered += 1;
        if !group.cx.clock.is_frozen() {
            let measured = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX);
            group.cx.stats.rtts += 1;
            group.cx.stats.rtt_last_us = measured;
            if let Some(target) = target {
                group.on_rtt(target, |held| smooth(held, measured));
            }
        }
        Ok(true)
    }

    /// A relay says that the target answered.
    pub(crate) fn on_relayed_ack(
        &mut self,
        group: &mut Group,
        source: SocketAddr,
        ack: RelayedAck,
    ) -> Handled {
        let probe = self.probe.as_mut().filter(|probe| probe.knows(ack.number, 0));
        let probe =
            probe.filter(|probe| probe.target_id == ack.target).ok_or(DropReason::UnexpectedAnswer)?;
        let answered = probe.is_answered();
        if !probe.answer_by_relay(source) {
            return Err(DropReason::UnexpectedAnswer);
        }
        self.arm_step(group);
        group.cx.stats.probes_answered_by_relay += u64::from(!answered);
        Ok(())
    }

    /// A relay says that the target did not answer.
    pub(crate) fn on_nack(&mut self, group: &mut Group, source: SocketAddr, nack: Nack) -> Handled {
        let probe = self.probe.as_mut().filter(|probe| probe.knows(nack.number, 0));
        if !probe.ok_or(DropReason::UnexpectedAnswer)?.nack(source) {
            return Err(DropReason::UnexpectedAnswer);
        }
        group.cx.stats.nacks_received += 1;
        Ok(())
    }

    /// The operating system refused to send to `target`.
    pub(crate) fn on_undelivered(&mut self, target: SocketAddr) {
        if let Some(probe) = &mut self.probe {
            probe.undelivered(target);
        }
    }

    /// Whether `number` is that of a ping to the sender, at its source.
    pub(crate) fn has_asked(&self, datagram: &Datagram<'_>, number: u64, attempt: u8) -> bool {
        let asked = |probe: &&Probe| {
            (probe.target_id, probe.target_addr) == (datagram.header.sender, datagram.source)
        };
        self.probe.as_ref().filter(asked).is_some_and(|probe| probe.knows(number, attempt))
    }

    /// What follows from the probe that ends now (Lifeguard section IV-A).
    fn conclude(&mut self, group: &mut Group) {
        let Some(probe) = self.probe.take() else { return };
        let cx = &mut group.cx;
        match probe.outcome() {
            ProbeOutcome::Answered => cx.health.improve(),
            ProbeOutcome::Failed { .. } if self.isolation.excuses(&cx.clock) => cx.stats.probes_excused += 1,
            ProbeOutcome::Failed { relays, silent } => {
                cx.stats.probes_failed += 1;
                let forgiven = relays > 0 && silent == 0;
                if !forgiven {
                    cx.health.worsen(1 + u8::from(silent > 0));
                }
                // A member that began another epoch meanwhile, or moved, is not the one that was asked.
                let same = group.members().is_at(probe.target, probe.target_id)
                    && group.claim(probe.target).epoch == probe.target_epoch
                    && group.addr(probe.target) == probe.target_addr;
                if same {
                    group.accuse(probe.target);
                }
            }
        }
        self.arm_step(group);
    }

    fn arm_step(&self, group: &mut Group) {
        group.cx.timers.set(Timer::ProbeStep, self.probe.as_ref().and_then(Probe::next_at));
    }

    /// Whether it contradicts itself nowhere.
    pub(crate) fn is_sound(&self, config: &Config) -> bool {
        self.probe.as_ref().is_none_or(Probe::is_sound) && self.relays.is_sound(config.relayed_max)
    }

    /// Whether its timers are armed as its queues say.
    pub(crate) fn is_armed(&self, timers: &Timers) -> bool {
        timers.is_set_to(Timer::ProbeStep, self.probe.as_ref().and_then(Probe::next_at))
            && timers.is_set_to(Timer::Relay, self.relays.deadline())
    }

    /// Looks at what every input looks at.
    pub(crate) fn touch(&self) -> u64 {
        self.probe.as_ref().map_or(0, |probe| probe.target_id.0 ^ probe.ends().as_nanos())
    }
}

fn rtt(group: &Group, slot: Slot) -> Option<Duration> {
    group.members().rtt_us(slot).map(|us| Duration::from_micros(u64::from(us)))
}

/// The new smoothed round trip: an eighth of the way towards the measurement (RFC 6298).
const fn smooth(held_us: Option<u32>, measured_us: u32) -> u32 {
    match held_us {
        None => measured_us,
        Some(held) => ((held as u64 * 7 + measured_us as u64 + 4) / 8) as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smoothed_value_reaches_a_constant_measurement() {
        let mut held = Some(10_000);
        for _ in 0..100 {
            held = Some(smooth(held, 500));
        }
        assert!(held.is_some_and(|h| (500..=504).contains(&h)), "{held:?}");
    }
}
