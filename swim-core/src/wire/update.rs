//! Updates: claims about members, as they are piggybacked.
//!
//! These are what a busy cluster mostly reads, hence a fixed layout that is taken apart with one length
//! check and no decoder in between. A record's first 20 bytes are the same for every status; what
//! follows depends on it; what follows *that* belongs to a later version and is skipped.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::ops::Range;

use super::accusers::{ACCUSERS_MAX, Accusers};
use super::fixed::{Fixed, Front, epoch_at, epoch_bytes, field, head};
use super::records::{RECORD_LEN, Record, Updates};
use crate::api::{DropReason, Epoch, Incarnation, METADATA_MAX, NodeId, Status, canonical};

/// Bytes that every record begins with: status, flags, id, epoch, incarnation.
const COMMON_LEN: usize = 20;

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
    /// Reads it at `at`.
    #[inline]
    fn at<const N: usize>(bytes: &[u8; N], at: usize) -> Self {
        Self {
            id: NodeId(u64::from_le_bytes(field(bytes, at))),
            epoch: epoch_at(bytes, at + 8),
            incarnation: Incarnation(u32::from_le_bytes(field(bytes, at + 14))),
        }
    }

    /// The epoch and incarnation that are spoken of.
    #[inline]
    pub(crate) const fn stamp(&self) -> (Epoch, Incarnation) {
        (self.epoch, self.incarnation)
    }
}

head!(About: id epoch incarnation);

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

    /// What the member attached to itself.
    pub(super) const fn metadata(&self) -> &'a [u8] {
        if let Self::Alive { metadata, .. } = self { metadata } else { &[] }
    }

    /// The record but for its metadata, with its length.
    pub(super) fn front(&self) -> Front {
        debug_assert!(self.metadata().len() <= METADATA_MAX, "refused before it gets here");
        let mut front = Front::new();
        front.put([0, 0, self.status() as u8, 0]);
        self.about().put(&mut front);
        match self {
            Self::Alive { addr, versions, metadata, .. } => {
                debug_assert!(versions.0 <= versions.1, "a range");
                let mut flags = if metadata.is_empty() { 0 } else { FLAG_METADATA };
                addr.port().put(&mut front);
                match canonical(*addr) {
                    SocketAddr::V4(v4) => front.put(v4.ip().octets()),
                    SocketAddr::V6(v6) => {
                        flags |= FLAG_V6;
                        front.put(v6.ip().octets());
                        if v6.scope_id() != 0 {
                            flags |= FLAG_SCOPE;
                            v6.scope_id().put(&mut front);
                        }
                    }
                }
                front.put([versions.0, versions.1]);
                if !metadata.is_empty() {
                    (metadata.len() as u16).put(&mut front);
                }
                front.set(RECORD_LEN + 1, flags);
            }
            Self::Suspect { accusers, .. } => accusers.put(&mut front),
            Self::Dead { by, accuser, .. } => {
                by.put(&mut front);
                accuser.put(&mut front);
            }
            Self::Left { by, .. } => by.put(&mut front),
        }
        let len = front.len() - RECORD_LEN + self.metadata().len();
        front.set_len(0, len);
        front
    }
}

impl<'a> Record<'a> for Update<'a> {
    #[inline]
    fn read(record: &'a [u8]) -> Result<Self, DropReason> {
        let status = Status::from_u8(*record.first().ok_or(DropReason::Malformed)?);
        let status = status.ok_or(DropReason::UnknownUpdate)?;
        let (common, rest) = record.split_first_chunk::<COMMON_LEN>().ok_or(DropReason::Malformed)?;
        read_rest(About::at(common, 2), (status, common[1]), rest).ok_or(DropReason::Malformed)
    }
}

/// What depends on the status, and on the flags.
#[inline]
fn read_rest<'a>(about: About, (status, flags): (Status, u8), mut rest: &'a [u8]) -> Option<Update<'a>> {
    let bytes = &mut rest;
    Some(match status {
        Status::Alive => {
            let port = u16::take(bytes)?;
            let addr = if flags & FLAG_V6 == 0 {
                SocketAddr::from((<[u8; 4]>::take(bytes)?, port))
            } else {
                let ip = <[u8; 16]>::take(bytes)?.into();
                let scope = if flags & FLAG_SCOPE == 0 { 0 } else { u32::take(bytes)? };
                canonical(SocketAddrV6::new(ip, port, 0, scope).into())
            };
            let versions = (u8::take(bytes)?, u8::take(bytes)?);
            let len = if flags & FLAG_METADATA == 0 { 0 } else { usize::from(u16::take(bytes)?) };
            if versions.0 > versions.1 || len > METADATA_MAX {
                return None;
            }
            Update::Alive { about, addr, versions, metadata: bytes.get(..len)? }
        }
        Status::Suspect => Update::Suspect { about, accusers: Fixed::take(bytes)? },
        Status::Dead => Update::Dead { about, by: Fixed::take(bytes)?, accuser: Fixed::take(bytes)? },
        Status::Left => Update::Left { about, by: Fixed::take(bytes)? },
    })
}

impl Plain {
    #[inline]
    fn read(raw: &[u8; PLAIN_LEN]) -> Self {
        let ip = Ipv4Addr::from(field::<PLAIN_LEN, 4>(raw, 24));
        Self {
            about: About::at(raw, 4),
            addr: SocketAddrV4::new(ip, u16::from_le_bytes(field(raw, 22))),
            versions: (raw[28], raw[29]),
        }
    }

    /// The record with its length.
    pub(super) fn raw(&self) -> [u8; PLAIN_LEN] {
        debug_assert!(self.versions.0 <= self.versions.1, "a range");
        let mut raw = [0; PLAIN_LEN];
        raw[..4].copy_from_slice(&[(PLAIN_LEN - RECORD_LEN) as u8, 0, Status::Alive as u8, 0]);
        raw[4..12].copy_from_slice(&self.about.id.0.to_le_bytes());
        raw[12..18].copy_from_slice(&epoch_bytes(self.about.epoch));
        raw[18..22].copy_from_slice(&self.about.incarnation.0.to_le_bytes());
        raw[22..24].copy_from_slice(&self.addr.port().to_le_bytes());
        raw[24..28].copy_from_slice(&self.addr.ip().octets());
        raw[28..].copy_from_slice(&[self.versions.0, self.versions.1]);
        raw
    }
}

/// Bytes that `update` takes in a datagram, its length included.
pub(crate) fn update_len(update: &Update<'_>) -> usize {
    update.front().len() + update.metadata().len()
}

impl<'a> Updates<'a> {
    /// Passes over plain records as long as they are `known`, without taking them for more than they are.
    /// Returns how many.
    #[inline]
    pub(crate) fn pass(&mut self, mut known: impl FnMut(&Plain) -> bool) -> u64 {
        let mut passed = 0;
        while let Some(raw) = self.peek::<PLAIN_LEN>() {
            if raw[2..4] != [Status::Alive as u8, 0] || !known(&Plain::read(raw)) {
                break;
            }
            self.skip::<PLAIN_LEN>();
            passed += 1;
        }
        passed
    }
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
