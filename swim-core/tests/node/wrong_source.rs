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
