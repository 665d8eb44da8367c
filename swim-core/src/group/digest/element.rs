//! What one member adds to a digest, and where.
//!
//! These numbers are compared between nodes, so they are part of the wire format and never change.

use crate::api::{Claim, NodeId};
use crate::collections::hash::mix;

const PATH: u64 = 0x706c_6163_6500_0001;
const ELEMENT: u64 = 0x656c_656d_0000_0001;

/// Where a member lies in the tree: the leading nibbles are the way to it. Depends on the id alone, so
/// that a member stays where it is.
#[must_use]
pub(crate) const fn path(id: NodeId) -> u64 {
    mix(mix(id.0, PATH), id.0)
}

/// What a member adds to the sums above it. `pending` marks a claim that was only read in a header,
/// without its address and metadata: a node that holds it still lacks something.
/// The status is left out, because a suspicion differs between nodes all the time and ends by itself.
#[must_use]
pub(crate) fn element(id: NodeId, claim: &Claim, pending: bool) -> u64 {
    let version = u64::from(claim.incarnation.0) << 1_u32 | u64::from(pending);
    mix(mix(mix(id.0, ELEMENT), claim.epoch.0), version)
}

/// A sum in the two bytes in which a pull with this number sends it. Two sums may have the same hash in one pull, but not
/// in one after the other: the numbers are unpredictable.
#[must_use]
pub(crate) const fn hash16(sum: u64, number: u64) -> u16 {
    (mix(sum, number) >> 48) as u16
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    use super::*;
    use crate::api::{Epoch, Incarnation, Status};

    fn claim(epoch: u64, incarnation: u32) -> Claim {
        Claim { epoch: Epoch(epoch), incarnation: Incarnation(incarnation), status: Status::Alive }
    }

    #[test]
    fn the_numbers_never_change_they_are_part_of_the_wire_format() {
        assert_eq!(path(NodeId(0)), 0x52b1_a5cf_5b93_fa68);
        assert_eq!(path(NodeId(1)), 0x1a95_22f0_0e15_b599);
        assert_eq!(element(NodeId(1), &claim(1_700_000_000_000, 3), false), 0xce34_04fb_62d2_70e0);
        assert_eq!(element(NodeId(1), &claim(1_700_000_000_000, 3), true), 0x2f82_9c39_a46f_45cc);
        assert_eq!(hash16(0, 7), 0x7413);
        assert_eq!(hash16(u64::MAX, 7), 0x68db);
    }

    #[test]
    fn everything_but_the_status_counts() {
        let held = element(NodeId(1), &claim(1, 1), false);
        assert_eq!(held, element(NodeId(1), &Claim { status: Status::Suspect, ..claim(1, 1) }, false));
        assert_ne!(held, element(NodeId(2), &claim(1, 1), false));
        assert_ne!(held, element(NodeId(1), &claim(2, 1), false));
        assert_ne!(held, element(NodeId(1), &claim(1, 2), false));
        assert_ne!(held, element(NodeId(1), &claim(1, 1), true));
    }

    #[test]
    fn two_sums_that_one_pull_takes_for_the_same_differ_in_the_next() {
        let collisions = |number| {
            let hashes = (0..1_000).map(|sum| hash16(mix(sum, 1), number)).collect::<Vec<_>>();
            let pairs = (0..1_000).flat_map(|one| (0..one).map(move |other| (one, other)));
            pairs.filter(|(one, other)| hashes[*one] == hashes[*other]).collect::<BTreeSet<_>>()
        };
        let (one, other) = (collisions(7), collisions(8));
        assert!(!one.is_empty() && !other.is_empty() && one.is_disjoint(&other), "{one:?}, {other:?}");
    }

    #[test]
    fn ids_that_are_counted_up_spread_evenly_at_every_depth() {
        for depth in 0..8 {
            let mut counts = [0_u32; 16];
            for id in 0..16_000 {
                counts[(path(NodeId(id)) >> (60 - 4 * depth)) as usize & 0xf] += 1;
            }
            // Six standard deviations of a binomial distribution around 1,000.
            assert!(counts.iter().all(|count| (816..=1184).contains(count)), "{depth}: {counts:?}");
        }
    }
}
