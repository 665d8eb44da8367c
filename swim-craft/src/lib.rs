//! Datagrams made by hand, byte by byte as `docs/wire.md` has them: a second writer and reader of the format.
//!
//! The encoder of `swim-core` writes only what a node means. Tests, benchmarks and the hostile hosts of simulations
//! need datagrams that lie, repeat or contradict themselves, so they build them here: [`Datagram::new`] writes the
//! header, [`head`](Datagram::head) the fields of the kind, [`updates`](Datagram::updates) and [`broadcasts`](Datagram::broadcasts) append
//! parts, and a function per message and per record makes their bytes. Nothing is checked except lengths.
//!
//! The crate depends on nothing, in particular not on the code that it tests. Its own test holds it against the
//! worked example of the document.
#![forbid(unsafe_code)]

use std::net::{IpAddr, SocketAddr};

/// Unix milliseconds at the start of every node and of every invented member.
pub const EPOCH: u64 = 1_700_000_000_000;
/// Bytes of a header.
pub const HEADER_LEN: usize = 27;
/// Bytes in front of a part's content.
pub const PART_LEN: usize = 3;
/// Where a header names its sender.
const SENDER_AT: usize = 9;

macro_rules! numbers {
    ($doc:literal: $($name:ident = $number:literal)*) => { $(#[doc = $doc] pub const $name: u8 = $number;)* };
}

numbers! { "Kind of a datagram.":
    PING = 1 ACK = 2 PING_REQ = 3 NACK = 4 RELAYED_ACK = 5 JOIN = 6 CHALLENGE = 7 WELCOME = 8 ANNOUNCE = 9
    SYNC_PULL = 10 SYNC_PAGE = 11 GOSSIP = 12 USER = 13 BROADCAST_PULL = 14
}
numbers! { "Tag of a part.": UPDATES = 2 BROADCASTS = 3 PAYLOAD = 4 MARKS = 5 }
numbers! { "Status in a head or a record.": ALIVE = 0 SUSPECT = 1 DEAD = 2 LEFT = 3 }

/// A member as a header or a record names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mention {
    /// Its id.
    pub id: u64,
    /// Its epoch.
    pub epoch: u64,
    /// Its incarnation within that epoch.
    pub incarnation: u32,
}

/// Member `id` with its first epoch and incarnation.
#[must_use]
pub const fn member(id: u64) -> Mention {
    Mention { id, epoch: EPOCH, incarnation: 0 }
}

impl Mention {
    /// The same member with another incarnation.
    #[must_use]
    pub const fn incarnation(self, incarnation: u32) -> Self {
        Self { incarnation, ..self }
    }

    /// The same member with another epoch.
    #[must_use]
    pub const fn epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }

    fn bytes(self) -> Vec<u8> {
        [&self.id.to_le_bytes()[..], &epoch(self.epoch), &self.incarnation.to_le_bytes()].concat()
    }

    /// The claim in a head that it has this status.
    fn claim(self, status: u8) -> Vec<u8> {
        [&self.bytes()[8..], &[status]].concat()
    }
}

/// Bytes of a datagram under construction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Datagram(pub Vec<u8>);

impl Datagram {
    /// The header: `label` is the hash of the cluster's label.
    #[must_use]
    pub fn new(label: u32, sender: Mention, kind: u8) -> Self {
        let start = [b'S', b'W', 2, 0, kind];
        Self([&start[..], &label.to_le_bytes(), &sender.bytes()].concat())
    }

    /// Appends a part.
    #[must_use]
    pub fn with_part(mut self, tag: u8, bytes: &[u8]) -> Self {
        self.0.push(tag);
        self.0.extend(length(bytes));
        self.0.extend(bytes);
        self
    }

    /// Appends the head, which comes before all parts.
    #[must_use]
    pub fn head(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// Appends the part with records about members.
    #[must_use]
    pub fn updates(self, records: &[Vec<u8>]) -> Self {
        self.with_part(UPDATES, &sequence(records))
    }

    /// Appends the part with marks of broadcasts.
    #[must_use]
    pub fn marks(self, records: &[Vec<u8>]) -> Self {
        self.with_part(MARKS, &sequence(records))
    }

    /// Appends the part with broadcasts.
    #[must_use]
    pub fn broadcasts(self, records: &[Vec<u8>]) -> Self {
        self.with_part(BROADCASTS, &sequence(records))
    }
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).expect("a part of a datagram is short").to_le_bytes()
}

/// The low 48 bits.
fn epoch(epoch: u64) -> [u8; 6] {
    std::array::from_fn(|i| epoch.to_le_bytes()[i])
}

fn sequence(records: &[Vec<u8>]) -> Vec<u8> {
    records.iter().flat_map(|record| [&length(record), record.as_slice()].concat()).collect()
}

/// The head of a ping; with `held` it says that its sender holds `target` with this status.
#[must_use]
pub fn ping(target: Mention, held: Option<u8>, number: u64, root: u64) -> Vec<u8> {
    let fields = [target.id, number, root].map(u64::to_le_bytes).concat();
    let claim = held.map_or_else(Vec::new, |status| target.claim(status));
    [&fields[..], &[u8::from(held.is_some())], &claim].concat()
}

/// The head of an ack.
#[must_use]
pub fn ack(number: u64, root: Option<u64>, held: Option<(Mention, u8)>, stranger: bool) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.push(u8::from(root.is_some()) | u8::from(held.is_some()) << 1 | u8::from(stranger) << 2);
    bytes.extend(root.into_iter().flat_map(u64::to_le_bytes));
    bytes.extend(held.into_iter().flat_map(|(about, status)| about.claim(status)));
    bytes
}

/// The head of a request to ping `target`.
#[must_use]
pub fn ping_req(target: u64, number: u64, budget_us: u32) -> Vec<u8> {
    [&target.to_le_bytes()[..], &number.to_le_bytes(), &budget_us.to_le_bytes()].concat()
}

/// The head of a Nack; with `target` that of a RelayedAck.
#[must_use]
pub fn answer(number: u64, target: Option<u64>) -> Vec<u8> {
    number.to_le_bytes().into_iter().chain(target.into_iter().flat_map(u64::to_le_bytes)).collect()
}

/// The head of a Join or a Challenge (nonce, token) or of an Announce (token, number).
#[must_use]
pub fn two(first: u64, second: u64) -> Vec<u8> {
    [first.to_le_bytes(), second.to_le_bytes()].concat()
}

/// The head of a welcome.
#[must_use]
pub fn welcome(nonce: u64, taken: bool, held: Mention, clock: u64, members: u32) -> Vec<u8> {
    let (nonce, held) = (nonce.to_le_bytes(), held.bytes());
    [&nonce[..], &[u8::from(taken)], &held[8..], &epoch(clock), &members.to_le_bytes()].concat()
}

/// The head of a pull.
#[must_use]
pub fn sync_pull(number: u64, prefix: u32, depth: u8, hashes: [u16; 16]) -> Vec<u8> {
    let hashes = hashes.map(u16::to_le_bytes).concat();
    [&number.to_le_bytes()[..], &prefix.to_le_bytes(), &[depth], &hashes].concat()
}

/// The head of a page.
#[must_use]
pub fn sync_page(number: u64, prefix: u32, depth: u8, more: u16) -> Vec<u8> {
    [&number.to_le_bytes()[..], &prefix.to_le_bytes(), &[depth], &more.to_le_bytes()].concat()
}

fn record(status: u8, flags: u8, about: Mention, rest: &[u8]) -> Vec<u8> {
    [&[status, flags], &about.bytes()[..], rest].concat()
}

/// The record that `about` is alive at `addr`.
#[must_use]
pub fn alive(about: Mention, addr: SocketAddr, metadata: &[u8]) -> Vec<u8> {
    let flags = u8::from(addr.is_ipv6()) | u8::from(!metadata.is_empty()) << 1;
    let mut rest = addr.port().to_le_bytes().to_vec();
    match addr.ip() {
        IpAddr::V4(ip) => rest.extend(ip.octets()),
        IpAddr::V6(ip) => rest.extend(ip.octets()),
    }
    // It speaks versions 2 to 2.
    rest.extend([2, 2]);
    if !metadata.is_empty() {
        rest.extend(length(metadata));
        rest.extend(metadata);
    }
    record(ALIVE, flags, about, &rest)
}

/// The record that `accusers` suspect `about`.
#[must_use]
pub fn suspect(about: Mention, accusers: &[u64]) -> Vec<u8> {
    let count = u8::try_from(accusers.len()).expect("at most seven accusers");
    let accusers: Vec<u8> = accusers.iter().flat_map(|id| id.to_le_bytes()).collect();
    record(SUSPECT, 0, about, &[&[count], &accusers[..]].concat())
}

/// The record that `by` declares `about` dead, whom `accuser` suspected.
#[must_use]
pub fn dead(about: Mention, by: u64, accuser: u64) -> Vec<u8> {
    record(DEAD, 0, about, &two(by, accuser))
}

/// The record that `about` left; with another id than its own in `by`, that an operator removed it.
#[must_use]
pub fn left(about: Mention, by: u64) -> Vec<u8> {
    record(LEFT, 0, about, &by.to_le_bytes())
}

/// The record of a broadcast.
#[must_use]
pub fn broadcast(origin: Mention, sequence: u32, payload: &[u8]) -> Vec<u8> {
    [&origin.bytes()[..14], &sequence.to_le_bytes(), &length(payload), payload].concat()
}

/// The record that `origin` has broadcast up to `highest`, of which the sender keeps those from `lowest` on.
#[must_use]
pub fn mark(origin: Mention, lowest: u32, highest: u32) -> Vec<u8> {
    [&origin.bytes()[..14], &lowest.to_le_bytes(), &highest.to_le_bytes()].concat()
}

/// The kind of a datagram.
///
/// # Panics
///
/// If `bytes` is shorter than a header.
#[must_use]
pub fn kind(bytes: &[u8]) -> u8 {
    bytes[4]
}

/// The hash of the cluster's label that the header names.
///
/// # Panics
///
/// If `bytes` is shorter than a header.
#[must_use]
pub fn label(bytes: &[u8]) -> u32 {
    u32_at(bytes, 5)
}

/// The sender that the header names, unless `bytes` is shorter than a header.
#[must_use]
pub fn sender(bytes: &[u8]) -> Option<Mention> {
    let header = bytes.get(..HEADER_LEN)?;
    Some(mention_at(header, SENDER_AT))
}

/// Names another sender in the header, unless `bytes` is shorter than a header.
pub fn set_sender(bytes: &mut [u8], sender: Mention) {
    if let Some(field) = bytes.get_mut(SENDER_AT..HEADER_LEN) {
        field.copy_from_slice(&sender.bytes());
    }
}

/// The head.
///
/// # Panics
///
/// If the datagram is malformed.
#[must_use]
pub fn head_of(bytes: &[u8]) -> &[u8] {
    let body = &bytes[HEADER_LEN..];
    let len = match kind(bytes) {
        PING => 25 + 11 * usize::from(body[24]),
        ACK => 9 + 8 * usize::from(body[8] & 1) + 11 * usize::from(body[8] >> 1 & 1),
        PING_REQ => 20,
        NACK => 8,
        RELAYED_ACK | JOIN | CHALLENGE | ANNOUNCE => 16,
        WELCOME => 29,
        SYNC_PULL => 45,
        SYNC_PAGE => 15,
        _ => 0,
    };
    &body[..len]
}

/// The part with this tag; empty if there is none.
///
/// # Panics
///
/// If the datagram is malformed.
#[must_use]
pub fn part_of(bytes: &[u8], tag: u8) -> &[u8] {
    let mut rest = &bytes[HEADER_LEN + head_of(bytes).len()..];
    while !rest.is_empty() {
        let (len, content) = (usize::from(u16::from_le_bytes([rest[1], rest[2]])), &rest[PART_LEN..]);
        if rest[0] == tag {
            return &content[..len];
        }
        rest = &content[len..];
    }
    &[]
}

/// The records of the part with this tag, without their lengths.
///
/// # Panics
///
/// If the datagram is malformed.
#[must_use]
pub fn records(bytes: &[u8], tag: u8) -> Vec<&[u8]> {
    let mut rest = part_of(bytes, tag);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let len = usize::from(u16::from_le_bytes([rest[0], rest[1]]));
        records.push(&rest[2..2 + len]);
        rest = &rest[2 + len..];
    }
    records
}

/// (status, member) of each record about a member.
///
/// # Panics
///
/// If the datagram is malformed.
#[must_use]
pub fn claims(bytes: &[u8]) -> Vec<(u8, Mention)> {
    records(bytes, UPDATES).iter().map(|record| (record[0], mention_at(record, 2))).collect()
}

fn mention_at(bytes: &[u8], at: usize) -> Mention {
    let epoch = u64::from(u32_at(bytes, at + 8)) | u64::from(u16_at(bytes, at + 12)) << 32;
    Mention { id: u64_at(bytes, at), epoch, incarnation: u32_at(bytes, at + 14) }
}

macro_rules! number_at {
    ($($name:ident: $number:ty)*) => { $(
        /// The number at `at`.
        ///
        /// # Panics
        ///
        /// If the bytes end before its end.
        #[must_use]
        pub fn $name(bytes: &[u8], at: usize) -> $number {
            <$number>::from_le_bytes(bytes[at..at + size_of::<$number>()].try_into().expect("as many bytes"))
        }
    )* };
}

number_at! { u16_at: u16 u32_at: u32 u64_at: u64 }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_of_the_document_is_written_and_read() {
        let sender = Mention { id: 0x0102_0304_0506_0708, epoch: 1_700_000_000_000, incarnation: 7 };
        let target = Mention { id: 0xa1, epoch: 1_600_000_000_000, incarnation: 5 };
        let subject = Mention { id: 0xc1, epoch: 1_600_000_000_000, incarnation: 2 };
        let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
        let origin = Mention { id: 0xb1, epoch: 1_600_000_000_000, incarnation: 0 };
        let head = ping(target, Some(SUSPECT), 0x1112_1314_1516_1718, 0x2122_2324_2526_2728);
        let Datagram(crafted) = Datagram::new(0x1122_3344, sender, PING)
            .head(&head)
            .updates(&[alive(subject, addr, b"abc"), suspect(subject, &[0xb1])])
            .broadcasts(&[broadcast(origin, 9, b"hi")]);
        let document = include_str!("../../docs/wire.md");
        let example = document.split("```hex\n").nth(1).and_then(|rest| rest.split("```").next());
        let hex =
            example.expect("the example").lines().map(|line| line.split('#').next().unwrap_or_default());
        let bytes: Vec<u8> = hex
            .flat_map(str::split_whitespace)
            .map(|byte| u8::from_str_radix(byte, 16).expect("two digits"))
            .collect();
        assert_eq!(crafted, bytes);
        assert_eq!((kind(&bytes), super::sender(&bytes), head_of(&bytes)), (PING, Some(sender), &head[..]));
        assert_eq!(claims(&bytes), [(ALIVE, subject), (SUSPECT, subject)]);
        assert_eq!(super::sender(&bytes[..HEADER_LEN - 1]), None);
    }
}
