//! Claims about other members, and what is done with a newer one.
//!
//! The order of claims (`api/claim.rs`) says which of two is newer. Three rules beyond it:
//!
//! 1. *Dead only over Suspect.* Another node's Dead about a member held Alive becomes a suspicion with the shortest
//!    timeout; about a suspect it shortens the timeout. So no member is marked Dead here that had not the time to refute
//!    here. Otherwise the first datagram after a partition would make each half mark its own active neighbours Dead,
//!    whom the other half has long called Dead.
//! 2. *Left by another node only over Suspect or Dead.* An operator removes what does not answer.
//! 3. *A header is first-hand.* Every datagram carries its sender's epoch and incarnation; newer ones than held are an
//!    Alive, but address and metadata of it are still to come: the member is *pending*, which the digest shows, so
//!    that they are fetched even if the gossip about it is missed.

use core::net::SocketAddr;

use super::members::{Flag, Slot};
use super::{Group, Namesake};
use crate::api::{Claim, DropReason, Event, NodeId, Status, canonical, is_reachable_form, supersedes};
use crate::wire::{About, Accusers, Body, Header, Message, Plain, Update, VERSION};

/// Newer claims that one answer sends back to the sender.
pub(crate) const OUTDATED_MAX: usize = 16;

/// What a datagram's gossip brought.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absorbed {
    /// Updates that were new here.
    pub(crate) news: u32,
    outdated: [Slot; OUTDATED_MAX],
    outdated_len: usize,
}

impl Absorbed {
    pub(crate) const NOTHING: Self = Self { news: 0, outdated: [Slot::ME; OUTDATED_MAX], outdated_len: 0 };

    /// Members that the sender called Alive and that are gone.
    pub(crate) fn outdated(&self) -> &[Slot] {
        &self.outdated[..self.outdated_len]
    }
}

/// What an update did here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    /// It was applied.
    News,
    /// It said nothing new.
    Known,
    /// It calls a member Alive that is known to be gone, or Dead that is known to have left: the sender gets the held
    /// claim.
    Outdated(Slot),
    /// It could not be used.
    Refused,
}

impl Group {
    /// Applies everything that is piggybacked on a datagram from `from`.
    #[inline]
    pub(crate) fn absorb(&mut self, body: &Body<'_>, from: NodeId) -> Absorbed {
        let mut absorbed = Absorbed::NOTHING;
        let mut updates = body.updates.clone();
        loop {
            self.cx.stats.updates_known += updates.pass(|said| self.is_held(said));
            let Some(update) = updates.next() else { break };
            match update.map(|update| self.apply(&update, from)) {
                Ok(Effect::News) => absorbed.news += 1,
                Ok(Effect::Outdated(slot)) if absorbed.outdated_len < OUTDATED_MAX => {
                    absorbed.outdated[absorbed.outdated_len] = slot;
                    absorbed.outdated_len += 1;
                }
                Ok(_) => {}
                Err(reason) => self.cx.stats.drop(reason),
            }
        }
        // In a pull they say what is asked for.
        let marks =
            if matches!(body.message, Message::BroadcastPull) { None } else { Some(body.marks.clone()) };
        for mark in marks.into_iter().flatten() {
            let handled = mark.and_then(|mark| self.on_mark(&mark, from));
            handled.unwrap_or_else(|reason| self.cx.stats.drop(reason));
        }
        for broadcast in body.broadcasts.clone() {
            let handled = broadcast.and_then(|record| self.on_broadcast(&record, from));
            handled.unwrap_or_else(|reason| self.cx.stats.drop(reason));
        }
        absorbed
    }

    /// Whether the update repeats exactly what is held, which is what gossip is mostly made of.
    /// [`apply`](Self::apply) would come to the same, by a longer way.
    #[inline]
    fn is_held(&self, said: &Plain) -> bool {
        let is_said = |slot| {
            slot != Slot::ME && self.members.holds_plain(slot, &claim(&said.about, Status::Alive), said.addr)
        };
        self.members.find(said.about.id).is_some_and(is_said)
            && said.versions == (VERSION, VERSION)
            && self.cx.is_plausible(said.about.epoch)
            && self.cx.me.addr != SocketAddr::V4(said.addr)
    }

    /// Applies one update that `from` sent.
    pub(crate) fn on_update(&mut self, update: &Update<'_>, from: NodeId) {
        self.apply(update, from);
    }

    fn apply(&mut self, update: &Update<'_>, from: NodeId) -> Effect {
        let about = *update.about();
        if !self.cx.is_plausible(about.epoch) {
            return self.refuse(DropReason::ClaimEpoch);
        }
        if about.id == self.cx.me.id {
            self.on_update_about_me(update, from);
            return Effect::Known;
        }
        let effect = match (self.members.find(about.id), update) {
            (_, Update::Alive { versions, .. }) if versions.0 > VERSION || versions.1 < VERSION => {
                self.refuse(DropReason::Version)
            }
            (slot, Update::Alive { addr, metadata, .. }) => {
                self.on_alive(slot, about, canonical(*addr), metadata)
            }
            (None, _) => self.refuse(DropReason::UnknownMember),
            (Some(slot), Update::Suspect { accusers, .. }) => self.on_suspect(slot, about, accusers),
            (Some(slot), Update::Dead { by, accuser, .. }) => self.on_dead(slot, about, *by, *accuser, from),
            (Some(slot), Update::Left { by, .. }) => self.on_left(slot, about, *by),
        };
        match effect {
            Effect::News => self.cx.stats.updates_applied += 1,
            Effect::Known | Effect::Outdated(_) => self.cx.stats.updates_known += 1,
            Effect::Refused => {}
        }
        effect
    }

    fn refuse(&mut self, reason: DropReason) -> Effect {
        self.cx.stats.drop(reason);
        Effect::Refused
    }

    fn on_alive(&mut self, slot: Option<Slot>, about: About, addr: SocketAddr, metadata: &[u8]) -> Effect {
        if !is_reachable_form(addr) || addr == self.cx.me.addr {
            return self.refuse(DropReason::ClaimAddress);
        }
        let new = claim(&about, Status::Alive);
        let Some(slot) = slot else { return self.admit(about.id, new, addr, metadata) };
        let held = self.claim(slot);
        let pending = self.members.flag(slot, Flag::Pending);
        let fills = held.stamp() == new.stamp() && pending && held.status.is_active();
        // Two nodes with one id and one epoch: all members must take the same side until the two settle it.
        let rival = held == new && addr > self.addr(slot);
        if !fills && !rival && !supersedes(&held, &new) {
            return if held.status.is_active() { Effect::Known } else { Effect::Outdated(slot) };
        }
        let changed = self.addr(slot) != addr || self.members.metadata(slot) != metadata;
        if !self.mark_alive(slot, if fills { held } else { new }, Some(addr)) {
            return Effect::Refused;
        }
        self.members.set_metadata(slot, metadata);
        if changed && held.status.is_active() && held.epoch == new.epoch {
            self.cx.event(Event::Updated { id: about.id, addr });
        }
        self.enqueue(slot, about.id, about.id);
        Effect::News
    }

    fn admit(&mut self, id: NodeId, claim: Claim, addr: SocketAddr, metadata: &[u8]) -> Effect {
        debug_assert!(id != self.cx.me.id, "this node is in the table from the start");
        let Some(slot) = self.members.insert(id, addr, claim, self.cx.now()) else {
            return self.refuse(DropReason::MembersFull);
        };
        self.members.set_metadata(slot, metadata);
        debug_assert!(
            !self.members.flag(slot, Flag::Pending),
            "a member is admitted with its address and metadata"
        );
        self.cx.event(Event::Alive { id, addr, epoch: claim.epoch });
        self.enqueue(slot, id, id);
        Effect::News
    }

    fn on_suspect(&mut self, slot: Slot, about: About, accusers: &Accusers) -> Effect {
        let held = self.claim(slot);
        let new = claim(&about, Status::Suspect);
        if held == new {
            let confirmed = accusers.iter().filter(|accuser| self.confirm(slot, *accuser)).count();
            return if confirmed > 0 { Effect::News } else { Effect::Known };
        }
        if !supersedes(&held, &new) {
            return Effect::Known;
        }
        if !self.mark_suspect(slot, new, *accusers) {
            return Effect::Refused;
        }
        self.cx.stats.suspicions_learnt += 1;
        Effect::News
    }

    fn on_dead(&mut self, slot: Slot, about: About, by: NodeId, accuser: NodeId, from: NodeId) -> Effect {
        let held = self.claim(slot);
        let new = claim(&about, Status::Dead);
        if !supersedes(&held, &new) {
            // It has not died, it has left: the sender gets the held claim.
            let left = held.status == Status::Left;
            return if left { Effect::Outdated(slot) } else { Effect::Known };
        }
        if !held.status.is_active() || !self.cx.config.dead_over_suspect_only {
            self.mark_dead(slot, new, by, accuser);
            return Effect::News;
        }
        // `by` may be this node itself, before it had to take that back.
        let accuser = if by == self.cx.me.id { from } else { by };
        let effect = self.on_suspect(slot, about, &Accusers::new(accuser));
        self.shorten_suspicion(slot, accuser);
        debug_assert!(self.status(slot).is_active(), "another node's Dead marks no active member Dead");
        effect
    }

    fn on_left(&mut self, slot: Slot, about: About, by: NodeId) -> Effect {
        let held = self.claim(slot);
        let new = claim(&about, Status::Left);
        let removed = by != about.id;
        if !supersedes(&held, &new) || (removed && held.status == Status::Alive) {
            return Effect::Known;
        }
        self.mark_left(slot, new, by);
        Effect::News
    }

    /// The header of a datagram from `slot`, at the address that is held: first-hand.
    pub(crate) fn on_header(&mut self, slot: Slot, header: &Header) {
        let held = self.claim(slot);
        let new = header.claim();
        let taken = self.cx.config.header_claims && supersedes(&held, &new);
        if !taken || !self.mark_alive(slot, new, None) {
            return;
        }
        self.cx.stats.header_claims += 1;
        self.withdraw(slot);
    }

    /// What is held of the sender, if that is more than what its header says.
    #[inline]
    pub(crate) fn held_claim(&self, slot: Slot, header: &Header) -> Option<Claim> {
        if self.status(slot) == Status::Alive {
            return None;
        }
        let held = self.claim(slot);
        supersedes(&header.claim(), &held).then_some(held)
    }

    /// Holds a member Alive (or, filling in a pending claim, what is held already), ends any suspicion, and says so.
    /// Without an `addr` the claim is pending. `false`: the table is full.
    pub(crate) fn mark_alive(&mut self, slot: Slot, new: Claim, addr: Option<SocketAddr>) -> bool {
        let held = self.claim(slot);
        debug_assert!(slot != Slot::ME, "only this node claims anything about itself");
        debug_assert!(new.status.is_active(), "an Alive claim makes a member active");
        if !self.members.set_claim(slot, new, addr.is_none(), self.cx.now()) {
            self.cx.stats.drop(DropReason::MembersFull);
            return false;
        }
        if let Some(addr) = addr {
            self.members.set_addr(slot, addr);
        }
        if new.status != Status::Alive {
            return true;
        }
        let id = self.id(slot);
        if let Some(accusers) = self.end_suspicion(slot) {
            self.cx.stats.suspicions_refuted += 1;
            self.cx.event(Event::Refuted { id, incarnation: new.incarnation, by: accusers.first() });
        }
        if !held.status.is_active() || held.epoch != new.epoch {
            let addr = self.addr(slot);
            self.cx.event(Event::Alive { id, addr, epoch: new.epoch });
        }
        if !held.status.is_active() && held.epoch == new.epoch {
            self.recheck_broadcasts(Some(id));
        }
        debug_assert!(self.members.suspicion(slot).is_none(), "an Alive member is under no suspicion");
        debug_assert_eq!(self.members.flag(slot, Flag::Pending), addr.is_none(), "a header has no address");
        true
    }

    /// Holds a member Dead.
    pub(super) fn mark_dead(&mut self, slot: Slot, new: Claim, by: NodeId, accuser: NodeId) {
        debug_assert!(new.status == Status::Dead, "the claim says Dead");
        let was_active = self.status(slot).is_active();
        self.mark_gone(slot, new, by, accuser);
        if was_active {
            self.cx.event(Event::Dead { id: self.id(slot), by, accuser });
        }
    }

    /// Holds that a member has left, or was removed.
    pub(super) fn mark_left(&mut self, slot: Slot, new: Claim, by: NodeId) {
        debug_assert!(new.status == Status::Left, "the claim says Left");
        self.mark_gone(slot, new, by, by);
        let id = self.id(slot);
        self.members.set_flag(slot, Flag::Removed, by != id);
        self.cx.event(Event::Left { id, by: (by != id).then_some(by) });
    }

    /// Makes a tombstone of a member, and gossips it.
    fn mark_gone(&mut self, slot: Slot, new: Claim, by: NodeId, accuser: NodeId) {
        debug_assert!(slot != Slot::ME, "a node holds itself Dead never, and Left by its own command only");
        self.end_suspicion(slot);
        self.members.set_claim(slot, new, false, self.cx.now());
        debug_assert!(self.status(slot) == new.status, "a tombstone needs no room among the active");
        debug_assert!(self.members.suspicion(slot).is_none(), "a tombstone is under no suspicion");
        self.enqueue(slot, by, accuser);
    }

    /// A right number from a wrong address: reported once for each member.
    pub(crate) fn on_wrong_source(&mut self, slot: Slot, answered: SocketAddr) {
        if !self.members.flag(slot, Flag::WrongSourceReported) {
            self.members.set_flag(slot, Flag::WrongSourceReported, true);
            let (id, asked) = (self.id(slot), self.addr(slot));
            self.cx.event(Event::WrongSource { id, asked, answered });
        }
    }

    /// Another node claims this node's id.
    pub(super) fn on_namesake(&mut self, namesake: Namesake) {
        debug_assert!(namesake.addr != self.cx.me.addr, "a namesake is at another address");
        debug_assert!(
            (namesake.epoch, namesake.incarnation) >= self.my_stamp(),
            "an outdated namesake is ignored"
        );
        self.namesake = self.namesake.or(Some(namesake));
    }
}

/// The claim that an update makes.
const fn claim(about: &About, status: Status) -> Claim {
    Claim { epoch: about.epoch, incarnation: about.incarnation, status }
}
