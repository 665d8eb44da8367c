//! Things with a number that stays: a chunk-grown table whose freed indexes are used again.
//!
//! Freed ones form a list through themselves, the last freed first, so that which number a newcomer
//! gets depends on what happened before and on nothing else.

use serde::{Deserialize, Serialize};

use super::chunks::Chunks;

/// No number. Never handed out.
pub(crate) const NONE: u32 = u32::MAX;

/// Items by number, in chunks of `LEN`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Slab<T, const LEN: usize = 1024> {
    entries: Chunks<Entry<T>, LEN>,
    /// The index that was freed last, or [`NONE`].
    free: u32,
    len: u32,
}

#[derive(Serialize, Deserialize)]
enum Entry<T> {
    Used(T),
    /// The index that was freed before this one, or [`NONE`].
    Free(u32),
}

impl<T, const LEN: usize> Slab<T, LEN> {
    /// An empty slab. Allocates nothing.
    pub(crate) const fn new() -> Self {
        Self { entries: Chunks::new(), free: NONE, len: 0 }
    }

    /// How many items there are.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Keeps `item` and returns its number.
    #[inline]
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        self.len += 1;
        if self.free == NONE {
            let index = self.entries.push(Entry::Used(item));
            return u32::try_from(index).expect("the table's limit is a u32 below the largest");
        }
        let index = self.free;
        let entry = self.entries.get_mut(index as usize).expect("a free index is inside the table");
        if let Entry::Free(next) = core::mem::replace(entry, Entry::Used(item)) {
            self.free = next;
        }
        debug_assert!(self.len as usize <= self.entries.len(), "an item takes an index");
        index
    }

    /// Takes the item out; its number may be handed out again. `None` if it holds nothing.
    ///
    /// When the last one goes, all memory but that of one chunk goes with it.
    #[inline]
    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let entry = self.entries.get_mut(index as usize)?;
        if matches!(entry, Entry::Free(_)) {
            return None;
        }
        let Entry::Used(item) = core::mem::replace(entry, Entry::Free(self.free)) else { return None };
        debug_assert!(self.len > 0, "an item that is taken out was counted");
        self.free = index;
        self.len -= 1;
        if self.len == 0 && self.entries.len() > LEN {
            self.entries.clear();
            self.free = NONE;
        }
        Some(item)
    }

    /// The item with this number.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        match self.entries.get(index as usize)? {
            Entry::Used(item) => Some(item),
            Entry::Free(_) => None,
        }
    }

    /// The item with this number, to change.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        match self.entries.get_mut(index as usize)? {
            Entry::Used(item) => Some(item),
            Entry::Free(_) => None,
        }
    }

    /// All numbers that hold an item, ascending.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(self.entries.iter()).filter_map(|(index, entry)| match entry {
            Entry::Used(_) => Some(index),
            Entry::Free(_) => None,
        })
    }

    /// All items, by number, to change.
    pub(crate) fn items_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Used(item) => Some(item),
            Entry::Free(_) => None,
        })
    }

    /// How many indexes there are, free ones included.
    pub(crate) fn ever(&self) -> usize {
        self.entries.len()
    }

    /// Whether every index is either used or in the list of the free: what was loaded may be anything.
    pub(crate) fn is_sound(&self) -> bool {
        let mut free = self.free;
        for _ in self.indexes().count()..self.entries.len() {
            let Some(Entry::Free(next)) = self.entries.get(free as usize) else { return false };
            free = *next;
        }
        free == NONE && self.indexes().count() == self.len as usize && self.entries.is_sound()
    }

    /// Bytes that one item takes, with its share of the bookkeeping.
    #[cfg(test)]
    pub(crate) const fn bytes_per_item() -> usize {
        size_of::<Entry<T>>()
    }
}

/// What the three bytes of none read as.
const NO_NUMBER: u32 = 0xff_ffff;

/// A slab's number, or [`NONE`].
///
/// Three bytes count further than there may ever be members (`Options::members_max`) and tombstones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Number([u8; 3]);

impl Number {
    /// No number.
    pub(crate) const NONE: Self = Self([u8::MAX; 3]);

    /// [`NONE`], which no slab holds, if there is none.
    #[inline]
    pub(crate) const fn get(self) -> u32 {
        let [low, middle, high] = self.0;
        let number = u32::from_le_bytes([low, middle, high, 0]);
        if number == NO_NUMBER { NONE } else { number }
    }

    #[inline]
    pub(crate) const fn is_none(self) -> bool {
        self.get() == NONE
    }
}

impl From<u32> for Number {
    #[inline]
    fn from(number: u32) -> Self {
        debug_assert!(number == NONE || number < NO_NUMBER, "the limits on members leave room");
        let [low, middle, high, _] = number.to_le_bytes();
        Self([low, middle, high])
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_freed_number_is_the_next_one_handed_out() {
        let mut slab = Slab::<_, 4>::new();
        let numbers: Vec<u32> = ["a", "b", "c"].map(|item| slab.insert(item)).to_vec();
        assert_eq!(numbers, [0, 1, 2]);
        assert_eq!((slab.remove(1), slab.remove(0), slab.remove(0)), (Some("b"), Some("a"), None));
        assert_eq!((slab.insert("d"), slab.insert("e"), slab.insert("f")), (0, 1, 3));
        assert_eq!((slab.get(1), slab.get(4), slab.len()), (Some(&"e"), None, 4));
    }

    #[test]
    fn an_empty_slab_keeps_one_chunk() {
        let mut slab = Slab::<_, 4>::new();
        for turn in 0..3 {
            let numbers: Vec<u32> = (0..40_u32).map(|item| slab.insert(item)).collect();
            assert!(numbers.iter().copied().eq(0..40), "turn {turn}");
            assert!(numbers.iter().rev().all(|number| slab.remove(*number) == Some(*number)));
            assert!(slab.is_sound() && slab.len() == 0);
            assert_eq!(slab.entries.chunks_held(), 1);
        }
    }

    #[test]
    fn the_free_list_costs_a_boxed_item_no_memory() {
        assert_eq!(Slab::<Box<[u8]>>::bytes_per_item(), size_of::<Box<[u8]>>());
    }

    #[test]
    fn numbers_in_use_are_listed_in_ascending_order() {
        let mut slab = Slab::<_, 4>::new();
        for item in 0..5 {
            slab.insert(item);
        }
        slab.remove(3);
        slab.remove(0);
        assert!(slab.indexes().eq([1, 2, 4]));
    }

    #[test]
    fn numbers_come_back_as_they_went_in() {
        for number in [0, 1, 0xff, 0x100, 0x1_0000, 16_000_000, NO_NUMBER - 1, NONE] {
            assert_eq!(Number::from(number).get(), number);
        }
        assert!(Number::NONE.is_none() && Number::from(NONE).is_none() && !Number::from(0).is_none());
    }
}
