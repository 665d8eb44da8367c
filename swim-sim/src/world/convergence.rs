//! Whether the members' views are right, by the ground truth.

use std::fmt;

use swim_core::{Claim, NodeId, Status};

use super::World;
use crate::ground_truth::Presence;
use crate::host::HostId;

/// One member's wrong view of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Discord {
    observer: HostId,
    subject: NodeId,
    held: Option<Claim>,
    truth: Option<Presence>,
}

impl Discord {
    pub(super) const fn observer(&self) -> HostId {
        self.observer
    }
}

impl World {
    /// Whether every running member holds every running member as Alive, in its present epoch and at its
    /// present address, and no other as Alive or Suspect. Stopped processes neither look nor are
    /// looked at.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.ground_truth.present(Presence::Up).all(|(observer, _)| self.sees_rightly(observer))
    }

    /// All wrong views, by observer.
    pub(super) fn discords(&self) -> Vec<Discord> {
        let mut discords = Vec::new();
        for (observer, _) in self.ground_truth.present(Presence::Up) {
            let Some(node) = self.node(observer) else { continue };
            for (_, fact) in self.ground_truth.present(Presence::Up) {
                let held = node.member(fact.id);
                let right = held.is_some_and(|row| {
                    row.status == Status::Alive && row.epoch == fact.epoch && row.addr == fact.addr
                });
                if !right {
                    let (subject, truth) = (fact.id, Some(fact.presence));
                    discords.push(Discord { observer, subject, held: held.map(|row| row.claim()), truth });
                }
            }
            for row in node.members().filter(|row| row.status.is_active()) {
                let truth =
                    self.ground_truth.host_named(row.id).map(|host| self.ground_truth.fact(host).presence);
                if !matches!(truth, Some(Presence::Up | Presence::Paused)) {
                    discords.push(Discord { observer, subject: row.id, held: Some(row.claim()), truth });
                }
            }
        }
        discords
    }

    fn sees_rightly(&self, observer: HostId) -> bool {
        let Some(node) = self.node(observer) else { return false };
        let mut right = 0;
        for row in node.members().filter(|row| row.status.is_active()) {
            let Some(host) = self.ground_truth.host_named(row.id) else { return false };
            let fact = self.ground_truth.fact(host);
            match fact.presence {
                Presence::Paused => {}
                Presence::Up => {
                    if row.status != Status::Alive || row.epoch != fact.epoch || row.addr != fact.addr {
                        return false;
                    }
                    right += 1;
                }
                Presence::Crashed | Presence::Gone => return false,
            }
        }
        right == self.ground_truth.present(Presence::Up).count()
    }
}

impl fmt::Display for Discord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} holds {:?} ", self.observer, self.subject)?;
        match self.held {
            None => f.write_str("not at all"),
            Some(claim) => {
                write!(f, "{:?} (epoch {}, i{})", claim.status, claim.epoch.0, claim.incarnation.0)
            }
        }?;
        match self.truth {
            None => f.write_str(", which never was"),
            Some(presence) => write!(f, ", which is {presence:?}"),
        }
    }
}
