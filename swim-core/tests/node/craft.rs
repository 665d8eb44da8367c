//! Datagrams, byte by byte, as `docs/wire.md` has them: a second writer and reader of the format.

use std::net::{IpAddr, SocketAddr};

use swim_core::Status;

/// Unix milliseconds at the start of every node and of every invented member.
pub(crate) const EPOCH: u64 = 1_700_000_000_000;

pub(crate) const PING: u8 = 1;
pub(crate) const ACK: u8 = 2;
pub(crate) const PING_REQ: u8 = 3;
pub(crate) const NACK: u8 = 4;
pub(crate) const RELAYED_ACK: u8 = 5;
pub(crate) const JOIN: u8 = 6;
pub(crate) const CHALLENGE: u8 = 7;
pub(crate) const WELCOME: u8 = 8;
pub(crate) const ANNOUNCE: u8 = 9;
pub(crate) const SYNC_PULL: u8 = 10;
pub(crate) const SYNC_PAGE: u8 = 11;
pub(crate) const GOSSIP: u8 = 12;
pub(crate) const USER: u8 = 13;

pub(crate) const HEAD: u8 = 1;
pub(crate) const UPDATES: u8 = 2;
pub(crate) const BROADCASTS: u8 = 3;
pub(crate) const PAYLOAD: u8 = 4;

/// One life of a member, and one of its statements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Word {
    pub(crate) id: u64,
    pub(crate) epoch: u64,
    pub(crate) incarnation: u32,
}

/// The first word of member `id`.
pub(crate) const fn word(id: u64) -> Word {
    Word { id, epoch: EPOCH, incarnation: 0 }
}

impl Word {
    pub(crate) const fn incarnation(self, incarnation: u32) -> Self {
        Self { incarnation, ..self }
    }

    pub(crate) const fn epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }

    fn put(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.id.to_le_bytes());
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.incarnation.to_le_bytes());
    }
}

/// A datagram under construction.
#[derive(Clone, Debug)]
pub(crate) struct Craft(pub(crate) Vec<u8>);

impl Craft {
    pub(crate) fn new(label: u32, sender: Word, kind: u8) -> Self {
        let mut bytes = vec![0x53, 0x57, 1, 0, kind, 0, 0, 0];
        bytes.extend(label.to_le_bytes());
        sender.put(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn part(mut self, tag: u8, bytes: &[u8]) -> Self {
        let len = u16::try_from(bytes.len()).expect("a part of a datagram");
        self.0.push(tag);
        self.0.extend(len.to_le_bytes());
        self.0.extend(bytes);
        self
    }

    pub(crate) fn head(self, bytes: &[u8]) -> Self {
        self.part(HEAD, bytes)
    }

    pub(crate) fn updates(self, records: &[Vec<u8>]) -> Self {
        self.part(UPDATES, &sequence(records))
    }

    pub(crate) fn broadcasts(self, records: &[Vec<u8>]) -> Self {
        self.part(BROADCASTS, &sequence(records))
    }
}

fn sequence(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        let len = u16::try_from(record.len()).expect("a record of a datagram");
        bytes.extend(len.to_le_bytes());
        bytes.extend(record);
    }
    bytes
}

pub(crate) fn ping(target: Word, status: Status, number: u64, root: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    target.put(&mut bytes);
    bytes.push(status as u8);
    bytes.extend(number.to_le_bytes());
    bytes.extend(root.to_le_bytes());
    bytes
}

pub(crate) fn ack(number: u64, root: Option<u64>, belief: Option<(Word, Status)>, stranger: bool) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.push(u8::from(root.is_some()));
    bytes.extend(root.into_iter().flat_map(u64::to_le_bytes));
    bytes.push(u8::from(belief.is_some()));
    if let Some((word, status)) = belief {
        bytes.extend(word.epoch.to_le_bytes());
        bytes.extend(word.incarnation.to_le_bytes());
        bytes.push(status as u8);
    }
    bytes.push(u8::from(stranger));
    bytes
}

pub(crate) fn ping_req(target: u64, number: u64, budget_us: u32) -> Vec<u8> {
    [&target.to_le_bytes()[..], &number.to_le_bytes(), &budget_us.to_le_bytes()].concat()
}

/// A Nack; with `target` a RelayedAck.
pub(crate) fn answer(number: u64, target: Option<u64>) -> Vec<u8> {
    number.to_le_bytes().into_iter().chain(target.into_iter().flat_map(u64::to_le_bytes)).collect()
}

/// Join and Challenge (nonce, token), and Announce (token, number).
pub(crate) fn two(first: u64, second: u64) -> Vec<u8> {
    [first.to_le_bytes(), second.to_le_bytes()].concat()
}

pub(crate) fn welcome(nonce: u64, taken: bool, held: Word, clock: u64, members: u32) -> Vec<u8> {
    let mut bytes = nonce.to_le_bytes().to_vec();
    bytes.push(u8::from(taken));
    bytes.extend(held.epoch.to_le_bytes());
    bytes.extend(held.incarnation.to_le_bytes());
    bytes.extend(clock.to_le_bytes());
    bytes.extend(members.to_le_bytes());
    bytes
}

pub(crate) fn sync_pull(number: u64, prefix: u32, depth: u8, hashes: [u32; 16]) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.extend(prefix.to_le_bytes());
    bytes.push(depth);
    bytes.extend(hashes.into_iter().flat_map(u32::to_le_bytes));
    bytes
}

pub(crate) fn sync_page(number: u64, prefix: u32, depth: u8, more: u16) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.extend(prefix.to_le_bytes());
    bytes.push(depth);
    bytes.extend(more.to_le_bytes());
    bytes
}

fn about(status: Status, flags: u8, word: Word) -> Vec<u8> {
    let mut bytes = vec![status as u8, flags];
    word.put(&mut bytes);
    bytes
}

pub(crate) fn alive(word: Word, addr: SocketAddr, metadata: &[u8]) -> Vec<u8> {
    let flags = u8::from(addr.is_ipv6()) | u8::from(!metadata.is_empty()) << 1;
    let mut bytes = about(Status::Alive, flags, word);
    bytes.extend(addr.port().to_le_bytes());
    match addr.ip() {
        IpAddr::V4(ip) => bytes.extend(ip.octets()),
        IpAddr::V6(ip) => bytes.extend(ip.octets()),
    }
    bytes.extend([1, 1]);
    if !metadata.is_empty() {
        bytes.extend(u16::try_from(metadata.len()).expect("short").to_le_bytes());
        bytes.extend(metadata);
    }
    bytes
}

pub(crate) fn suspect(word: Word, accusers: &[u64]) -> Vec<u8> {
    let mut bytes = about(Status::Suspect, 0, word);
    bytes.push(u8::try_from(accusers.len()).expect("at most seven"));
    bytes.extend(accusers.iter().flat_map(|id| id.to_le_bytes()));
    bytes
}

pub(crate) fn dead(word: Word, by: u64, accuser: u64) -> Vec<u8> {
    let mut bytes = about(Status::Dead, 0, word);
    bytes.extend(by.to_le_bytes());
    bytes.extend(accuser.to_le_bytes());
    bytes
}

pub(crate) fn left(word: Word, by: u64) -> Vec<u8> {
    let mut bytes = about(Status::Left, 0, word);
    bytes.extend(by.to_le_bytes());
    bytes
}

pub(crate) fn broadcast(origin: Word, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = origin.id.to_le_bytes().to_vec();
    bytes.extend(origin.epoch.to_le_bytes());
    bytes.extend(sequence.to_le_bytes());
    bytes.extend(u16::try_from(payload.len()).expect("short").to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// What kind a datagram is.
pub(crate) fn kind(bytes: &[u8]) -> u8 {
    bytes[4]
}

/// The part with this tag; empty if there is none.
pub(crate) fn part(bytes: &[u8], tag: u8) -> &[u8] {
    let mut rest = &bytes[32..];
    while !rest.is_empty() {
        let len = usize::from(u16::from_le_bytes([rest[1], rest[2]]));
        if rest[0] == tag {
            return &rest[3..3 + len];
        }
        rest = &rest[3 + len..];
    }
    &[]
}

/// The records of the part with this tag, without their lengths.
pub(crate) fn records(bytes: &[u8], tag: u8) -> Vec<&[u8]> {
    let mut rest = part(bytes, tag);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let len = usize::from(u16::from_le_bytes([rest[0], rest[1]]));
        records.push(&rest[2..2 + len]);
        rest = &rest[2 + len..];
    }
    records
}

/// The eight bytes at `at`, as a number.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// The four bytes at `at`, as a number.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// (status, word) of each update that rides on a datagram.
pub(crate) fn claims(bytes: &[u8]) -> Vec<(u8, Word)> {
    let claim = |record: &&[u8]| {
        let word = Word { id: u64_at(record, 2), epoch: u64_at(record, 10), incarnation: u32_at(record, 18) };
        (record[0], word)
    };
    records(bytes, UPDATES).iter().map(claim).collect()
}

#[test]
fn the_worked_example_of_the_document_is_what_this_writer_writes() {
    let sender = Word { id: 0x0102_0304_0506_0708, epoch: 1_700_000_000_000, incarnation: 7 };
    let target = Word { id: 0xa1, epoch: 1_600_000_000_000, incarnation: 5 };
    let member = Word { id: 0xc1, epoch: 1_600_000_000_000, incarnation: 2 };
    let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
    let origin = Word { id: 0xb1, epoch: 1_600_000_000_000, incarnation: 0 };
    let head = ping(target, Status::Suspect, 0x1112_1314_1516_1718, 0x2122_2324_2526_2728);
    let crafted = Craft::new(0x1122_3344, sender, PING)
        .head(&head)
        .updates(&[alive(member, addr, b"abc"), suspect(member, &[0xb1])])
        .broadcasts(&[broadcast(origin, 9, b"hi")]);
    let document = include_str!("../../../docs/wire.md");
    let example = document.split("```hex\n").nth(1).and_then(|rest| rest.split("```").next());
    let hex = example.expect("the example").lines().map(|line| line.split('#').next().unwrap_or_default());
    let bytes: Vec<u8> = hex
        .flat_map(str::split_whitespace)
        .map(|byte| u8::from_str_radix(byte, 16).expect("two digits"))
        .collect();
    assert_eq!(crafted.0, bytes);
}
