//! A node that advertises one address while its datagrams leave from another, as behind two interfaces.

use std::time::Duration;

use crate::craft;
use crate::lab::addr;
use crate::mesh::Mesh;
use swim_core::{Event, JoinFailure, NodeId, Options, Status};

/// Where the datagrams of node 2 come from; what is sent there reaches it.
const OTHER: u64 = 200;

/// Two nodes, of which the second looks for the first. What was sent in the last minute of three.
fn run(accept_wrong_source: bool) -> (Mesh, Vec<u8>) {
    let mut options = Options::lan();
    options.accept_wrong_source = accept_wrong_source;
    let mut mesh = Mesh::new(2, &options);
    let mut kinds = Vec::new();
    for step in 0..18_000 {
        mesh.run_for(Duration::from_millis(10));
        for packet in &mut mesh.flying {
            if packet.source == addr(2) {
                packet.source = addr(OTHER);
            }
            if packet.target == addr(OTHER) {
                packet.target = addr(2);
            }
            if step >= 12_000 {
                kinds.push(craft::kind(&packet.bytes));
            }
        }
    }
    (mesh, kinds)
}

#[test]
fn a_node_whose_datagrams_leave_from_another_address_is_refused_with_the_reason() {
    let (mesh, kinds) = run(false);
    assert!(mesh.nodes[0].member(NodeId(2)).is_none());
    let refused = (1, Event::JoinFailed { reason: JoinFailure::Refused });
    assert_eq!(mesh.events.iter().filter(|event| **event == refused).count(), 1, "{:?}", mesh.events);
    let asked = kinds.iter().filter(|kind| [craft::JOIN, craft::ANNOUNCE].contains(kind)).count();
    assert!(asked <= 12, "{asked} attempts in a minute: a refusal is respected");
}

#[test]
fn where_sources_are_not_looked_at_it_is_a_member_like_any_other() {
    let (mesh, kinds) = run(true);
    for (node, other) in [(0, 2), (1, 1)] {
        let status = mesh.nodes[node].member(NodeId(other)).map(|member| member.status);
        assert_eq!(status, Some(Status::Alive));
    }
    assert!(kinds.iter().all(|kind| [craft::PING, craft::ACK].contains(kind)), "{kinds:?}");
    assert!(
        !mesh.events.iter().any(|(_, event)| matches!(event, Event::Suspect { .. })),
        "{:?}",
        mesh.events
    );
}

/// A member whose address has changed is refused with the address that it is seen at: its user learns that one, and a node
/// that follows its address takes it when two members have named it.
#[test]
fn a_member_that_moved_unawares_learns_where_others_see_it() {
    for follows in [false, true] {
        let mut options = Options::local();
        options.follow_address = follows;
        let mut mesh = Mesh::new(4, &options);
        mesh.run_for(Duration::from_secs(5));
        let (old, new) = (mesh.nodes[3].me().addr, addr(44));
        for _ in 0..6_000 {
            mesh.run_for(Duration::from_millis(10));
            let at = mesh.nodes[3].me().addr;
            mesh.flying.retain(|packet| packet.target != old);
            for packet in &mut mesh.flying {
                let moved = |addr: &mut _, from, to| {
                    if *addr == from {
                        *addr = to
                    }
                };
                moved(&mut packet.source, old, new);
                moved(&mut packet.target, new, at);
            }
        }
        let me = mesh.nodes[3].me();
        let reports = |event: &Event| {
            matches!(event, Event::WrongSource { id, asked, answered }
                if (*id, *asked, *answered) == (me.id, old, new))
        };
        let reported = mesh.events.iter().filter(|(at, event)| *at == 3 && reports(event)).count();
        assert_eq!(reported, 1);
        assert_eq!(me.addr, if follows { new } else { old });
        let status = mesh.nodes[0].member(me.id).map(|member| member.status);
        assert_eq!(status, Some(if follows { Status::Alive } else { Status::Dead }));
    }
}
