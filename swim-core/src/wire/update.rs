//! Updates: claims about members, as they are piggybacked.
//!
//! These are what a busy cluster mostly reads, hence a fixed layout that is taken apart with one length
//! check and no decoder in between. A record's first 22 bytes are the same for every status; what
//! follows depends on it; what follows *that* belongs to a later version and is skipped.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::ops::Range;

use super::accusers::{ACCUSERS_MAX, Accusers};
use super::fixed::{u16_at, u32_at, u64_at};
use super::records::{RECORD_LEN, Records, write_len};
use crate::api::{DropReason, Epoch, Incarnation, METADATA_MAX, NodeId, Status, canonical};

/// Bytes that every record begins with: status, flags, id, epoch, incarnation.
const COMMON_LEN: usize = 22;

/// Bytes of a suspicion with as many accusers as there can be, its length included.
pub(crate) const SUSPECT_LEN_MAX: usize = RECORD_LEN + COMMON_LEN + 1 + 8 * ACCUSERS_MAX;

/// Bytes of a [`Plain`] record, its length included.
pub(super) const PLAIN_LEN: usize = RECORD_LEN + COMMON_LEN + 2 + 4 + 2;

const FLAG_V6: u8 = 1 << 0;
const FLAG_METADATA: u8 = 1 << 1;
const FLAG_SCOPE: u8 = 1 << 2;

/// Whom a claim is about, and which of its statements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct About {
    /// The member.
    pub id: NodeId,
    /// Its epoch.
    pub epoch: Epoch,
    /// The incarnation within that epoch.
    pub incarnation: Incarnation,
}

impl About {
    /// The epoch and incarnation that are spoken of.
    #[inline]
    pub(crate) const fn stamp(&self) -> (Epoch, Incarnation) {
        (self.epoch, self.incarnation)
    }
}

/// One claim about one member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update<'a> {
    /// It is Alive.
    Alive {
        /// Who.
        about: About,
        /// Where, in canonical form.
        addr: SocketAddr,
        /// The lowest and the highest version of the format that it speaks.
        versions: (u8, u8),
        /// What it attached to itself, at most [`METADATA_MAX`] bytes.
        metadata: &'a [u8],
    },
    /// A probe of it failed.
    Suspect {
        /// Who.
        about: About,
        /// Who says so.
        accusers: Accusers,
    },
    /// A suspicion of it ran out.
    Dead {
        /// Who.
        about: About,
        /// Whose outcome it is.
        by: NodeId,
        /// Who had accused it first.
        accuser: NodeId,
    },
    /// It is gone for good.
    Left {
        /// Who.
        about: About,
        /// The operator's node, or the member itself if it said goodbye.
        by: NodeId,
    },
}

/// What most records are: a member is Alive, at a v4 address and without metadata.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Plain {
    /// Who.
    pub(crate) about: About,
    /// Where.
    pub(crate) addr: SocketAddrV4,
    /// The lowest and the highest version of the format that it speaks.
    pub(crate) versions: (u8, u8),
}

impl<'a> Update<'a> {
    /// Whom it is about.
    pub const fn about(&self) -> &About {
        match self {
            Self::Alive { about, .. }
            | Self::Suspect { about, .. }
            | Self::Dead { about, .. }
            | Self::Left { about, .. } => about,
        }
    }

    /// What it says.
    pub const fn status(&self) -> Status {
        match self {
            Self::Alive { .. } => Status::Alive,
            Self::Suspect { .. } => Status::Suspect,
            Self::Dead { .. } => Status::Dead,
            Self::Left { .. } => Status::Left,
        }
    }

    /// Reads one record, without its length.
    #[inline]
    fn read(record: &'a [u8]) -> Result<Self, DropReason> {
        let status = Status::from_u8(*record.first().ok_or(DropReason::Malformed)?);
        let status = status.ok_or(DropReason::UnknownUpdate)?;
        let (common, rest) = record.split_first_chunk::<COMMON_LEN>().ok_or(DropReason::Malformed)?;
        let about = About {
            id: NodeId(u64_at(common, 2)),
            epoch: Epoch(u64_at(common, 10)),
            incarnation: Incarnation(u32_at(common, 18)),
        };
        if about.epoch > Epoch::MAX {
            return Err(DropReason::ClaimEpoch);
        }
        let update = match status {
            Status::Alive => read_alive(about, common[1], rest),
            Status::Suspect => read_suspect(about, rest),
            Status::Dead => rest.first_chunk::<16>().map(|ids| {
                let (by, accuser) = (NodeId(u64_at(ids, 0)), NodeId(u64_at(ids, 8)));
                Self::Dead { about, by, accuser }
            }),
            Status::Left => rest.first_chunk::<8>().map(|id| Self::Left { about, by: NodeId(u64_at(id, 0)) }),
        };
        update.ok_or(DropReason::Malformed)
    }

    /// Appends it as one record, with its length.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        write_len(bytes, update_len(self) - RECORD_LEN);
        bytes.extend_from_slice(&[self.status() as u8, self.flags()]);
        let about = self.about();
        debug_assert!(about.epoch <= Epoch::MAX, "no later epoch is ever held");
        bytes.extend_from_slice(&about.id.0.to_le_bytes());
        bytes.extend_from_slice(&about.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&about.incarnation.0.to_le_bytes());
        match self {
            Self::Alive { addr, versions, metadata, .. } => write_alive(bytes, *addr, *versions, metadata),
            Self::Suspect { accusers, .. } => {
                bytes.push(accusers.len() as u8);
                for id in accusers.iter() {
                    bytes.extend_from_slice(&id.0.to_le_bytes());
                }
            }
            Self::Dead { by, accuser, .. } => {
                bytes.extend_from_slice(&by.0.to_le_bytes());
                bytes.extend_from_slice(&accuser.0.to_le_bytes());
            }
            Self::Left { by, .. } => bytes.extend_from_slice(&by.0.to_le_bytes()),
        }
        debug_assert_eq!(bytes.len() - start, update_len(self));
    }

    fn flags(&self) -> u8 {
        let Self::Alive { addr, metadata, .. } = self else { return 0 };
        let address = match canonical(*addr) {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(v6) if v6.scope_id() == 0 => FLAG_V6,
            SocketAddr::V6(_) => FLAG_V6 | FLAG_SCOPE,
        };
        address | if metadata.is_empty() { 0 } else { FLAG_METADATA }
    }
}

impl Plain {
    #[inline]
    fn read(raw: &[u8; PLAIN_LEN]) -> Self {
        let about = About {
            id: NodeId(u64_at(raw, 4)),
            epoch: Epoch(u64_at(raw, 12)),
            incarnation: Incarnation(u32_at(raw, 20)),
        };
        let ip = Ipv4Addr::new(raw[26], raw[27], raw[28], raw[29]);
        Self { about, addr: SocketAddrV4::new(ip, u16_at(raw, 24)), versions: (raw[30], raw[31]) }
    }

    /// Appends it at once: an append costs more than the bytes of a field.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        debug_assert!(self.about.epoch <= Epoch::MAX, "no later epoch is ever held");
        debug_assert!(self.versions.0 <= self.versions.1, "a range");
        let mut raw = [0; PLAIN_LEN];
        raw[..4].copy_from_slice(&[(PLAIN_LEN - RECORD_LEN) as u8, 0, Status::Alive as u8, 0]);
        raw[4..12].copy_from_slice(&self.about.id.0.to_le_bytes());
        raw[12..20].copy_from_slice(&self.about.epoch.0.to_le_bytes());
        raw[20..24].copy_from_slice(&self.about.incarnation.0.to_le_bytes());
        raw[24..26].copy_from_slice(&self.addr.port().to_le_bytes());
        raw[26..30].copy_from_slice(&self.addr.ip().octets());
        raw[30..].copy_from_slice(&[self.versions.0, self.versions.1]);
        bytes.extend_from_slice(&raw);
    }
}

/// Bytes that `update` takes in a datagram, its length included.
pub(crate) fn update_len(update: &Update<'_>) -> usize {
    let rest = match update {
        Update::Alive { addr, metadata, .. } => {
            let ip = match canonical(*addr) {
                SocketAddr::V4(_) => 4,
                SocketAddr::V6(v6) if v6.scope_id() == 0 => 16,
                SocketAddr::V6(_) => 16 + 4,
            };
            2 + ip + 2 + if metadata.is_empty() { 0 } else { 2 + metadata.len() }
        }
        Update::Suspect { accusers, .. } => 1 + 8 * accusers.len(),
        Update::Dead { .. } => 16,
        Update::Left { .. } => 8,
    };
    RECORD_LEN + COMMON_LEN + rest
}

/// The updates of one datagram. A record that does not decode is one `Err`, and the next one follows.
#[derive(Clone, Default, Debug)]
pub struct Updates<'a> {
    records: Records<'a>,
}

impl<'a> Updates<'a> {
    pub(super) const fn new(part: &'a [u8]) -> Self {
        Self { records: Records::new(part) }
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Passes over plain records as long as they are `known`, without taking them for more than they are.
    /// Returns how many.
    #[inline]
    pub(crate) fn pass(&mut self, mut known: impl FnMut(&Plain) -> bool) -> u64 {
        let mut passed = 0;
        while let Some(raw) = self.records.peek::<PLAIN_LEN>() {
            if raw[2..4] != [Status::Alive as u8, 0] || !known(&Plain::read(raw)) {
                break;
            }
            self.records.pass::<PLAIN_LEN>();
            passed += 1;
        }
        passed
    }
}

impl<'a> Iterator for Updates<'a> {
    type Item = Result<Update<'a>, DropReason>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some(self.records.next()?.and_then(Update::read))
    }
}

#[inline]
fn read_alive(about: About, flags: u8, rest: &[u8]) -> Option<Update<'_>> {
    let (addr, rest) = if flags & FLAG_V6 == 0 { read_v4(rest)? } else { read_v6(flags, rest)? };
    let (&[lowest, highest], rest) = rest.split_first_chunk::<2>()?;
    if lowest > highest {
        return None;
    }
    let metadata = if flags & FLAG_METADATA == 0 {
        &[]
    } else {
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_le_bytes(*len));
        rest.get(..len).filter(|metadata| metadata.len() <= METADATA_MAX)?
    };
    Some(Update::Alive { about, addr, versions: (lowest, highest), metadata })
}

/// Where the metadata lies in a record, without its length; nothing after it is looked at.
pub(super) fn metadata_at(record: &[u8]) -> Range<usize> {
    let Some(status) = record.first() else { return 0..0 };
    let flags = record.get(1).copied().unwrap_or(0);
    let address = match flags & (FLAG_V6 | FLAG_SCOPE) {
        FLAG_V6 => 16,
        0 | FLAG_SCOPE => 4,
        _ => 16 + 4,
    };
    let fixed = match Status::from_u8(*status) {
        Some(Status::Alive) => COMMON_LEN + 2 + address + 2,
        Some(_) => record.len(),
        None => 1,
    };
    let start = fixed.min(record.len());
    match record[start..].split_first_chunk() {
        Some((len, rest)) if flags & FLAG_METADATA != 0 && fixed > 1 => {
            let start = start + len.len();
            start..start + usize::from(u16::from_le_bytes(*len)).min(rest.len())
        }
        _ => start..start,
    }
}

#[inline]
fn read_v4(rest: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (fixed, rest) = rest.split_first_chunk::<6>()?;
    let &[_, _, a, b, c, d] = fixed;
    Some((SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), u16_at(fixed, 0)), rest))
}

fn read_v6(flags: u8, rest: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (&port, rest) = rest.split_first_chunk::<2>()?;
    let (&ip, rest) = rest.split_first_chunk::<16>()?;
    let (scope, rest) = if flags & FLAG_SCOPE == 0 {
        (0, rest)
    } else {
        let (&scope, rest) = rest.split_first_chunk::<4>()?;
        (u32::from_le_bytes(scope), rest)
    };
    let addr = SocketAddrV6::new(Ipv6Addr::from(ip), u16::from_le_bytes(port), 0, scope);
    Some((canonical(SocketAddr::V6(addr)), rest))
}

/// An accuser that is named twice counts once.
fn read_suspect(about: About, rest: &[u8]) -> Option<Update<'_>> {
    let (&count, rest) = rest.split_first()?;
    let count = usize::from(count);
    if count > ACCUSERS_MAX {
        return None;
    }
    let (ids, _) = rest.get(..8 * count)?.as_chunks::<8>();
    let mut ids = ids.iter().map(|id| NodeId(u64::from_le_bytes(*id)));
    let mut accusers = Accusers::new(ids.next()?);
    for id in ids {
        accusers.insert(id);
    }
    Some(Update::Suspect { about, accusers })
}

fn write_alive(bytes: &mut Vec<u8>, addr: SocketAddr, versions: (u8, u8), metadata: &[u8]) {
    debug_assert!(metadata.len() <= METADATA_MAX, "refused before it gets here");
    debug_assert!(versions.0 <= versions.1, "a range");
    bytes.extend_from_slice(&addr.port().to_le_bytes());
    match canonical(addr) {
        SocketAddr::V4(v4) => bytes.extend_from_slice(&v4.ip().octets()),
        SocketAddr::V6(v6) => {
            bytes.extend_from_slice(&v6.ip().octets());
            if v6.scope_id() != 0 {
                bytes.extend_from_slice(&v6.scope_id().to_le_bytes());
            }
        }
    }
    bytes.extend_from_slice(&[versions.0, versions.1]);
    if !metadata.is_empty() {
        write_len(bytes, metadata.len());
        bytes.extend_from_slice(metadata);
    }
}
