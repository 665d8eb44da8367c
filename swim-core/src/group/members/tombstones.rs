//! Members that died or left, remembered for a while so that an old claim revives none.
//!
//! A late "Alive" about a member that is gone must find a node that knows better. So Dead and Left
//! members stay in the table, in a list from the oldest to the newest: the oldest is forgotten when its
//! lifetime has run out, or when there are more than may be kept. The list runs through the records
//! themselves, so joining and leaving it cost the same whatever its length. The Dead, whom healing
//! wants to visit at random, are also in a dense array.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::Records;
use crate::api::{Instant, Status};
use crate::collections::NONE;

/// The list of tombstones and the array of the dead.
#[derive(Serialize, Deserialize)]
pub(super) struct Tombstones {
    oldest: u32,
    newest: u32,
    len: u32,
    len_max: u32,
    lifetime: Duration,
    dead: Vec<u32>,
}

impl Tombstones {
    pub(super) const fn new(len_max: u32, lifetime: Duration) -> Self {
        Self { oldest: NONE, newest: NONE, len: 0, len_max, lifetime, dead: Vec::new() }
    }

    #[cfg(test)]
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// Adds a slot whose record says Dead or Left since now.
    pub(super) fn push(&mut self, records: &mut Records, slot: u32) {
        debug_assert!(!records.at(slot).status().is_active(), "a tombstone is Dead or Left");
        debug_assert_eq!(self.len == 0, self.newest == NONE, "an empty list has no newest");
        let newest = self.newest;
        let is_dead = records.at(slot).status() == Status::Dead;
        let listing = records.listing_mut(slot);
        listing.next = NONE;
        listing.set_older_tombstone(newest);
        if is_dead {
            listing.position = self.dead.len() as u32;
            self.dead.push(slot);
        }
        if newest == NONE {
            self.oldest = slot;
        } else {
            records.listing_mut(newest).next = slot;
        }
        self.newest = slot;
        self.len += 1;
        debug_assert!(self.dead.len() <= self.len as usize, "the Dead are among the tombstones");
    }

    /// Takes a slot out; its record still says what it said when it was added.
    pub(super) fn remove(&mut self, records: &mut Records, slot: u32) {
        debug_assert!(self.len > 0, "the list counts its tombstones");
        let listing = records.listing(slot);
        let (older, newer) = (listing.older_tombstone(), listing.next);
        if records.at(slot).status() == Status::Dead {
            let position = listing.position as usize;
            let removed = self.dead.swap_remove(position);
            debug_assert_eq!(removed, slot, "a Dead member knows its position");
            if let Some(moved) = self.dead.get(position) {
                records.listing_mut(*moved).position = position as u32;
            }
        }
        if older == NONE {
            self.oldest = newer;
        } else {
            records.listing_mut(older).next = newer;
        }
        if newer == NONE {
            self.newest = older;
        } else {
            records.listing_mut(newer).set_older_tombstone(older);
        }
        self.len -= 1;
        debug_assert_eq!(self.len == 0, self.oldest == NONE, "the list counts what it links");
    }

    /// Whether the list and the array hold `dead` members that died, and `left` that left.
    pub(super) fn is_sound(&self, records: &Records, dead: u32, left: u32) -> bool {
        let (mut older, mut slot) = (NONE, self.oldest);
        for _ in 0..dead.saturating_add(left) {
            let Some(record) = records.get(slot).filter(|record| !record.status().is_active()) else {
                return false;
            };
            let listing = records.listing(slot);
            let dead = self.dead.get(listing.position as usize);
            if listing.older_tombstone() != older || (record.status() == Status::Dead && dead != Some(&slot))
            {
                return false;
            }
            (older, slot) = (slot, listing.next);
        }
        let ends = slot == NONE && self.newest == older;
        ends && self.len == dead + left && self.dead.len() == dead as usize
    }

    /// When the oldest is to be forgotten: at once if there are too many.
    pub(super) fn next_expiry(&self, records: &Records) -> Option<Instant> {
        if self.oldest == NONE {
            return None;
        }
        if self.len > self.len_max {
            return Some(Instant::ORIGIN);
        }
        // A record holds whole seconds, rounded down; a tombstone is never kept shorter than it may.
        let since = Duration::from_secs(u64::from(records.listing(self.oldest).since_s) + 1);
        Some(Instant::ORIGIN.after(since).after(self.lifetime))
    }

    /// The oldest tombstone, if it is to be forgotten by now.
    pub(super) fn due(&self, records: &Records, now: Instant) -> Option<u32> {
        (self.next_expiry(records)? <= now).then_some(self.oldest)
    }

    /// One of the dead. If there are more than `latest`, one of the newest `latest` tombstones that died, and one of all
    /// only if those have all left. Takes at most `latest` steps.
    pub(super) fn sample_dead(
        &self,
        records: &Records,
        random: &mut impl FnMut(u32) -> u32,
        latest: u32,
    ) -> Option<u32> {
        let len = self.dead.len() as u32;
        let picked = if len == 0 { return None } else { random(len.min(latest)) };
        let mut found = self.dead[picked as usize];
        if len > latest {
            let newer = core::iter::successors(Some(self.newest), |slot| {
                Some(records.listing(*slot).older_tombstone()).filter(|older| *older != NONE)
            });
            let died = |slot: &u32| records.at(*slot).status() == Status::Dead;
            found = newer.take(picked as usize + 1).filter(died).last().unwrap_or(found);
        }
        debug_assert!(records.at(found).status() == Status::Dead, "only the dead are visited");
        Some(found)
    }
}
