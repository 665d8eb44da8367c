//! What goes into a node: inputs, which happen to it, and commands, which its user gives.
//!
//! Inputs are borrowed: nothing is copied before it is known to be needed.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::api::identity::{Epoch, Incarnation, NodeId};
use crate::api::payload::{Metadata, Payload};

/// Something that happened. Handed to [`crate::Node::handle`] together with the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A datagram arrived.
    Datagram {
        /// Where the socket says that it came from.
        source: SocketAddr,
        /// All of it.
        bytes: &'a [u8],
    },
    /// Time passed: [`crate::Node::deadline`] has come. Early or late, it is always legal.
    Tick,
    /// The operating system refused to send to `target` (unreachable, no buffers, not permitted):
    /// a local fault, so a ping that never left is not held against its target, for a bounded time.
    Undelivered {
        /// The [`crate::Transmit::destination`] that was refused.
        target: SocketAddr,
    },
}

/// What a user can ask for, with [`crate::Node::command`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Find the cluster through any of these addresses. They are remembered as seeds (at most
    /// [`crate::SEEDS_MAX`], for ever) and asked in parallel with back-off until one answers:
    /// [`crate::Node::is_seeking`] until then, [`crate::Node::join_outcome`] afterwards.
    Join {
        /// Addresses of members that may exist now or later.
        seeds: &'a [SocketAddr],
    },
    /// Stop looking for the cluster. Refused when nothing was being looked for.
    CancelJoin,
    /// Announce that this node leaves, and stop once that has been gossiped often enough:
    /// [`crate::Node::is_running`] until then.
    Leave,
    /// Replace this node's metadata; the others learn it with a new incarnation.
    SetMetadata(Metadata<'a>),
    /// This node is now reached at another address.
    SetAddress(SocketAddr),
    /// Send a payload to every member. Each that is not cut off for longer than broadcasts are kept delivers it
    /// once, in the order of this node's broadcasts.
    Broadcast(Payload<'a>),
    /// Send one datagram to one member, best effort.
    Send {
        /// A member held as Alive or Suspect.
        target: NodeId,
        /// What to send.
        payload: Payload<'a>,
    },
    /// Declare a Suspect or Dead member gone, as an operator; a member that is still running comes back
    /// with a new epoch.
    Remove {
        /// The member.
        target: NodeId,
    },
    /// Use members remembered from an earlier run as addresses to join through. A stale list cannot harm
    /// the cluster: none of it is taken as a claim.
    Restore {
        /// At most [`crate::KNOWN_PEERS_MAX`] are looked at.
        known_peers: &'a [KnownPeer],
    },
    /// Replace the seeds: those that are not in this list are forgotten, and no longer asked. A node that has not
    /// joined, or is alone, looks for the cluster through the rest. Addresses that no datagram can be sent to, and
    /// this node's own, are passed over.
    SetSeeds {
        /// At most [`crate::SEEDS_MAX`] usable ones.
        seeds: &'a [SocketAddr],
    },
}

/// One remembered member: what [`crate::Member`] said of it before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KnownPeer {
    /// Its name.
    pub id: NodeId,
    /// Where it was.
    #[serde(with = "crate::collections::serial::addr")]
    pub addr: SocketAddr,
    /// Its epoch then.
    pub epoch: Epoch,
    /// Its incarnation then.
    pub incarnation: Incarnation,
}
