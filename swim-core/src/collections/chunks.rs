//! A vector that grows without moving what is in it.
//!
//! A plain vector that is full copies itself; with a million members that is a stall and, for a moment,
//! twice the memory. This one grows by whole chunks, so the longest step is one small allocation. Only
//! the first chunk grows by copying, at most one chunk's worth, so that a small table stays small.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// A growing sequence in chunks of `LEN` items, `LEN` a power of two.
#[derive(Serialize, Deserialize)]
pub(crate) struct Chunks<T, const LEN: usize> {
    chunks: Vec<Vec<T>>,
}

impl<T, const LEN: usize> Chunks<T, LEN> {
    /// An empty sequence. Allocates nothing.
    pub(crate) const fn new() -> Self {
        assert!(LEN.is_power_of_two(), "an index is split into chunk and offset by shifting");
        Self { chunks: Vec::new() }
    }

    /// How many items there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self.chunks.last() {
            Some(last) => (self.chunks.len() - 1) * LEN + last.len(),
            None => 0,
        }
    }

    /// Appends `item` and returns its index.
    #[inline]
    pub(crate) fn push(&mut self, item: T) -> usize {
        let index = self.len();
        if index == self.chunks.len() * LEN {
            let reserved = if index == 0 { 0 } else { LEN };
            self.chunks.push(Vec::with_capacity(reserved));
        }
        self.chunks[index / LEN].push(item);
        debug_assert!(self.chunks[index / LEN].len() <= LEN, "a chunk holds no more than its length");
        index
    }

    /// Takes the last item. A chunk that becomes empty is kept for the next one, so that a length that goes up
    /// and down across a chunk's end allocates nothing.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.chunks.last()?.is_empty() {
            self.chunks.pop();
        }
        self.chunks.last_mut()?.pop()
    }

    /// The item at `index`, if there is one.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / LEN)?.get(index % LEN)
    }

    /// The item at `index`, if there is one, to change.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.chunks.get_mut(index / LEN)?.get_mut(index % LEN)
    }

    /// All items, by index, to change.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.chunks.iter_mut().flatten()
    }

    /// Takes everything out, and gives back all memory but that of the first chunk.
    pub(crate) fn clear(&mut self) {
        self.chunks.truncate(1);
        self.chunks.iter_mut().for_each(Vec::clear);
    }

    /// How many chunks there are, empty ones included.
    #[cfg(test)]
    pub(crate) fn chunks_held(&self) -> usize {
        self.chunks.len()
    }

    /// Whether all chunks but the last are full.
    pub(crate) fn is_sound(&self) -> bool {
        let full = |chunk: &Vec<T>| chunk.len() == LEN;
        self.chunks.split_last().is_none_or(|(last, before)| before.iter().all(full) && last.len() <= LEN)
    }

    /// All items, by index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_beyond_the_first_chunk_never_move() {
        let mut chunks = Chunks::<u64, 8>::new();
        for item in 0..20 {
            assert_eq!(chunks.push(item), item as usize);
        }
        let addresses = |chunks: &Chunks<u64, 8>| {
            (0..20).map(|index| core::ptr::from_ref(chunks.get(index).expect("pushed"))).collect::<Vec<_>>()
        };
        let before = addresses(&chunks);
        for item in 20..200 {
            chunks.push(item);
        }
        assert_eq!(addresses(&chunks), before);
        assert!(chunks.iter().copied().eq(0..200));
        assert_eq!((chunks.len(), chunks.get(200)), (200, None));
    }

    #[test]
    fn the_last_comes_out_first_and_one_empty_chunk_is_kept() {
        let mut chunks = Chunks::<u32, 4>::new();
        assert_eq!(chunks.pop(), None);
        (0..9).for_each(|item| _ = chunks.push(item));
        for expected in (4..9).rev() {
            assert_eq!(chunks.pop(), Some(expected));
            assert!(chunks.is_sound());
        }
        assert_eq!((chunks.len(), chunks.chunks.len()), (4, 2));
        assert_eq!((chunks.push(4), chunks.chunks.len(), chunks.len()), (4, 2, 5));
        assert!((0..5).rev().all(|expected| chunks.pop() == Some(expected)));
        assert_eq!((chunks.pop(), chunks.len()), (None, 0));
        assert_eq!((chunks.push(7), chunks.pop()), (0, Some(7)));
    }
}
