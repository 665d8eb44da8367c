//! The table against a naive model, and the behaviours that the model does not show.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::api::Epoch;

const LIFETIME: Duration = Duration::from_secs(100);

fn addr(host: u32) -> SocketAddr {
    SocketAddr::new(core::net::Ipv4Addr::from_bits(0x0a00_0000 + host).into(), 7946)
}

fn claim(incarnation: u32, status: Status) -> Claim {
    Claim { epoch: Epoch(1), incarnation: Incarnation(incarnation), status }
}

fn alone(members_max: u32, tombstones_max: u32) -> Members {
    let me = Identity { id: NodeId(0), addr: addr(0), epoch: Epoch(1) };
    Members::new(7, me, members_max, tombstones_max, LIFETIME, Instant::ORIGIN)
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

#[test]
fn a_new_table_holds_the_node_alone() {
    let mut members = alone(10, 10);
    assert_eq!(members.find(NodeId(0)), Some(Slot::ME));
    assert_eq!((members.len_active(), members.count(Status::Alive)), (1, 1));
    assert!(members.view(Slot::ME).is_me);
    assert_ne!(members.digest_root(), 0);
    assert_eq!((members.next_target(&mut |_| 0), members.next_expiry()), (None, None));
}

#[test]
fn a_dead_member_is_not_probed_and_is_probed_again_when_it_comes_back() {
    let mut members = alone(10, 10);
    let before = members.digest_root();
    let slot = members.insert(NodeId(1), addr(1), claim(0, Status::Alive), at(1)).expect("room");
    let with_it = members.digest_root();
    members.change_rtt_us(slot, |_| 500);
    assert_eq!(members.next_target(&mut |_| 0), Some(slot));
    assert!(members.set_claim(slot, claim(0, Status::Suspect), false, at(2)));
    assert_eq!((members.digest_root(), members.rtt_us(slot)), (with_it, Some(500)));
    assert!(members.set_claim(slot, claim(0, Status::Dead), false, at(3)));
    assert_eq!((members.next_target(&mut |_| 0), members.digest_root()), (None, before));
    assert_eq!(members.sample_tombstone(&mut |_| 0, 9), Some(slot));
    assert!(members.set_claim(slot, claim(1, Status::Alive), false, at(4)));
    assert_eq!((members.next_target(&mut |_| 0), members.rtt_us(slot)), (Some(slot), None));
    assert_eq!((members.sample_tombstone(&mut |_| 0, 9), members.next_expiry()), (None, None));
    assert_eq!(members.view(slot).since, Duration::from_secs(4));
}

#[test]
fn a_full_table_admits_no_new_or_returning_member_but_the_node_itself() {
    let mut members = alone(3, 10);
    let one = members.insert(NodeId(1), addr(1), claim(0, Status::Alive), at(0)).expect("room for two");
    members.insert(NodeId(2), addr(2), claim(0, Status::Alive), at(0)).expect("room for one");
    let revision = members.revision();
    assert_eq!(members.insert(NodeId(3), addr(3), claim(0, Status::Alive), at(0)), None);
    assert_eq!((members.find(NodeId(3)), members.revision()), (None, revision));

    assert!(members.set_claim(one, claim(0, Status::Dead), false, at(1)));
    assert!(members.insert(NodeId(3), addr(3), claim(0, Status::Alive), at(2)).is_some());
    assert!(!members.set_claim(one, claim(1, Status::Alive), false, at(3)));
    assert_eq!(members.claim(one), claim(0, Status::Dead));

    assert!(members.set_claim(Slot::ME, claim(0, Status::Left), false, at(4)));
    assert!(members.set_claim(Slot::ME, claim(1, Status::Alive), false, at(5)));
    assert_eq!(members.len_active(), 3);
}

#[test]
fn the_node_itself_is_never_forgotten() {
    let mut members = alone(3, 0);
    assert!(members.set_claim(Slot::ME, claim(0, Status::Left), false, at(1)));
    assert_eq!((members.next_expiry(), members.digest_root(), members.len_active()), (None, 0, 0));
    assert_eq!(members.forget_expired(Instant::MAX), None);
    assert_eq!(members.find(NodeId(0)), Some(Slot::ME));
}

#[test]
fn a_forgotten_member_leaves_nothing_behind_and_its_slot_is_used_again() {
    let mut members = alone(10, 10);
    let v6: SocketAddr = "[2001:db8::1]:7946".parse().expect("a valid address");
    let slot = members.insert(NodeId(1), v6, claim(0, Status::Alive), at(0)).expect("room");
    members.set_metadata(slot, b"rack 7");
    members.set_queue(slot, Some(3));
    assert!(members.set_claim(slot, claim(0, Status::Left), false, at(1)));
    assert_eq!(members.forget_expired(at(101)), None, "whole seconds are held, so up to one more is given");
    let forgotten = members.forget_expired(at(102));
    let gone = Forgotten { slot, id: NodeId(1), addr: v6, status: Status::Left, queue: Some(3) };
    assert_eq!((forgotten, members.forget_expired(at(102))), (Some(gone), None));
    assert_eq!((members.find(NodeId(1)), members.count(Status::Left)), (None, 0));
    assert_eq!((members.addresses.len(), members.metadata.len(), members.records.len()), (0, 0, 1));
    let next = members.insert(NodeId(2), addr(2), claim(0, Status::Alive), at(103)).expect("room");
    assert_eq!((next, members.queue(next), members.metadata(next)), (slot, None, &[][..]));
}

#[test]
fn too_many_tombstones_are_due_at_once_the_oldest_first() {
    let mut members = alone(10, 2);
    for host in 1..=4 {
        let slot = members.insert(NodeId(host.into()), addr(host), claim(0, Status::Alive), at(0));
        assert!(members.set_claim(slot.expect("room"), claim(0, Status::Dead), false, at(1)));
    }
    assert_eq!(members.next_expiry(), Some(Instant::ORIGIN));
    let ids = [(); 3].map(|()| members.forget_expired(at(1)).map(|gone| gone.id));
    assert_eq!(ids, [Some(NodeId(1)), Some(NodeId(2)), None]);
    assert_eq!(members.next_expiry(), Some(at(102)));
}

#[test]
fn a_tombstone_with_a_newer_claim_starts_its_lifetime_again() {
    let mut members = alone(10, 10);
    let slot = members.insert(NodeId(1), addr(1), claim(0, Status::Alive), at(0)).expect("room");
    assert!(members.set_claim(slot, claim(0, Status::Dead), false, at(10)));
    assert!(members.set_claim(slot, claim(5, Status::Dead), false, at(60)));
    assert_eq!(members.next_expiry(), Some(at(161)));
}

#[test]
fn a_pending_claim_differs_in_the_digest_and_not_in_the_view() {
    let mut members = alone(10, 10);
    let slot = members.insert(NodeId(1), addr(1), claim(4, Status::Alive), at(0)).expect("room");
    let (root, revision) = (members.digest_root(), members.revision());
    assert!(members.set_claim(slot, claim(4, Status::Alive), true, at(1)));
    assert!(members.flag(slot, Flag::Pending));
    assert_ne!(members.digest_root(), root);
    assert_eq!(members.revision(), revision);
    assert!(members.set_claim(slot, claim(4, Status::Alive), false, at(2)));
    assert_eq!(members.digest_root(), root);
}

#[test]
fn a_round_trip_time_is_no_revision_and_a_link_is_no_round_trip_time() {
    let mut members = alone(10, 10);
    let one = members.insert(NodeId(1), addr(1), claim(0, Status::Alive), at(0)).expect("room");
    let two = members.insert(NodeId(2), addr(2), claim(0, Status::Alive), at(0)).expect("room");
    let revision = members.revision();
    members.change_rtt_us(one, |_| u32::MAX);
    assert_eq!((members.rtt_us(one), members.revision()), (Some(u32::MAX - 1), revision));
    for slot in [one, two] {
        assert!(members.set_claim(slot, claim(0, Status::Dead), false, at(1)));
        members.change_rtt_us(slot, |_| 9);
        assert_eq!((members.rtt_us(slot), members.view(slot).rtt), (None, None));
    }
}

#[test]
fn two_nodes_with_the_same_members_agree_on_every_prefix_and_find_the_one_that_differs() {
    let holding = |hosts: &mut dyn Iterator<Item = u32>| {
        let mut members = alone(1000, 10);
        for host in hosts {
            let id = NodeId(u64::from(host));
            members.insert(id, addr(host), claim(0, Status::Alive), at(0)).expect("room");
        }
        members
    };
    let mut one = holding(&mut (1..500));
    let two = holding(&mut (1..500).rev());
    assert_eq!(one.digest_root(), two.digest_root());
    assert_eq!(one.child_hashes((0, 0), 7), two.child_hashes((0, 0), 7));

    let slot = one.find(NodeId(77)).expect("inserted");
    assert!(one.set_claim(slot, claim(1, Status::Suspect), false, at(1)));
    let (mut prefix, mut depth) = (0_u32, 0);
    while one.digest.count(&one.records, prefix, depth).expect("deep enough") > 1 {
        let ours = one.child_hashes((prefix, depth), 7).expect("deep enough");
        let theirs = two.child_hashes((prefix, depth), 7).expect("deep enough");
        let differing: Vec<usize> = (0..16).filter(|child| ours[*child] != theirs[*child]).collect();
        assert_eq!(differing.len(), 1, "only one member differs");
        prefix |= (differing[0] as u32) << (28 - 4 * depth);
        depth += 1;
    }
    let mut found = Vec::new();
    let visited = one.for_each_in(prefix, depth, |slot| {
        found.push(slot);
        core::ops::ControlFlow::Continue(())
    });
    assert_eq!((found, visited), (alloc::vec![slot], Some(())));
    assert_ne!(one.digest.sum(&one.records, prefix, depth), two.digest.sum(&two.records, prefix, depth));
}

#[test]
fn the_node_itself_is_in_no_sample() {
    let mut members = alone(10, 10);
    for host in 1..=4 {
        let id = NodeId(u64::from(host));
        members.insert(id, addr(host), claim(0, Status::Alive), at(0)).expect("room");
    }
    let sample = members.sample(&mut |n| n - 1, 8, |slot| slot != Slot(2));
    let mut found: Vec<Slot> = sample.collect();
    found.sort_unstable();
    assert_eq!(found, [Slot(1), Slot(3), Slot(4)]);
}

#[test]
fn a_flag_stays_until_it_is_cleared() {
    let mut members = alone(10, 10);
    let slot = members.insert(NodeId(1), addr(1), claim(0, Status::Alive), at(0)).expect("room");
    assert!(!members.flag(slot, Flag::WrongSourceReported));
    members.set_flag(slot, Flag::WrongSourceReported, true);
    assert!(members.set_claim(slot, claim(1, Status::Suspect), false, at(1)));
    assert!(members.flag(slot, Flag::WrongSourceReported));
}

/// What a naive table holds of one member.
#[derive(Clone, PartialEq, Debug)]
struct Row {
    addr: SocketAddr,
    claim: Claim,
    pending: bool,
    metadata: Vec<u8>,
    since_s: u64,
}

/// The naive table: rows by id, tombstones by age.
struct Model {
    rows: BTreeMap<u64, Row>,
    tombstones: Vec<u64>,
}

impl Model {
    fn active(&self) -> impl Iterator<Item = (&u64, &Row)> {
        self.rows.iter().filter(|(_, row)| row.claim.status.is_active())
    }

    fn others_active(&self) -> usize {
        self.active().filter(|(id, _)| **id != 0).count()
    }

    fn root(&self) -> u64 {
        self.active().fold(0_u64, |sum, (id, row)| {
            sum.wrapping_add(digest::element(NodeId(*id), &row.claim, row.pending))
        })
    }

    fn next_expiry(&self) -> Option<Instant> {
        let oldest = self.rows.get(self.tombstones.first()?)?;
        let crowded = self.tombstones.len() > TOMBSTONES_MAX as usize;
        Some(if crowded { Instant::ORIGIN } else { at(oldest.since_s + 1).after(LIFETIME) })
    }

    fn set_claim(&mut self, id: u64, claim: Claim, pending: bool, now_s: u64) -> bool {
        let full = self.others_active() + 1 >= MEMBERS_MAX as usize;
        let row = self.rows.get_mut(&id).expect("the model's own id");
        if row.claim == claim {
            row.pending = pending;
            return true;
        }
        let returns = claim.status.is_active() && !row.claim.status.is_active();
        if returns && full && id != 0 {
            return false;
        }
        if row.claim.status != claim.status || !claim.status.is_active() {
            row.since_s = now_s;
        }
        row.claim = claim;
        row.pending = pending;
        self.tombstones.retain(|held| *held != id);
        if !claim.status.is_active() && id != 0 {
            self.tombstones.push(id);
        }
        true
    }
}

const MEMBERS_MAX: u32 = 90;
const TOMBSTONES_MAX: u32 = 40;

#[derive(Clone, Copy, Debug)]
enum Op {
    Insert { id: u64, host: u8, v6: bool },
    Claim { id: u64, claim: Claim, pending: bool },
    Addr { id: u64, host: u8, v6: bool },
    Metadata { id: u64, len: usize, byte: u8 },
    Links { id: u64, number: Option<u32> },
    Pass { seconds: u64 },
    Forget { max: u32 },
    Probe { random: u32 },
}

fn any_claim() -> impl Strategy<Value = Claim> {
    let status = prop_oneof![
        3 => Just(Status::Alive), 2 => Just(Status::Suspect), 2 => Just(Status::Dead), 1 => Just(Status::Left)
    ];
    (0..3_u64, 0..3_u32, status).prop_map(|(epoch, incarnation, status)| Claim {
        epoch: Epoch(epoch),
        incarnation: Incarnation(incarnation),
        status,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let id = 0..200_u64;
    prop_oneof![
        12 => (id.clone(), any::<u8>(), any::<bool>())
            .prop_map(|(id, host, v6)| Op::Insert { id, host, v6 }),
        12 => (id.clone(), any_claim(), any::<bool>())
            .prop_map(|(id, claim, pending)| Op::Claim { id, claim, pending }),
        2 => (id.clone(), any::<u8>(), any::<bool>()).prop_map(|(id, host, v6)| Op::Addr { id, host, v6 }),
        2 => (id.clone(), 0..5_usize, any::<u8>())
            .prop_map(|(id, len, byte)| Op::Metadata { id, len, byte }),
        1 => (id, prop::option::of(0..9_u32)).prop_map(|(id, number)| Op::Links { id, number }),
        1 => (0..40_u64).prop_map(|seconds| Op::Pass { seconds }),
        1 => (0..10_u32).prop_map(|max| Op::Forget { max }),
        2 => any::<u32>().prop_map(|random| Op::Probe { random }),
    ]
}

fn host_addr(host: u8, v6: bool) -> SocketAddr {
    if v6 {
        SocketAddr::new(core::net::Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(host)).into(), 7946)
    } else {
        addr(u32::from(host))
    }
}

/// Everything that the table says is what the model says.
fn check(members: &Members, model: &Model) {
    let ids: BTreeSet<u64> = members.slots().map(|slot| members.id(slot).0).collect();
    assert!(ids.iter().eq(model.rows.keys()));
    for (id, row) in &model.rows {
        let slot = members.find(NodeId(*id)).expect("the model has it");
        let view = members.view(slot);
        let seen = Row {
            addr: view.addr,
            claim: view.claim(),
            pending: members.flag(slot, Flag::Pending),
            metadata: view.metadata.to_vec(),
            since_s: view.since.as_secs(),
        };
        assert_eq!((view.id, view.is_me, &seen), (NodeId(*id), *id == 0, row));
    }
    for status in [Status::Alive, Status::Suspect, Status::Dead, Status::Left] {
        let count = model.rows.values().filter(|row| row.claim.status == status).count();
        assert_eq!(members.count(status) as usize, count);
    }
    assert_eq!(members.len_active() as usize, model.active().count());
    assert_eq!(members.probe_list.len(), model.others_active());
    assert_eq!(members.tombstones.len() as usize, model.tombstones.len());
    assert_eq!(members.digest_root(), model.root());
    assert_eq!(members.next_expiry(), model.next_expiry());
}

/// Does the same to both, and compares what comes of it.
fn apply(members: &mut Members, model: &mut Model, now_s: &mut u64, op: Op) -> Result<(), TestCaseError> {
    match op {
        Op::Insert { id, host, v6 } => {
            if !model.rows.contains_key(&id) {
                let addr = host_addr(host, v6);
                let claim = claim(0, Status::Alive);
                let slot = members.insert(NodeId(id), addr, claim, at(*now_s));
                let full = model.others_active() + 1 >= MEMBERS_MAX as usize;
                prop_assert_eq!(slot.is_none(), full);
                if !full {
                    let metadata = Vec::new();
                    let row = Row { addr, claim, pending: false, metadata, since_s: *now_s };
                    model.rows.insert(id, row);
                }
            }
        }
        Op::Claim { id, claim, pending } => {
            if let Some(slot) = members.find(NodeId(id)) {
                members.set_suspicion(slot, None);
                let set = members.set_claim(slot, claim, pending, at(*now_s));
                prop_assert_eq!(set, model.set_claim(id, claim, pending, *now_s));
            }
        }
        Op::Addr { id, host, v6 } => {
            if let Some(slot) = members.find(NodeId(id)) {
                members.set_addr(slot, host_addr(host, v6));
                model.rows.get_mut(&id).expect("found").addr = host_addr(host, v6);
            }
        }
        Op::Metadata { id, len, byte } => {
            if let Some(slot) = members.find(NodeId(id)) {
                let metadata = alloc::vec![byte; len];
                members.set_metadata(slot, &metadata);
                model.rows.get_mut(&id).expect("found").metadata = metadata;
            }
        }
        Op::Links { id, number } => {
            if let Some(slot) = members.find(NodeId(id)) {
                members.set_queue(slot, number);
                members.set_suspicion(slot, number);
                prop_assert_eq!((members.queue(slot), members.suspicion(slot)), (number, number));
            }
        }
        Op::Pass { seconds } => *now_s += seconds,
        Op::Forget { max } => {
            let forgotten: Vec<_> =
                (0..max).map_while(|_| members.forget_expired(at(*now_s))).map(|gone| gone.id.0).collect();
            let mut expected = Vec::new();
            let is_due = |model: &Model| model.next_expiry().is_some_and(|due| due <= at(*now_s));
            while expected.len() < max as usize && is_due(model) {
                let id = model.tombstones.remove(0);
                model.rows.remove(&id);
                expected.push(id);
            }
            prop_assert_eq!(forgotten, expected);
        }
        Op::Probe { random } => probe(members, model, random)?,
    }
    Ok(())
}

#[test]
fn of_many_tombstones_the_latest_that_died_are_visited() {
    let mut members = alone(200, 200);
    for id in 1..=100 {
        let slot = members.insert(NodeId(id), addr(id as u32), claim(0, Status::Alive), at(1)).expect("room");
        let status = if id % 10 == 0 { Status::Left } else { Status::Dead };
        members.set_claim(slot, claim(0, status), false, at(2));
    }
    let visited: std::collections::BTreeSet<u64> = (0..64)
        .filter_map(|drawn| members.sample_tombstone(&mut |_| drawn, 64))
        .map(|slot| members.id(slot).0)
        .collect();
    // The newest one has left: then one of all is visited.
    assert!(visited.iter().all(|id| (37..=100).contains(id) && id % 10 != 0 || *id == 1), "{visited:?}");
    assert!(visited.len() > 50, "{visited:?}");
}

fn probe(members: &mut Members, model: &Model, random: u32) -> Result<(), TestCaseError> {
    let target = members.next_target(&mut |n| random % n);
    prop_assert_eq!(target.is_none(), model.others_active() == 0);
    let status = target.map(|slot| members.claim(slot).status);
    prop_assert!(status.is_none_or(Status::is_active) && target != Some(Slot::ME));
    let dead = members.sample_tombstone(&mut |n| random % n, 1 + random % 7);
    let status = dead.map(|slot| members.claim(slot).status);
    prop_assert!(status.is_none_or(|status| status == Status::Dead));
    let none_dead = model.rows.iter().all(|(id, row)| *id == 0 || row.claim.status != Status::Dead);
    prop_assert_eq!(dead.is_none(), none_dead);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_table_holds_what_a_naive_one_holds(ops in prop::collection::vec(op(), 0..900)) {
        let mut members = alone(MEMBERS_MAX, TOMBSTONES_MAX);
        let me = Row {
            addr: addr(0), claim: claim(0, Status::Alive), pending: false, metadata: Vec::new(), since_s: 0
        };
        let mut model = Model { rows: BTreeMap::from([(0, me)]), tombstones: Vec::new() };
        let mut now_s = 0;
        for op in ops {
            let revision = members.revision();
            let before = model.rows.clone();
            let mut pending_before: Vec<_> = before.values().map(|row| row.pending).collect();
            apply(&mut members, &mut model, &mut now_s, op)?;
            check(&members, &model);
            // What the view does not show is no revision; everything that it shows is.
            let mut after = model.rows.clone();
            if after.len() == before.len() {
                after.values_mut().zip(pending_before.drain(..)).for_each(|(row, held)| row.pending = held);
            }
            prop_assert_eq!(members.revision() > revision, after != before);
        }
    }
}
