//! One member in 48 bytes: 32 of what is said of it, and 16 of where it stands.
//!
//! A table of a million members is walked by the cache, not by the processor, so a record is small and
//! holds numbers instead of pointers, three bytes where that is enough. What a datagram from a member, or a claim
//! about one, asks for is in the record, which lies in one line of the cache, for it is half as long. Its
//! [`Listing`] beside it is for the lists: probes, digest, tombstones. Two fields of that have two uses, by status:
//!
//! | field | Alive, Suspect | Dead | Left |
//! | --- | --- | --- | --- |
//! | `position` | position in the probe list | position among the dead | unused |
//! | `next` | next in the digest's leaf | next newer tombstone | next newer tombstone |
//! | `rtt_us` / `previous` | round trip | next older tombstone | next older tombstone |
//!
//! so a member that died is measured anew when it comes back, which is what it needs anyway.

use serde::{Deserialize, Serialize};

use super::address::PackedAddr;
use crate::api::{Claim, Epoch, Incarnation, NodeId, Status};
use crate::collections::Number;
use crate::collections::{Chunks, NONE, Slab};
use crate::group::digest::{self, Rows};

/// All records of a table and their listings, by slot.
#[derive(Serialize, Deserialize)]
pub(super) struct Records {
    records: Slab<Record>,
    listings: Chunks<Listing, 1024>,
}

/// A fact about a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Flag {
    /// Its address is in the v6 slab.
    V6 = 1 << 0,
    /// Its claim was learnt without the address and metadata that belong to it: those are of an earlier one.
    Pending = 1 << 1,
    /// Its right answers come from a wrong address, and the user knows.
    WrongSourceReported = 1 << 2,
    /// It did not say goodbye itself: it was removed.
    Removed = 1 << 3,
}

/// What is said of one member.
#[repr(align(32))]
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    id: u64,
    epoch_low: u32,
    incarnation: u32,
    ip: u32,
    epoch_high: u16,
    port: u16,
    status: Status,
    flags: u8,
    /// Of its metadata.
    pub(super) metadata: Number,
    /// Of its [`Links`].
    pub(super) links: Number,
}

impl Record {
    pub(super) fn new(id: NodeId, addr: PackedAddr, claim: Claim) -> Self {
        let mut record = Self {
            id: id.0,
            epoch_low: 0,
            incarnation: 0,
            ip: 0,
            epoch_high: 0,
            port: 0,
            status: claim.status,
            flags: 0,
            metadata: Number::NONE,
            links: Number::NONE,
        };
        record.set_claim(claim, false);
        record.set_addr(addr);
        record
    }

    #[inline]
    pub(super) const fn id(&self) -> NodeId {
        NodeId(self.id)
    }

    #[inline]
    pub(super) const fn status(&self) -> Status {
        self.status
    }

    #[inline]
    pub(super) const fn claim(&self) -> Claim {
        Claim {
            epoch: Epoch((self.epoch_high as u64) << 32_u32 | self.epoch_low as u64),
            incarnation: Incarnation(self.incarnation),
            status: self.status,
        }
    }

    /// Only 48 bits of the epoch are held: a larger one is [`Epoch::MAX`].
    pub(super) fn set_claim(&mut self, claim: Claim, pending: bool) {
        let epoch = claim.epoch.min(Epoch::MAX).0;
        self.epoch_low = epoch as u32;
        self.epoch_high = (epoch >> 32_u32) as u16;
        self.incarnation = claim.incarnation.0;
        self.status = claim.status;
        self.set_flag(Flag::Pending, pending);
    }

    #[inline]
    pub(super) const fn addr(&self) -> PackedAddr {
        PackedAddr { ip: self.ip, port: self.port, is_v6: self.flag(Flag::V6) }
    }

    pub(super) fn set_addr(&mut self, addr: PackedAddr) {
        self.ip = addr.ip;
        self.port = addr.port;
        self.set_flag(Flag::V6, addr.is_v6);
    }

    #[inline]
    pub(super) const fn flag(&self, flag: Flag) -> bool {
        self.flags & flag as u8 != 0
    }

    pub(super) const fn set_flag(&mut self, flag: Flag, on: bool) {
        if on {
            self.flags |= flag as u8;
        } else {
            self.flags &= !(flag as u8);
        }
    }
}

/// Where a member stands in the table's lists.
#[derive(Serialize, Deserialize)]
pub(super) struct Listing {
    /// Position in the probe list, or among the dead.
    pub(super) position: u32,
    /// Next in a digest leaf's list, or next newer tombstone.
    pub(super) next: u32,
    /// Round trip in microseconds, or next older tombstone.
    rtt_us_or_previous: u32,
    /// Seconds from the origin to the last change of status.
    pub(super) since_s: u32,
}

impl Listing {
    /// Of a member that is in no list yet.
    const fn new(since_s: u32) -> Self {
        Self { position: NONE, next: NONE, rtt_us_or_previous: NONE, since_s }
    }

    /// Of an active member.
    pub(super) fn rtt_us(&self) -> Option<u32> {
        (self.rtt_us_or_previous != NONE).then_some(self.rtt_us_or_previous)
    }

    /// Of an active member. `None` forgets the measurement; one of 71 minutes counts as the largest that is held.
    pub(super) fn set_rtt_us(&mut self, rtt_us: Option<u32>) {
        self.rtt_us_or_previous = rtt_us.map_or(NONE, |us| us.min(NONE - 1));
    }

    pub(super) const fn older_tombstone(&self) -> u32 {
        self.rtt_us_or_previous
    }

    pub(super) const fn set_older_tombstone(&mut self, slot: u32) {
        self.rtt_us_or_previous = slot;
    }
}

/// What the node has to do with a member at the moment. Few members have any of it at once, so it is beside the
/// record.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Links {
    /// The queued update about it, or [`NONE`].
    pub(super) queue: u32,
    /// The suspicion of it, or [`NONE`].
    pub(super) suspicion: u32,
}

impl Links {
    /// None of it: not kept.
    pub(super) const EMPTY: Self = Self { queue: NONE, suspicion: NONE };
}

/// Records are shared by several lists that name slots; a slot in a list holds a record.
impl Records {
    pub(super) const fn new() -> Self {
        Self { records: Slab::new(), listings: Chunks::new() }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> u32 {
        self.records.len()
    }

    /// Keeps a record, of a member whose status is so old, and returns its slot.
    pub(super) fn insert(&mut self, record: Record, since_s: u32) -> u32 {
        let slot = self.records.insert(record);
        match self.listings.get_mut(slot as usize) {
            Some(listing) => *listing = Listing::new(since_s),
            None => _ = self.listings.push(Listing::new(since_s)),
        }
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Record> {
        self.records.remove(slot)
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Record> {
        self.records.get(slot)
    }

    #[inline]
    pub(super) fn at(&self, slot: u32) -> &Record {
        self.records.get(slot).expect("a slot is held until its member is forgotten")
    }

    #[inline]
    pub(super) fn at_mut(&mut self, slot: u32) -> &mut Record {
        self.records.get_mut(slot).expect("a slot is held until its member is forgotten")
    }

    #[inline]
    pub(super) fn listing(&self, slot: u32) -> &Listing {
        self.listings.get(slot as usize).expect("every record has a listing")
    }

    #[inline]
    pub(super) fn listing_mut(&mut self, slot: u32) -> &mut Listing {
        self.listings.get_mut(slot as usize).expect("every record has a listing")
    }

    /// All slots that hold a record, ascending.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.records.indexes()
    }

    /// Whether it hangs together.
    pub(super) fn is_sound(&self) -> bool {
        self.records.is_sound() && self.listings.is_sound() && self.listings.len() == self.records.ever()
    }
}

impl Rows for Records {
    fn digest_path(&self, slot: u32) -> u64 {
        digest::path(self.at(slot).id())
    }

    fn element(&self, slot: u32) -> u64 {
        let record = self.at(slot);
        digest::element(record.id(), &record.claim(), record.flag(Flag::Pending))
    }

    fn next(&self, slot: u32) -> u32 {
        self.listing(slot).next
    }

    fn set_next(&mut self, slot: u32, next: u32) {
        self.listing_mut(slot).next = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDR: PackedAddr = PackedAddr { ip: 0x0a00_0001, port: 7946, is_v6: false };

    fn claim(epoch: u64, incarnation: u32, status: Status) -> Claim {
        Claim { epoch: Epoch(epoch), incarnation: Incarnation(incarnation), status }
    }

    #[test]
    fn a_record_takes_half_a_line_and_its_place_16_bytes_and_the_free_list_takes_none() {
        assert_eq!((Slab::<Record>::bytes_per_item(), align_of::<Record>()), (32, 32));
        assert_eq!(size_of::<Listing>(), 16);
    }

    #[test]
    fn the_largest_numbers_come_back_as_they_went_in() {
        let top = claim(Epoch::MAX.0, u32::MAX, Status::Suspect);
        let record = Record::new(NodeId(u64::MAX - 1), ADDR, top);
        assert_eq!((record.id(), record.claim(), record.addr()), (NodeId(u64::MAX - 1), top, ADDR));
    }

    #[test]
    fn flags_do_not_disturb_each_other() {
        let mut record = Record::new(NodeId(1), ADDR, claim(1, 0, Status::Alive));
        record.set_flag(Flag::WrongSourceReported, true);
        record.set_claim(claim(1, 1, Status::Alive), true);
        record.set_addr(PackedAddr { is_v6: true, ..ADDR });
        assert!(record.flag(Flag::WrongSourceReported) && record.flag(Flag::Pending) && record.addr().is_v6);
        record.set_claim(claim(1, 2, Status::Alive), false);
        assert!(record.flag(Flag::WrongSourceReported) && !record.flag(Flag::Pending) && record.addr().is_v6);
    }
}
