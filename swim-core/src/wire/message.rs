//! The messages: one small head for each kind.
//!
//! A head is a plain struct of fixed-width fields. Bytes after the known ones are somebody's later
//! version and are ignored; a head that ends too early is malformed.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::fixed;
use super::header::Kind;
use crate::claim::{Claim, Status};
use crate::identity::{Epoch, Incarnation, NodeId};
use crate::stats::DropReason;

/// Are you there, the one I think you are? And do we agree about everybody?
///
/// The target's epoch, incarnation and status are what the sender believes of it: whoever is held
/// suspect learns it from the very ping that gives it a chance to refute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Ping {
    /// Whom the sender means; whoever else has this address now must not answer.
    #[serde(with = "fixed")]
    pub(crate) target: NodeId,
    /// Which life of the target the sender holds.
    #[serde(with = "fixed")]
    pub(crate) target_epoch: Epoch,
    /// Which incarnation within that life.
    #[serde(with = "fixed")]
    pub(crate) target_incarnation: Incarnation,
    /// What the sender holds of it.
    #[serde(with = "fixed")]
    pub(crate) target_status: Status,
    /// Unpredictable; the answer repeats it.
    #[serde(with = "fixed")]
    pub(crate) number: u64,
    /// The root of the sender's digest.
    #[serde(with = "fixed")]
    pub(crate) root: u64,
}

/// I am here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Ack {
    /// The ping's.
    #[serde(with = "fixed")]
    pub(crate) number: u64,
    /// The root of the answerer's digest, only if it differs from the ping's.
    #[serde(with = "fixed")]
    pub(crate) root: Option<u64>,
    /// What the answerer holds of the asker, only if that is not simply that it lives as the header of
    /// its ping says.
    #[serde(with = "fixed")]
    pub(crate) belief: Option<Claim>,
    /// Whether the answerer does not know the asker.
    pub(crate) stranger: bool,
}

impl Ping {
    /// Bytes of its head.
    pub(super) const LEN: usize = 8 + 8 + 4 + 1 + 8 + 8;
}

impl Ack {
    /// Bytes of its head with all that it can tell: a root and a belief.
    pub(super) const LEN_MAX: usize = 8 + (1 + 8) + (1 + 8 + 4 + 1) + 1;
}

/// Nobody can have more bytes sent to a third party than it spends on a forged ping.
const _: () = assert!(Ack::LEN_MAX <= Ping::LEN);

/// Please ping a member for me.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct PingReq {
    /// Whom.
    #[serde(with = "fixed")]
    pub(crate) target: NodeId,
    /// Unpredictable; the answers repeat it.
    #[serde(with = "fixed")]
    pub(crate) number: u64,
    /// How long an answer is still of use, counted from its arrival at the relay, in microseconds.
    #[serde(with = "fixed")]
    pub(crate) budget_us: u32,
}

/// I pinged as you asked, nobody has answered so far, and here am I.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Nack {
    /// The ping-req's.
    #[serde(with = "fixed")]
    pub(crate) number: u64,
}

/// I pinged as you asked, and got an ack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct RelayedAck {
    /// The ping-req's.
    #[serde(with = "fixed")]
    pub(crate) number: u64,
    /// Who answered.
    #[serde(with = "fixed")]
    pub(crate) target: NodeId,
}

/// Let me in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Join {
    /// Unpredictable; the answers repeat it.
    #[serde(with = "fixed")]
    pub(crate) nonce: u64,
    /// What the challenge gave; zero when there was none yet.
    #[serde(with = "fixed")]
    pub(crate) token: u64,
}

/// Say it again with this token, so that I know that you receive where you say you are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Challenge {
    /// The join's.
    #[serde(with = "fixed")]
    pub(crate) nonce: u64,
    /// Never zero.
    #[serde(with = "fixed")]
    pub(crate) token: u64,
}

/// What the cluster knows about a joiner and the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Welcome {
    /// The join's.
    #[serde(with = "fixed")]
    pub(crate) nonce: u64,
    /// Whether the joiner may have the id.
    #[serde(with = "fixed")]
    pub(crate) verdict: Verdict,
    /// The epoch held under the joiner's id; zero when none is.
    #[serde(with = "fixed")]
    pub(crate) held_epoch: Epoch,
    /// The incarnation held with it.
    #[serde(with = "fixed")]
    pub(crate) held_incarnation: Incarnation,
    /// The cluster's epoch clock.
    #[serde(with = "fixed")]
    pub(crate) clock: Epoch,
    /// How many Alive and Suspect members the answerer holds.
    #[serde(with = "fixed")]
    pub(crate) members: u32,
}

/// What a welcome answers to a joiner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Verdict {
    /// Come in.
    Admitted = 0,
    /// A living member has this id.
    IdTaken = 1,
    /// The announced address is not the one that the announcement came from, or there is no room.
    Refused = 2,
}

/// I am a member now: my own Alive is among the updates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Announce {
    /// The challenge's.
    #[serde(with = "fixed")]
    pub(crate) token: u64,
    /// Unpredictable; the ack repeats it.
    #[serde(with = "fixed")]
    pub(crate) number: u64,
}

/// Send me what we differ in, within one range of the digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SyncPull {
    /// Unpredictable; the page repeats it.
    #[serde(with = "fixed")]
    pub(crate) number: u64,
    /// The range: its leading nibbles, left-aligned.
    #[serde(with = "fixed")]
    pub(crate) prefix: u32,
    /// How many nibbles of the prefix count. Whoever reads it decides how deep it can go.
    pub(crate) depth: u8,
    /// What the asker holds in each sixteenth of the range.
    #[serde(with = "fixed")]
    pub(crate) hashes: [u32; 16],
}

/// A page of what differs: the updates that ride along.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SyncPage {
    /// The pull's.
    #[serde(with = "fixed")]
    pub(crate) number: u64,
    /// The pull's.
    #[serde(with = "fixed")]
    pub(crate) prefix: u32,
    /// The pull's.
    pub(crate) depth: u8,
    /// Which sixteenths differ and did not fit: one bit each, the lowest for the first.
    #[serde(with = "fixed")]
    pub(crate) more: u16,
}

impl SyncPage {
    /// Bytes of its head.
    pub(crate) const LEN: usize = 8 + 4 + 1 + 2;
}

/// A kind with its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Message {
    Ping(Ping),
    Ack(Ack),
    PingReq(PingReq),
    Nack(Nack),
    RelayedAck(RelayedAck),
    Join(Join),
    Challenge(Challenge),
    Welcome(Welcome),
    Announce(Announce),
    SyncPull(SyncPull),
    SyncPage(SyncPage),
    Gossip,
    User,
}

impl Message {
    /// Which kind it is.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Ping(_) => Kind::Ping,
            Self::Ack(_) => Kind::Ack,
            Self::PingReq(_) => Kind::PingReq,
            Self::Nack(_) => Kind::Nack,
            Self::RelayedAck(_) => Kind::RelayedAck,
            Self::Join(_) => Kind::Join,
            Self::Challenge(_) => Kind::Challenge,
            Self::Welcome(_) => Kind::Welcome,
            Self::Announce(_) => Kind::Announce,
            Self::SyncPull(_) => Kind::SyncPull,
            Self::SyncPage(_) => Kind::SyncPage,
            Self::Gossip => Kind::Gossip,
            Self::User => Kind::User,
        }
    }

    /// Whether there is a head part at all.
    pub(super) const fn has_head(&self) -> bool {
        !matches!(self, Self::Gossip | Self::User)
    }

    /// Reads the head of a message of this kind. Only kinds without fields can do without the part.
    pub(super) fn read(kind: Kind, head: Option<&[u8]>) -> Result<Self, DropReason> {
        let head = head.ok_or(DropReason::Malformed);
        match kind {
            Kind::Ping => head.and_then(fields).map(Self::Ping),
            Kind::Ack => head.and_then(fields).map(Self::Ack),
            Kind::PingReq => head.and_then(fields).map(Self::PingReq),
            Kind::Nack => head.and_then(fields).map(Self::Nack),
            Kind::RelayedAck => head.and_then(fields).map(Self::RelayedAck),
            Kind::Join => head.and_then(fields).map(Self::Join),
            Kind::Challenge => head.and_then(fields).map(Self::Challenge),
            Kind::Welcome => head.and_then(fields).map(Self::Welcome),
            Kind::Announce => head.and_then(fields).map(Self::Announce),
            Kind::SyncPull => head.and_then(fields).map(Self::SyncPull),
            Kind::SyncPage => head.and_then(fields).map(Self::SyncPage),
            Kind::Gossip => Ok(Self::Gossip),
            Kind::User => Ok(Self::User),
        }
    }

    /// Appends the head's fields.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Ping(head) => append(bytes, head),
            Self::Ack(head) => append(bytes, head),
            Self::PingReq(head) => append(bytes, head),
            Self::Nack(head) => append(bytes, head),
            Self::RelayedAck(head) => append(bytes, head),
            Self::Join(head) => append(bytes, head),
            Self::Challenge(head) => append(bytes, head),
            Self::Welcome(head) => append(bytes, head),
            Self::Announce(head) => append(bytes, head),
            Self::SyncPull(head) => append(bytes, head),
            Self::SyncPage(head) => append(bytes, head),
            Self::Gossip | Self::User => {}
        }
    }
}

/// Room for the longest head, SyncPull's 77 bytes.
const HEAD_MAX: usize = 80;

fn fields<'a, H: Deserialize<'a>>(head: &'a [u8]) -> Result<H, DropReason> {
    match postcard::take_from_bytes(head) {
        Ok((fields, _later)) => Ok(fields),
        Err(_) => Err(DropReason::Malformed),
    }
}

fn append<H: Serialize>(bytes: &mut Vec<u8>, head: &H) {
    let mut buffer = [0_u8; HEAD_MAX];
    let written = postcard::to_slice(head, &mut buffer).expect("no head is longer than HEAD_MAX");
    bytes.extend_from_slice(written);
}
