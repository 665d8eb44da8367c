//! Asking the tree about a prefix: its sum, its sixteen parts, its members.
//!
//! A prefix is the leading `depth` nibbles of a path, left-aligned in 32 bits. Prefixes come out of
//! strangers' packets, so every prefix is legal (bits below its depth are ignored), and a depth that the
//! tree does not have is answered with `None`.

use core::ops::ControlFlow;

use super::{Below, DEPTH_MAX, Digest, END, Node, Rows, WIDTH, hash16, nibble};

/// What is below a prefix: the members of a node that match.
struct Found<'a> {
    node: &'a Node,
    /// Zero if all match; only some of a leaf that lies above the prefix do.
    mask: u64,
    prefix: u64,
}

impl Digest {
    /// The sum of all elements: equal tables have equal ones.
    pub(crate) const fn root(&self) -> u64 {
        self.root.sum
    }

    /// The sums of a prefix's sixteen extensions by one nibble, as the pull with this `number` sends them; `None` if
    /// `depth` is not below [`DEPTH_MAX`].
    pub(crate) fn child_hashes(
        &self,
        rows: &impl Rows,
        (prefix, depth): (u32, u8),
        number: u64,
    ) -> Option<[u16; WIDTH]> {
        if depth >= DEPTH_MAX {
            return None;
        }
        let found = self.find(prefix, depth)?;
        let mut sums = [0_u64; WIDTH];
        if let Below::Block(block) = found.node.link.below() {
            sums = self.block(block).map(|child| child.sum);
        } else {
            let _ = self.walk(rows, found.node, &mut |slot| {
                if !found.matches(rows, slot) {
                    return ControlFlow::Continue(());
                }
                let sum = &mut sums[nibble(rows.digest_path(slot), depth)];
                *sum = sum.wrapping_add(rows.element(slot));
                ControlFlow::Continue(())
            });
        }
        Some(sums.map(|sum| hash16(sum, number)))
    }

    /// Calls `visit` with the slot of each member below a prefix until it breaks off; `None` if `depth`
    /// is above [`DEPTH_MAX`]. The order is that of the tree; within a leaf, no order to rely on.
    pub(crate) fn for_each_in(
        &self,
        rows: &impl Rows,
        prefix: u32,
        depth: u8,
        mut visit: impl FnMut(u32) -> ControlFlow<()>,
    ) -> Option<()> {
        let found = self.find(prefix, depth)?;
        let _ = self.walk(rows, found.node, &mut |slot| {
            if found.matches(rows, slot) { visit(slot) } else { ControlFlow::Continue(()) }
        });
        Some(())
    }

    fn find(&self, prefix: u32, depth: u8) -> Option<Found<'_>> {
        if depth > DEPTH_MAX {
            return None;
        }
        let mask = mask(depth);
        let prefix = u64::from(prefix) << 32_u32 & mask;
        let mut node = &self.root;
        for level in 0..depth {
            let Below::Block(block) = node.link.below() else { return Some(Found { node, mask, prefix }) };
            node = &self.block(block)[nibble(prefix, level)];
        }
        Some(Found { node, mask: 0, prefix })
    }

    /// Recursion as deep as the tree: at most [`DEPTH_MAX`].
    fn walk<F>(&self, rows: &impl Rows, node: &Node, visit: &mut F) -> ControlFlow<()>
    where
        F: FnMut(u32) -> ControlFlow<()>,
    {
        match node.link.below() {
            Below::Block(block) => {
                self.block(block).iter().try_for_each(|child| self.walk(rows, child, visit))
            }
            Below::List(mut slot) => {
                while slot != END {
                    visit(slot)?;
                    slot = rows.next(slot);
                }
                ControlFlow::Continue(())
            }
        }
    }
}

impl Found<'_> {
    fn matches(&self, rows: &impl Rows, slot: u32) -> bool {
        self.mask == 0 || rows.digest_path(slot) & self.mask == self.prefix
    }
}

/// The leading `depth` nibbles.
const fn mask(depth: u8) -> u64 {
    if depth == 0 { 0 } else { u64::MAX << (64 - 4 * depth as u32) }
}
