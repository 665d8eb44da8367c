//! Lengths that others rely on, and what a writer does when there is no room.

use core::net::SocketAddr;

use super::golden::{BROADCAST, DEAD, golden, messages, updates};
use super::*;
use crate::api::PAYLOAD_MAX;

fn bare_len(message: Message) -> usize {
    Datagram { payload: None, ..Datagram::bare(message) }.write().len()
}

#[test]
fn a_challenge_is_no_longer_than_the_join_it_answers() {
    let join = bare_len(Message::Join(Join { nonce: 1, token: 0 }));
    let challenge = bare_len(Message::Challenge(Challenge { nonce: 1, token: u64::MAX }));
    assert!(challenge <= join, "{challenge} for {join}: the answer would amplify a flood");
}

#[test]
fn the_longest_ack_to_a_node_that_is_no_member_is_no_longer_than_the_shortest_ping() {
    let ping = Ping { target: NodeId(0), number: 0, root: 0, held_claim: None };
    let claim = Claim { epoch: Epoch::MAX, incarnation: Incarnation(u32::MAX), status: Status::Left };
    let ack = Ack { number: u64::MAX, root: None, held_claim: Some(claim), stranger: true };
    let (ping, ack) = (bare_len(Message::Ping(ping)), bare_len(Message::Ack(ack)));
    assert_eq!((ping, ack), (HEADER_LEN + Ping::LEN, HEADER_LEN + Ack::LEN_TO_OTHERS));
    assert_eq!(golden("Ping with held claim").len(), HEADER_LEN + Ping::LEN_MAX);
    assert!(ack <= ping, "{ack} for {ping}: the answer would amplify a flood");
}

#[test]
fn the_longest_suspicion_has_seven_accusers() {
    let (_, longest) = updates()[5];
    assert_eq!(update_len(&longest), SUSPECT_LEN_MAX);
}

#[test]
fn a_message_that_is_longer_than_the_limit_shows_and_can_be_abandoned() {
    let (_, ping) = messages()[0];
    let mut bytes = alloc::vec![7];
    let mut writer = begin(&mut bytes, 50, &ping);
    assert!(writer.len() > 50);
    assert_eq!(writer.room(), 0);
    assert!(!writer.update(&DEAD) && !writer.broadcast(&BROADCAST) && !writer.payload(b""));
    writer.abandon();
    assert_eq!(bytes, [7]);
}

#[test]
fn an_alive_at_a_v4_address_without_metadata_takes_30_bytes() {
    assert_eq!(update_len(&updates()[0].1), 30);
}

#[test]
fn a_sealed_datagram_is_37_bytes_longer() {
    assert_eq!(SEAL_ROOM, 37);
}

#[test]
fn update_len_and_broadcast_len_are_what_is_written() {
    let gossip = golden("Gossip").len() + PART_LEN;
    for (name, update) in updates() {
        assert_eq!(gossip + update_len(&update), golden(name).len(), "{name}");
    }
    let bytes = Datagram { broadcasts: Vec::from([BROADCAST]), ..Datagram::bare(Message::Gossip) }.write();
    assert_eq!(gossip + broadcast_len(BROADCAST.payload.len()), bytes.len());
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_trace() {
    let update = updates()[0].1;
    let base = golden("Gossip").len() + PART_LEN;
    for (limit, fitting) in [(base + 29, 0), (base + 30, 1), (base + 59, 1), (base + 60, 2)] {
        let mut bytes = Vec::new();
        let mut writer = begin(&mut bytes, limit, &Message::Gossip);
        let written = (0..3).filter(|_| writer.update(&update)).count();
        assert_eq!(written, fitting, "of {limit} bytes");
        assert_eq!(writer.room(), limit - writer.len());
        let expected = Datagram { updates: alloc::vec![update; fitting], ..Datagram::bare(Message::Gossip) };
        assert_eq!(bytes, expected.write());
    }
}

#[test]
fn a_broadcast_or_payload_of_exactly_the_room_fits_and_one_byte_more_does_not() {
    let payload = [7; PAYLOAD_MAX];
    let broadcast = BroadcastRecord { payload: &payload, ..BROADCAST };
    let base = golden("Gossip").len() + PART_LEN;
    let mut bytes = Vec::new();
    let needed = base + broadcast_len(PAYLOAD_MAX);
    assert!(begin(&mut bytes, needed, &Message::Gossip).broadcast(&broadcast));
    assert!(!begin(&mut bytes, needed - 1, &Message::Gossip).broadcast(&broadcast));
    assert!(begin(&mut bytes, base + 1024, &Message::User).payload(&payload));
    assert!(!begin(&mut bytes, base + 1023, &Message::User).payload(&payload));
}

#[test]
fn datagrams_follow_one_another_in_one_buffer_and_one_can_be_taken_back() {
    let mut bytes = Vec::new();
    let first = begin(&mut bytes, 1200, &messages()[0].1).len();
    let mut second = begin(&mut bytes, 1200, &Message::Gossip);
    assert_eq!(second.start(), first);
    assert!(second.update(&DEAD));
    let second_len = second.len();
    let mut third = begin(&mut bytes, 1200, &Message::Gossip);
    assert!(third.update(&DEAD));
    third.abandon();
    assert_eq!(bytes.len(), first + second_len);
    assert_eq!(read(&bytes[..first]).expect("readable").datagram, Datagram::bare(messages()[0].1));
    assert_eq!(read(&bytes[first..]).expect("readable").datagram, Datagram::about(DEAD));
}

#[test]
fn a_writer_does_not_allocate_beyond_what_was_reserved() {
    let mut bytes = Vec::with_capacity(1200);
    let reserved = bytes.capacity();
    let mut writer = begin(&mut bytes, 1200, &messages()[0].1);
    while writer.update(&updates()[0].1) {}
    while writer.broadcast(&BROADCAST) {}
    let room = writer.room();
    assert!(room < broadcast_len(2) && (room < PART_LEN || writer.payload(&[0; 32][..room - PART_LEN])));
    assert_eq!(bytes.capacity(), reserved);
    assert!(bytes.len() > 1200 - PART_LEN);
}

#[test]
fn a_non_canonical_address_is_written_in_canonical_form() {
    let addr: SocketAddr = "[::ffff:10.0.0.1]:7946".parse().expect("a valid address");
    let update = Update::Alive { about: member(0xc1), addr, versions: (2, 2), metadata: b"" };
    assert_eq!(Datagram::about(update).write(), golden("alive at a v4 address"));
}
