//! What is said about members, and whether it is believed.
//!
//! The order of claims (`claim.rs`) says which of two claims is newer. Three rules beyond it decide what
//! is done with a newer one:
//!
//! 1. *Dead only over Suspect.* Somebody else's Dead about a member held Alive becomes a suspicion with
//!    the shortest timeout, about a suspect it shortens the timeout: nobody is buried here who had not
//!    the time to speak up here. Otherwise the first contact after a partition would make each half bury
//!    its own living neighbours, whom the other half has long called Dead.
//! 2. *Left by somebody else only over Suspect or Dead.* An operator removes what does not answer.
//! 3. *A header is first-hand.* Every datagram carries its sender's epoch and incarnation; newer ones than
//!    held are an Alive, but address and metadata of it are still to come: the member is *pending*, which
//!    the digest shows, so that they are fetched even if the gossip about it is missed.

use core::net::SocketAddr;

use super::Node;
#[cfg(not(swim_mutants))]
use crate::claim::supersedes;
use crate::claim::{Claim, Status};
use crate::gossip::News;
use crate::identity::{NodeId, canonical, is_reachable_form};
use crate::members::{Flag, Slot};
#[cfg(swim_mutants)]
use crate::mutant::supersedes;
use crate::output::Event;
use crate::stats::DropReason;
use crate::suspicion::Patience;
use crate::wire::{About, Accusers, Header, Plain, Update, VERSION};

/// What an update did here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// It was believed.
    News,
    /// It said nothing new.
    Known,
    /// It calls a member Alive that is known to be gone, or Dead that is known to have left: whoever says
    /// so should hear of it.
    Outdated(Slot),
    /// It could not be used.
    Refused,
}

impl Node {
    /// Whether this is what gossip is made of: somebody is said to live who is held Alive in the very same
    /// words. [`hear`](Self::hear) would come to the same, by a longer way.
    #[inline]
    pub(super) fn is_held(&self, said: &Plain) -> bool {
        let is_said = |slot| {
            slot != Slot::ME && self.members.is_said(slot, &claim(&said.about, Status::Alive), said.addr)
        };
        self.members.find(said.about.id).is_some_and(is_said)
            && said.versions == (VERSION, VERSION)
            && self.is_plausible(said.about.epoch)
            && self.me.addr != SocketAddr::V4(said.addr)
    }

    /// One update, told by `from`.
    pub(super) fn hear(&mut self, update: &Update<'_>, from: NodeId) -> Outcome {
        let about = *update.about();
        if !self.is_plausible(about.epoch) {
            self.drop_for(DropReason::ClaimEpoch);
            return Outcome::Refused;
        }
        if about.id == self.me.id {
            self.hear_of_myself(update, from);
            return Outcome::Known;
        }
        let outcome = match (self.members.find(about.id), update) {
            (slot, Update::Alive { addr, versions, metadata, .. }) => {
                if versions.0 > VERSION || versions.1 < VERSION {
                    self.drop_for(DropReason::Version);
                    return Outcome::Refused;
                }
                self.hear_alive(slot, about, canonical(*addr), metadata)
            }
            (None, _) => {
                self.drop_for(DropReason::UnknownMember);
                Outcome::Refused
            }
            (Some(slot), Update::Suspect { accusers, .. }) => self.hear_suspect(slot, about, accusers),
            (Some(slot), Update::Dead { by, accuser, .. }) => {
                self.hear_dead(slot, about, *by, *accuser, from)
            }
            (Some(slot), Update::Left { by, .. }) => self.hear_left(slot, about, *by),
        };
        match outcome {
            Outcome::News => self.stats.updates_applied += 1,
            Outcome::Known | Outcome::Outdated(_) => self.stats.updates_known += 1,
            Outcome::Refused => {}
        }
        outcome
    }

    fn hear_alive(&mut self, slot: Option<Slot>, about: About, addr: SocketAddr, metadata: &[u8]) -> Outcome {
        if !is_reachable_form(addr) || addr == self.me.addr {
            self.drop_for(DropReason::ClaimAddress);
            return Outcome::Refused;
        }
        let new = claim(&about, Status::Alive);
        let Some(slot) = slot else { return self.admit(about.id, new, addr, metadata) };
        let held = self.members.claim(slot);
        let same_word = (held.epoch, held.incarnation) == (new.epoch, new.incarnation);
        let pending = self.members.is_pending(slot) && !mutant!(PendingNeverFilled);
        let fills = same_word && pending && held.status.is_active();
        // Two nodes with one id and one epoch: everybody must take the same side until they settle it.
        let rival = held == new && addr > self.members.addr(slot);
        if !fills && !rival && !supersedes(&held, &new) {
            return if held.status.is_active() { Outcome::Known } else { Outcome::Outdated(slot) };
        }
        let changed = self.members.addr(slot) != addr || self.members.metadata(slot) != metadata;
        let believed = if fills { held } else { new };
        if !self.believe(slot, believed, Some(addr)) {
            return Outcome::Refused;
        }
        self.members.set_metadata(slot, metadata);
        if changed && held.status.is_active() && held.epoch == new.epoch {
            self.event(Event::Updated { id: about.id, addr });
        }
        self.tell(slot, about.id, about.id);
        Outcome::News
    }

    fn admit(&mut self, id: NodeId, claim: Claim, addr: SocketAddr, metadata: &[u8]) -> Outcome {
        let Some(slot) = self.members.insert(id, addr, claim, self.doubt.awake()) else {
            self.drop_for(DropReason::MembersFull);
            return Outcome::Refused;
        };
        self.members.set_metadata(slot, metadata);
        self.event(Event::Alive { id, addr, epoch: claim.epoch });
        self.tell(slot, id, id);
        Outcome::News
    }

    fn hear_suspect(&mut self, slot: Slot, about: About, accusers: &Accusers) -> Outcome {
        let held = self.members.claim(slot);
        let new = claim(&about, Status::Suspect);
        if held == new {
            let confirmed = accusers.iter().filter(|accuser| self.confirm(slot, *accuser)).count();
            return if confirmed > 0 { Outcome::News } else { Outcome::Known };
        }
        if !supersedes(&held, &new) {
            return Outcome::Known;
        }
        if !self.suspect(slot, new, *accusers) {
            return Outcome::Refused;
        }
        self.stats.suspicions_learnt += 1;
        Outcome::News
    }

    fn hear_dead(&mut self, slot: Slot, about: About, by: NodeId, accuser: NodeId, from: NodeId) -> Outcome {
        let held = self.members.claim(slot);
        let new = claim(&about, Status::Dead);
        if !supersedes(&held, &new) {
            // It has not died, it has left: whoever believes otherwise should hear of it.
            let left = held.status == Status::Left;
            return if left { Outcome::Outdated(slot) } else { Outcome::Known };
        }
        if !held.status.is_active() || !self.config.dead_over_suspect_only || mutant!(DeadOverAlive) {
            self.bury(slot, new, by, accuser);
            return Outcome::News;
        }
        // `by` may be this node itself, before it had to take its verdict back.
        let accuser = if by == self.me.id { from } else { by };
        let outcome = self.hear_suspect(slot, about, &Accusers::new(accuser));
        if let Some(place) = self.members.suspicion(slot) {
            self.suspicions.hurry(place, accuser);
        }
        outcome
    }

    fn hear_left(&mut self, slot: Slot, about: About, by: NodeId) -> Outcome {
        let held = self.members.claim(slot);
        let new = claim(&about, Status::Left);
        let removed = by != about.id && !mutant!(LeftOverAlive);
        if !supersedes(&held, &new) || (removed && held.status == Status::Alive) {
            return Outcome::Known;
        }
        self.part(slot, new, by);
        Outcome::News
    }

    /// The header of a datagram from `slot`, at the address that is held: first-hand.
    pub(super) fn hear_header(&mut self, slot: Slot, header: &Header) {
        let held = self.members.claim(slot);
        let new = Claim { epoch: header.epoch, incarnation: header.incarnation, status: Status::Alive };
        let heard = self.config.header_claims && supersedes(&held, &new);
        if !heard || !self.believe(slot, new, None) {
            return;
        }
        self.stats.header_claims += 1;
        self.hush(slot);
    }

    /// Believes that a member is Alive (or, filling in a pending claim, what is believed already), ends
    /// any suspicion, and says so. Without an `addr` the claim is pending. `false`: the table is full.
    pub(super) fn believe(&mut self, slot: Slot, new: Claim, addr: Option<SocketAddr>) -> bool {
        let held = self.members.claim(slot);
        if !self.members.set_claim(slot, new, addr.is_none(), self.doubt.awake()) {
            self.drop_for(DropReason::MembersFull);
            return false;
        }
        if let Some(addr) = addr {
            self.members.set_addr(slot, addr);
        }
        if new.status != Status::Alive {
            return true;
        }
        let id = self.members.id(slot);
        if let Some(accusers) = self.end_suspicion(slot) {
            self.stats.suspicions_refuted += 1;
            self.event(Event::Refuted { id, incarnation: new.incarnation, by: accusers.first() });
        }
        if !held.status.is_active() || held.epoch != new.epoch {
            let addr = self.members.addr(slot);
            self.event(Event::Alive { id, addr, epoch: new.epoch });
        }
        true
    }

    /// Starts a suspicion. `false`: the table is full (the suspect would come back from the dead).
    pub(super) fn suspect(&mut self, slot: Slot, new: Claim, accusers: Accusers) -> bool {
        let held = self.members.claim(slot);
        let pending =
            self.members.is_pending(slot) || (held.epoch, held.incarnation) != (new.epoch, new.incarnation);
        if !self.members.set_claim(slot, new, pending, self.doubt.awake()) {
            self.drop_for(DropReason::MembersFull);
            return false;
        }
        self.end_suspicion(slot);
        let (id, addr) = (self.members.id(slot), self.members.addr(slot));
        if !held.status.is_active() {
            self.event(Event::Alive { id, addr, epoch: new.epoch });
        }
        let patience = self.patience();
        let (place, timeout) = self.suspicions.start(slot, accusers, patience, self.doubt.patience());
        self.members.set_suspicion(slot, Some(place));
        self.event(Event::Suspect { id, by: accusers.first(), incarnation: new.incarnation, timeout });
        self.tell(slot, id, id);
        true
    }

    /// One more accuser of a suspect. `true` if it is news.
    pub(super) fn confirm(&mut self, slot: Slot, accuser: NodeId) -> bool {
        let Some(place) = self.members.suspicion(slot) else { return false };
        let id = self.members.id(slot);
        if accuser == id || !self.suspicions.confirm(place, accuser) {
            return false;
        }
        let accusers = self.suspicions.accusers(place).map_or(0, Accusers::len) as u8;
        self.event(Event::Confirmed { id, by: accuser, accusers });
        self.tell(slot, id, id);
        true
    }

    /// Believes that a member is Dead.
    pub(super) fn bury(&mut self, slot: Slot, new: Claim, by: NodeId, accuser: NodeId) {
        let was_active = self.members.claim(slot).status.is_active();
        self.end_suspicion(slot);
        self.members.set_claim(slot, new, false, self.doubt.awake());
        let id = self.members.id(slot);
        if was_active {
            self.event(Event::Dead { id, by, accuser });
        }
        self.tell(slot, by, accuser);
    }

    /// Believes that a member has left.
    pub(super) fn part(&mut self, slot: Slot, new: Claim, by: NodeId) {
        self.end_suspicion(slot);
        self.members.set_claim(slot, new, false, self.doubt.awake());
        let id = self.members.id(slot);
        self.members.set_flag(slot, Flag::Removed, by != id);
        self.event(Event::Left { id, by: (by != id).then_some(by) });
        self.tell(slot, by, by);
    }

    /// Ends the suspicion of a member, if there is one.
    fn end_suspicion(&mut self, slot: Slot) -> Option<Accusers> {
        let place = self.members.suspicion(slot)?;
        self.members.set_suspicion(slot, None);
        self.suspicions.end(place)
    }

    /// Tells everybody what is believed of a member now; whatever else was being told of it is not.
    pub(super) fn tell(&mut self, slot: Slot, by: NodeId, accuser: NodeId) {
        if let Some(told) = self.members.queue(slot) {
            self.updates.remove(told);
        }
        let place = self.updates.push(News { slot, by, accuser });
        self.members.set_queue(slot, Some(place));
    }

    /// Stops telling anything about a member.
    pub(super) fn hush(&mut self, slot: Slot) {
        if let Some(place) = self.members.queue(slot) {
            self.updates.remove(place);
            self.members.set_queue(slot, None);
        }
    }

    /// How patient to be with a suspect, for the present number of members.
    pub(super) fn patience(&mut self) -> Patience {
        self.adjust_patience();
        self.patience.1
    }

    /// Sees to it that patience is for the present number of members.
    #[inline]
    pub(super) fn adjust_patience(&mut self) {
        let n = self.n();
        if self.patience.0 != n {
            self.patience = (n, Patience::new(&self.config, n));
            self.doubt.set_longest_suspicion(self.patience.1.longest());
        }
    }
}

/// The claim that an update makes.
pub(super) const fn claim(about: &About, status: Status) -> Claim {
    Claim { epoch: about.epoch, incarnation: about.incarnation, status }
}
