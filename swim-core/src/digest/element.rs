//! What one member adds to a digest, and where.
//!
//! These numbers are compared between nodes, so they are part of the wire format and never change.

use crate::claim::Claim;
use crate::hash::mix;
use crate::identity::NodeId;

const PLACE: u64 = 0x706c_6163_6500_0001;
const ELEMENT: u64 = 0x656c_656d_0000_0001;
const FOLD: u64 = 0x666f_6c64_0000_0001;

/// Where a member lies in the tree: the leading nibbles are the way to it. Depends on the id alone, so
/// that a member stays where it is.
#[must_use]
pub(crate) const fn place(id: NodeId) -> u64 {
    mix(mix(id.0, PLACE), id.0)
}

/// What a member adds to the sums above it. `pending` tells a claim that was only read in a header from
/// the same claim with its address and metadata: whoever holds the former still lacks something.
/// The status is left out, because a suspicion differs between nodes all the time and ends by itself.
#[must_use]
pub(crate) const fn element(id: NodeId, claim: &Claim, pending: bool) -> u64 {
    let version = (claim.incarnation.0 as u64) << 1 | pending as u64;
    mix(mix(mix(id.0, ELEMENT), claim.epoch.0), version)
}

/// A sum in the four bytes in which it is sent.
#[must_use]
pub(crate) const fn hash32(sum: u64) -> u32 {
    (mix(sum, FOLD) >> 32) as u32
}
