//! What really happened, as it happens: what every judge of a run looks at.
//!
//! A table says what a node believes; whether it may believe it can only be judged by what was sent, what
//! arrived, what was done to the hosts and what was promised to the user. A [`Watcher`] is told of each of
//! these, in order, together with the [`Scene`]: the truth about hosts and network at that moment, which no
//! node can see. Watchers look and never touch: with and without them a run is the same run.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use swim_core::{Command, Done, Event, Identity, Instant, NodeId, Refusal};

use super::{GroundTruth, Presence};
use crate::World;
use crate::action::Action;
use crate::host_id::HostId;
use crate::net::Network;
use crate::traffic::Fate;

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Happening<'a> {
    /// Something was done to the world.
    Acted {
        /// What.
        action: &'a Action,
        /// `false`: it did not apply (a dead process cannot be stopped), and nothing changed.
        done: bool,
    },
    /// A process begins a life.
    Began {
        /// Where.
        host: HostId,
        /// Who it is in this life.
        me: Identity,
    },
    /// A process is over.
    Ended {
        /// Where.
        host: HostId,
        /// How it went: `Crashed`, or `Gone` if it said goodbye or lost its name.
        presence: Presence,
    },
    /// A node sent a datagram.
    Sent {
        /// Who.
        host: HostId,
        /// From where.
        source: SocketAddr,
        /// Where to.
        target: SocketAddr,
        /// All of it.
        bytes: &'a [u8],
        /// Whether it is on its way.
        fate: Fate,
    },
    /// The host's own stack refused to send.
    Unsendable {
        /// Whose.
        host: HostId,
        /// Where the datagram was to go.
        target: SocketAddr,
    },
    /// The host's send buffer is full: the datagram waits in the process.
    Held {
        /// Whose.
        host: HostId,
        /// Where the datagram is to go.
        target: SocketAddr,
    },
    /// A stranger sent a datagram, or somebody sent an old one again.
    Forged {
        /// From where it seems to come.
        source: SocketAddr,
        /// Where to.
        target: SocketAddr,
        /// All of it.
        bytes: &'a [u8],
    },
    /// A datagram is handed to a node.
    Arrived {
        /// Whose.
        host: HostId,
        /// From where.
        source: SocketAddr,
        /// All of it.
        bytes: &'a [u8],
    },
    /// A node is told that time passed.
    Ticked {
        /// Whose.
        host: HostId,
    },
    /// A user asks for something.
    Commanded {
        /// Whose node.
        host: HostId,
        /// What.
        command: &'a Command<'a>,
    },
    /// A command has returned.
    Returned {
        /// Whose node.
        host: HostId,
        /// What.
        result: Result<Done, Refusal>,
    },
    /// A node tells its user something.
    Reported {
        /// Whose.
        host: HostId,
        /// What.
        event: &'a Event,
    },
    /// The run enters another phase.
    Entered {
        /// Which.
        phase: Phase,
    },
}

/// What part of a run it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Phase {
    /// Whole links; everybody joins.
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
    pub(crate) ground_truth: &'a GroundTruth,
    pub(crate) network: &'a Network,
}

/// Who watches a run.
pub trait Watcher: Send {
    /// Something happened.
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>);

    /// One input of the node of `host`, and all that it caused, is over: its node may be looked at.
    fn after_input(&mut self, world: &World, host: HostId) {
        let _ = (world, host);
    }
}

/// So that whoever attached a watcher still has it after the run.
impl<W: Watcher> Watcher for Arc<Mutex<W>> {
    fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        self.lock().unwrap_or_else(PoisonError::into_inner).on_happening(scene, what);
    }

    fn after_input(&mut self, world: &World, host: HostId) {
        self.lock().unwrap_or_else(PoisonError::into_inner).after_input(world, host);
    }
}

impl Scene<'_> {
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

    /// Who the node of `host` is in its present life, or was in its last.
    #[must_use]
    pub fn identity(&self, host: HostId) -> Identity {
        let fact = self.ground_truth.fact(host);
        Identity { id: fact.id, addr: fact.addr, epoch: fact.epoch }
    }

    /// The host that bears this name, the living before the dead; `None`: no host ever did.
    #[must_use]
    pub fn host_named(&self, id: NodeId) -> Option<HostId> {
        self.ground_truth.host_named(id)
    }

    /// All hosts that ever bore this name.
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

/// Everybody who watches.
#[derive(Default)]
pub(crate) struct Watchers(pub(crate) Vec<Box<dyn Watcher>>);

impl Watchers {
    pub(crate) fn on_happening(&mut self, scene: &Scene<'_>, what: &Happening<'_>) {
        for watcher in &mut self.0 {
            watcher.on_happening(scene, what);
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
