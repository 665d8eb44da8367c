//! What is said about this node, and how it answers.
//!
//! Nobody else may raise this node's numbers, so every wrong word about it can be answered with a higher
//! number, at once and for good: a suspicion or a Dead of this life by the next incarnation, a word about
//! a later life, or a Left, by a higher epoch. An Alive at another address is not a word about this node
//! but somebody else's claim to its id (`rivalry.rs`).

use super::{Core, Life};
use crate::claim::{Claim, Status};
use crate::identity::{Epoch, Incarnation, NodeId, canonical, is_reachable_form};
use crate::members::Slot;
use crate::output::Event;
use crate::stats::DropReason;
use crate::wire::{About, Update};

impl Core {
    /// An update about this node, from a member.
    pub(super) fn hear_of_myself(&mut self, update: &Update<'_>, from: NodeId) -> Option<super::Namesake> {
        let about = *update.about();
        match update {
            Update::Alive { addr, .. } => return self.hear_my_name(about, canonical(*addr)),
            Update::Suspect { accusers, .. } => {
                self.hear_accusation(about, Status::Suspect, accusers.first())
            }
            Update::Dead { by, .. } => self.hear_accusation(about, Status::Dead, *by),
            Update::Left { by, .. } => {
                let by = if *by == self.cx.me.id { from } else { *by };
                self.hear_accusation(about, Status::Left, by);
            }
        }
        None
    }

    /// Somebody believes that this node, in the incarnation named, is not Alive.
    pub(super) fn hear_accusation(&mut self, about: About, status: Status, by: NodeId) {
        let mine = self.members.claim(Slot::ME);
        let outdated = (about.epoch, about.incarnation) < (mine.epoch, mine.incarnation);
        let removed = status == Status::Left && about.epoch >= mine.epoch;
        if self.cx.life != Life::Running || (outdated && !removed) || !self.cx.is_plausible(about.epoch) {
            return;
        }
        if mutant!(RefutationDropped) {
            return;
        }
        if (removed || about.epoch > mine.epoch) && !mutant!(HigherEpochIgnored) {
            self.outlive(about.epoch);
        } else {
            self.speak_up(about.incarnation);
            self.cx.health.worsen(1);
        }
        self.cx.stats.refutations += 1;
        let incarnation = self.incarnation();
        self.cx.event(Event::Accused { by, incarnation });
    }

    /// Somebody calls a node of this id Alive.
    pub(super) fn hear_my_name(&mut self, about: About, addr: core::net::SocketAddr) -> Option<super::Namesake> {
        let mine = self.members.claim(Slot::ME);
        let word = (about.epoch, about.incarnation);
        if self.cx.life != Life::Running
            || word < (mine.epoch, mine.incarnation)
            || !self.cx.is_plausible(about.epoch)
        {
            return None;
        }
        if !is_reachable_form(addr) {
            self.cx.drop_for(DropReason::ClaimAddress);
        } else if addr != self.cx.me.addr {
            return Some(super::Namesake { addr, epoch: about.epoch, incarnation: about.incarnation });
        } else if about.epoch > mine.epoch {
            self.outlive(about.epoch);
        } else if about.incarnation > mine.incarnation {
            self.speak_up(about.incarnation);
        }
        None
    }

    /// Somebody to whom this node has proven its address holds it at another, by this word.
    pub(super) fn hear_misplaced(&mut self, about: About) {
        let word = (about.epoch, about.incarnation);
        if self.cx.life == Life::Running
            && word >= (self.cx.me.epoch, self.incarnation())
            && self.cx.is_plausible(about.epoch)
        {
            if about.epoch > self.cx.me.epoch {
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
        let epoch = held.max(self.cx.me.epoch).next();
        self.set_my_word(epoch, Incarnation(0));
        self.cx.event(Event::EpochRaised { epoch });
    }

    /// This node's word about itself, told to everybody.
    pub(super) fn set_my_word(&mut self, epoch: Epoch, incarnation: Incarnation) {
        self.cx.me.epoch = epoch;
        self.cx.epoch_clock.follow(epoch, self.cx.doubt.real());
        let claim = Claim { epoch, incarnation, status: Status::Alive };
        self.members.set_claim(Slot::ME, claim, false, self.cx.doubt.awake());
        self.tell(Slot::ME, self.cx.me.id, self.cx.me.id);
    }
}
