//! For arbitrary contents: what is written is read; for arbitrary bytes: reading ends, and calmly.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::golden::everything;
use super::*;
use crate::api::{METADATA_MAX, PAYLOAD_MAX, canonical};

fn id() -> impl Strategy<Value = NodeId> {
    any::<u64>().prop_map(NodeId)
}

fn epoch() -> impl Strategy<Value = Epoch> {
    (0..=Epoch::MAX.0).prop_map(Epoch)
}

fn incarnation() -> impl Strategy<Value = Incarnation> {
    any::<u32>().prop_map(Incarnation)
}

/// Bytes that live as long as the test.
fn bytes(longest: usize) -> impl Strategy<Value = &'static [u8]> {
    vec(any::<u8>(), 0..=longest).prop_map(|bytes| &*Box::leak(bytes.into_boxed_slice()))
}

fn address() -> impl Strategy<Value = SocketAddr> {
    let link_local = any::<([u16; 4], u32)>().prop_map(|([a, b, c, d], scope)| {
        let ip = core::net::Ipv6Addr::new(0xfe80, 0, 0, 0, a, b, c, d);
        SocketAddr::V6(core::net::SocketAddrV6::new(ip, 1, 0, scope))
    });
    prop_oneof![any::<(IpAddr, u16)>().prop_map(SocketAddr::from), link_local].prop_map(canonical)
}

fn claim() -> impl Strategy<Value = Claim> {
    let status = (0..4_u8).prop_map(|status| Status::from_u8(status).expect("one of four"));
    (epoch(), incarnation(), status).prop_map(|(epoch, incarnation, status)| Claim {
        epoch,
        incarnation,
        status,
    })
}

fn message() -> impl Strategy<Value = Message> {
    let a = (id(), claim(), any::<u64>(), any::<u64>(), any::<Option<u64>>(), proptest::option::of(claim()));
    let b = (epoch(), any::<u32>(), any::<u8>(), any::<u16>(), any::<[u16; 16]>(), any::<bool>());
    (0..Kind::ALL.len(), a, b).prop_map(|(kind, a, b)| {
        let (target, held, number, root, other, held_claim) = a;
        let (clock, members, depth, more, hashes, yes) = b;
        let outcome = if yes { JoinOutcome::IdTaken } else { JoinOutcome::Admitted };
        match Kind::ALL[kind] {
            Kind::Ping => Message::Ping(Ping { target, number, root, held_claim }),
            Kind::Ack => Message::Ack(Ack { number, root: other, held_claim, stranger: yes }),
            Kind::PingReq => Message::PingReq(PingReq { target, number, budget_us: members }),
            Kind::Nack => Message::Nack(Nack { number }),
            Kind::RelayedAck => Message::RelayedAck(RelayedAck { number, target }),
            Kind::Join => Message::Join(Join { nonce: number, token: root }),
            Kind::Challenge => Message::Challenge(Challenge { nonce: number, token: root }),
            Kind::Welcome => Message::Welcome(Welcome {
                nonce: number,
                outcome,
                held_epoch: held.epoch,
                held_incarnation: held.incarnation,
                clock,
                members,
            }),
            Kind::Announce => Message::Announce(Announce { token: root, number }),
            Kind::SyncPull => Message::SyncPull(SyncPull { number, prefix: members, depth, hashes }),
            Kind::SyncPage => Message::SyncPage(SyncPage { number, prefix: members, depth, more }),
            Kind::Gossip => Message::Gossip,
            Kind::User => Message::User,
            Kind::BroadcastPull => Message::BroadcastPull,
        }
    })
}

fn update() -> impl Strategy<Value = Update<'static>> {
    let about =
        (id(), epoch(), incarnation()).prop_map(|(id, epoch, incarnation)| About { id, epoch, incarnation });
    let alive = (address(), any::<(u8, u8)>(), bytes(METADATA_MAX));
    (0..4, about, id(), id(), vec(id(), 0..=ACCUSERS_MAX - 1), alive).prop_map(
        |(status, about, by, accuser, more, (addr, (a, b), metadata))| match status {
            0 => Update::Alive { about, addr, versions: (a.min(b), a.max(b)), metadata },
            1 => {
                let mut accusers = Accusers::new(accuser);
                more.into_iter().for_each(|id| {
                    accusers.insert(id);
                });
                Update::Suspect { about, accusers }
            }
            2 => Update::Dead { about, by, accuser },
            _ => Update::Left { about, by },
        },
    )
}

fn broadcast() -> impl Strategy<Value = BroadcastRecord<'static>> {
    (id(), epoch(), any::<u32>(), bytes(PAYLOAD_MAX))
        .prop_map(|(origin, epoch, sequence, payload)| BroadcastRecord { origin, epoch, sequence, payload })
}

fn mark(record: &BroadcastRecord<'_>) -> Mark {
    let &BroadcastRecord { origin, epoch, sequence, .. } = record;
    Mark { origin, epoch, lowest: sequence / 2 + 1, highest: sequence }
}

pub(super) fn datagram() -> impl Strategy<Value = Datagram<'static>> {
    let fields = (any::<u32>(), id(), epoch(), incarnation());
    (fields, message(), vec(update(), 0..6), vec(broadcast(), 0..3), proptest::option::of(bytes(PAYLOAD_MAX)))
        .prop_map(|((label, sender, epoch, incarnation), message, updates, broadcasts, payload)| {
            let payload = if message == Message::User { Some(payload.unwrap_or(b"")) } else { payload };
            let header = Header { kind: message.kind(), label, sender, epoch, incarnation };
            let marks = broadcasts.iter().map(mark).collect();
            Datagram { header, message, updates, broadcasts, marks, payload }
        })
}

/// Bytes of the head of each kind: the widths of its fields.
fn head_len(message: &Message) -> usize {
    match message {
        Message::Ping(Ping { held_claim: None, .. }) => 25,
        Message::Ping(Ping { held_claim: Some(_), .. }) => 36,
        Message::Ack(Ack { root: None, held_claim: None, .. }) => 9,
        Message::Ack(Ack { root: Some(_), held_claim: None, .. }) => 17,
        Message::Ack(Ack { root: None, held_claim: Some(_), .. }) => 20,
        Message::Ack(Ack { root: Some(_), held_claim: Some(_), .. }) => 28,
        Message::PingReq(_) => 20,
        Message::Nack(_) => 8,
        Message::RelayedAck(_) | Message::Join(_) | Message::Challenge(_) | Message::Announce(_) => 16,
        Message::Welcome(_) => 29,
        Message::SyncPull(_) => 45,
        Message::SyncPage(_) => 15,
        Message::Gossip | Message::User | Message::BroadcastPull => 0,
    }
}

/// Reads to the end, and counts what came out.
fn read_all(bytes: &[u8]) {
    let Ok(reading) = read(bytes) else { return };
    let Reading { datagram, skipped, unknown_parts } = reading;
    let records = datagram.updates.len() + datagram.broadcasts.len() + skipped.len();
    assert!(records <= bytes.len() / 2, "a record takes two bytes");
    assert!(unknown_parts as usize <= bytes.len() / PART_LEN);
}

proptest! {
    #[test]
    fn what_is_written_is_read(datagram in datagram()) {
        let bytes = datagram.write();
        let (_, body) = read_header(&bytes, Some(datagram.header.label)).expect("its own label");
        prop_assert_eq!(body.len(), bytes.len() - HEADER_LEN);
        let reading = read(&bytes).expect("readable");
        prop_assert_eq!(&reading.datagram, &datagram);
        prop_assert_eq!((reading.skipped.len(), reading.unknown_parts), (0, 0));
    }

    #[test]
    fn no_number_changes_a_length(message in message()) {
        let bytes = Datagram { payload: None, ..Datagram::bare(message) }.write();
        prop_assert_eq!(bytes.len(), HEADER_LEN + head_len(&message));
    }

    #[test]
    fn arbitrary_bytes_are_read_to_the_end(bytes in vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn arbitrary_bytes_after_a_header_are_read_to_the_end(
        kind in 1..=14_u8,
        tag in 0..7_u8,
        part in vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..300),
        tail in vec(any::<u8>(), 0..8),
    ) {
        let mut bytes = super::golden::golden("Gossip");
        bytes[4] = kind;
        bytes.push(tag);
        bytes.extend_from_slice(&u16::try_from(part.len()).expect("short").to_le_bytes());
        bytes.extend_from_slice(&part);
        bytes.extend_from_slice(&tail);
        read_all(&bytes);
    }

    #[test]
    fn mutated_datagrams_are_read_to_the_end(
        datagram in datagram(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = datagram.write();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_all(&bytes);
    }
}

#[test]
fn every_single_byte_of_a_full_datagram_may_be_anything() {
    let whole = everything().write();
    for at in 0..whole.len() {
        for value in 0..=255 {
            let mut bytes = whole.clone();
            bytes[at] = value;
            read_all(&bytes);
        }
        read_all(&whole[..at]);
    }
}
