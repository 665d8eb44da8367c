//! A datagram as data, for observers: a simulator's invariants, a dissector, a report.
//!
//! [`describe`](crate::describe) is for eyes, [`inspect`] for programs. Both are made from
//! [the node's own readers](swim_core::wire), so neither can see a datagram differently from the node that acts on it. Nothing is copied but
//! numbers: the records are read where they lie, one after the other, as they are asked for.

use std::net::SocketAddr;
use std::time::Duration;

use swim_core::wire::{
    Accusers, Body, BroadcastRecord, JoinOutcome, Kind, Mark, Message, Update, read_body, read_header,
};
use swim_core::{Claim, DropReason, Epoch, Incarnation, NodeId};

/// What a datagram says, of whatever cluster. A field that its kind does not have is `None`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The hash of the cluster's label: [`Config::label_hash`](swim_core::Config::label_hash).
    pub label: u32,
    /// Whose datagram it says that it is.
    pub sender: NodeId,
    /// The sender's epoch.
    pub epoch: Epoch,
    /// The sender's incarnation.
    pub incarnation: Incarnation,
    /// What ties a question to its answers: the number, or the nonce of the handshake.
    pub number: Option<u64>,
    /// Whom a ping, a ping-req or a relayed ack is about.
    pub target: Option<NodeId>,
    /// The claim that the sender holds: a ping's of its target, an ack's of the asker, if it says so.
    pub held_claim: Option<Claim>,
    /// Whether an ack says that the asker is unknown.
    pub stranger: bool,
    /// The root of the sender's digest, of a ping, or of an ack if it differs from the ping's.
    pub root: Option<u64>,
    /// The address token of a join (0: none yet), a challenge or an announcement.
    pub token: Option<u64>,
    /// Whether a welcome lets the joiner in.
    pub outcome: Option<JoinOutcome>,
    /// A direct message.
    pub payload: Option<&'a [u8]>,
    /// How much time a ping-req gives its relay.
    pub budget: Option<Duration>,
    /// Parts that only a later version knows.
    pub unknown_parts: u32,
    body: Body<'a>,
}

/// One record that is piggybacked on a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said<'a> {
    /// A claim about a member.
    Member(SaidMember<'a>),
    /// A user's broadcast.
    Broadcast(BroadcastRecord<'a>),
    /// Which broadcasts of an origin the sender keeps.
    Mark(Mark),
}

/// A claim about a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SaidMember<'a> {
    /// The member.
    pub id: NodeId,
    /// What is claimed.
    pub claim: Claim,
    /// Its address, if it is called Alive.
    pub addr: Option<SocketAddr>,
    /// What it attached to itself, if it is called Alive.
    pub metadata: &'a [u8],
    /// The member that declared it Dead or Left; the member itself if it left by itself.
    pub by: Option<NodeId>,
    accusers: Option<Accusers>,
}

/// Reads a datagram of whatever cluster, without acting on it and without allocating.
///
/// # Errors
/// Why a node would drop the whole datagram; what only makes it drop one record is an error of
/// [`Inspection::said`].
///
/// ```
/// use swim_core::DropReason;
/// use swim_trace::inspect;
///
/// assert_eq!(inspect(b"hello").err(), Some(DropReason::Length));
/// ```
pub fn inspect(bytes: &[u8]) -> Result<Inspection<'_>, DropReason> {
    let (header, parts) = read_header(bytes, None)?;
    let body = read_body(header.kind, parts)?;
    let mut inspection = Inspection {
        kind: header.kind,
        label: header.label,
        sender: header.sender,
        epoch: header.epoch,
        incarnation: header.incarnation,
        number: None,
        target: None,
        held_claim: None,
        stranger: false,
        root: None,
        token: None,
        outcome: None,
        payload: body.payload,
        budget: None,
        unknown_parts: body.unknown_parts,
        body,
    };
    inspection.read_head();
    Ok(inspection)
}

impl<'a> Inspection<'a> {
    /// What it says of members, then the broadcasts that it carries. An error is one record that a node
    /// skips.
    pub fn said(&self) -> impl Iterator<Item = Result<Said<'a>, DropReason>> + use<'a> {
        let updates = self.body.updates.clone().map(|update| update.map(|update| said_of_member(&update)));
        let broadcasts = self.body.broadcasts.clone().map(|record| record.map(Said::Broadcast));
        updates.chain(broadcasts).chain(self.body.marks.clone().map(|record| record.map(Said::Mark)))
    }

    fn read_head(&mut self) {
        let message = self.body.message;
        self.number = match message {
            Message::Ping(head) => Some(head.number),
            Message::Ack(head) => Some(head.number),
            Message::PingReq(head) => Some(head.number),
            Message::Nack(head) => Some(head.number),
            Message::RelayedAck(head) => Some(head.number),
            Message::Join(head) => Some(head.nonce),
            Message::Challenge(head) => Some(head.nonce),
            Message::Welcome(head) => Some(head.nonce),
            Message::Announce(head) => Some(head.number),
            Message::SyncPull(head) => Some(head.number),
            Message::SyncPage(head) => Some(head.number),
            Message::BroadcastPull | Message::Gossip | Message::User => None,
        };
        match message {
            Message::Ping(head) => {
                (self.target, self.root) = (Some(head.target), Some(head.root));
                self.held_claim = head.held_claim;
            }
            Message::Ack(head) => {
                (self.held_claim, self.root, self.stranger) = (head.held_claim, head.root, head.stranger);
            }
            Message::PingReq(head) => {
                self.target = Some(head.target);
                self.budget = Some(Duration::from_micros(head.budget_us.into()));
            }
            Message::RelayedAck(head) => self.target = Some(head.target),
            Message::Join(head) => self.token = Some(head.token),
            Message::Challenge(head) => self.token = Some(head.token),
            Message::Announce(head) => self.token = Some(head.token),
            Message::Welcome(head) => self.outcome = Some(head.outcome),
            _ => {}
        }
    }
}

impl SaidMember<'_> {
    /// Who accuses a Suspect, the first first; who had accused a Dead; empty otherwise.
    pub fn accusers(&self) -> impl Iterator<Item = NodeId> {
        self.accusers.iter().flat_map(Accusers::iter)
    }
}

fn said_of_member<'a>(update: &Update<'a>) -> Said<'a> {
    let about = update.about();
    let claim = Claim { epoch: about.epoch, incarnation: about.incarnation, status: update.status() };
    let plain = SaidMember { id: about.id, claim, addr: None, metadata: &[], by: None, accusers: None };
    Said::Member(match *update {
        Update::Alive { addr, metadata, .. } => SaidMember { addr: Some(addr), metadata, ..plain },
        Update::Suspect { accusers, .. } => SaidMember { accusers: Some(accusers), ..plain },
        Update::Dead { by, accuser, .. } => {
            SaidMember { by: Some(by), accusers: Some(Accusers::new(accuser)), ..plain }
        }
        Update::Left { by, .. } => SaidMember { by: Some(by), ..plain },
    })
}
