//! Reading the table, and the fields of a row on which no list depends.

use core::hint::black_box;
use core::net::{SocketAddr, SocketAddrV4};
use core::ops::ControlFlow;
use core::time::Duration;

use super::address::PackedAddr;
use super::record::{Links, Record};
use super::{Flag, Members, SAMPLE_MAX, Sample, Slot};
#[cfg(test)]
use crate::api::Instant;
use crate::api::{Claim, Member, NodeId, Status};
use crate::collections::{NONE, Number};
use crate::group::digest;

/// The table as a whole.
impl Members {
    /// The member with this id.
    #[inline]
    pub(crate) fn find(&self, id: NodeId) -> Option<Slot> {
        self.index.find(id.0, |slot| self.records.at(slot).id().0).map(Slot)
    }

    /// Whether the member with this id is at `slot`, which is less work than to find it.
    pub(crate) fn is_at(&self, slot: Slot, id: NodeId) -> bool {
        self.records.get(slot.0).is_some_and(|record| record.id() == id)
    }

    /// The member with this id, which is probably at `slot`.
    pub(crate) fn find_at(&self, slot: Slot, id: NodeId) -> Option<Slot> {
        if self.is_at(slot, id) { Some(slot) } else { self.find(id) }
    }

    /// Looks at what is looked at for every member.
    pub(crate) fn touch(&self) -> u64 {
        let lens = self.records.len() as usize + self.probe_list.len();
        lens as u64 ^ self.digest.root() ^ self.revision ^ u64::from(self.counts[0])
    }

    /// Looks at the next target of a probe and the member with which it changes positions, if `random` is what will be
    /// drawn. Returns where the target is.
    pub(crate) fn warm_target(&self, random: u32) -> Option<SocketAddr> {
        let [target, other] = self.probe_list.ahead(random).map(|slot| self.records.get(slot));
        black_box(other.map(Record::id));
        target.map(|record| self.addresses.unpack(record.addr()))
    }

    /// Alive and Suspect members, the node itself included.
    pub(crate) const fn len_active(&self) -> u32 {
        self.count(Status::Alive) + self.count(Status::Suspect)
    }

    /// Members with this status, the node itself included.
    pub(crate) const fn count(&self, status: Status) -> u32 {
        self.counts[status as usize]
    }

    /// Every member, by slot.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.records.slots().map(Slot)
    }

    /// Grows with every change that a [`Member`] shows, except of the round-trip time.
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    /// When [`Members::forget_expired`] next has something to do.
    #[cfg(test)]
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.tombstones.next_expiry(&self.records)
    }
}

/// Choosing at random; `random(n)` is uniform in `0..n`.
impl Members {
    /// Up to `k` different active members that `accept` likes, never the node itself. Takes a bounded number of
    /// draws: in a table of more than 64 it may find fewer than there are when `accept` refuses most.
    pub(crate) fn sample(
        &self,
        random: &mut impl FnMut(u32) -> u32,
        k: usize,
        accept: impl Fn(Slot) -> bool,
    ) -> Sample {
        let mut slots = [0; SAMPLE_MAX];
        let len = self.probe_list.sample(random, &mut slots, k, |slot| accept(Slot(slot)));
        slots.map(Slot).into_iter().take(len)
    }

    /// One of the `latest` that died (not of those that left), for healing.
    pub(crate) fn sample_tombstone(&self, random: &mut impl FnMut(u32) -> u32, latest: u32) -> Option<Slot> {
        self.tombstones.sample_dead(&self.records, random, latest).map(Slot)
    }
}

/// The digest of the active members; see [`crate::group::digest`] for what a prefix is and when `None` is returned.
impl Members {
    /// The sum of everything.
    pub(crate) const fn digest_root(&self) -> u64 {
        self.digest.root()
    }

    /// The sums of a prefix's sixteen extensions, as the pull with this `number` sends them.
    pub(crate) fn child_hashes(&self, range: (u32, u8), number: u64) -> Option<[u16; digest::WIDTH]> {
        self.digest.child_hashes(&self.records, range, number)
    }

    /// Calls `visit` with each active member below a prefix until it breaks off.
    pub(crate) fn for_each_in(
        &self,
        prefix: u32,
        depth: u8,
        mut visit: impl FnMut(Slot) -> ControlFlow<()>,
    ) -> Option<()> {
        self.digest.for_each_in(&self.records, prefix, depth, |slot| visit(Slot(slot)))
    }
}

/// One row.
impl Members {
    /// The row as the user sees it.
    pub(crate) fn view(&self, slot: Slot) -> Member<'_> {
        let record = self.records.at(slot.0);
        let Claim { epoch, incarnation, status } = record.claim();
        Member {
            id: record.id(),
            addr: self.addresses.unpack(record.addr()),
            epoch,
            incarnation,
            status,
            rtt: self.rtt_us(slot).map(|us| Duration::from_micros(u64::from(us))),
            since: Duration::from_secs(u64::from(self.records.listing(slot.0).since_s)),
            metadata: self.metadata(slot),
            is_me: slot == Slot::ME,
        }
    }

    #[inline]
    pub(crate) fn id(&self, slot: Slot) -> NodeId {
        self.records.at(slot.0).id()
    }

    #[inline]
    pub(crate) fn claim(&self, slot: Slot) -> Claim {
        self.records.at(slot.0).claim()
    }

    #[inline]
    pub(crate) fn status(&self, slot: Slot) -> Status {
        self.records.at(slot.0).status()
    }

    #[inline]
    pub(crate) fn addr(&self, slot: Slot) -> SocketAddr {
        self.addresses.unpack(self.records.at(slot.0).addr())
    }

    #[inline]
    pub(crate) fn metadata(&self, slot: Slot) -> &[u8] {
        self.metadata.get(self.records.at(slot.0).metadata.get()).map_or(&[], |bytes| bytes)
    }

    /// The member's last claim, if that is all that is held of it: it is Alive, its address is a v4 one, and
    /// nothing is attached.
    #[inline]
    pub(crate) fn plain(&self, slot: Slot) -> Option<(NodeId, Claim, SocketAddrV4)> {
        let record = self.records.at(slot.0);
        let plain =
            record.status() == Status::Alive && !record.flag(Flag::Pending) && record.metadata.is_none();
        Some((record.id(), record.claim(), record.addr().as_v4().filter(|_| plain)?))
    }

    /// Whether this very claim is held of the member at this very address, with all that belongs to it.
    #[inline]
    pub(crate) fn holds_plain(&self, slot: Slot, claim: &Claim, addr: SocketAddrV4) -> bool {
        let record = self.records.at(slot.0);
        record.claim() == *claim && !record.flag(Flag::Pending) && record.addr() == PackedAddr::v4(addr)
    }

    /// Whether this very claim is held of the member, at the address that a datagram came from.
    #[inline]
    pub(crate) fn is_held_from(&self, slot: Slot, claim: &Claim, source: SocketAddr) -> bool {
        let SocketAddr::V4(source) = source else { return false };
        let record = self.records.at(slot.0);
        record.claim() == *claim && record.addr() == PackedAddr::v4(source)
    }

    #[inline]
    pub(crate) fn flag(&self, slot: Slot, flag: Flag) -> bool {
        self.records.at(slot.0).flag(flag)
    }

    pub(crate) fn set_flag(&mut self, slot: Slot, flag: Flag, on: bool) {
        self.records.at_mut(slot.0).set_flag(flag, on);
    }

    /// Smoothed round trip in microseconds; forgotten when the member dies or leaves.
    #[inline]
    pub(crate) fn rtt_us(&self, slot: Slot) -> Option<u32> {
        if self.status(slot).is_active() { self.records.listing(slot.0).rtt_us() } else { None }
    }

    /// It follows from what it was. Without effect on a tombstone.
    #[inline]
    pub(crate) fn change_rtt_us(&mut self, slot: Slot, smoothed: impl FnOnce(Option<u32>) -> u32) {
        if self.status(slot).is_active() {
            let listing = self.records.listing_mut(slot.0);
            listing.set_rtt_us(Some(smoothed(listing.rtt_us())));
        }
    }

    /// The caller's number for its queued update about the member.
    #[inline]
    pub(crate) fn queue(&self, slot: Slot) -> Option<u32> {
        some(self.links(slot).queue)
    }

    /// Any number but `u32::MAX`.
    #[inline]
    pub(crate) fn set_queue(&mut self, slot: Slot, queue: Option<u32>) {
        self.set_links(slot, Links { queue: queue.unwrap_or(NONE), ..self.links(slot) });
    }

    /// The caller's number for its suspicion of the member.
    #[inline]
    pub(crate) fn suspicion(&self, slot: Slot) -> Option<u32> {
        some(self.links(slot).suspicion)
    }

    /// Any number but `u32::MAX`.
    pub(crate) fn set_suspicion(&mut self, slot: Slot, suspicion: Option<u32>) {
        self.set_links(slot, Links { suspicion: suspicion.unwrap_or(NONE), ..self.links(slot) });
    }

    #[inline]
    fn links(&self, slot: Slot) -> Links {
        self.links.get(self.records.at(slot.0).links.get()).copied().unwrap_or(Links::EMPTY)
    }

    #[inline]
    fn set_links(&mut self, slot: Slot, links: Links) {
        let record = self.records.at_mut(slot.0);
        match self.links.get_mut(record.links.get()) {
            Some(held) if links != Links::EMPTY => *held = links,
            Some(_) => {
                self.links.remove(record.links.get());
                record.links = Number::NONE;
            }
            None if links != Links::EMPTY => record.links = self.links.insert(links).into(),
            None => {}
        }
    }
}

/// Whether a table that was loaded contradicts itself. A table is full of numbers that lead from one part to another,
/// and its operations follow them without asking; so every link is followed once, in both directions, before the table
/// is used.
impl Members {
    /// After loading: finds its members again by id.
    pub(crate) fn rebuild(&mut self) {
        let Self { records, index, .. } = self;
        index.fill(records.slots(), |slot| records.at(slot).id().0);
    }

    /// Whether it contradicts itself nowhere.
    pub(crate) fn is_sound(&self) -> bool {
        let slabs = self.records.is_sound()
            && self.addresses.is_sound()
            && self.metadata.is_sound()
            && self.links.is_sound();
        slabs
            && self.records.get(Slot::ME.0).is_some()
            && self.slots().all(|slot| self.find(self.id(slot)) == Some(slot))
            && self.lists_are_sound()
    }

    /// All metadata, to change.
    pub(crate) fn metadata_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.metadata.items_mut().map(|bytes| &mut **bytes)
    }

    fn lists_are_sound(&self) -> bool {
        let Self { records, probe_list, tombstones, digest, .. } = self;
        let active = |slot| records.get(slot).filter(|record| record.status().is_active());
        let mut counts = [0; 4];
        for slot in records.slots() {
            counts[records.at(slot).status() as usize] += 1;
        }
        let sums =
            counts == self.counts && digest.is_sound(records, self.len_active(), &|s| active(s).is_some());
        // The node itself is neither probed nor a tombstone.
        counts[records.at(Slot::ME.0).status() as usize] -= 1;
        let [alive, suspect, dead, left] = counts;
        let others = |slot| active(slot).filter(|_| slot != Slot::ME.0);
        sums && probe_list
            .is_sound(alive + suspect, |slot| others(slot).map(|_| records.listing(slot).position))
            && tombstones.is_sound(records, dead, left)
            && records.slots().filter(|slot| !records.at(*slot).links.is_none()).count()
                == self.links.len() as usize
            && records.slots().all(|slot| self.row_is_sound(records.at(slot)))
    }

    fn row_is_sound(&self, record: &Record) -> bool {
        let (metadata, addr) = (record.metadata, record.addr());
        (metadata.is_none() || self.metadata.get(metadata.get()).is_some())
            && (record.links.is_none()
                || self.links.get(record.links.get()).is_some_and(|held| *held != Links::EMPTY))
            && self.addresses.holds(addr)
    }
}

const fn some(number: u32) -> Option<u32> {
    if number == NONE { None } else { Some(number) }
}
