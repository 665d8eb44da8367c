//! The header: 27 bytes that name the sender and its cluster, before anything else is looked at.
//!
//! It is checked in the order of cheapness, so that garbage is turned away after two bytes. It carries
//! the sender's epoch and incarnation in every datagram: hearing a member at a newer incarnation than
//! the one held repairs a missed refutation without a further message.

use super::DATAGRAM_MAX;
use super::fixed::{epoch_at, epoch_bytes, field};
use crate::api::{Claim, DropReason, Epoch, Incarnation, NodeId, Status};

/// Bytes of the header.
pub(crate) const HEADER_LEN: usize = 27;
/// The version of the format that is written, and the only one that is read.
pub(crate) const VERSION: u8 = 2;

const MAGIC: [u8; 2] = *b"SW";
/// Flags that change how the rest is read: a reader that does not know one cannot go on. The lowest
/// means "sealed"; this version knows none of them. The other four may be ignored.
const FLAGS_TO_BE_UNDERSTOOD: u8 = 0b0000_1111;

/// A datagram's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What the head holds.
    pub kind: Kind,
    /// The hash of the cluster's label.
    pub label: u32,
    /// Whose datagram it is.
    pub sender: NodeId,
    /// The sender's epoch.
    pub epoch: Epoch,
    /// The sender's incarnation.
    pub incarnation: Incarnation,
}

impl Header {
    /// The sender's epoch and incarnation.
    #[inline]
    pub(crate) const fn stamp(&self) -> (Epoch, Incarnation) {
        (self.epoch, self.incarnation)
    }

    /// What the header says: the sender is Alive.
    #[inline]
    pub(crate) const fn claim(&self) -> Claim {
        Claim { epoch: self.epoch, incarnation: self.incarnation, status: Status::Alive }
    }
}

/// What a datagram is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Are you there?
    Ping = 1,
    /// I am here.
    Ack = 2,
    /// Please ping a member for me.
    PingReq = 3,
    /// Whom you asked me to ping has not answered yet.
    Nack = 4,
    /// Whom you asked me to ping has answered.
    RelayedAck = 5,
    /// Let me in.
    Join = 6,
    /// Show that you receive at this address.
    Challenge = 7,
    /// You may come in, or your id is taken.
    Welcome = 8,
    /// I am a member now.
    Announce = 9,
    /// What do you know in this range that I do not?
    SyncPull = 10,
    /// One page of it.
    SyncPage = 11,
    /// Piggybacked records only.
    Gossip = 12,
    /// A user's direct message.
    User = 13,
    /// Please send me these broadcasts.
    BroadcastPull = 14,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Ping,
        Self::Ack,
        Self::PingReq,
        Self::Nack,
        Self::RelayedAck,
        Self::Join,
        Self::Challenge,
        Self::Welcome,
        Self::Announce,
        Self::SyncPull,
        Self::SyncPage,
        Self::Gossip,
        Self::User,
        Self::BroadcastPull,
    ];

    /// Its name: `ping`, `ping-req`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 14] = [
            "ping",
            "ack",
            "ping-req",
            "nack",
            "relayed-ack",
            "join",
            "challenge",
            "welcome",
            "announce",
            "sync-pull",
            "sync-page",
            "gossip",
            "user",
            "broadcast-pull",
        ];
        NAMES[self as usize - 1]
    }

    const fn from_u8(value: u8) -> Option<Self> {
        // The numbers begin at 1 and have no gap.
        match value {
            1..=14 => Some(Self::ALL[value as usize - 1]),
            _ => None,
        }
    }
}

/// Reads the header of a datagram, of the cluster with this `label` if one is asked for; what follows it is for
/// [`read_body`](super::read_body).
///
/// # Errors
/// `Length`, `Magic`, `Version`, `Flags`, `Label` or `UnknownKind`, whichever shows first.
pub fn read_header(bytes: &[u8], label: Option<u32>) -> Result<(Header, &[u8]), DropReason> {
    if bytes.len() > DATAGRAM_MAX {
        return Err(DropReason::Length);
    }
    let (raw, body) = bytes.split_first_chunk::<HEADER_LEN>().ok_or(DropReason::Length)?;
    if raw[..2] != MAGIC {
        return Err(DropReason::Magic);
    }
    if raw[2] != VERSION {
        return Err(DropReason::Version);
    }
    if raw[3] & FLAGS_TO_BE_UNDERSTOOD != 0 {
        return Err(DropReason::Flags);
    }
    let header_label = u32::from_le_bytes(field(raw, 5));
    if label.is_some_and(|label| label != header_label) {
        return Err(DropReason::Label);
    }
    let kind = Kind::from_u8(raw[4]).ok_or(DropReason::UnknownKind)?;
    let header = Header {
        kind,
        label: header_label,
        sender: NodeId(u64::from_le_bytes(field(raw, 9))),
        epoch: epoch_at(raw, 17),
        incarnation: Incarnation(u32::from_le_bytes(field(raw, 23))),
    };
    Ok((header, body))
}

/// The bytes of a header.
#[inline]
pub(super) fn raw(header: &Header) -> [u8; HEADER_LEN] {
    let mut raw = [0; HEADER_LEN];
    raw[..2].copy_from_slice(&MAGIC);
    raw[2..5].copy_from_slice(&[VERSION, 0, header.kind as u8]);
    raw[5..9].copy_from_slice(&header.label.to_le_bytes());
    raw[9..17].copy_from_slice(&header.sender.0.to_le_bytes());
    raw[17..23].copy_from_slice(&epoch_bytes(header.epoch));
    raw[23..].copy_from_slice(&header.incarnation.0.to_le_bytes());
    raw
}
