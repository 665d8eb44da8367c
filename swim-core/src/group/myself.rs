//! What others claim about this node, and how it refutes.
//!
//! No other node may raise this node's epoch and incarnation, so every wrong claim about it can be answered with a
//! higher stamp, at once and for good: a Suspect or Dead of this epoch by the next incarnation, a claim about a later
//! epoch, or a Left, by a higher epoch. An Alive at another address is not about this node but another node's claim to
//! its id: it goes into the mailbox that the handshake reads (`handshake/rivals.rs`).

use core::net::SocketAddr;

use super::datagrams::about;
use super::members::{Flag, Slot};
use super::{Group, Namesake};
use crate::api::{
    Claim, DropReason, Epoch, Event, Incarnation, NodeId, Status, canonical, is_reachable_form,
};
use crate::wire::{About, Update};

impl Group {
    /// An update about this node, from a member.
    pub(super) fn on_update_about_me(&mut self, update: &Update<'_>, from: NodeId) {
        let about = *update.about();
        match update {
            Update::Alive { addr, .. } => self.on_alive_about_me(about, canonical(*addr)),
            Update::Suspect { accusers, .. } => {
                self.on_accusation(about, Status::Suspect, accusers.first());
            }
            Update::Dead { by, .. } => self.on_accusation(about, Status::Dead, *by),
            Update::Left { by, .. } => {
                let by = if *by == self.cx.me.id { from } else { *by };
                self.on_accusation(about, Status::Left, by);
            }
        }
    }

    /// `by` holds this node, at this stamp, for this status. (A ping says so.)
    pub(crate) fn on_claim_about_me(&mut self, held: Claim, by: NodeId) {
        let about = about(self.cx.me.id, &held);
        if held.status == Status::Alive {
            self.on_alive_about_me(about, self.cx.me.addr);
        } else {
            self.on_accusation(about, held.status, by);
        }
    }

    /// The same in the answer of a node to which this one has proven its address: an Alive says that it is held at
    /// another one, and has to be outdone.
    pub(crate) fn on_held_claim(&mut self, held: Claim, by: NodeId) {
        if held.status != Status::Alive {
            self.on_claim_about_me(held, by);
        } else if self.cx.is_running() && held.stamp() >= self.my_stamp() && self.cx.is_plausible(held.epoch)
        {
            self.outdo(held.epoch, held.incarnation);
        }
    }

    /// The same from an inactive member: only about exactly this stamp, for none but members may raise it, and no
    /// more than once a period, for a host that can forge one ping can forge many.
    pub(crate) fn on_claim_of_inactive(&mut self, held: Claim, by: NodeId) {
        let now = self.cx.now();
        let period = self.cx.config.period;
        let rested = self.refuted_inactive_at.is_none_or(|at| at.after(period) <= now);
        if held.stamp() == self.my_stamp() && rested && held.status != Status::Alive {
            self.refuted_inactive_at = Some(now);
            self.on_claim_about_me(held, by);
        }
    }

    /// `by` holds this node, at the stamp named, for not Alive.
    fn on_accusation(&mut self, about: About, status: Status, by: NodeId) {
        let (epoch, _) = self.my_stamp();
        let outdated = about.stamp() < self.my_stamp();
        let removed = status == Status::Left && about.epoch >= epoch;
        if !self.cx.is_running() || (outdated && !removed) || !self.cx.is_plausible(about.epoch) {
            return;
        }
        if removed || about.epoch > epoch {
            self.start_new_epoch(about.epoch);
        } else {
            self.refute(about.incarnation);
            self.cx.health.worsen(1);
        }
        if status == Status::Dead {
            self.recheck_broadcasts(None);
        }
        self.cx.stats.refutations += 1;
        let incarnation = self.incarnation();
        self.cx.event(Event::Accused { by, incarnation });
    }

    /// A node of this id is called Alive.
    fn on_alive_about_me(&mut self, about: About, addr: SocketAddr) {
        let mine = self.my_stamp();
        if !self.cx.is_running() || about.stamp() < mine || !self.cx.is_plausible(about.epoch) {
            return;
        }
        if !is_reachable_form(addr) {
            self.cx.stats.drop(DropReason::ClaimAddress);
        } else if addr != self.cx.me.addr {
            self.on_namesake(Namesake { addr, epoch: about.epoch, incarnation: about.incarnation });
        } else if about.stamp() > mine {
            self.outdo(about.epoch, about.incarnation);
        }
    }

    /// Takes a higher stamp than this one and than its own.
    pub(crate) fn outdo(&mut self, epoch: Epoch, incarnation: Incarnation) {
        if epoch > self.cx.me.epoch {
            self.start_new_epoch(epoch);
        } else {
            self.refute(incarnation);
        }
    }

    /// A higher incarnation than `accused` and than its own; if there is none, a higher epoch.
    pub(crate) fn refute(&mut self, accused: Incarnation) {
        let epoch = self.claim(Slot::ME).epoch;
        let (before, highest) = (self.my_stamp(), accused.max(self.incarnation()));
        match highest.0.checked_add(1) {
            Some(next) => self.set_my_stamp(epoch, Incarnation(next)),
            None => self.start_new_epoch(epoch),
        }
        debug_assert!(self.my_stamp() > before || epoch == Epoch::MAX, "a refutation raises the stamp");
    }

    /// A higher epoch than `held` and than its own.
    pub(crate) fn start_new_epoch(&mut self, held: Epoch) {
        let epoch = held.max(self.cx.me.epoch).next();
        debug_assert!(epoch > self.cx.me.epoch || epoch == Epoch::MAX, "a new epoch is a higher one");
        self.set_my_stamp(epoch, Incarnation(0));
        self.cx.event(Event::EpochRaised { epoch });
    }

    /// Takes a new stamp and gossips it.
    pub(crate) fn set_my_stamp(&mut self, epoch: Epoch, incarnation: Incarnation) {
        self.cx.me.epoch = epoch;
        let claim = Claim { epoch, incarnation, status: Status::Alive };
        self.members.set_claim(Slot::ME, claim, false, self.cx.now());
        self.enqueue_myself();
        debug_assert!(self.members.queue(Slot::ME).is_some(), "a new stamp is gossiped");
    }

    /// This node is reached at `addr` from now on.
    pub(crate) fn set_my_addr(&mut self, addr: SocketAddr) {
        self.cx.me.addr = addr;
        self.members.set_addr(Slot::ME, addr);
        self.members.set_flag(Slot::ME, Flag::WrongSourceReported, false);
        self.refute(self.incarnation());
    }

    /// This node has attached `metadata` to itself.
    pub(crate) fn set_my_metadata(&mut self, metadata: &[u8]) {
        self.members.set_metadata(Slot::ME, metadata);
        self.refute(self.incarnation());
    }

    pub(super) fn enqueue_myself(&mut self) {
        self.enqueue(Slot::ME, self.cx.me.id, self.cx.me.id);
    }
}
