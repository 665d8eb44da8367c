//! What really happened, as it happens: what everything that checks a run looks at.
//!
//! A table says what a node holds; whether it may hold it only shows in what was sent, what arrived, what was
//! done to the hosts and what was promised to the user. A [`Watcher`](crate::Watcher) gets each of these, in
//! order, together with the [`Scene`]: the truth about hosts and network at that moment, which no node can
//! see. Watchers look and never touch: with and without them a run is the same run.

use std::net::SocketAddr;

use swim_core::{Command, Done, Event, Identity, Instant, NodeId, Refusal};

use super::{GroundTruth, Presence};
use crate::action::Action;
use crate::host_id::HostId;
use crate::net::Network;
use crate::traffic::Fate;

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named for what they hold")]
pub enum Happening<'a> {
    /// Something was done to the world.
    Acted {
        action: &'a Action,
        /// `false`: it did not apply (a dead process cannot be stopped), and nothing changed.
        done: bool,
    },
    /// A process starts.
    Began { host: HostId, me: Identity },
    /// A process is over.
    Ended {
        host: HostId,
        /// How it went: `Crashed`, or `Gone` if it left or lost its id.
        presence: Presence,
    },
    /// A node sent a datagram.
    Sent { host: HostId, source: SocketAddr, target: SocketAddr, bytes: &'a [u8], fate: Fate },
    /// The host's own stack refused to send.
    Unsendable { host: HostId, target: SocketAddr },
    /// The host's send buffer is full: the datagram waits in the process.
    Held { host: HostId, target: SocketAddr },
    /// A stranger sent a datagram, or an old one was sent again.
    Forged { source: SocketAddr, target: SocketAddr, bytes: &'a [u8] },
    /// A datagram is handed to a node.
    Arrived { host: HostId, source: SocketAddr, bytes: &'a [u8] },
    /// A node ticks: time passed.
    Ticked { host: HostId },
    /// A user asks for something.
    Commanded { host: HostId, command: &'a Command<'a> },
    /// A command has returned.
    Returned { host: HostId, result: Result<Done, Refusal> },
    /// A node reports an event to its user.
    Reported { host: HostId, event: &'a Event },
    /// The run enters another phase.
    Entered { phase: Phase },
}

/// What part of a run it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Phase {
    /// Whole links; all join.
    #[default]
    Gathering,
    /// The faults.
    Trouble,
    /// No more faults: all must agree soon.
    Peace,
    /// All agree, and what was said has been said.
    Rest,
}

/// The truth at one moment.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub(crate) now: Instant,
    pub(crate) phase: Phase,
    /// Whose timer the present input is, if it is one.
    pub(crate) ticking: Option<HostId>,
    pub(crate) ground_truth: &'a GroundTruth,
    pub(crate) network: &'a Network,
}

impl Scene<'_> {
    /// Whether the present input is a tick of the node of `host`: what it does now it does by itself.
    #[must_use]
    pub fn ticks(&self, host: HostId) -> bool {
        self.ticking == Some(host)
    }

    /// The world's clock.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The part of the run.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// All hosts there ever were.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..).map(HostId).take(self.ground_truth.len())
    }

    /// What `host` really does.
    #[must_use]
    pub fn presence(&self, host: HostId) -> Presence {
        self.ground_truth.fact(host).presence
    }

    /// Whether the process of `host` holds back what its node sends and reports: what leaves it now may be about
    /// earlier inputs.
    #[must_use]
    pub fn holds_sends(&self, host: HostId) -> bool {
        self.ground_truth.fact(host).holds_sends
    }

    /// The identity of the node of `host` in its present epoch, or its last.
    #[must_use]
    pub fn identity(&self, host: HostId) -> Identity {
        let fact = self.ground_truth.fact(host);
        Identity { id: fact.id, addr: fact.addr, epoch: fact.epoch }
    }

    /// The host that has this id, the living before the dead; `None`: no host ever did.
    #[must_use]
    pub fn host_named(&self, id: NodeId) -> Option<HostId> {
        self.ground_truth.host_named(id)
    }

    /// All hosts that ever had this id.
    #[must_use]
    pub fn hosts_named(&self, id: NodeId) -> &[HostId] {
        self.ground_truth.hosts_named(id)
    }

    /// Whether no partition and no cut keeps the two apart, in either direction.
    #[must_use]
    pub fn connected(&self, a: HostId, b: HostId) -> bool {
        self.network.passes(a, b) && self.network.passes(b, a)
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &Network {
        self.network
    }
}
