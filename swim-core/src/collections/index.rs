//! From an id to a number (a slot, an origin) in constant time, at any size, with no slow insert.
//!
//! A hash table that is full copies itself into a larger one, and at a million members that one insert
//! takes a tenth of a second: long enough for a node to be suspected. Here the full table is put aside
//! instead, a new one takes the inserts, and every later insert or removal carries a few entries over
//! until the old table is empty and dropped. Both are looked into meanwhile.
//!
//! Only the numbers are stored. The key behind a number is asked of the caller (`key_of`), who has it
//! anyway; so the number's own record must hold the key for as long as the number is in here.
//!
//! Nothing iterates the table in a way that can be observed: the order in which entries are carried over decides
//! where they lie, never what is found.
//!
//! In a table of a hundred thousand members no two lookups find anything in a cache, and each access to memory takes
//! longer than all else that a ping costs. So a bucket of the table is four bytes: a number in three and, in the
//! lowest, a mark of seven bits of the hash, which keeps nearly all others apart without a look at their records. A
//! number that does not find room where its hash says is put into the next free bucket: sixteen buckets are a cache
//! line. A lookup nearly always reads one line here and one of the record.

use alloc::vec;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use serde::{Deserialize, Serialize, Serializer};

/// Buckets of the old table that each insert or removal clears.
///
/// A new table has room for at least 13/32 of its buckets' number of inserts (see
/// [`Index::make_room`]) and the old one has at most as many buckets, so 3 would do.
const MOVES_PER_CALL: usize = 8;

/// A set of `u32` numbers, found by the key that each stands for. Saved it is its key alone.
#[derive(Deserialize)]
#[serde(from = "u64")]
pub(crate) struct Index {
    key: u64,
    hasher: FixedState,
    current: Table,
    /// The table that was full; empty when nothing is being carried over.
    old: Table,
    /// The next bucket of `old` to clear.
    next_bucket: usize,
}

impl Index {
    /// An empty index. `key` makes the buckets of entries unpredictable to others; it changes no result.
    pub(crate) fn with_key(key: u64) -> Self {
        Self {
            key,
            hasher: FixedState::with_seed(key),
            current: Table::NONE,
            old: Table::NONE,
            next_bucket: 0,
        }
    }

    /// After loading: adds all numbers again; of two that stand for one key the first.
    pub(crate) fn fill(&mut self, numbers: impl Iterator<Item = u32>, key_of: impl Fn(u32) -> u64) {
        for number in numbers {
            if self.find(key_of(number), &key_of).is_none() {
                self.insert(key_of(number), number, &key_of);
            }
        }
    }

    /// How many numbers are held.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.current.len + self.old.len
    }

    /// The number that stands for `id`.
    #[inline]
    pub(crate) fn find(&self, id: u64, key_of: impl Fn(u32) -> u64) -> Option<u32> {
        let hash = self.hash(id);
        let is_it = |number: u32| key_of(number) == id;
        let found = self.current.find(hash, is_it);
        if found.is_none() && self.old.len > 0 {
            return self.old.find(hash, is_it);
        }
        found
    }

    /// Adds `number` for `id`, which must not be held yet.
    pub(crate) fn insert(&mut self, id: u64, number: u32, key_of: impl Fn(u32) -> u64) {
        debug_assert!(self.find(id, &key_of).is_none(), "an id is held once");
        self.carry_over(&key_of);
        self.make_room();
        self.current.insert(self.hash(id), number);
    }

    /// Removes and returns the number that stands for `id`. Its record must still hold the id.
    pub(crate) fn remove(&mut self, id: u64, key_of: impl Fn(u32) -> u64) -> Option<u32> {
        self.carry_over(&key_of);
        let hash = self.hash(id);
        let is_it = |number: u32| key_of(number) == id;
        self.current.remove(hash, is_it).or_else(|| self.old.remove(hash, is_it))
    }

    /// Puts a full table aside and begins another: twice as large, or as large again if removals, not
    /// members, had used it up (a removed entry leaves a mark that only a new table is free of).
    fn make_room(&mut self) {
        if self.current.has_room() {
            return;
        }
        debug_assert!(self.old.len == 0, "the old table is cleared long before the new one is full");
        let full = self.current.words.len();
        let twice = self.current.len * 2 > self.current.room();
        let larger = Table::with_buckets(if twice { full * 2 } else { full });
        self.old = core::mem::replace(&mut self.current, larger);
        self.next_bucket = 0;
        debug_assert!(self.current.has_room(), "a new table has room");
    }

    /// Moves what is in the next few buckets of the old table, if there is one.
    fn carry_over(&mut self, key_of: impl Fn(u32) -> u64) {
        if self.old.len == 0 {
            return;
        }
        for bucket in self.next_bucket..self.next_bucket + MOVES_PER_CALL {
            if let Some(number) = self.old.take(bucket) {
                debug_assert!(self.current.has_room(), "the old table's entries fit the new one");
                self.current.insert(self.hash(key_of(number)), number);
            }
        }
        self.next_bucket += MOVES_PER_CALL;
        if self.old.len == 0 {
            self.old = Table::NONE;
        }
    }

    #[inline]
    fn hash(&self, id: u64) -> u64 {
        let mut state = self.hasher.build_hasher();
        state.write_u64(id);
        state.finish()
    }
}

impl From<u64> for Index {
    fn from(key: u64) -> Self {
        Self::with_key(key)
    }
}

impl Serialize for Index {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.key.serialize(serializer)
    }
}

/// It was never taken: nothing that is looked for lies beyond.
const EMPTY: u32 = 0;
/// It was taken once.
const GONE: u32 = 1;
/// What marks a number.
const TAKEN: u32 = 0x80;
/// Buckets of the smallest table.
const BUCKETS_MIN: usize = 16;

/// Numbers below 2²⁴, by hashes that the caller makes.
struct Table {
    /// A power of two, or none. They begin as zeros, which the operating system hands out as they are touched: a
    /// large table is made in no time.
    words: Vec<u32>,
    /// Buckets that are not empty.
    used: usize,
    len: usize,
}

impl Table {
    /// One that has no room. Allocates nothing.
    const NONE: Self = Self { words: Vec::new(), used: 0, len: 0 };

    /// An empty one of this many buckets, a power of two, or of some.
    fn with_buckets(buckets: usize) -> Self {
        Self { words: vec![EMPTY; buckets.max(BUCKETS_MIN)], used: 0, len: 0 }
    }

    /// How many buckets may be used: the others stay empty, so that every search ends soon.
    const fn room(&self) -> usize {
        self.words.len() / 16 * 13
    }

    /// Whether one more fits.
    const fn has_room(&self) -> bool {
        self.used < self.room()
    }

    /// The number with this hash that `is_it` recognizes.
    #[inline]
    fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.seek(hash, is_it).map(|(_, number)| number)
    }

    /// Adds a number that is not in it, for which there is room.
    fn insert(&mut self, hash: u64, number: u32) {
        debug_assert!(number < 1 << 24_u32 && self.has_room(), "the limits on members leave room");
        let mask = self.words.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        while let Some(word) = self.words.get_mut(at) {
            if *word & TAKEN == 0 {
                self.used += usize::from(*word == EMPTY);
                self.len += 1;
                *word = number << 8_u32 | mark(hash);
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Removes and returns the number with this hash that `is_it` recognizes.
    fn remove(&mut self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (at, _) = self.seek(hash, is_it)?;
        self.take(at)
    }

    /// Removes and returns what is at a bucket.
    fn take(&mut self, at: usize) -> Option<u32> {
        let word = self.words.get_mut(at).filter(|word| **word & TAKEN != 0)?;
        let number = *word >> 8_u32;
        debug_assert!(self.len > 0, "a number that is taken was counted");
        *word = GONE;
        self.len -= 1;
        debug_assert!(self.len <= self.used, "a bucket that is taken is in use");
        Some(number)
    }

    /// The bucket, and the number with this hash that `is_it` recognizes.
    #[inline]
    fn seek(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<(usize, u32)> {
        let mask = self.words.len().wrapping_sub(1);
        let mark = mark(hash);
        let mut at = hash as usize & mask;
        loop {
            let word = *self.words.get(at)?;
            if word & 0xff == mark && is_it(word >> 8) {
                return Some((at, word >> 8));
            }
            if word == EMPTY {
                return None;
            }
            at = (at + 1) & mask;
        }
    }
}

/// The lowest byte of a number with this hash.
#[inline]
const fn mark(hash: u64) -> u32 {
    TAKEN | (hash >> 57) as u32
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// Numbers stand for themselves, spread over the ids.
    fn key_of(number: u32) -> u64 {
        u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn no_call_moves_more_than_a_few_entries_and_no_table_rehashes() {
        let mut index = Index::with_key(1);
        let mut tables = 0;
        for number in 0..50_000 {
            let (old_len, buckets) = (index.old.len, index.current.words.len());
            index.insert(key_of(number), number, key_of);
            if index.current.words.len() == buckets {
                assert!(old_len - index.old.len <= MOVES_PER_CALL);
            } else {
                assert!(old_len <= MOVES_PER_CALL, "the one before was cleared");
                tables += 1;
            }
        }
        assert_eq!(tables, 13, "16 buckets doubled up to 65,536");
    }

    #[test]
    fn coming_and_going_does_not_grow_the_table() {
        let mut index = Index::with_key(1);
        for number in 0..200_000 {
            index.insert(key_of(number), number, key_of);
            if number >= 1000 {
                let gone = number - 1000;
                assert_eq!(index.remove(key_of(gone), key_of), Some(gone));
            }
        }
        assert_eq!(index.len(), 1000);
        assert!(index.current.words.len() <= 4096, "{}", index.current.words.len());
    }

    #[test]
    fn another_key_finds_the_same() {
        for key in 0..20 {
            let mut index = Index::with_key(key);
            for number in 0..500 {
                index.insert(key_of(number), number, key_of);
            }
            let found: Vec<_> = (0..1000).filter_map(|number| index.find(key_of(number), key_of)).collect();
            assert!(found.iter().copied().eq(0..500));
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Insert(u64),
        Remove(u64),
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let id = 0..300_u64;
        let op = prop_oneof![2 => id.clone().prop_map(Op::Insert), 1 => id.prop_map(Op::Remove)];
        prop::collection::vec(op, 0..1500)
    }

    proptest! {
        #[test]
        fn an_index_finds_what_a_map_finds(ops in ops(), key: u64) {
            let mut index = Index::with_key(key);
            let mut model = BTreeMap::new();
            let mut keys: Vec<u64> = Vec::new();
            for op in ops {
                match op {
                    Op::Insert(id) => {
                        let number = keys.len() as u32;
                        if let alloc::collections::btree_map::Entry::Vacant(bucket) = model.entry(id) {
                            bucket.insert(number);
                            keys.push(id);
                            index.insert(id, number, |number| keys[number as usize]);
                        }
                    }
                    Op::Remove(id) => {
                        let removed = index.remove(id, |number| keys[number as usize]);
                        prop_assert_eq!(removed, model.remove(&id));
                    }
                }
                prop_assert_eq!(index.len(), model.len());
            }
            for id in 0..300 {
                let found = index.find(id, |number| keys[number as usize]);
                prop_assert_eq!(found, model.get(&id).copied());
            }
        }
    }
}
