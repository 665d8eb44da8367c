//! Datagrams made by hand, byte for byte after docs/wire.md: a stranger has nothing else.

use std::net::SocketAddr;

/// Kinds of message, and their heads' lengths.
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

/// Statuses in heads and updates.
pub(crate) const STATUSES: [u8; 4] = [ALIVE, SUSPECT, DEAD, LEFT];
pub(crate) const ALIVE: u8 = 0;
pub(crate) const SUSPECT: u8 = 1;
pub(crate) const DEAD: u8 = 2;
pub(crate) const LEFT: u8 = 3;

/// Bytes of a header.
pub(crate) const HEADER_LEN: usize = 32;

/// One life of somebody, as a header or a claim names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Word {
    pub(crate) id: u64,
    pub(crate) epoch: u64,
    pub(crate) incarnation: u32,
}

impl Word {
    fn bytes(self) -> Vec<u8> {
        [&self.id.to_le_bytes()[..], &self.epoch.to_le_bytes(), &self.incarnation.to_le_bytes()].concat()
    }
}

/// A datagram of the cluster without a label.
pub(crate) fn packet(kind: u8, sender: Word, parts: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let label = swim_core::Config::lan().label_hash();
    let mut bytes = vec![b'S', b'W', 1, 0, kind, 0, 0, 0];
    bytes.extend(label.to_le_bytes());
    bytes.extend(sender.bytes());
    assert_eq!(bytes.len(), HEADER_LEN);
    for (tag, part) in parts {
        bytes.push(*tag);
        bytes.extend((part.len() as u16).to_le_bytes());
        bytes.extend(part);
    }
    bytes
}

/// The head part.
pub(crate) fn head(fields: &[&[u8]]) -> (u8, Vec<u8>) {
    (1, fields.concat())
}

/// The updates part.
pub(crate) fn updates(records: &[Vec<u8>]) -> (u8, Vec<u8>) {
    let framed = records.iter().map(|record| [&(record.len() as u16).to_le_bytes()[..], record].concat());
    (2, framed.collect::<Vec<_>>().concat())
}

/// An update that says `status` of `about`: at `addr` if it is alive, accused by `by` otherwise.
pub(crate) fn update(status: u8, about: Word, addr: SocketAddr, by: u64) -> Vec<u8> {
    let mut record = vec![status, 0];
    record.extend(about.bytes());
    match (status, addr) {
        (ALIVE, SocketAddr::V4(addr)) => {
            record.extend(addr.port().to_le_bytes());
            record.extend(addr.ip().octets());
            record.extend([1, 1]);
        }
        (ALIVE, SocketAddr::V6(_)) => panic!("the campaigns run on v4"),
        (SUSPECT, _) => {
            record.push(1);
            record.extend(by.to_le_bytes());
        }
        (DEAD, _) => {
            record.extend(by.to_le_bytes());
            record.extend(by.to_le_bytes());
        }
        _ => record.extend(by.to_le_bytes()),
    }
    record
}

/// A ping that says `status` of its target.
pub(crate) fn ping(sender: Word, target: Word, status: u8, number: u64) -> Vec<u8> {
    let fields = [&target.bytes()[..], &[status], &number.to_le_bytes(), &7_u64.to_le_bytes()];
    packet(PING, sender, &[head(&fields)])
}

/// The bare form of every other kind, with `number` as its number, nonce or token.
pub(crate) fn plain(kind: u8, sender: Word, target: Word, number: u64) -> Vec<u8> {
    let n = number.to_le_bytes();
    let (zero, id) = (0_u64.to_le_bytes(), target.id.to_le_bytes());
    let word = target.bytes();
    match kind {
        PING => ping(sender, target, ALIVE, number),
        ACK => packet(kind, sender, &[head(&[&n, &[0], &[0], &[1]])]),
        PING_REQ => packet(kind, sender, &[head(&[&id, &n, &400_000_u32.to_le_bytes()])]),
        NACK => packet(kind, sender, &[head(&[&n])]),
        RELAYED_ACK => packet(kind, sender, &[head(&[&n, &id])]),
        JOIN => packet(kind, sender, &[head(&[&n, &zero])]),
        CHALLENGE => packet(kind, sender, &[head(&[&n, &n])]),
        WELCOME => {
            packet(kind, sender, &[head(&[&n, &[0], &word[8..20], &word[8..16], &9_u32.to_le_bytes()])])
        }
        ANNOUNCE => {
            let own = update(ALIVE, sender, SocketAddr::from(([127, 0, 0, 1], 9)), sender.id);
            packet(kind, sender, &[head(&[&n, &n]), updates(&[own])])
        }
        SYNC_PULL => packet(kind, sender, &[head(&[&n, &[0; 4], &[0], &[1; 64]])]),
        SYNC_PAGE => packet(kind, sender, &[head(&[&n, &[0; 4], &[0], &[0; 2]])]),
        GOSSIP => packet(kind, sender, &[]),
        USER => packet(kind, sender, &[(4, b"hello".to_vec())]),
        _ => panic!("no kind {kind}"),
    }
}

/// All kinds.
pub(crate) fn kinds() -> impl Iterator<Item = u8> {
    PING..=USER
}

/// The kind of a datagram.
pub(crate) fn kind_of(bytes: &[u8]) -> u8 {
    bytes.get(4).copied().unwrap_or(0)
}

/// Changes the header's sender.
pub(crate) fn resign(bytes: &mut [u8], sender: Word) {
    if let Some(place) = bytes.get_mut(12..HEADER_LEN) {
        place.copy_from_slice(&sender.bytes());
    }
}

/// The word in the header.
pub(crate) fn sender_of(bytes: &[u8]) -> Option<Word> {
    let field = |at: usize, len: usize| {
        let mut all = [0; 8];
        all[..len].copy_from_slice(bytes.get(at..at + len)?);
        Some(u64::from_le_bytes(all))
    };
    Some(Word { id: field(12, 8)?, epoch: field(20, 8)?, incarnation: field(28, 4)? as u32 })
}
