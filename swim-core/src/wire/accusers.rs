//! Who accuses a suspect: few enough to be carried by value.

use serde::{Deserialize, Serialize};

use super::fixed::{Fixed, Front};
use crate::api::NodeId;

/// Most accusers that a suspicion names: the first and six confirmations.
pub(crate) const ACCUSERS_MAX: usize = 7;

/// One to 7 distinct accusers, in the order in which they were heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accusers {
    /// How many of `ids` count; never zero.
    len: u8,
    /// Beyond `len` all are the first one's, so that equal lists compare equal.
    ids: [NodeId; ACCUSERS_MAX],
}

impl Accusers {
    /// One accuser.
    pub const fn new(first: NodeId) -> Self {
        Self { len: 1, ids: [first; ACCUSERS_MAX] }
    }

    /// Adds another; `false` if it is there already or the list is full.
    pub(crate) fn insert(&mut self, id: NodeId) -> bool {
        if self.contains(id) || self.len() == ACCUSERS_MAX {
            return false;
        }
        self.ids[self.len()] = id;
        self.len += 1;
        true
    }

    /// Whether it is one that could have been made here.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=ACCUSERS_MAX).contains(&self.len())
    }

    /// The one who began it.
    pub(crate) const fn first(&self) -> NodeId {
        self.ids[0]
    }

    /// How many there are, 1 to [`ACCUSERS_MAX`].
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether `id` is among them.
    pub(crate) fn contains(&self, id: NodeId) -> bool {
        self.iter().any(|accuser| accuser == id)
    }

    /// All of them, the first first.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> {
        self.ids[..self.len()].iter().copied()
    }
}

/// How many, then each. One that is named twice counts once.
impl Fixed for Accusers {
    fn put(&self, bytes: &mut Front) {
        self.len.put(bytes);
        self.iter().for_each(|id| id.put(bytes));
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let count = u8::take(bytes).filter(|count| (1..=ACCUSERS_MAX).contains(&usize::from(*count)))?;
        let mut accusers = Self::new(NodeId::take(bytes)?);
        for _ in 1..count {
            accusers.insert(NodeId::take(bytes)?);
        }
        Some(accusers)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn accusers_keep_their_order_and_are_never_counted_twice() {
        let mut accusers = Accusers::new(NodeId(3));
        assert!(accusers.insert(NodeId(1)));
        assert!(!accusers.insert(NodeId(3)));
        assert!(!accusers.insert(NodeId(1)));
        assert!(accusers.insert(NodeId(2)));
        assert_eq!(accusers.iter().collect::<Vec<_>>(), [NodeId(3), NodeId(1), NodeId(2)]);
        assert_eq!(accusers.first(), NodeId(3));
        assert!(accusers.contains(NodeId(2)) && !accusers.contains(NodeId(4)));
    }

    #[test]
    fn an_eighth_accuser_is_refused() {
        let mut accusers = Accusers::new(NodeId(1));
        for id in 2..=7 {
            assert!(accusers.insert(NodeId(id)));
        }
        assert!(!accusers.insert(NodeId(8)));
        assert_eq!(accusers.len(), ACCUSERS_MAX);
    }
}
