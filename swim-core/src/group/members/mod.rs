//! The member table: who is known, what is held of each, and every list that follows from it.
//!
//! A claim about a member decides more than a field: whether the member is probed, whether it counts,
//! whether it is a tombstone that expires, what the digest says. All of that hangs on one
//! transition, [`Members::set_claim`], so that no list can disagree with the claims:
//!
//! ```text
//!                 Alive, Suspect                      Dead                 Left
//!     insert ──▶  probe list (not myself)   ◀──────▶    tombstones           tombstones    ──▶ forgotten
//!                 digest, limit on members            sample of the dead
//! ```
//!
//! Nothing here compares claims; the table keeps what the group decided. Every operation takes a bounded
//! number of steps, whatever the number of members.

mod access;
mod address;
mod probe_list;
mod record;
#[cfg(test)]
mod tests;
mod tombstones;

use alloc::boxed::Box;
use core::array;
use core::iter::Take;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use probe_list::SAMPLE_MAX;
pub(crate) use record::Flag;

use crate::api::{Claim, Identity, Incarnation, Instant, NodeId, Status, canonical};
use crate::collections::{Index, Number, Slab};
use crate::group::digest::{self, Digest};
use address::Addresses;
use probe_list::ProbeList;
use record::{Links, Record, Records};
use tombstones::Tombstones;

/// Where a member's record lies. It stays until the member is forgotten; then another may get it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    /// The node itself.
    pub(crate) const ME: Self = Self(0);
}

/// What [`Members::forget_expired`] forgot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Forgotten {
    /// Where its record was: nothing may refer to it any longer.
    pub(crate) slot: Slot,
    pub(crate) id: NodeId,
    pub(crate) addr: SocketAddr,
    pub(crate) status: Status,
    /// The update that was queued about it.
    pub(crate) queue: Option<u32>,
}

/// Members chosen at random, one after the other.
pub(crate) type Sample = Take<array::IntoIter<Slot, SAMPLE_MAX>>;

/// All members, the node itself at [`Slot::ME`].
#[derive(Serialize, Deserialize)]
pub(crate) struct Members {
    records: Records,
    index: Index,
    addresses: Addresses,
    metadata: Slab<Box<[u8]>>,
    links: Slab<Links, 256>,
    probe_list: ProbeList,
    tombstones: Tombstones,
    digest: Digest,
    /// How many have each status.
    counts: [u32; 4],
    members_max: u32,
    revision: u64,
}

impl Members {
    /// A table that holds the node alone, Alive at incarnation 0. `members_max` counts the node.
    pub(crate) fn new(
        hash_key: u64,
        me: Identity,
        members_max: u32,
        tombstones_max: u32,
        tombstone_life: Duration,
        now: Instant,
    ) -> Self {
        let mut members = Self {
            records: Records::new(),
            index: Index::with_key(hash_key),
            addresses: Addresses::new(),
            metadata: Slab::new(),
            links: Slab::new(),
            probe_list: ProbeList::new(),
            tombstones: Tombstones::new(tombstones_max, tombstone_life),
            digest: Digest::new(),
            counts: [0; 4],
            members_max,
            revision: 0,
        };
        let claim = Claim { epoch: me.epoch, incarnation: Incarnation(0), status: Status::Alive };
        let slot = members.admit(me.id, me.addr, claim, now);
        debug_assert_eq!(slot, Slot::ME, "the node itself is the first record");
        members
    }

    /// Takes over what `old` says of the node itself, and nothing else; the revision goes on growing.
    pub(crate) fn start_over_from(&mut self, old: &Self, now: Instant) {
        self.set_claim(Slot::ME, old.claim(Slot::ME), false, now);
        self.set_addr(Slot::ME, old.addr(Slot::ME));
        self.set_metadata(Slot::ME, old.metadata(Slot::ME));
        self.revision = old.revision + 1;
    }

    /// Adds a member that is not known yet. `None`: as many are active as may be, nothing changed.
    pub(crate) fn insert(
        &mut self,
        id: NodeId,
        addr: SocketAddr,
        claim: Claim,
        now: Instant,
    ) -> Option<Slot> {
        debug_assert!(self.find(id).is_none(), "an id has one record");
        let full = claim.status.is_active() && self.is_full();
        if full || self.records.len() >= digest::SLOTS_MAX {
            return None;
        }
        Some(self.admit(id, addr, claim, now))
    }

    /// Holds `claim` of a member from now on, whatever was held before. `pending`: its address
    /// and metadata are not known yet. `since` is renewed if the status changes, and for a tombstone,
    /// whose lifetime begins again with every newer claim.
    ///
    /// The suspicion of a member must have ended before the member becomes Dead or Left.
    /// Returns false, and changes nothing, if a tombstone cannot come back because the table is full;
    /// for the node itself there is always room.
    pub(crate) fn set_claim(&mut self, slot: Slot, claim: Claim, pending: bool, now: Instant) -> bool {
        let record = self.records.at(slot.0);
        let held = record.claim();
        if held == claim && record.flag(Flag::Pending) == pending {
            return true;
        }
        let was_active = held.status.is_active();
        let is_active = claim.status.is_active();
        if is_active && !was_active && slot != Slot::ME && self.is_full() {
            return false;
        }
        debug_assert!(is_active || self.suspicion(slot).is_none(), "a suspicion ends before its member does");
        if was_active && is_active {
            let held_element = digest::element(record.id(), &held, record.flag(Flag::Pending));
            self.records.at_mut(slot.0).set_claim(claim, pending);
            self.digest.change(&self.records, slot.0, held_element);
        } else if held == claim {
            self.records.at_mut(slot.0).set_claim(claim, pending);
        } else {
            self.withdraw(slot);
            self.records.at_mut(slot.0).set_claim(claim, pending);
            self.enlist(slot);
        }
        if held != claim {
            self.counts[held.status as usize] -= 1;
            self.counts[claim.status as usize] += 1;
            if held.status != claim.status || !is_active {
                self.records.listing_mut(slot.0).since_s = whole_seconds(now);
            }
            self.revision += 1;
        }
        debug_assert!(self.status(slot) == claim.status, "the table holds the new status");
        debug_assert!(
            self.flag(slot, Flag::Pending) == pending,
            "a claim is pending until its address is known"
        );
        true
    }

    /// The member is reached at `addr` from now on.
    pub(crate) fn set_addr(&mut self, slot: Slot, addr: SocketAddr) {
        let addr = canonical(addr);
        if self.addr(slot) == addr {
            return;
        }
        let record = self.records.at_mut(slot.0);
        self.addresses.release(record.addr());
        record.set_addr(self.addresses.pack(addr));
        self.revision += 1;
    }

    /// The member has attached `bytes` to itself.
    pub(crate) fn set_metadata(&mut self, slot: Slot, bytes: &[u8]) {
        if self.metadata(slot) == bytes {
            return;
        }
        let record = self.records.at_mut(slot.0);
        match self.metadata.get_mut(record.metadata.get()) {
            Some(held) if held.len() == bytes.len() => held.copy_from_slice(bytes),
            Some(held) if !bytes.is_empty() => *held = bytes.into(),
            Some(_) => {
                self.metadata.remove(record.metadata.get());
                record.metadata = Number::NONE;
            }
            None => record.metadata = self.metadata.insert(bytes.into()).into(),
        }
        self.revision += 1;
    }

    /// The next member to probe; `random(n)` is uniform in `0..n`. `None` if the node is alone.
    pub(crate) fn next_target(&mut self, random: &mut impl FnMut(u32) -> u32) -> Option<Slot> {
        let records = &mut self.records;
        self.probe_list.next(random, |slot, position| records.listing_mut(slot).position = position).map(Slot)
    }

    /// Forgets the oldest tombstone, if it has expired or there are too many. To be called after whatever may have made
    /// tombstones, until there is none: only this keeps their number down.
    pub(crate) fn forget_expired(&mut self, now: Instant) -> Option<Forgotten> {
        let slot = self.tombstones.due(&self.records, now)?;
        Some(self.forget(Slot(slot)))
    }

    fn is_full(&self) -> bool {
        // The node itself is not in the probe list.
        self.probe_list.len() as u64 + 1 >= u64::from(self.members_max)
    }

    fn admit(&mut self, id: NodeId, addr: SocketAddr, claim: Claim, now: Instant) -> Slot {
        let addr = self.addresses.pack(canonical(addr));
        let slot = self.records.insert(Record::new(id, addr, claim), whole_seconds(now));
        self.index.insert(id.0, slot, |slot| self.records.at(slot).id().0);
        self.counts[claim.status as usize] += 1;
        self.enlist(Slot(slot));
        self.revision += 1;
        debug_assert_eq!(self.counts.iter().sum::<u32>(), self.records.len(), "each member has one status");
        Slot(slot)
    }

    fn forget(&mut self, slot: Slot) -> Forgotten {
        let (id, addr, status) = (self.id(slot), self.addr(slot), self.claim(slot).status);
        debug_assert!(slot != Slot::ME, "a node never forgets itself");
        debug_assert!(!status.is_active(), "only tombstones are forgotten");
        let queue = self.queue(slot);
        self.withdraw(slot);
        self.counts[status as usize] -= 1;
        self.index.remove(id.0, |slot| self.records.at(slot).id().0);
        if let Some(record) = self.records.remove(slot.0) {
            self.addresses.release(record.addr());
            self.metadata.remove(record.metadata.get());
            self.links.remove(record.links.get());
        }
        self.revision += 1;
        Forgotten { slot, id, addr, status, queue }
    }

    /// Puts a member on the lists that its status asks for.
    fn enlist(&mut self, slot: Slot) {
        let Self { records, probe_list, tombstones, digest, .. } = self;
        if records.at(slot.0).status().is_active() {
            records.listing_mut(slot.0).set_rtt_us(None);
            digest.add(records, slot.0);
            if slot != Slot::ME {
                probe_list.push(slot.0, |slot, position| records.listing_mut(slot).position = position);
            }
        } else if slot != Slot::ME {
            tombstones.push(records, slot.0);
        }
    }

    /// Takes a member off the lists that its status had put it on.
    fn withdraw(&mut self, slot: Slot) {
        let Self { records, probe_list, tombstones, digest, .. } = self;
        let position = records.listing(slot.0).position;
        if records.at(slot.0).status().is_active() {
            digest.remove(records, slot.0);
            if slot != Slot::ME {
                probe_list.remove(position, |slot, position| records.listing_mut(slot).position = position);
            }
        } else if slot != Slot::ME {
            tombstones.remove(records, slot.0);
        }
    }
}

/// Seconds since the origin, at most 136 years.
fn whole_seconds(now: Instant) -> u32 {
    u32::try_from(now.as_nanos() / 1_000_000_000).unwrap_or(u32::MAX)
}
