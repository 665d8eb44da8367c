//! The relay: pings on behalf of others (SWIM section 3.1, Lifeguard section IV-A).
//!
//! The origin says how much of its period is left, less the way back to it. At 80 % of that a relay that
//! heard nothing says so: the nack arrives while the origin is still waiting, and shows it that its own
//! receiving works. An ack that comes later still is passed on until the time is up.
//!
//! ```text
//!  ping-req ──▶ ping the target ──ack──▶ pass it on, done
//!                    └─ 80 % of the budget ─▶ nack ── 100 % ─▶ forget
//! ```
//!
//! The table is bounded, and so is each origin's share of it: only members may ask, only about members, and one member
//! cannot fill the table.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::Detector;
use crate::api::{DropReason, Handled, Instant, NodeId};
use crate::context::RequestKind;
use crate::group::{Group, Piggyback, Slot};
use crate::timers::Timer;
use crate::wire::{Datagram, Message, Nack, PingReq, RelayedAck};

/// Pings in flight for one origin: two probes' worth of attempts.
pub(crate) const RELAYED_PER_ORIGIN: usize = 4;

/// Who asked, and how it numbered its question.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) id: NodeId,
    #[serde(with = "crate::collections::serial::addr")]
    pub(crate) addr: SocketAddr,
    pub(crate) number: u64,
}

/// One ping on behalf of another member.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Relayed {
    pub(crate) origin: Origin,
    pub(crate) target: NodeId,
    #[serde(with = "crate::collections::serial::addr")]
    pub(crate) target_addr: SocketAddr,
    /// The number of our own ping.
    pub(crate) number: u64,
    nack_at: Instant,
    ends: Instant,
    nacked: bool,
}

impl Relayed {
    /// When the origin is owed a nack, or the ping is forgotten.
    const fn due_at(&self) -> Instant {
        if self.nacked { self.ends } else { self.nack_at }
    }
}

/// All of them, by index.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Relays(Vec<Option<Relayed>>);

impl Relays {
    /// The index for a ping on behalf of `origin`, or `None` if a bound is reached.
    pub(crate) fn room(&self, origin: SocketAddr, max: u16) -> Option<u16> {
        let Self(pings) = self;
        let open = pings.iter().flatten().count();
        let own = pings.iter().flatten().filter(|relayed| relayed.origin.addr == origin).count();
        if own >= RELAYED_PER_ORIGIN || open >= usize::from(max) {
            return None;
        }
        u16::try_from(pings.iter().position(Option::is_none).unwrap_or(pings.len())).ok()
    }

    /// Opens one at `index`, which `room` gave.
    pub(crate) fn open(
        &mut self,
        index: u16,
        origin: Origin,
        (target, target_addr): (NodeId, SocketAddr),
        number: u64,
        budget: Duration,
        now: Instant,
    ) {
        let Self(pings) = self;
        let index = usize::from(index);
        if pings.len() <= index {
            pings.resize(index + 1, None);
        }
        debug_assert!(pings[index].is_none(), "an open ping keeps its index");
        let wait = budget.saturating_mul(4) / 5;
        let (nack_at, ends) = (now.after(wait), now.after(budget));
        pings[index] = Some(Relayed { origin, target, target_addr, number, nack_at, ends, nacked: false });
    }

    /// The ping that `number` answers, removed; `None` if it is not open.
    pub(crate) fn answer(&mut self, index: u16, number: u64, source: SocketAddr) -> Option<Relayed> {
        let is_answered = |relayed: &mut Relayed| relayed.number == number && relayed.target_addr == source;
        self.0.get_mut(usize::from(index))?.take_if(is_answered)
    }

    /// The next origin that is owed a nack by `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Origin> {
        for entry in &mut self.0 {
            let Some(relayed) = entry.as_mut().filter(|relayed| relayed.due_at() <= now) else { continue };
            let (origin, was_nacked) = (relayed.origin, relayed.nacked);
            relayed.nacked = true;
            if relayed.ends <= now {
                *entry = None;
            }
            if !was_nacked {
                return Some(origin);
            }
        }
        None
    }

    /// When something is due next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.iter().flatten().map(Relayed::due_at).min()
    }

    /// Whether no more are open than may be, and each nack comes before its end.
    pub(super) fn is_sound(&self, max: u16) -> bool {
        let open = || self.0.iter().flatten();
        open().count() <= usize::from(max) && open().all(|relayed| relayed.nack_at <= relayed.ends)
    }
}

/// The relay's part of the detector.
impl Detector {
    /// A member asks this node to ping another: only members may, and only where they are held.
    pub(crate) fn on_ping_req(
        &mut self,
        group: &mut Group,
        datagram: &Datagram<'_>,
        request: PingReq,
    ) -> Handled {
        let Datagram { source, ref header, .. } = *datagram;
        let Some(target) = group.find_active(request.target).filter(|slot| *slot != Slot::ME) else {
            // A node that alone holds a member would take itself for isolated if it got no answer, each time.
            if request.target != group.cx.me.id {
                group.send(source, &Message::Nack(Nack { number: request.number }), Piggyback::GOSSIP);
            }
            return Err(DropReason::RelayTarget);
        };
        let index = self.relays.room(source, group.cx.config.relayed_max).ok_or(DropReason::RelayLimit)?;
        let number = group.cx.number(RequestKind::Relayed { index });
        let longest = group.cx.config.period.saturating_mul(u32::from(group.cx.config.health_max) + 1);
        let budget = Duration::from_micros(u64::from(request.budget_us)).min(longest);
        let addr = group.addr(target);
        let origin = Origin { id: header.sender, addr: source, number: request.number };
        self.relays.open(index, origin, (request.target, addr), number, budget, group.cx.now());
        self.arm_relays(group);
        group.cx.stats.relayed += 1;
        group.ping(target, addr, number, Piggyback::GOSSIP);
        Ok(())
    }

    /// The target of a ping on behalf of another answered. `false`: none such is open.
    pub(crate) fn on_relayed_answer(
        &mut self,
        group: &mut Group,
        index: u16,
        number: u64,
        source: SocketAddr,
    ) -> bool {
        let Some(relayed) = self.relays.answer(index, number, source) else { return false };
        self.arm_relays(group);
        let Relayed { origin, target, .. } = relayed;
        let ack = RelayedAck { number: origin.number, target };
        group.send(origin.addr, &Message::RelayedAck(ack), gossip_for(group, &origin));
        true
    }

    /// Sends a nack to each origin whose target stayed silent.
    pub(crate) fn on_relay_timer(&mut self, group: &mut Group) {
        let now = group.cx.now();
        while group.cx.outbox.budget_left() > 0
            && let Some(origin) = self.relays.take_due(now)
        {
            let nack = Nack { number: origin.number };
            group.send(origin.addr, &Message::Nack(nack), gossip_for(group, &origin));
        }
        self.arm_relays(group);
    }

    fn arm_relays(&self, group: &mut Group) {
        group.cx.timers.set(Timer::Relay, self.relays.deadline());
    }
}

/// It was a member when it asked.
fn gossip_for(group: &Group, origin: &Origin) -> Piggyback<'static> {
    group.find(origin.id).map_or(Piggyback::EMPTY, |slot| group.gossip_for(slot, origin.addr))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_millis(500);

    fn addr(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 7946))
    }

    fn asker(last: u8) -> Origin {
        Origin { id: NodeId(u64::from(last)), addr: addr(last), number: 77 }
    }

    fn open(relays: &mut Relays, origin: u8, number: u64) -> Option<u16> {
        let index = relays.room(addr(origin), 6)?;
        relays.open(index, asker(origin), (NodeId(9), addr(9)), number, BUDGET, Instant::ORIGIN);
        Some(index)
    }

    #[test]
    fn a_nack_is_due_at_four_fifths_and_an_ack_is_still_passed_on_after_it() {
        let mut relays = Relays::default();
        let index = open(&mut relays, 1, 5).expect("there is room");
        assert_eq!(relays.deadline(), Some(Instant::from_millis(400)));
        assert_eq!(relays.take_due(Instant::from_millis(399)), None);
        let nack = asker(1);
        assert_eq!(relays.take_due(Instant::from_millis(400)), Some(nack));
        assert_eq!(relays.take_due(Instant::from_millis(450)), None);
        assert!(relays.answer(index, 5, addr(9)).is_some());
        assert_eq!(relays.deadline(), None);
    }

    #[test]
    fn a_ping_without_an_answer_is_forgotten() {
        let mut relays = Relays::default();
        let index = open(&mut relays, 1, 5).expect("there is room");
        assert!(relays.take_due(Instant::from_millis(500)).is_some(), "late, but not silent");
        assert_eq!(relays.take_due(Instant::from_millis(500)), None);
        assert!(relays.answer(index, 5, addr(9)).is_none());
    }

    #[test]
    fn an_answer_needs_the_right_number_and_the_right_source() {
        let mut relays = Relays::default();
        let index = open(&mut relays, 1, 5).expect("there is room");
        assert!(relays.answer(index, 6, addr(9)).is_none());
        assert!(relays.answer(index, 5, addr(8)).is_none());
        assert!(relays.answer(index + 1, 5, addr(9)).is_none());
        assert!(relays.answer(index, 5, addr(9)).is_some());
    }

    #[test]
    fn one_origin_cannot_fill_the_table_and_all_together_cannot_exceed_it() {
        let mut relays = Relays::default();
        for number in 0..4 {
            assert!(open(&mut relays, 1, number).is_some());
        }
        assert!(open(&mut relays, 1, 5).is_none());
        assert!(open(&mut relays, 2, 6).is_some());
        assert!(open(&mut relays, 3, 7).is_some());
        assert!(open(&mut relays, 4, 8).is_none());
    }
}
