//! Members of the measured cluster by number, and what they say.

use std::net::SocketAddr;

use swim_core::NodeId;
use swim_craft::{ACK, Datagram, EPOCH, HEADER_LEN, Mention, PING, ack, alive, kind, u64_at};

use crate::foca_name::Address as _;

/// Member `number`, counted from 0; the ids of real members are hashes too.
pub(crate) const fn id(number: u32) -> NodeId {
    let mut z = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    NodeId(z ^ (z >> 31))
}

/// The address of member `number`.
pub(crate) fn addr(number: u32) -> SocketAddr {
    SocketAddr::of(number)
}

/// Member `number` with this incarnation.
pub(crate) const fn mention(number: u32, incarnation: u32) -> Mention {
    Mention { id: id(number).0, epoch: EPOCH, incarnation }
}

/// The record that member `number` is Alive.
pub(crate) fn alive_record(number: u32, incarnation: u32) -> Vec<u8> {
    alive(mention(number, incarnation), addr(number), b"")
}

/// An ack of a member whose root is the same and who holds the asker Alive.
pub(crate) fn plain_ack(label: u32, sender: u32, number: u64) -> Vec<u8> {
    Datagram::new(label, mention(sender, 0), ACK).head(&ack(number, None, None, false)).0
}

/// The number of a ping; `None` if the datagram is something else.
pub(crate) fn ping_number(bytes: &[u8]) -> Option<u64> {
    (kind(bytes) == PING).then(|| u64_at(bytes, HEADER_LEN + 8))
}
