//! Datagrams of every kind, as a stranger to the cluster can make them.

use std::net::SocketAddr;

use swim_craft::{
    ACK, ALIVE, ANNOUNCE, CHALLENGE, DEAD, Datagram, GOSSIP, JOIN, LEFT, Mention, NACK, PAYLOAD, PING,
    PING_REQ, RELAYED_ACK, SUSPECT, SYNC_PAGE, SYNC_PULL, USER, WELCOME, ack, alive, answer, dead, left,
    ping_req, suspect, sync_page, sync_pull, two, welcome,
};

use crate::member::Row;

/// All statuses of a head or an update.
pub(crate) const STATUSES: [u8; 4] = [ALIVE, SUSPECT, DEAD, LEFT];

/// All kinds of datagram.
pub(crate) fn kinds() -> impl Iterator<Item = u8> {
    PING..=USER
}

/// What a row says, as a header would.
pub(crate) fn mention(row: &Row) -> Mention {
    Mention { id: row.id, epoch: row.epoch, incarnation: row.incarnation as u32 }
}

/// A datagram of the cluster without a label.
pub(crate) fn datagram(kind: u8, sender: Mention) -> Datagram {
    Datagram::new(swim_core::Config::lan().label_hash(), sender, kind)
}

/// An update that says `status` of `about`: at `addr` if it is alive, accused by `by` otherwise.
pub(crate) fn update(status: u8, about: Mention, addr: SocketAddr, by: u64) -> Vec<u8> {
    match status {
        ALIVE => alive(about, addr, b""),
        SUSPECT => suspect(about, &[by]),
        DEAD => dead(about, by, by),
        _ => left(about, by),
    }
}

/// A ping that says `status` of its target.
pub(crate) fn ping(sender: Mention, target: Mention, status: u8, number: u64) -> Datagram {
    datagram(PING, sender).head(&swim_craft::ping(target, Some(status), number, 7))
}

/// The bare form of every kind, with `number` as its number, nonce or token.
pub(crate) fn plain(kind: u8, sender: Mention, target: Mention, number: u64) -> Datagram {
    let datagram = datagram(kind, sender);
    match kind {
        PING => datagram.head(&swim_craft::ping(target, None, number, 7)),
        ACK => datagram.head(&ack(number, None, None, true)),
        PING_REQ => datagram.head(&ping_req(target.id, number, 400_000)),
        NACK => datagram.head(&answer(number, None)),
        RELAYED_ACK => datagram.head(&answer(number, Some(target.id))),
        JOIN => datagram.head(&two(number, 0)),
        CHALLENGE => datagram.head(&two(number, number)),
        WELCOME => datagram.head(&welcome(number, false, target, target.epoch, 9)),
        ANNOUNCE => {
            let own = alive(sender, SocketAddr::from(([127, 0, 0, 1], 9)), b"");
            datagram.head(&two(number, number)).updates(&[own])
        }
        SYNC_PULL => datagram.head(&sync_pull(number, 0, 0, [0x0101; 16])),
        SYNC_PAGE => datagram.head(&sync_page(number, 0, 0, 0)),
        GOSSIP => datagram,
        USER => datagram.with_part(PAYLOAD, b"hello"),
        _ => panic!("no kind {kind}"),
    }
}
