//! The tree against a sum over everything, and two trees against each other.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use proptest::prelude::*;

use super::*;
use crate::api::{Claim, Epoch, Incarnation, NodeId, Status};

/// A table without members: paths, elements and links.
#[derive(Clone)]
struct Table {
    rows: Vec<(u64, u64)>,
    links: Vec<u32>,
}

impl Table {
    fn new(rows: Vec<(u64, u64)>) -> Self {
        let links = vec![END; rows.len()];
        Self { rows, links }
    }

    fn all(&self) -> core::ops::Range<u32> {
        0..self.rows.len() as u32
    }
}

impl Rows for Table {
    fn digest_path(&self, slot: u32) -> u64 {
        self.rows[slot as usize].0
    }

    fn element(&self, slot: u32) -> u64 {
        self.rows[slot as usize].1
    }

    fn next(&self, slot: u32) -> u32 {
        self.links[slot as usize]
    }

    fn set_next(&mut self, slot: u32, next: u32) {
        self.links[slot as usize] = next;
    }
}

impl Digest {
    /// The sum of the elements below a prefix.
    pub(crate) fn sum(&self, rows: &impl Rows, prefix: u32, depth: u8) -> Option<u64> {
        let mut sum = 0_u64;
        self.for_each_in(rows, prefix, depth, |slot| {
            sum = sum.wrapping_add(rows.element(slot));
            ControlFlow::Continue(())
        })?;
        Some(sum)
    }

    /// How many members are below a prefix.
    pub(crate) fn count(&self, rows: &impl Rows, prefix: u32, depth: u8) -> Option<u32> {
        let mut count = 0;
        self.for_each_in(rows, prefix, depth, |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Some(count)
    }
}

/// The slots below a prefix, the naive way.
fn below(table: &Table, present: &BTreeSet<u32>, prefix: u32, depth: u8) -> BTreeSet<u32> {
    let leading = |path: u64| (0..depth).map(|at| nibble(path, at)).collect::<Vec<_>>();
    let wanted = leading(u64::from(prefix) << 32);
    present.iter().copied().filter(|slot| leading(table.digest_path(*slot)) == wanted).collect()
}

fn sum_of(table: &Table, slots: &BTreeSet<u32>) -> u64 {
    slots.iter().fold(0, |sum, slot| sum.wrapping_add(table.element(*slot)))
}

fn slots_in(digest: &Digest, table: &Table, prefix: u32, depth: u8) -> Vec<u32> {
    let mut slots = Vec::new();
    let found = digest.for_each_in(table, prefix, depth, |slot| {
        slots.push(slot);
        ControlFlow::Continue(())
    });
    assert!(found.is_some());
    slots
}

fn check(digest: &Digest, table: &Table, present: &BTreeSet<u32>, prefix: u32, depth: u8) {
    let expected = below(table, present, prefix, depth);
    let sum = sum_of(table, &expected);
    assert_eq!(digest.sum(table, prefix, depth), Some(sum), "{prefix:08x}/{depth}");
    assert_eq!(digest.count(table, prefix, depth), Some(expected.len() as u32));
    let listed = slots_in(digest, table, prefix, depth);
    assert_eq!(listed.len(), expected.len(), "no slot is listed twice");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected);
    if depth < DEPTH_MAX {
        let shift = 28 - 4 * u32::from(depth);
        let children: [u16; WIDTH] = core::array::from_fn(|child| {
            let mask = u32::MAX << shift << 4 | 0xf << shift;
            let longer = (prefix & !(0xf << shift) | (child as u32) << shift) & mask;
            hash16(sum_of(table, &below(table, present, longer, depth + 1)), 7)
        });
        assert_eq!(digest.child_hashes(table, (prefix, depth), 7), Some(children));
    }
}

/// How deep the tree is, and whether every inner node and every leaf keeps its size.
fn depth_of(digest: &Digest, node: &Node, depth: u8) -> u8 {
    match node.link.below() {
        Below::List(_) => depth,
        Below::Block(block) => {
            assert!(node.count >= INNER_MIN, "a small inner node became a leaf again");
            let children = digest.block(block);
            assert_eq!(node.count, children.iter().map(|child| child.count).sum::<u32>());
            children.iter().map(|child| depth_of(digest, child, depth + 1)).max().unwrap_or(depth)
        }
    }
}

fn numbered(len: u32) -> Table {
    Table::new(
        (0..u64::from(len))
            .map(|id| (crate::collections::hash::mix(id, 1), crate::collections::hash::mix(id, 2)))
            .collect(),
    )
}

#[test]
fn a_leaf_splits_when_it_is_more_than_full_and_is_whole_again_when_few_are_left() {
    let mut table = numbered(65);
    let mut digest = Digest::new();
    for slot in 0..64 {
        digest.add(&mut table, slot);
    }
    assert_eq!((depth_of(&digest, &digest.root, 0), digest.blocks.len()), (0, 0));
    digest.add(&mut table, 64);
    assert_eq!((depth_of(&digest, &digest.root, 0), digest.blocks.len()), (1, 1));
    for slot in 0..49 {
        digest.remove(&mut table, slot);
    }
    assert_eq!((digest.root.count, digest.blocks.len()), (16, 1));
    digest.remove(&mut table, 49);
    assert_eq!((depth_of(&digest, &digest.root, 0), digest.blocks.len()), (0, 0));
    assert_eq!(slots_in(&digest, &table, 0, 0).len(), 15);
}

#[test]
fn members_at_one_place_make_no_tree_deeper_than_eight_and_leave_none_behind() {
    let mut table = Table::new((0..300).map(|element| (0xabcd_ef01_2345_6789, element)).collect());
    let mut digest = Digest::new();
    for slot in table.all() {
        digest.add(&mut table, slot);
    }
    assert_eq!(depth_of(&digest, &digest.root, 0), DEPTH_MAX);
    check(&digest, &table, &table.all().collect(), 0xabcd_ef01, 8);
    check(&digest, &table, &table.all().collect(), 0xabcd_ef02, 8);
    for slot in table.all() {
        digest.remove(&mut table, slot);
    }
    assert_eq!((digest.root(), digest.root.count, digest.blocks.len()), (0, 0, 0));
}

#[test]
fn a_depth_that_the_tree_does_not_have_is_no_answer() {
    let digest = Digest::new();
    let table = numbered(0);
    for depth in [9, 15, 16, 255] {
        assert_eq!(digest.sum(&table, 0, depth), None);
        assert_eq!(digest.count(&table, 0, depth), None);
        assert_eq!(digest.child_hashes(&table, (0, depth), 7), None);
        assert_eq!(digest.for_each_in(&table, 0, depth, |_| ControlFlow::Continue(())), None);
    }
    assert_eq!(digest.child_hashes(&table, (0, 8), 7), None);
    assert_eq!(digest.sum(&table, u32::MAX, 8), Some(0));
}

#[test]
fn a_visit_that_breaks_off_sees_no_more() {
    let mut table = numbered(500);
    let mut digest = Digest::new();
    for slot in table.all() {
        digest.add(&mut table, slot);
    }
    let mut visited = 0;
    digest.for_each_in(&table, 0, 0, |_| {
        visited += 1;
        if visited == 100 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(visited, 100);
}

/// Rows of which many share nibbles, so that trees get deep with few of them.
fn rows() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let crowded = (any::<u64>(), 0..64_u32).prop_map(|(path, shift)| path.checked_shr(shift).unwrap_or(0));
    prop::collection::vec((crowded, any::<u64>()), 1..400)
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Toggle(prop::sample::Index),
    Change(prop::sample::Index, u64),
    Ask(prop::sample::Index, u32, u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => any::<prop::sample::Index>().prop_map(Op::Toggle),
        2 => (any::<prop::sample::Index>(), any::<u64>()).prop_map(|(index, to)| Op::Change(index, to)),
        1 => (any::<prop::sample::Index>(), any::<u32>(), 0..=DEPTH_MAX)
            .prop_map(|(index, noise, depth)| Op::Ask(index, noise, depth)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_tree_answers_as_a_sum_over_everything_does(
        rows in rows(), ops in prop::collection::vec(op(), 0..800), begins_full: bool
    ) {
        let mut table = Table::new(rows);
        let mut digest = Digest::new();
        let mut present = BTreeSet::new();
        if begins_full {
            for slot in table.all() {
                digest.add(&mut table, slot);
                present.insert(slot);
            }
        }
        for op in ops {
            match op {
                Op::Toggle(index) => {
                    let slot = index.index(table.rows.len()) as u32;
                    if present.remove(&slot) {
                        digest.remove(&mut table, slot);
                    } else {
                        present.insert(slot);
                        digest.add(&mut table, slot);
                    }
                }
                Op::Change(index, to) => {
                    let slot = index.index(table.rows.len());
                    let held = core::mem::replace(&mut table.rows[slot].1, to);
                    if present.contains(&(slot as u32)) {
                        digest.change(&table, slot as u32, held);
                    }
                }
                Op::Ask(index, noise, depth) => {
                    let path = table.rows[index.index(table.rows.len())].0;
                    check(&digest, &table, &present, (path >> 32) as u32, depth);
                    check(&digest, &table, &present, noise, depth);
                }
            }
            prop_assert_eq!(digest.root(), sum_of(&table, &present));
        }
        depth_of(&digest, &digest.root, 0);
        for slot in present {
            digest.remove(&mut table, slot);
        }
        prop_assert_eq!((digest.root(), digest.blocks.len()), (0, 0));
    }

    #[test]
    fn two_tables_with_the_same_below_a_prefix_have_the_same_sum_there(
        rows in rows(), order in any::<u64>(), extra in 0..2000_u64, depth in 0..DEPTH_MAX
    ) {
        let prefix = rows[0].0 >> 32;
        let mut one = Table::new(rows.clone());
        let mut digest_one = Digest::new();
        for slot in one.all() {
            digest_one.add(&mut one, slot);
        }
        // The other table holds the same rows in another order, among others outside the prefix.
        let first_nibble_differs = |id| (crate::collections::hash::mix(id, 1) ^ rows[0].0) >> 60 != 0;
        let mut others: Vec<(u64, u64)> = (0..extra)
            .filter(|id| first_nibble_differs(*id))
            .map(|id| (crate::collections::hash::mix(id, 1), crate::collections::hash::mix(id, 2)))
            .collect();
        let extra_sum = others.iter().fold(0_u64, |sum, row| sum.wrapping_add(row.1));
        others.extend(rows);
        others.sort_by_key(|row| crate::collections::hash::mix(row.1, order));
        let mut two = Table::new(others);
        let mut digest_two = Digest::new();
        for slot in two.all() {
            digest_two.add(&mut two, slot);
        }
        prop_assert_eq!(digest_two.root(), digest_one.root().wrapping_add(extra_sum));
        let (prefix, depth) = (prefix as u32, depth.max(1));
        prop_assert_eq!(digest_one.sum(&one, prefix, depth), digest_two.sum(&two, prefix, depth));
        prop_assert_eq!(
            digest_one.child_hashes(&one, (prefix, depth.min(7)), 7),
            digest_two.child_hashes(&two, (prefix, depth.min(7)), 7)
        );
    }
}

/// `golden.txt` is computed by another program, from `docs/wire.md`.
#[test]
fn the_digests_of_known_tables_are_the_golden_ones() {
    let hex = |text: &str| u64::from_str_radix(text, 16).expect("a number in hex");
    let (mut rows, mut compared) = (vec![], 0);
    for line in include_str!("golden.txt").lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (mut table, mut digest) = (Table::new(rows.clone()), Digest::new());
        table.all().for_each(|slot| digest.add(&mut table, slot));
        match fields[..] {
            ["=", ..] => rows.clear(),
            ["members", first, last, epoch, incarnation, pending] => {
                let [first, last, epoch] = [first, last, epoch].map(|text| text.parse().expect("a number"));
                let incarnation = Incarnation(incarnation.parse().expect("a number"));
                let claim = Claim { epoch: Epoch(epoch), incarnation, status: Status::Alive };
                let row = |id| (path(id), element(id, &claim, pending == "pending"));
                rows.extend((first..=last).map(NodeId).map(row));
            }
            ["root", root] => assert_eq!(digest.root(), hex(root)),
            ["pull", number, prefix, depth, ref hashes @ ..] => {
                let range = (hex(prefix) as u32, depth.parse().expect("a depth"));
                let found = digest.child_hashes(&table, range, hex(number)).expect("deep enough");
                assert_eq!(found.map(|hash| alloc::format!("{hash:04x}")), hashes[..]);
                compared += 1;
            }
            _ => {}
        }
    }
    assert_eq!(compared, 6);
}
