//! The one door out: what a driver must do, and what a user may want to know.

use alloc::boxed::Box;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::identity::{Epoch, Incarnation, NodeId};

/// One thing that came out. Polled with [`crate::Node::poll`] until `None`.
///
/// Exhaustive on purpose: a driver that skipped an output that it does not know would not do its work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output<'a> {
    /// Send this datagram.
    Transmit(Transmit<'a>),
    /// Hand this event to the user.
    Event(Event),
}

/// A datagram to send, ready-made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Transmit<'a> {
    /// Where to.
    pub destination: SocketAddr,
    /// What, at most [`crate::Options::datagram_max`] bytes.
    pub bytes: &'a [u8],
}

/// Something that a user may want to know. Events of one node are in causal order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    /// A member is new here, or back: from an earlier epoch, from the dead, or after a goodbye.
    Alive {
        /// Who.
        id: NodeId,
        /// Where.
        #[serde(with = "crate::collections::serial::addr")]
        addr: SocketAddr,
        /// Its epoch.
        epoch: Epoch,
    },
    /// A member is suspected.
    Suspect {
        /// Who.
        id: NodeId,
        /// Its accuser; this node itself if its own probe failed.
        by: NodeId,
        /// Which incarnation is suspected.
        incarnation: Incarnation,
        /// How long until it is declared Dead if no other member confirms.
        timeout: Duration,
    },
    /// Another member accuses the same suspect independently; its time shrinks.
    Confirmed {
        /// Who is suspected.
        id: NodeId,
        /// The further accuser.
        by: NodeId,
        /// How many accusers there are now, the first included.
        accusers: u8,
    },
    /// A suspicion ended: the member refuted it.
    Refuted {
        /// Who was suspected.
        id: NodeId,
        /// Its incarnation now.
        incarnation: Incarnation,
        /// Who had accused it first.
        by: NodeId,
    },
    /// A suspicion ran out, here or elsewhere.
    Dead {
        /// Who.
        id: NodeId,
        /// The member that declared it Dead; this node itself if the suspicion expired here.
        by: NodeId,
        /// Who had accused it first, as far as known here.
        accuser: NodeId,
    },
    /// A member said goodbye, or was removed.
    Left {
        /// Who.
        id: NodeId,
        /// The operator's node if it was removed; `None` if it said goodbye itself.
        by: Option<NodeId>,
    },
    /// A member changed its address or its metadata.
    Updated {
        /// Who.
        id: NodeId,
        /// Where it is now.
        #[serde(with = "crate::collections::serial::addr")]
        addr: SocketAddr,
    },
    /// The tombstone of a Dead or Left member expired: nothing is known of it any more.
    Forgotten {
        /// Who.
        id: NodeId,
    },
    /// Another member suspects this node, which has refuted that with a new incarnation.
    Accused {
        /// The accuser.
        by: NodeId,
        /// This node's incarnation now.
        incarnation: Incarnation,
    },
    /// Another node claims this node's id; or, at a member that was asked to admit it, the id of a member
    /// that is reachable, in an epoch that is not an earlier one (which may be an old datagram).
    Conflict {
        /// The id.
        id: NodeId,
        /// Where the rival is.
        #[serde(with = "crate::collections::serial::addr")]
        rival: SocketAddr,
        /// `false`: this node has lost its name and is quiet from now on.
        won: bool,
    },
    /// A member answered with the right number from another address than it was asked at. Once per
    /// member; see [`crate::Options::accept_wrong_source`]. With this node's own id: members see it at another address
    /// than it advertises, and so do not hold it; see [`crate::Options::follow_address`].
    WrongSource {
        /// Who.
        id: NodeId,
        /// Where it was asked.
        #[serde(with = "crate::collections::serial::addr")]
        asked: SocketAddr,
        /// Where the answer came from.
        #[serde(with = "crate::collections::serial::addr")]
        answered: SocketAddr,
    },
    /// This node has a new epoch: a higher one, or, if its wall clock was far ahead of the cluster's, a
    /// lower one. To be persisted: the next run starts above it.
    EpochRaised {
        /// The new epoch.
        epoch: Epoch,
    },
    /// This node was not run for a while, noticed it, and raises no suspicion because of it.
    Stalled {
        /// How late it was.
        lost: Duration,
    },
    /// This node was stalled for so long that others may have forgotten the members it knew, or a seed's
    /// epoch clock is too far ahead of its own: its table is empty, and it joins its cluster anew.
    StartedOver {
        /// How many members and tombstones it knew, itself not included.
        forgotten: u32,
    },
    /// This node receives nothing although it asked: it accuses no member and ends no suspicion until it receives
    /// something again.
    Isolated {
        /// `true` when the isolation begins, `false` when it ends.
        isolated: bool,
    },

    /// The search for the cluster succeeded.
    Joined {
        /// The member that let us in.
        #[serde(with = "crate::collections::serial::addr")]
        via: SocketAddr,
        /// How many Alive and Suspect members are known so far, this one included. The rest follows.
        members: u32,
    },
    /// The search for the cluster ended without one.
    JoinFailed {
        /// Why.
        reason: JoinFailure,
    },
    /// This node has left: it has announced that to enough members, and sends nothing from now on.
    LeaveSent {
        /// Datagrams that carried it.
        datagrams: u32,
    },

    /// A member's broadcast arrived, for the first time.
    Broadcast {
        /// Whose.
        origin: NodeId,
        /// What it says.
        payload: Box<[u8]>,
    },
    /// Broadcasts of a member are lost to this node, because no member keeps them any longer, or to a consumer that was too
    /// slow.
    BroadcastsMissed {
        /// Whose.
        origin: NodeId,
        /// How many.
        count: u32,
    },
    /// A member sent this node a message.
    Message {
        /// Who.
        from: NodeId,
        /// What it says.
        payload: Box<[u8]>,
    },
    /// Events were lost because they were not polled in time, or because a consumer was too slow: the views have
    /// moved on, read them again.
    Lost {
        /// How many.
        events: u64,
    },

    /// From the driver: no address was found for a seed's name. It is asked again; this is said once until it is found.
    SeedUnresolved {
        /// As it was named.
        seed: Box<str>,
        /// What the resolver says.
        error: Box<str>,
    },
    /// From the driver: a seed's name stands for these addresses now, of which those of the socket's family are asked.
    SeedResolved {
        /// As it was named.
        seed: Box<str>,
        /// How many.
        addresses: u32,
    },
    /// From the driver: the state file was of no use and is set aside, or could not be written. The member goes on, and
    /// so do the attempts to write; this is said once until one succeeds.
    StateNotKept {
        /// Which file.
        path: Box<str>,
        /// What is wrong with it, and what was done.
        error: Box<str>,
    },
}

/// Why a join ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum JoinFailure {
    /// `CancelJoin`.
    Cancelled,
    /// The node left.
    Left,
    /// The cluster has a living member of this id; see `Event::Conflict`.
    IdTaken,
    /// Every member that was asked refused: the address that this node advertises is not the one that its
    /// datagrams come from, the table is full, their clock and ours are too far apart, or all seeds are
    /// this node itself.
    Refused,
}

impl fmt::Display for JoinFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "the join was cancelled",
            Self::Left => "the join ended because the node left",
            Self::IdTaken => "the cluster has a living member of this id; choose another",
            Self::Refused => {
                "every member that was asked refused: is the advertised address the one that datagrams come from?"
            }
        })
    }
}

/// What a command has done when [`crate::Node::command`] returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Done {
    /// The cluster is looked for, as long as [`crate::Node::is_seeking`].
    Seeking,
    /// The cluster is no longer looked for.
    Cancelled,
    /// The leave is being gossiped, as long as [`crate::Node::is_running`].
    Leaving,
    /// The metadata is on its way to the others.
    MetadataSet {
        /// The incarnation that carries it.
        incarnation: Incarnation,
    },
    /// The address is on its way to the others.
    AddressSet,
    /// The broadcast is on its way.
    BroadcastQueued {
        /// Its number within this epoch.
        sequence: u32,
    },
    /// The message is among the datagrams to be polled.
    Sent,
    /// The member is held as Left.
    Removed,
    /// The known peers were read.
    Restored {
        /// Known peers that were used.
        used: u32,
        /// Known peers that were not (beyond the bound, or about this node itself).
        skipped: u32,
    },
    /// The seeds are those of the list.
    SeedsSet,
}

/// A join that succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Joined {
    /// The member that let this node in.
    #[serde(with = "crate::collections::serial::addr")]
    pub via: SocketAddr,
    /// How many Alive and Suspect members were known then, this one included. The rest follows.
    pub members: u32,
}

/// Why a command was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// This node has left, or lost its id to a rival.
    NotRunning,
    /// No address in the list is one that a datagram can be sent to, or all are this node's own.
    NoUsableAddress,
    /// The seeds' bound is reached.
    TooManySeeds {
        /// [`crate::SEEDS_MAX`].
        limit: u32,
    },
    /// The broadcast queue is full; try again when it has drained.
    QueueFull {
        /// [`crate::Options::broadcasts_max`].
        limit: u32,
    },
    /// The outbox is full; poll it.
    OutboxFull,
    /// No such member is held in a state that allows it.
    NoSuchMember,
    /// There is nothing to cancel.
    NothingToCancel,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => f.write_str("this node has left or lost its id; start it again"),
            Self::NoUsableAddress => {
                f.write_str("no address that a datagram can be sent to, other than this node's own")
            }
            Self::TooManySeeds { limit } => write!(f, "it knows {limit} seeds already"),
            Self::QueueFull { limit } => {
                write!(f, "{limit} broadcasts are waiting; try again when they have drained")
            }
            Self::OutboxFull => f.write_str("too many datagrams are waiting; try again"),
            Self::NoSuchMember => f.write_str("no such member, or not in a state that allows it"),
            Self::NothingToCancel => f.write_str("no join is under way"),
        }
    }
}
