//! Asking the tree about a prefix: its sum, its sixteen parts, its members.
//!
//! A prefix is the leading `depth` nibbles of a path, left-aligned in 32 bits. Prefixes come out of
//! strangers' packets, so every prefix is legal (bits below its depth are ignored), and a depth that the
//! tree does not have is answered with `None`.

use core::ops::ControlFlow;

use super::{Below, DEPTH_MAX, Digest, END, Node, Rows, WIDTH, hash32, nibble};

/// What is below a prefix: a node of the tree, or those members of a leaf that match.
enum Found<'a> {
    Node(&'a Node),
    PartOf { head: u32, mask: u64, prefix: u64 },
}

impl Digest {
    /// The sum of all elements: equal tables have equal ones.
    pub(crate) const fn root(&self) -> u64 {
        self.root.sum
    }

    /// The sums of a prefix's sixteen extensions by one nibble, in the four bytes in which they are
    /// sent; `None` if `depth` is not below [`DEPTH_MAX`].
    pub(crate) fn child_hashes(&self, rows: &impl Rows, prefix: u32, depth: u8) -> Option<[u32; WIDTH]> {
        if depth >= DEPTH_MAX {
            return None;
        }
        let found = self.find(prefix, depth)?;
        let mut sums = [0_u64; WIDTH];
        if let Found::Node(Node { link, .. }) = found
            && let Below::Block(block) = link.below()
        {
            sums = self.block(block).map(|child| child.sum);
        } else {
            let _ = self.walk(rows, &found, &mut |slot| {
                let sum = &mut sums[nibble(rows.digest_path(slot), depth)];
                *sum = sum.wrapping_add(rows.element(slot));
                ControlFlow::Continue(())
            });
        }
        Some(sums.map(hash32))
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
        let _ = self.walk(rows, &found, &mut visit);
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
            match node.link.below() {
                Below::Block(block) => node = &self.block(block)[nibble(prefix, level)],
                Below::List(head) => return Some(Found::PartOf { head, mask, prefix }),
            }
        }
        Some(Found::Node(node))
    }

    fn walk<F>(&self, rows: &impl Rows, found: &Found<'_>, visit: &mut F) -> ControlFlow<()>
    where
        F: FnMut(u32) -> ControlFlow<()>,
    {
        match *found {
            Found::Node(node) => self.walk_node(rows, node, visit),
            Found::PartOf { head, mask, prefix } => {
                walk_list(rows, head, &mut |slot| match rows.digest_path(slot) & mask == prefix {
                    true => visit(slot),
                    false => ControlFlow::Continue(()),
                })
            }
        }
    }

    /// Recursion as deep as the tree: at most [`DEPTH_MAX`].
    fn walk_node<F>(&self, rows: &impl Rows, node: &Node, visit: &mut F) -> ControlFlow<()>
    where
        F: FnMut(u32) -> ControlFlow<()>,
    {
        match node.link.below() {
            Below::List(head) => walk_list(rows, head, visit),
            Below::Block(block) => {
                self.block(block).iter().try_for_each(|child| self.walk_node(rows, child, visit))
            }
        }
    }
}

fn walk_list<F>(rows: &impl Rows, head: u32, visit: &mut F) -> ControlFlow<()>
where
    F: FnMut(u32) -> ControlFlow<()>,
{
    let mut slot = head;
    while slot != END {
        visit(slot)?;
        slot = rows.next(slot);
    }
    ControlFlow::Continue(())
}

/// The leading `depth` nibbles.
const fn mask(depth: u8) -> u64 {
    if depth == 0 { 0 } else { u64::MAX << (64 - 4 * depth as u32) }
}
