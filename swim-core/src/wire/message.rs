//! The messages: one small head for each kind.
//!
//! A head is a plain struct of fixed-width fields right after the header. Its kind and its own flags say how long it
//! is, so it needs no length in front, and it never grows: a later field is a part of its own.

use super::fixed::{Fixed, Front, head};
use super::header::Kind;
use crate::api::{Claim, Epoch, Incarnation, NodeId};

/// A probe of one member, with the root of the sender's digest for comparison.
///
/// It says what the sender holds of the target unless that is what every member says of itself: a suspect learns of
/// the suspicion from the ping and can refute it in its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ping {
    /// The member that is meant; another node that has this address now must not answer.
    pub target: NodeId,
    /// Unpredictable; the answer repeats it.
    pub number: u64,
    /// The root of the sender's digest.
    pub root: u64,
    /// The claim that the sender holds of the target, unless it is Alive and nothing of it is missing.
    pub held_claim: Option<Claim>,
}

impl Ping {
    /// Bytes of its shortest head, and of its longest: with a held claim.
    pub(super) const LEN: usize = 8 + 8 + 8 + 1;
    pub(super) const LEN_MAX: usize = Self::LEN + CLAIM_LEN;
}

/// Bytes of a claim in a head.
const CLAIM_LEN: usize = 6 + 4 + 1;

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
    /// Bytes of its longest head without a root. Only members are sent roots.
    pub(super) const LEN_TO_OTHERS: usize = 8 + 1 + CLAIM_LEN;
}

/// A forged ping causes at most as many bytes to be sent to a third party.
const _: () = assert!(Ack::LEN_TO_OTHERS <= Ping::LEN);

/// The number, a byte of flags (bit 0: a root follows, bit 1: a held claim follows, bit 2: stranger), and what follows.
impl Fixed for Ack {
    #[inline]
    fn put(&self, bytes: &mut Front) {
        let flag = |is_set, flag: u8| u8::from(is_set) * flag;
        let flags = flag(self.root.is_some(), 0b001) | flag(self.held_claim.is_some(), 0b010);
        self.number.put(bytes);
        (flags | flag(self.stranger, 0b100)).put(bytes);
        self.root.inspect(|root| root.put(bytes));
        self.held_claim.inspect(|claim| claim.put(bytes));
    }
    #[inline]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let number = u64::take(bytes)?;
        let flags = u8::take(bytes).filter(|flags| *flags <= 0b111)?;
        let root = if flags & 0b001 == 0 { None } else { Some(Fixed::take(bytes)?) };
        let held_claim = if flags & 0b010 == 0 { None } else { Some(Fixed::take(bytes)?) };
        Some(Self { number, root, held_claim, stranger: flags & 0b100 != 0 })
    }
}

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
    /// What the asker holds in each sixteenth of the range. The number is the salt, so that two sums that have the same
    /// hash in one pull differ in the next.
    pub hashes: [u16; 16],
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

impl SyncPull {
    /// Bytes of its head, the longest of all.
    pub(super) const LEN: usize = 8 + 4 + 1 + 16 * 2;
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
    BroadcastPull,
}

/// Every kind with a head.
macro_rules! heads {
    ($($kind:ident)*) => {

        impl Message {
            /// Which kind it is.
            pub(crate) const fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                    Self::Gossip => Kind::Gossip,
                    Self::User => Kind::User,
                    Self::BroadcastPull => Kind::BroadcastPull,
                }
            }

            /// Takes the head of a message of this kind off the front; `None` if that is too short or means
            /// nothing.
            #[inline]
            pub(super) fn take(kind: Kind, bytes: &mut &[u8]) -> Option<Self> {
                Some(match kind {
                    $(Kind::$kind => Self::$kind(Fixed::take(bytes)?),)*
                    Kind::Gossip => Self::Gossip,
                    Kind::User => Self::User,
                    Kind::BroadcastPull => Self::BroadcastPull,
                })
            }

            /// Appends the head's fields.
            #[inline]
            pub(super) fn put(&self, bytes: &mut Front) {
                match self {
                    $(Self::$kind(head) => head.put(bytes),)*
                    Self::Gossip | Self::User | Self::BroadcastPull => {}
                }
            }
        }
    };
}

heads! { Ping Ack PingReq Nack RelayedAck Join Challenge Welcome Announce SyncPull SyncPage }

head!(Ping: target number root held_claim);
head!(PingReq: target number budget_us);
head!(Nack: number);
head!(RelayedAck: number target);
head!(Join: nonce token);
head!(Challenge: nonce token);
head!(Welcome: nonce outcome held_epoch held_incarnation clock members);
head!(Announce: token number);
head!(SyncPull: number prefix depth hashes);
head!(SyncPage: number prefix depth more);
