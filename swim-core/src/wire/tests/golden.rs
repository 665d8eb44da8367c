//! The bytes of every message and every kind of update, as they were on the day version 2 was fixed.

use alloc::vec::Vec;
use core::net::SocketAddr;

use super::*;

/// The named datagram of `golden.txt`.
pub(super) fn golden(name: &str) -> Vec<u8> {
    let text = include_str!("golden.txt");
    let mut datagrams = text.split("\n= ").skip(1);
    let found = datagrams.find_map(|datagram| datagram.strip_prefix(name)?.strip_prefix('\n'));
    unhex(found.unwrap_or_else(|| panic!("golden.txt has no datagram {name:?}")))
}

/// How many datagrams `golden.txt` has.
fn count() -> usize {
    include_str!("golden.txt").matches("\n= ").count()
}

/// Every message under its name in `golden.txt`.
pub(super) fn messages() -> [(&'static str, Message); 19] {
    let number = 0x1112_1314_1516_1718;
    let nonce = 0x4142_4344_4546_4748;
    let token = 0x5152_5354_5556_5758;
    let target = NodeId(0xa1);
    let held_epoch = Epoch(1_600_000_000_000);
    let ack = Ack { number, root: None, held_claim: None, stranger: false };
    let root = Some(0x3132_3334_3536_3738);
    let held_claim = Some(Claim { epoch: held_epoch, incarnation: Incarnation(6), status: Status::Dead });
    let (prefix, depth) = (0xab00_0000, 2);
    let hashes = core::array::from_fn(|i| 0x0101 * u16::try_from(i).expect("below 16"));
    let ping = Ping { target, number, root: 0x2122_2324_2526_2728, held_claim: None };
    let suspect = Claim { epoch: held_epoch, incarnation: Incarnation(5), status: Status::Suspect };
    [
        ("Ping", Message::Ping(ping)),
        ("Ping with held claim", Message::Ping(Ping { held_claim: Some(suspect), ..ping })),
        ("Ack", Message::Ack(ack)),
        ("Ack with root", Message::Ack(Ack { root, ..ack })),
        ("Ack with held claim", Message::Ack(Ack { held_claim, ..ack })),
        ("Ack with root and held claim", Message::Ack(Ack { root, held_claim, ..ack })),
        ("Ack to a stranger", Message::Ack(Ack { root, stranger: true, ..ack })),
        ("PingReq", Message::PingReq(PingReq { target, number, budget_us: 350_000 })),
        ("Nack", Message::Nack(Nack { number })),
        ("RelayedAck", Message::RelayedAck(RelayedAck { number, target })),
        ("Join", Message::Join(Join { nonce, token: 0 })),
        ("Challenge", Message::Challenge(Challenge { nonce, token })),
        (
            "Welcome",
            Message::Welcome(Welcome {
                nonce,
                outcome: JoinOutcome::IdTaken,
                held_epoch,
                held_incarnation: Incarnation(3),
                clock: Epoch(1_700_000_001_000),
                members: 50,
            }),
        ),
        ("Announce", Message::Announce(Announce { token, number })),
        ("SyncPull", Message::SyncPull(SyncPull { number, prefix, depth, hashes })),
        ("SyncPage", Message::SyncPage(SyncPage { number, prefix, depth, more: 0x8001 })),
        ("Gossip", Message::Gossip),
        ("User", Message::User),
        ("BroadcastPull", Message::BroadcastPull),
    ]
}

/// Every kind of update under its name in `golden.txt`.
pub(super) fn updates() -> [(&'static str, Update<'static>); 8] {
    let about = member(0xc1);
    let alive = |addr: &str, versions, metadata| {
        let mut addr: SocketAddr = addr.parse().expect("a valid address");
        if let SocketAddr::V6(v6) = &mut addr
            && v6.ip().is_unicast_link_local()
        {
            v6.set_scope_id(5);
        }
        Update::Alive { about, addr, versions, metadata }
    };
    let accusers = |count: u64| {
        let mut accusers = Accusers::new(NodeId(0xb1));
        assert!((1..count).all(|i| accusers.insert(NodeId(0xb1 + i))));
        accusers
    };
    [
        ("alive at a v4 address", alive("10.0.0.1:7946", (2, 2), b"")),
        ("alive with metadata", alive("10.0.0.1:7946", (2, 2), b"abc")),
        ("alive at a v6 address", alive("[2001:db8::1]:7946", (1, 3), b"")),
        ("alive at a v6 address with a scope", alive("[fe80::1]:7946", (2, 2), b"z")),
        ("suspect with one accuser", Update::Suspect { about, accusers: accusers(1) }),
        ("suspect with seven accusers", Update::Suspect { about, accusers: accusers(7) }),
        ("dead", Update::Dead { about, by: NodeId(0xb1), accuser: NodeId(0xb2) }),
        ("left", Update::Left { about, by: about.id }),
    ]
}

/// The dead member that is piggybacked on some datagrams.
pub(super) const DEAD: Update<'static> = Update::Dead {
    about: About { id: NodeId(0xd1), epoch: Epoch(1_600_000_000_000), incarnation: Incarnation(4) },
    by: NodeId(0xb1),
    accuser: NodeId(0xb2),
};
/// The broadcast that is piggybacked on some datagrams.
pub(super) const BROADCAST: BroadcastRecord<'static> =
    BroadcastRecord { origin: NodeId(0xb1), epoch: Epoch(1_600_000_000_000), sequence: 9, payload: b"hi" };

/// What is said of the log that it is of.
pub(super) const MARK: Mark =
    Mark { origin: NodeId(0xb1), epoch: Epoch(1_600_000_000_000), lowest: 3, highest: 10 };

/// A ping with every part.
pub(super) fn everything() -> Datagram<'static> {
    let second = BroadcastRecord { sequence: 10, payload: b"", ..BROADCAST };
    Datagram {
        updates: Vec::from([updates()[0].1, DEAD]),
        broadcasts: Vec::from([BROADCAST, second]),
        marks: Vec::from([MARK]),
        ..Datagram::bare(messages()[1].1)
    }
}

/// The datagram is written as these bytes, and these bytes are read as the datagram.
fn assert_golden(name: &str, datagram: &Datagram<'_>) {
    let bytes = golden(name);
    assert_eq!(datagram.write(), bytes, "{name}");
    let reading = read(&bytes).unwrap_or_else(|reason| panic!("{name}: {reason:?}"));
    assert_eq!(reading.datagram, *datagram, "{name}");
    assert_eq!((reading.skipped, reading.unknown_parts), (Vec::new(), 0), "{name}");
}

#[test]
fn every_message_has_the_bytes_it_always_had() {
    for (name, message) in messages() {
        assert_golden(name, &Datagram::bare(message));
    }
}

#[test]
fn every_kind_has_a_golden_message() {
    for kind in Kind::ALL {
        assert!(messages().iter().any(|(_, message)| message.kind() == kind), "{kind:?}");
    }
}

#[test]
fn every_update_has_the_bytes_it_always_had() {
    for (name, update) in updates() {
        assert_golden(name, &Datagram::about(update));
    }
}

#[test]
fn a_ping_with_every_part_has_the_golden_bytes() {
    assert_golden("everything at once", &everything());
}

#[test]
fn no_golden_datagram_is_left_out_of_the_tests() {
    assert_eq!(count(), 2 * messages().len() + 2 * updates().len() + 1);
}
