//! What this node holds of the group, itself included, and the only place where that changes.
//!
//! A claim arrives in gossip, in a header, in a page, or is made by this node's own probes. Here it is compared with what
//! is held, and either it is old or everything that follows from it happens at once: the table, the suspicion, the
//! event, the gossip about it.
//!
//! ```text
//!  updates, headers ──▶ claims.rs ──▶ members/ (table, probe list, tombstones, digest)
//!  claims about me ───▶ myself.rs ──▶ refutation, a new epoch
//!  own probes ────────▶ suspicion.rs ──▶ Suspect … Dead
//!                           each of them ──▶ gossip/ (what is still to be sent) ──▶ datagrams.rs ──▶ outbox
//! ```
//!
//! Mechanisms (`detector/`, `handshake/`, …) are handed the group, read it, and call what is here.

mod broadcasts;
mod claims;
mod datagrams;
pub(crate) mod digest;
mod gossip;
mod members;
mod myself;
pub(crate) mod scale;
mod suspicion;

use alloc::collections::VecDeque;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::api::{
    Claim, Config, Epoch, Event, Identity, Incarnation, Instant, NodeId, Refusal, Stats, Status,
};
use crate::context::{Context, Stream, Streams};
use crate::timers::Timer;
use broadcasts::Broadcasts;
pub(crate) use claims::{Absorbed, OUTDATED_MAX};
pub(crate) use datagrams::{Piggyback, Rare, row_len};
use gossip::Updates;
use members::Sample;
pub(crate) use members::{Members, SAMPLE_MAX, Slot};
pub(crate) use suspicion::SuspicionTimeout;
use suspicion::Suspicions;

/// Suspicions that time out, and tombstones that are forgotten, in one `handle`.
const EXPIRIES_MAX: u32 = 64;
/// Addresses of forgotten members that are kept.
const FORGOTTEN_MAX: usize = 16;

/// Another node that claims this node's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Namesake {
    #[serde(with = "crate::collections::serial::addr")]
    pub(crate) addr: SocketAddr,
    pub(crate) epoch: Epoch,
    pub(crate) incarnation: Incarnation,
}

/// All that is held of the group.
#[derive(Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) cx: Context,
    members: Members,
    suspicions: Suspicions,
    /// For this number of members.
    suspicion_timeout: (u32, SuspicionTimeout),
    updates: Updates,
    broadcasts: Broadcasts,
    broadcasts_first: bool,
    gossiped_at: Instant,
    /// When an accusation by an inactive member was refuted last.
    refuted_inactive_at: Option<Instant>,
    /// Addresses of Dead members whose tombstones are gone.
    #[serde(with = "crate::collections::serial::addrs")]
    forgotten: VecDeque<SocketAddr>,
    /// A mailbox: noticed while updates are applied, and taken right after.
    namesake: Option<Namesake>,
}

impl Group {
    /// A group of this node alone.
    pub(crate) fn new(mut cx: Context) -> Self {
        let now = cx.now();
        let members = empty_table(&mut cx.streams, &cx.config, cx.me, now);
        let broadcasts_max = usize::from(cx.config.broadcasts_max);
        let broadcasts = Broadcasts::new(cx.me.id, broadcasts_max);
        let timeout = SuspicionTimeout::new(&cx.config, 1);
        cx.clock.set_longest_suspicion(timeout.longest());
        Self {
            cx,
            members,
            suspicions: Suspicions::default(),
            suspicion_timeout: (1, timeout),
            updates: Updates::new(),
            broadcasts,
            broadcasts_first: false,
            gossiped_at: now,
            refuted_inactive_at: None,
            forgotten: VecDeque::new(),
            namesake: None,
        }
    }

    /// Takes these for Alive members, as if all had joined long ago.
    pub(crate) fn assume(&mut self, members: impl Iterator<Item = Identity>) {
        let now = self.cx.now();
        for Identity { id, addr, epoch } in members {
            let claim = Claim { epoch, incarnation: Incarnation(0), status: Status::Alive };
            if self.members.find(id).is_none() {
                self.members.insert(id, addr, claim, now);
            }
        }
    }

    /// Forgets all members but this node. Returns how many there were.
    pub(crate) fn start_over(&mut self) -> u32 {
        let now = self.cx.now();
        let forgotten = self.members.slots().count() as u32 - 1;
        let mut members = empty_table(&mut self.cx.streams, &self.cx.config, self.cx.me, now);
        members.start_over_from(&self.members, now);
        self.members = members;
        self.suspicions = Suspicions::default();
        self.arm_suspicions();
        self.updates = Updates::new();
        debug_assert_eq!(self.n(), u32::from(self.status(Slot::ME).is_active()), "only this node is left");
        debug_assert_eq!(self.unsound_part(), None, "a group that starts over contradicts itself nowhere");
        forgotten
    }

    /// Forgets tombstones that have expired, or that are too many.
    pub(crate) fn forget_tombstones(&mut self) {
        let now = self.cx.now();
        for _ in 0..EXPIRIES_MAX {
            let Some(gone) = self.members.forget_expired(now) else { return };
            if let Some(index) = gone.queue {
                self.updates.remove(index);
            }
            self.broadcasts.forget(gone.id);
            self.arm_asks();
            if gone.status == Status::Dead {
                remember(&mut self.forgotten, gone.addr);
            }
            self.cx.event(Event::Forgotten { id: gone.id });
        }
    }

    /// Whether there are more tombstones than there may be.
    #[inline]
    pub(crate) fn has_surplus(&self) -> bool {
        let tombstones = self.members.count(Status::Dead) + self.members.count(Status::Left);
        tombstones > self.cx.config.tombstones_max
    }

    /// A member is at `addr`: its address is not a forgotten one any longer.
    pub(crate) fn on_found(&mut self, addr: SocketAddr) {
        self.forgotten.retain(|held| *held != addr);
    }

    /// This node says goodbye.
    pub(crate) fn say_goodbye(&mut self) {
        let claim = Claim { status: Status::Left, ..self.claim(Slot::ME) };
        self.members.set_claim(Slot::ME, claim, false, self.cx.now());
        self.enqueue_myself();
    }

    /// An operator removes a member that does not answer.
    pub(crate) fn remove(&mut self, target: NodeId) -> Result<(), Refusal> {
        let slot = self.members.find(target).ok_or(Refusal::NoSuchMember)?;
        let held = self.claim(slot);
        if !matches!(held.status, Status::Suspect | Status::Dead) {
            return Err(Refusal::NoSuchMember);
        }
        self.mark_left(slot, Claim { status: Status::Left, ..held }, self.cx.me.id);
        Ok(())
    }

    /// The next member to probe. `None` if the node is alone.
    pub(crate) fn next_target(&mut self) -> Option<Slot> {
        let streams = &mut self.cx.streams;
        let target = self.members.next_target(&mut |n| streams.below(Stream::ProbeOrder, n));
        debug_assert!(
            target.is_none_or(|slot| self.status(slot).is_active()),
            "only active members are probed"
        );
        debug_assert!(target != Some(Slot::ME), "a node does not probe itself");
        target
    }

    /// The round trip of a ping to the member was measured.
    pub(crate) fn on_rtt(&mut self, slot: Slot, smoothed: impl FnOnce(Option<u32>) -> u32) {
        self.members.change_rtt_us(slot, smoothed);
    }

    /// Up to `k` different other members that `accept` likes, at random.
    #[inline]
    pub(crate) fn sample(
        &mut self,
        stream: Stream,
        k: usize,
        accept: impl Fn(&Members, Slot) -> bool,
    ) -> Sample {
        debug_assert!(k <= SAMPLE_MAX, "a sample is bounded");
        let (streams, members) = (&mut self.cx.streams, &self.members);
        members.sample(&mut |n| streams.below(stream, n), k, |slot| accept(members, slot))
    }

    /// One of the `latest` that died, at random.
    pub(crate) fn sample_tombstone(&mut self, stream: Stream, latest: u32) -> Option<Slot> {
        let streams = &mut self.cx.streams;
        self.members.sample_tombstone(&mut |n| streams.below(stream, n), latest)
    }

    /// The node that was found to claim this node's id, once.
    #[inline]
    pub(crate) fn take_namesake(&mut self) -> Option<Namesake> {
        self.namesake.take()
    }

    /// The table, to read.
    #[inline]
    pub(crate) const fn members(&self) -> &Members {
        &self.members
    }

    /// Alive and Suspect members, this node included.
    pub(crate) const fn n(&self) -> u32 {
        self.members.len_active()
    }

    #[inline]
    pub(crate) fn find(&self, id: NodeId) -> Option<Slot> {
        self.members.find(id)
    }

    /// The Alive or Suspect member with this id.
    pub(crate) fn find_active(&self, id: NodeId) -> Option<Slot> {
        self.members.find(id).filter(|slot| self.status(*slot).is_active())
    }

    #[inline]
    pub(crate) fn id(&self, slot: Slot) -> NodeId {
        self.members.id(slot)
    }

    #[inline]
    pub(crate) fn addr(&self, slot: Slot) -> SocketAddr {
        self.members.addr(slot)
    }

    #[inline]
    pub(crate) fn claim(&self, slot: Slot) -> Claim {
        self.members.claim(slot)
    }

    #[inline]
    pub(crate) fn status(&self, slot: Slot) -> Status {
        self.members.status(slot)
    }

    /// This node's own incarnation.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.members.claim(Slot::ME).incarnation
    }

    /// This node's epoch and incarnation.
    pub(crate) fn my_stamp(&self) -> (Epoch, Incarnation) {
        (self.cx.me.epoch, self.incarnation())
    }

    /// Addresses of forgotten members.
    pub(crate) const fn forgotten(&self) -> &VecDeque<SocketAddr> {
        &self.forgotten
    }

    /// The digest of everything that this node holds; 0 if there is no anti-entropy.
    #[inline]
    pub(crate) fn digest_root(&self) -> u64 {
        if self.cx.config.sync_interval_max.is_some() { self.members.digest_root() } else { 0 }
    }

    /// Counters and gauges.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.cx.stats;
        [stats.alive, stats.suspect, stats.dead, stats.left] =
            [Status::Alive, Status::Suspect, Status::Dead, Status::Left]
                .map(|status| self.members.count(status));
        stats.updates_queued = self.updates.len();
        stats.broadcasts_queued = self.broadcasts.len();
        stats.health = self.cx.health.multiplier();
        stats
    }

    /// Users' bytes, to change.
    pub(crate) fn map_payloads(&mut self, change: &mut dyn FnMut(&mut [u8])) {
        self.members.metadata_mut().chain(self.broadcasts.payloads_mut()).for_each(&mut *change);
        self.cx.outbox.map_payloads(change);
    }

    /// After loading: makes anew what follows from what was saved.
    pub(crate) fn rebuild(&mut self) {
        self.members.rebuild();
        self.suspicions.rebuild();
    }

    /// Whether its timers are armed as its queues say, while this node takes part. A suspicion that is overdue is due
    /// now.
    pub(crate) fn is_armed(&self) -> bool {
        let Context { timers, clock, .. } = &self.cx;
        let suspicion =
            self.suspicions.deadline().map(|at| clock.when_suspicion_time(at).max(clock.node_time()));
        self.cx.is_stopped()
            || timers.is_set_to(Timer::Suspicion, suspicion)
                && timers.is_set_to(Timer::Gossip, self.gossip_at())
                && timers.is_set_to(Timer::Ask, self.broadcasts.ask_at())
    }

    /// The part that contradicts itself or another part, if one does.
    pub(crate) fn unsound_part(&self) -> Option<&'static str> {
        let parts = [
            ("members", self.members.is_sound()),
            ("suspicions", self.suspicions.is_sound(&self.members)),
            ("updates", self.updates.is_sound(&self.members)),
            ("broadcasts", self.broadcasts.is_sound()),
            ("context", self.cx.is_sound()),
            ("own claim", self.claim(Slot::ME).epoch == self.cx.me.epoch),
        ];
        parts.iter().find(|(_, is_sound)| !is_sound).map(|(part, _)| *part)
    }

    /// Looks at what every input looks at.
    pub(crate) fn touch(&self) -> u64 {
        let queued =
            self.updates.len() ^ self.broadcasts.len() ^ self.suspicion_timeout.0 ^ self.incarnation().0;
        let stats = self.cx.stats.datagrams_received ^ self.cx.stats.probes ^ self.cx.stats.clock_backwards;
        let times = self.cx.clock.suspicion_time().as_nanos() ^ self.gossiped_at.as_nanos();
        u64::from(queued) ^ stats ^ times ^ self.members.touch()
    }
}

fn empty_table(streams: &mut Streams, config: &Config, me: Identity, now: Instant) -> Members {
    let key = streams.next_u64(Stream::Secrets);
    Members::new(key, me, config.members_max, config.tombstones_max, config.tombstone_life, now)
}

/// Keeps an address; of too many the oldest goes.
fn remember(forgotten: &mut VecDeque<SocketAddr>, addr: SocketAddr) {
    if forgotten.contains(&addr) {
        return;
    }
    if forgotten.len() >= FORGOTTEN_MAX {
        forgotten.pop_front();
    }
    forgotten.push_back(addr);
    debug_assert!(forgotten.len() <= FORGOTTEN_MAX, "the forgotten addresses are bounded");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_addresses_of_forgotten_members_are_kept_each_once_and_the_oldest_goes() {
        let mut forgotten = VecDeque::new();
        let addr = |last| SocketAddr::from(([10, 0, 0, last], 7946));
        for last in (1..=20).chain([20]) {
            remember(&mut forgotten, addr(last));
        }
        assert!(forgotten.into_iter().eq((5..=20).map(addr)));
    }
}
