//! What is said about this node, and how it answers.
//!
//! Nobody else may raise this node's numbers, so every wrong word about it can be answered with a higher
//! number, at once and for good: a suspicion or a Dead of this life by the next incarnation, a word about
//! a later life, or a Left, by a higher epoch. An Alive at another address is not a word about this node
//! but somebody else's claim to its id (`rivalry.rs`).

use super::{Life, Node};
use crate::claim::{Claim, Status};
use crate::identity::{Epoch, Incarnation, NodeId, canonical, is_reachable_form};
use crate::members::Slot;
use crate::output::Event;
use crate::stats::DropReason;
use crate::wire::{About, Update};

impl Node {
    /// An update about this node, from a member.
    pub(super) fn hear_of_myself(&mut self, update: &Update<'_>, from: NodeId) {
        let about = *update.about();
        match update {
            Update::Alive { addr, .. } => self.hear_my_name(about, canonical(*addr)),
            Update::Suspect { accusers, .. } => {
                self.hear_accusation(about, Status::Suspect, accusers.first())
            }
            Update::Dead { by, .. } => self.hear_accusation(about, Status::Dead, *by),
            Update::Left { by, .. } => {
                let by = if *by == self.me.id { from } else { *by };
                self.hear_accusation(about, Status::Left, by);
            }
        }
    }

    /// Somebody believes that this node, in the incarnation named, is not Alive.
    pub(super) fn hear_accusation(&mut self, about: About, status: Status, by: NodeId) {
        let mine = self.members.claim(Slot::ME);
        let outdated = (about.epoch, about.incarnation) < (mine.epoch, mine.incarnation);
        let removed = status == Status::Left && about.epoch >= mine.epoch;
        if self.life != Life::Running || (outdated && !removed) || !self.is_plausible(about.epoch) {
            return;
        }
        if mutant!(RefutationDropped) {
            return;
        }
        if (removed || about.epoch > mine.epoch) && !mutant!(HigherEpochIgnored) {
            self.outlive(about.epoch);
        } else {
            self.speak_up(about.incarnation);
            self.health.worsen(1);
        }
        self.stats.refutations += 1;
        let incarnation = self.incarnation();
        self.event(Event::Accused { by, incarnation });
    }

    /// Somebody calls a node of this id Alive.
    pub(super) fn hear_my_name(&mut self, about: About, addr: core::net::SocketAddr) {
        let mine = self.members.claim(Slot::ME);
        let word = (about.epoch, about.incarnation);
        if self.life != Life::Running
            || word < (mine.epoch, mine.incarnation)
            || !self.is_plausible(about.epoch)
        {
            return;
        }
        if !is_reachable_form(addr) {
            self.drop_for(DropReason::ClaimAddress);
        } else if addr != self.me.addr {
            self.ask_rival(addr, about.epoch, about.incarnation);
        } else if about.epoch > mine.epoch {
            self.outlive(about.epoch);
        } else if about.incarnation > mine.incarnation {
            self.speak_up(about.incarnation);
        }
    }

    /// Somebody to whom this node has proven its address holds it at another, by this word.
    pub(super) fn hear_misplaced(&mut self, about: About) {
        let word = (about.epoch, about.incarnation);
        if self.life == Life::Running
            && word >= (self.me.epoch, self.incarnation())
            && self.is_plausible(about.epoch)
        {
            if about.epoch > self.me.epoch {
                self.outlive(about.epoch);
            } else {
                self.speak_up(about.incarnation);
            }
        }
    }

    /// A higher incarnation than `accused`; if there is none, a higher epoch.
    pub(super) fn speak_up(&mut self, accused: Incarnation) {
        let mine = self.members.claim(Slot::ME);
        match accused.max(mine.incarnation).0.checked_add(u32::from(!mutant!(RefutationNotHigher))) {
            Some(next) if mutant!(IncarnationInAByte) => {
                self.set_my_word(mine.epoch, Incarnation(next & 0xff));
            }
            Some(next) => self.set_my_word(mine.epoch, Incarnation(next)),
            None => self.outlive(mine.epoch),
        }
    }

    /// A higher epoch than `held`.
    pub(super) fn outlive(&mut self, held: Epoch) {
        let epoch = held.max(self.me.epoch).next();
        self.set_my_word(epoch, Incarnation(0));
        self.event(Event::EpochRaised { epoch });
    }

    /// This node's word about itself, told to everybody.
    pub(super) fn set_my_word(&mut self, epoch: Epoch, incarnation: Incarnation) {
        self.me.epoch = epoch;
        let claim = Claim { epoch, incarnation, status: Status::Alive };
        self.members.set_claim(Slot::ME, claim, false, self.doubt.awake());
        self.tell(Slot::ME, self.me.id, self.me.id);
    }
}
