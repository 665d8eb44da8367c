//! What can be claimed about a member, and which of two claims wins.
//!
//! Every node may repeat a claim, and none depends on the order in which claims arrive: a table only ever moves up in
//! one order. The later epoch wins; within an epoch, Left over everything else; then the higher incarnation; then
//! Alive < Suspect < Dead. For an equal epoch (`i` is the new claim's incarnation, `j` the held one's):
//!
//! | new \ held | Alive j | Suspect j | Dead j | Left j |
//! | --- | --- | --- | --- | --- |
//! | Alive i | i > j | i > j | i > j | never |
//! | Suspect i | i ≥ j | i > j | i > j | never |
//! | Dead i | i ≥ j | i ≥ j | i > j | never |
//! | Left i | always | always | always | never |
//!
//! Two cells differ from the SWIM paper (section 4.2). *Dead can be refuted* by a higher incarnation: a
//! partition that outlasts every suspicion must heal. *Left is final* for its epoch: a node that comes back
//! takes a new one. Two further rules are not about order and live where claims are applied
//! (`group/claims.rs`): Dead is believed only over a Suspect that is held, Left by another node only over
//! Suspect or Dead.

use serde::{Deserialize, Serialize};

use crate::api::identity::{Epoch, Incarnation};

/// What a member is held for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Status {
    /// It answers, or no node has said otherwise.
    Alive = 0,
    /// A probe of it failed; it is a member until the suspicion runs out.
    Suspect = 1,
    /// A suspicion of it ran out. It can still refute.
    Dead = 2,
    /// It said goodbye, or an operator removed it. Final for its epoch.
    Left = 3,
}

impl Status {
    /// Alive and Suspect members are probed, counted and gossiped to; the others are tombstones.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Alive | Self::Suspect)
    }

    /// Its name: `alive`, `suspect`, `dead` or `left`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        ["alive", "suspect", "dead", "left"][self as usize]
    }

    pub(crate) const fn from_u8(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Alive),
            1 => Some(Self::Suspect),
            2 => Some(Self::Dead),
            3 => Some(Self::Left),
            _ => None,
        }
    }
}

/// One saying about one member, without the member's id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Which epoch of the member it is about.
    pub epoch: Epoch,
    /// Which of the member's own statements it answers.
    pub incarnation: Incarnation,
    /// What it says.
    pub status: Status,
}

impl Claim {
    /// What the order of claims compares first: epoch and incarnation.
    #[inline]
    pub(crate) const fn stamp(&self) -> (Epoch, Incarnation) {
        (self.epoch, self.incarnation)
    }
}

/// Whether `new` replaces `held`. Strict: an equal claim replaces nothing. See the table above.
#[inline]
#[must_use]
pub fn supersedes(held: &Claim, new: &Claim) -> bool {
    if new.epoch.0 != held.epoch.0 {
        return new.epoch.0 > held.epoch.0;
    }
    match (held.status, new.status) {
        (Status::Left, _) => false,
        (_, Status::Left) => true,
        _ if new.incarnation.0 != held.incarnation.0 => new.incarnation.0 > held.incarnation.0,
        _ => new.status as u8 > held.status as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [Status; 4] = [Status::Alive, Status::Suspect, Status::Dead, Status::Left];

    fn every_claim() -> impl Iterator<Item = Claim> {
        (0..4_u64).flat_map(|epoch| {
            (0..4_u32).flat_map(move |incarnation| {
                STATUSES.map(|status| Claim {
                    epoch: Epoch(epoch),
                    incarnation: Incarnation(incarnation),
                    status,
                })
            })
        })
    }

    /// The module's table, written a second time as data: `[new][held]`, for an equal epoch.
    fn table(new: Status, held: Status, i: u32, j: u32) -> bool {
        use Status::{Alive, Dead, Left, Suspect};
        match (new, held) {
            (_, Left) => false,
            (Left, Alive | Suspect | Dead) => true,
            (Alive, Alive | Suspect | Dead) => i > j,
            (Suspect, Alive) => i >= j,
            (Suspect, Suspect | Dead) => i > j,
            (Dead, Alive | Suspect) => i >= j,
            (Dead, Dead) => i > j,
        }
    }

    #[test]
    fn every_pair_of_claims_follows_the_documented_table() {
        for held in every_claim() {
            for new in every_claim() {
                let expected = match new.epoch.cmp(&held.epoch) {
                    core::cmp::Ordering::Greater => true,
                    core::cmp::Ordering::Less => false,
                    core::cmp::Ordering::Equal => {
                        table(new.status, held.status, new.incarnation.0, held.incarnation.0)
                    }
                };
                assert_eq!(supersedes(&held, &new), expected, "{new:?} over {held:?}");
            }
        }
    }

    #[test]
    fn the_order_is_strict_and_transitive() {
        let claims: alloc::vec::Vec<Claim> = every_claim().collect();
        for a in &claims {
            assert!(!supersedes(a, a));
            for b in &claims {
                assert!(!(supersedes(a, b) && supersedes(b, a)), "{a:?} {b:?}");
                for c in &claims {
                    if supersedes(a, b) && supersedes(b, c) {
                        assert!(supersedes(a, c), "{a:?} < {b:?} < {c:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_wraps_at_the_largest_numbers() {
        let top = Claim { epoch: Epoch::MAX, incarnation: Incarnation(u32::MAX), status: Status::Dead };
        let zero = Claim { epoch: Epoch(0), incarnation: Incarnation(0), status: Status::Left };
        assert!(supersedes(&zero, &top));
        assert!(!supersedes(&top, &zero));
    }
}
