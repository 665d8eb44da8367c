//! The table against a naive model, and the behaviours that the model does not show.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::*;
use crate::identity::Epoch;

const LIFE: Duration = Duration::from_secs(100);

fn addr(host: u32) -> SocketAddr {
    SocketAddr::new(core::net::Ipv4Addr::from_bits(0x0a00_0000 + host).into(), 7946)
}

fn claim(incarnation: u32, status: Status) -> Claim {
    Claim { epoch: Epoch(1), incarnation: Incarnation(incarnation), status }
}

fn alone(members_max: u32, tombstones_max: u32) -> Members {
    let me = Identity { id: NodeId(0), addr: addr(0), epoch: Epoch(1) };
    Members::new(7, me, members_max, tombstones_max, LIFE, Instant::ORIGIN)
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
    members.set_rtt_us(slot, 500);
    assert_eq!(members.next_target(&mut |_| 0), Some(slot));
    assert!(members.set_claim(slot, claim(0, Status::Suspect), false, at(2)));
    assert_eq!((members.digest_root(), members.rtt_us(slot)), (with_it, Some(500)));
    assert!(members.set_claim(slot, claim(0, Status::Dead), false, at(3)));
    assert_eq!((members.next_target(&mut |_| 0), members.digest_root()), (None, before));
    assert_eq!(members.sample_tombstone(&mut |_| 0), Some(slot));
    assert!(members.set_claim(slot, claim(1, Status::Alive), false, at(4)));
    assert_eq!((members.next_target(&mut |_| 0), members.rtt_us(slot)), (Some(slot), None));
    assert_eq!((members.sample_tombstone(&mut |_| 0), members.next_expiry()), (None, None));
    assert_eq!(members.view(slot).since, Duration::from_secs(4));
}
