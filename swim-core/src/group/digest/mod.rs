//! One number that says what a table holds, and sixteen that say where two tables differ.
//!
//! Every active member has an element, a hash of its id, epoch and incarnation. The digest is the sum of
//! all elements: nodes with the same number hold the same members, in whatever order they learnt them,
//! and a change costs one addition. To find a difference, members are sorted by the leading nibbles of a
//! hash of their id into a 16-way tree in which each number is the sum of the sixteen below it:
//!
//! ```text
//!     depth 0                        root = Σ all
//!     depth 1        0… = Σ    1… = Σ    …     f… = Σ
//!     depth 2      00… 01… … 0f…                  …      a leaf lists its members, at most 64
//! ```
//!
//! A prefix means the same ids in every table, however large; what lies below a leaf is summed up when it
//! is asked for, so tables of different size compare at any prefix. No step ever touches more than a leaf:
//! a leaf that grows beyond 64 splits, sixteen children that together fall below 16 become one again.

mod element;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use element::{element, hash16, path};

use serde::{Deserialize, Serialize};

use crate::collections::Slab;

/// Longest prefix, in nibbles.
pub(crate) const DEPTH_MAX: u8 = 8;
/// Children of an inner node.
pub(crate) const WIDTH: usize = 16;
/// Members that a leaf lists before it splits. A leaf at [`DEPTH_MAX`] does not split: with hashed ids
/// it takes 2³⁸ members, or one who chose ids for the purpose, to fill it.
pub(crate) const LEAF_MAX: u32 = 64;
/// Members below which an inner node becomes a leaf again; far enough from [`LEAF_MAX`] that a member
/// that comes and goes does not split and merge.
const INNER_MIN: u32 = 16;

/// Blocks of children in one allocation of 16 KiB.
const CHUNK_LEN: usize = 64;

/// End of a leaf's list.
pub(crate) const END: u32 = SLOTS_MAX;

/// The table that a digest is of: what is at a slot, and a link from each to the next in its leaf.
pub(crate) trait Rows {
    /// The [`path`] of the member at `slot`.
    fn digest_path(&self, slot: u32) -> u64;
    /// Its [`element`].
    fn element(&self, slot: u32) -> u64;
    /// Its link, [`END`] at the end.
    fn next(&self, slot: u32) -> u32;
    /// Changes its link.
    fn set_next(&mut self, slot: u32, next: u32);
}

/// The tree. It owns the sums; the lists run through the table's own rows.
#[derive(Serialize, Deserialize)]
pub(crate) struct Digest {
    root: Node,
    blocks: Slab<[Node; WIDTH], CHUNK_LEN>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Node {
    sum: u64,
    /// Members below.
    count: u32,
    /// [`INNER`] and the number of the children's block, or the first member of a leaf.
    link: Link,
}

/// A block of children, or the head of a list of slots, in four bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Link(u32);

/// The bit that marks a block. Slots stay below it: see [`SLOTS_MAX`].
const INNER: u32 = 1 << 31;

/// Slots that a digest can hold beside its own marks.
pub(crate) const SLOTS_MAX: u32 = INNER - 1;

enum Below {
    Block(u32),
    /// The first slot of the list, or [`END`].
    List(u32),
}

impl Link {
    const fn list(head: u32) -> Self {
        Self(head)
    }

    const fn block(block: u32) -> Self {
        Self(block | INNER)
    }

    const fn below(self) -> Below {
        if self.0 & INNER != 0 { Below::Block(self.0 & !INNER) } else { Below::List(self.0) }
    }
}

impl Node {
    const EMPTY: Self = Self { sum: 0, count: 0, link: Link::list(END) };
}

/// Where a node is: the root, or a child in a block.
#[derive(Clone, Copy)]
enum At {
    Root,
    Child { block: u32, nibble: usize },
}

impl Digest {
    /// The digest of an empty table. Allocates nothing.
    pub(crate) const fn new() -> Self {
        Self { root: Node::EMPTY, blocks: Slab::new() }
    }

    /// Adds the member at `slot`, which is in no list yet.
    pub(crate) fn add(&mut self, rows: &mut impl Rows, slot: u32) {
        debug_assert!(slot < SLOTS_MAX, "slots are counted below the mark");
        let (path, element) = (rows.digest_path(slot), rows.element(slot));
        let mut at = At::Root;
        for depth in 0..=DEPTH_MAX {
            let node = self.node_mut(at);
            node.sum = node.sum.wrapping_add(element);
            node.count += 1;
            match node.link.below() {
                Below::Block(block) => at = At::Child { block, nibble: nibble(path, depth) },
                Below::List(head) => {
                    node.link = Link::list(slot);
                    let is_long = node.count > LEAF_MAX;
                    rows.set_next(slot, head);
                    if is_long && depth < DEPTH_MAX {
                        self.split(rows, at, depth);
                    }
                    return;
                }
            }
        }
    }

    /// Removes the member at `slot`; its row still says what it said when it was added or changed.
    pub(crate) fn remove(&mut self, rows: &mut impl Rows, slot: u32) {
        let (path, element) = (rows.digest_path(slot), rows.element(slot));
        let mut above = [At::Root; DEPTH_MAX as usize + 1];
        let mut at = At::Root;
        for depth in 0..=DEPTH_MAX {
            above[usize::from(depth)] = at;
            let node = self.node_mut(at);
            node.sum = node.sum.wrapping_sub(element);
            debug_assert!(node.count > 0, "a removed member was counted on its path");
            node.count -= 1;
            debug_assert!(node.count > 0 || node.sum == 0, "an empty node sums up to nothing");
            match node.link.below() {
                Below::Block(block) => at = At::Child { block, nibble: nibble(path, depth) },
                Below::List(head) => {
                    node.link = Link::list(unlink(rows, head, slot));
                    self.merge_upwards(rows, &above[..usize::from(depth)]);
                    return;
                }
            }
        }
    }

    /// The member at `slot`, whose element was `held`, has changed. It stays where it is.
    pub(crate) fn change(&mut self, rows: &impl Rows, slot: u32, held: u64) {
        let path = rows.digest_path(slot);
        let difference = rows.element(slot).wrapping_sub(held);
        let mut at = At::Root;
        for depth in 0..=DEPTH_MAX {
            let node = self.node_mut(at);
            node.sum = node.sum.wrapping_add(difference);
            match node.link.below() {
                Below::Block(block) => at = At::Child { block, nibble: nibble(path, depth) },
                Below::List(_) => return,
            }
        }
    }

    /// A leaf becomes an inner node. If all its members share one more nibble the child is longer than
    /// a leaf should be; it splits when the next member comes.
    fn split(&mut self, rows: &mut impl Rows, at: At, depth: u8) {
        let Below::List(mut slot) = self.node_mut(at).link.below() else { return };
        let mut children = [Node::EMPTY; WIDTH];
        while slot != END {
            let next = rows.next(slot);
            let child = &mut children[nibble(rows.digest_path(slot), depth)];
            child.sum = child.sum.wrapping_add(rows.element(slot));
            child.count += 1;
            let Below::List(head) = child.link.below() else { return };
            rows.set_next(slot, head);
            child.link = Link::list(slot);
            slot = next;
        }
        debug_assert_eq!(
            children.iter().map(|child| child.count).sum::<u32>(),
            self.node_mut(at).count,
            "each member of a leaf is in one of its children"
        );
        let block = self.blocks.insert(children);
        self.node_mut(at).link = Link::block(block);
    }

    /// Turns the inner nodes of `path` that have become small into leaves, the deepest first. Whatever
    /// inner node is not on the path has not shrunk, so the children of a small one are all leaves.
    fn merge_upwards(&mut self, rows: &mut impl Rows, path: &[At]) {
        for at in path.iter().rev() {
            let node = *self.node_mut(*at);
            let Below::Block(block) = node.link.below() else { return };
            if node.count >= INNER_MIN {
                return;
            }
            let mut head = END;
            for child in *self.block(block) {
                let Below::List(mut slot) = child.link.below() else { return };
                while slot != END {
                    let next = rows.next(slot);
                    rows.set_next(slot, head);
                    head = slot;
                    slot = next;
                }
            }
            self.blocks.remove(block);
            self.node_mut(*at).link = Link::list(head);
        }
    }

    /// After loading: whether the tree hangs together and has `count` members, all of whom `is_in`.
    pub(crate) fn is_sound(&self, rows: &impl Rows, count: u32, is_in: &dyn Fn(u32) -> bool) -> bool {
        let root = &self.root;
        root.count == count && self.blocks.is_sound() && self.node_is_sound(rows, root, (0, 0), is_in)
    }

    fn node_is_sound(
        &self,
        rows: &impl Rows,
        node: &Node,
        (prefix, depth): (u64, u8),
        is_in: &dyn Fn(u32) -> bool,
    ) -> bool {
        let (mut sum, mut count) = (0_u64, 0_u64);
        match node.link.below() {
            Below::List(mut slot) => {
                while slot != END && count < u64::from(node.count) {
                    let is_below =
                        |path: u64| path.checked_shr(64 - 4 * u32::from(depth)).unwrap_or(0) == prefix;
                    if !is_in(slot) || !is_below(rows.digest_path(slot)) {
                        return false;
                    }
                    (sum, count) = (sum.wrapping_add(rows.element(slot)), count + 1);
                    slot = rows.next(slot);
                }
                slot == END && count == u64::from(node.count) && sum == node.sum
            }
            Below::Block(block) => {
                let Some(children) = self.blocks.get(block).filter(|_| depth < DEPTH_MAX) else {
                    return false;
                };
                for child in children {
                    (sum, count) = (sum.wrapping_add(child.sum), count + u64::from(child.count));
                }
                let sums = count > 0 && count == u64::from(node.count) && sum == node.sum;
                let below = |(nibble, child)| {
                    self.node_is_sound(rows, child, (prefix << 4_u32 | nibble, depth + 1), is_in)
                };
                sums && (0_u64..).zip(children).all(below)
            }
        }
    }

    fn node_mut(&mut self, at: At) -> &mut Node {
        match at {
            At::Root => &mut self.root,
            At::Child { block, nibble } => &mut self.block_mut(block)[nibble],
        }
    }

    fn block(&self, block: u32) -> &[Node; WIDTH] {
        self.blocks.get(block).expect("a linked block is inside the tree")
    }

    fn block_mut(&mut self, block: u32) -> &mut [Node; WIDTH] {
        self.blocks.get_mut(block).expect("a linked block is inside the tree")
    }
}

/// Takes `slot` out of the list that begins at `head`; returns the new head.
fn unlink(rows: &mut impl Rows, head: u32, slot: u32) -> u32 {
    let after = rows.next(slot);
    if head == slot {
        return after;
    }
    let mut previous = head;
    while rows.next(previous) != slot {
        debug_assert!(rows.next(previous) != END, "a member is in the leaf of its path");
        previous = rows.next(previous);
    }
    rows.set_next(previous, after);
    head
}

/// The nibble of `path` that leads from `depth` to the next.
const fn nibble(path: u64, depth: u8) -> usize {
    (path >> (60 - 4 * depth as u32)) as usize & 0xf
}
