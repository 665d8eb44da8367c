//! Datagrams of our wire format, written by hand as `docs/wire.md` has them, so that one can be changed in
//! place between two measurements. A test holds them against what a real node writes and reads.

use std::net::SocketAddr;

use swim_core::{NodeId, Status};

/// Unix milliseconds at the start of every node.
pub(crate) const EPOCH: u64 = 1_700_000_000_000;
/// Bytes of a record about an Alive member with a v4 address and no metadata, its length included.
pub(crate) const ALIVE_LEN: usize = 32;

const HEADER_LEN: usize = 32;
const PART_LEN: usize = 3;
/// Where a header names the sender.
const SENDER_AT: usize = 12;

/// Member `number`, counted from 0; the ids of real members are hashes too.
pub(crate) const fn id(number: u32) -> NodeId {
    let mut z = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    NodeId(z ^ (z >> 31))
}

/// Where member `number` lives.
pub(crate) fn addr(number: u32) -> SocketAddr {
    let [_, a, b, c] = number.to_be_bytes();
    SocketAddr::from(([10, a, b, c], 7946))
}

/// The number of whoever lives there.
pub(crate) fn number_of(addr: SocketAddr) -> u32 {
    match addr {
        SocketAddr::V4(v4) => {
            let [_, a, b, c] = v4.ip().octets();
            u32::from_be_bytes([0, a, b, c])
        }
        SocketAddr::V6(_) => u32::MAX,
    }
}

/// What a datagram is for, as it stands in the header.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Ping = 1,
    Ack = 2,
    Join = 6,
    Announce = 9,
    SyncPull = 10,
    SyncPage = 11,
    Gossip = 12,
}

/// A datagram of member `sender`.
pub(crate) fn datagram(label: u32, sender: u32, incarnation: u32, kind: Kind) -> Vec<u8> {
    let mut bytes = vec![b'S', b'W', 1, 0, kind as u8, 0, 0, 0];
    bytes.extend(label.to_le_bytes());
    word(&mut bytes, sender, incarnation);
    bytes
}

fn word(bytes: &mut Vec<u8>, member: u32, incarnation: u32) {
    bytes.extend(id(member).0.to_le_bytes());
    bytes.extend(EPOCH.to_le_bytes());
    bytes.extend(incarnation.to_le_bytes());
}

fn part(bytes: &mut Vec<u8>, tag: u8, part: &[u8]) {
    bytes.push(tag);
    bytes.extend(u16::try_from(part.len()).expect("a part of a datagram").to_le_bytes());
    bytes.extend(part);
}

/// The head of a ping of `target`, held Alive.
pub(crate) fn ping_head(bytes: &mut Vec<u8>, target: u32, incarnation: u32, number: u64, root: u64) {
    let mut head = Vec::new();
    word(&mut head, target, incarnation);
    head.push(Status::Alive as u8);
    head.extend(number.to_le_bytes());
    head.extend(root.to_le_bytes());
    part(bytes, 1, &head);
}

/// An ack of somebody whose root is the same, and who believes the best.
pub(crate) fn ack(label: u32, sender: u32, number: u64) -> Vec<u8> {
    let mut bytes = datagram(label, sender, 0, Kind::Ack);
    let mut head = number.to_le_bytes().to_vec();
    head.extend([0, 0, 0]);
    part(&mut bytes, 1, &head);
    bytes
}

/// The head of a Join (nonce, token) and of an Announce (token, number).
pub(crate) fn two_head(bytes: &mut Vec<u8>, first: u64, second: u64) {
    part(bytes, 1, &[first.to_le_bytes(), second.to_le_bytes()].concat());
}

/// The head of a pull at the root of the digest.
pub(crate) fn pull_head(bytes: &mut Vec<u8>, number: u64, hashes: &[u32; 16]) {
    let mut head = number.to_le_bytes().to_vec();
    head.extend([0; 5]);
    head.extend(hashes.iter().flat_map(|hash| hash.to_le_bytes()));
    part(bytes, 1, &head);
}

/// A page on which nothing stands: the whole of what was asked for is the same.
pub(crate) fn empty_page(label: u32, sender: u32, number: u64) -> Vec<u8> {
    let mut bytes = datagram(label, sender, 0, Kind::SyncPage);
    let mut head = number.to_le_bytes().to_vec();
    head.extend([0; 7]);
    part(&mut bytes, 1, &head);
    bytes
}

/// The part of updates.
pub(crate) fn updates(bytes: &mut Vec<u8>, records: &[Vec<u8>]) {
    let mut all = Vec::new();
    for record in records {
        all.extend(u16::try_from(record.len()).expect("short").to_le_bytes());
        all.extend(record);
    }
    part(bytes, 2, &all);
}

/// `member` is Alive.
pub(crate) fn alive(member: u32, incarnation: u32) -> Vec<u8> {
    let mut bytes = vec![Status::Alive as u8, 0];
    word(&mut bytes, member, incarnation);
    let SocketAddr::V4(v4) = addr(member) else { unreachable!("members live at v4 addresses") };
    bytes.extend(v4.port().to_le_bytes());
    bytes.extend(v4.ip().octets());
    bytes.extend([1, 1]);
    bytes
}

/// `accuser` suspects `member`.
pub(crate) fn suspect(member: u32, incarnation: u32, accuser: u32) -> Vec<u8> {
    let mut bytes = vec![Status::Suspect as u8, 0];
    word(&mut bytes, member, incarnation);
    bytes.push(1);
    bytes.extend(id(accuser).0.to_le_bytes());
    bytes
}

/// `member` says goodbye.
pub(crate) fn left(member: u32, incarnation: u32) -> Vec<u8> {
    let mut bytes = vec![Status::Left as u8, 0];
    word(&mut bytes, member, incarnation);
    bytes.extend(id(member).0.to_le_bytes());
    bytes
}

/// The number of a ping; `None` if the datagram is something else.
pub(crate) fn ping_number(bytes: &[u8]) -> Option<u64> {
    let number = bytes.get(56..)?.first_chunk().map(|number| u64::from_le_bytes(*number))?;
    (bytes[4] == Kind::Ping as u8).then_some(number)
}

/// The datagram comes from `sender` instead.
pub(crate) fn set_sender(bytes: &mut [u8], sender: u32) {
    bytes[SENDER_AT..SENDER_AT + 8].copy_from_slice(&id(sender).0.to_le_bytes());
}

/// The `place`th of nothing but Alive records of a gossip datagram is about this one.
pub(crate) fn set_alive(bytes: &mut [u8], place: usize, member: u32, incarnation: u32) {
    let at = HEADER_LEN + PART_LEN + place * ALIVE_LEN + 2;
    bytes[at..at + ALIVE_LEN - 2].copy_from_slice(&alive(member, incarnation));
}
