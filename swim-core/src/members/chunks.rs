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
        assert!(LEN.is_power_of_two(), "a place is split into chunk and offset by shifting");
        Self { chunks: Vec::new() }
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        match self.chunks.last() {
            Some(last) => (self.chunks.len() - 1) * LEN + last.len(),
            None => 0,
        }
    }

    /// Appends `item` and returns its place.
    pub(crate) fn push(&mut self, item: T) -> usize {
        let place = self.len();
        if place.is_multiple_of(LEN) {
            let reserved = if place == 0 { 0 } else { LEN };
            self.chunks.push(Vec::with_capacity(reserved));
        }
        self.chunks[place / LEN].push(item);
        place
    }

    /// The item at `place`, if there is one.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        self.chunks.get(place / LEN)?.get(place % LEN)
    }

    /// The item at `place`, if there is one, to change.
    #[inline]
    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.chunks.get_mut(place / LEN)?.get_mut(place % LEN)
    }

    /// All items, by place, to change.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.chunks.iter_mut().flatten()
    }

    /// Whether all chunks but the last are full, and none is empty.
    pub(crate) fn is_sound(&self) -> bool {
        let full = |chunk: &Vec<T>| chunk.len() == LEN;
        self.chunks
            .split_last()
            .is_none_or(|(last, before)| before.iter().all(full) && (1..=LEN).contains(&last.len()))
    }

    /// All items, by place.
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
            (0..20).map(|place| core::ptr::from_ref(chunks.get(place).expect("pushed"))).collect::<Vec<_>>()
        };
        let before = addresses(&chunks);
        for item in 20..200 {
            chunks.push(item);
        }
        assert_eq!(addresses(&chunks), before);
        assert!(chunks.iter().copied().eq(0..200));
        assert_eq!((chunks.len(), chunks.get(200)), (200, None));
    }
}
