//! The messages: one small head for each kind.
//!
//! A head is a plain struct of fixed-width fields. Bytes after the known ones belong to a
//! later version and are ignored; a head that ends too early is malformed.

use super::fixed::{Fixed, Front, head};
use super::header::Kind;
use super::marks::{RANGES_MAX, Ranges};
use crate::api::{Claim, DropReason, Epoch, Incarnation, NodeId, Status};

/// A probe of one member, with the root of the sender's digest for comparison.
///
/// The target's epoch, incarnation and status are the claim that the sender holds: a suspect learns of
/// the suspicion from the ping and can refute it in its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ping {
    /// The member that is meant; another node that has this address now must not answer.
    pub target: NodeId,
    /// The target's epoch as the sender holds it.
    pub target_epoch: Epoch,
    /// Its incarnation within that epoch.
    pub target_incarnation: Incarnation,
    /// What the sender holds of it.
    pub target_status: Status,
    /// Unpredictable; the answer repeats it.
    pub number: u64,
    /// The root of the sender's digest.
    pub root: u64,
}

impl Ping {
    /// Bytes of its head.
    pub(super) const LEN: usize = 8 + 8 + 4 + 1 + 8 + 8;

    /// What the sender holds of the target.
    #[inline]
    pub(crate) const fn held(&self) -> Claim {
        Claim { epoch: self.target_epoch, incarnation: self.target_incarnation, status: self.target_status }
    }
}

/// The answer to a ping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack {
    /// The ping's.
    pub number: u64,
    /// The root of the answerer's digest, only if it differs from the ping's.
    pub root: Option<u64>,
    /// The claim that the answerer holds of the asker, only if it differs from Alive as in the header of
    /// the ping.
    pub held_claim: Option<Claim>,
    /// Whether the answerer does not know the asker.
    pub stranger: bool,
}

impl Ack {
    /// Bytes of its longest head: with a root and a held claim.
    pub(super) const LEN_MAX: usize = 8 + (1 + 8) + (1 + 8 + 4 + 1) + 1;
}

/// A forged ping causes at most as many bytes to be sent to a third party.
const _: () = assert!(Ack::LEN_MAX <= Ping::LEN);

/// A request to ping a member on the sender's behalf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PingReq {
    /// Whom.
    pub target: NodeId,
    /// Unpredictable; the answers repeat it.
    pub number: u64,
    /// How long an answer is still of use, counted from its arrival at the relay, in microseconds.
    pub budget_us: u32,
}

/// The relay sent the ping and has no answer so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nack {
    /// The ping-req's.
    pub number: u64,
}

/// The relay sent the ping and has received the ack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelayedAck {
    /// The ping-req's.
    pub number: u64,
    /// Who answered.
    pub target: NodeId,
}

/// A request to be admitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Join {
    /// Unpredictable; the answers repeat it.
    pub nonce: u64,
    /// What the challenge gave; zero when there was none yet.
    pub token: u64,
}

/// A request to repeat the join with this token, which proves that the joiner receives at its address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// The join's.
    pub nonce: u64,
    /// Never zero.
    pub token: u64,
}

/// What the cluster knows about a joiner and the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Welcome {
    /// The join's.
    pub nonce: u64,
    /// Whether the joiner may have the id.
    pub outcome: JoinOutcome,
    /// The epoch held under the joiner's id; zero when none is.
    pub held_epoch: Epoch,
    /// The incarnation held with it.
    pub held_incarnation: Incarnation,
    /// The cluster's epoch clock.
    pub clock: Epoch,
    /// How many Alive and Suspect members the answerer holds.
    pub members: u32,
}

/// What a welcome answers to a joiner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum JoinOutcome {
    /// The joiner is admitted.
    Admitted = 0,
    /// A living member has this id.
    IdTaken = 1,
    /// The announced address is not the one that the announcement came from, or there is no room.
    Refused = 2,
}

impl JoinOutcome {
    /// All of them, by number.
    pub(super) const ALL: [Self; 3] = [Self::Admitted, Self::IdTaken, Self::Refused];
}

/// The sender is a member now: its own Alive is among the updates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Announce {
    /// The challenge's.
    pub token: u64,
    /// Unpredictable; the ack repeats it.
    pub number: u64,
}

/// A request for the members in which the tables differ, within one range of the digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncPull {
    /// Unpredictable; the page repeats it.
    pub number: u64,
    /// The range: its leading nibbles, left-aligned.
    pub prefix: u32,
    /// How many nibbles of the prefix count. The reader bounds it.
    pub depth: u8,
    /// What the asker holds in each sixteenth of the range.
    pub hashes: [u32; 16],
}

/// A page of what differs: the piggybacked updates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncPage {
    /// The pull's.
    pub number: u64,
    /// The pull's.
    pub prefix: u32,
    /// The pull's.
    pub depth: u8,
    /// Which sixteenths differ and did not fit: one bit each, the lowest for the first.
    pub more: u16,
}

/// A request for an origin's broadcasts, of which the asker lacks these numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BroadcastPull {
    /// Whose broadcasts.
    pub origin: NodeId,
    /// Its epoch then.
    pub epoch: Epoch,
    /// Which numbers.
    pub ranges: Ranges,
}

impl SyncPull {
    /// Bytes of its head.
    pub(super) const LEN: usize = 8 + 4 + 1 + 16 * 4;
}

impl BroadcastPull {
    /// Bytes of its longest head, the longest of all.
    pub(super) const LEN_MAX: usize = 8 + 8 + 1 + RANGES_MAX * (4 + 2);
}

impl SyncPage {
    /// Bytes of its head.
    pub(crate) const LEN: usize = 8 + 4 + 1 + 2;
}

/// A kind with its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// [`Kind::Ping`].
    Ping(Ping),
    /// [`Kind::Ack`].
    Ack(Ack),
    /// [`Kind::PingReq`].
    PingReq(PingReq),
    /// [`Kind::Nack`].
    Nack(Nack),
    /// [`Kind::RelayedAck`].
    RelayedAck(RelayedAck),
    /// [`Kind::Join`].
    Join(Join),
    /// [`Kind::Challenge`].
    Challenge(Challenge),
    /// [`Kind::Welcome`].
    Welcome(Welcome),
    /// [`Kind::Announce`].
    Announce(Announce),
    /// [`Kind::SyncPull`].
    SyncPull(SyncPull),
    /// [`Kind::SyncPage`].
    SyncPage(SyncPage),
    /// [`Kind::Gossip`].
    Gossip,
    /// [`Kind::User`].
    User,
    /// [`Kind::BroadcastPull`].
    BroadcastPull(BroadcastPull),
}

impl Message {
    /// Whether there is a head part at all.
    pub(super) const fn has_head(&self) -> bool {
        !matches!(self, Self::Gossip | Self::User)
    }
}

/// Every kind with a head: its fields, in the order in which they are sent.
macro_rules! heads {
    ($($kind:ident: $($field:ident)*;)*) => {
        $(head!($kind: $($field)*);)*

        impl Message {
            /// Which kind it is.
            pub(crate) const fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                    Self::Gossip => Kind::Gossip,
                    Self::User => Kind::User,
                }
            }

            /// Reads the head of a message of this kind. Only kinds without fields can do without the part.
            pub(super) fn read(kind: Kind, head: Option<&[u8]>) -> Result<Self, DropReason> {
                let head = head.ok_or(DropReason::Malformed);
                match kind {
                    $(Kind::$kind => head.and_then(fields).map(Self::$kind),)*
                    Kind::Gossip => Ok(Self::Gossip),
                    Kind::User => Ok(Self::User),
                }
            }

            /// Appends the head's fields.
            #[inline]
            pub(super) fn write(&self, bytes: &mut Front) {
                match self {
                    $(Self::$kind(head) => head.put(bytes),)*
                    Self::Gossip | Self::User => {}
                }
            }
        }
    };
}

heads! {
    Ping: target target_epoch target_incarnation target_status number root;
    Ack: number root held_claim stranger;
    PingReq: target number budget_us;
    Nack: number;
    RelayedAck: number target;
    Join: nonce token;
    Challenge: nonce token;
    Welcome: nonce outcome held_epoch held_incarnation clock members;
    Announce: token number;
    SyncPull: number prefix depth hashes;
    SyncPage: number prefix depth more;
    BroadcastPull: origin epoch ranges;
}

/// What follows the known fields belongs to a later version.
#[inline]
pub(super) fn fields<H: Fixed>(mut head: &[u8]) -> Result<H, DropReason> {
    H::take(&mut head).ok_or(DropReason::Malformed)
}
