//! Whether a table that was loaded hangs together.
//!
//! A table is full of numbers that lead from one part to another, and its operations follow them without
//! asking. What was saved here always leads somewhere; what was damaged since must not be found out by a
//! panic in the middle of the protocol. So every link is followed once, in both directions, before the
//! table is used.

use super::record::{Links, Record};
use super::{Members, Slot};

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
            .is_sound(alive + suspect, |slot| others(slot).map(|_| records.place(slot).position))
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
