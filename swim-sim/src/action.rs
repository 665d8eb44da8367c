//! What can be done to a world, as data: it can be scheduled, drawn from a seed, printed and reduced.

use std::net::SocketAddr;

use crate::host::HostId;
use crate::net::Link;

/// One intervention: done at once by [`crate::World::perform`], or later by [`crate::World::schedule`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Action {
    /// The process dies without a goodbye, as by SIGKILL.
    Crash(HostId),
    /// A dead process is started again: a new life, a new epoch.
    Restart(HostId),
    /// The process is stopped, as by SIGSTOP.
    Pause(HostId),
    /// A stopped process goes on, as by SIGCONT.
    Resume(HostId),
    /// The node is told to join through these addresses.
    Join {
        /// Which.
        host: HostId,
        /// Whom it asks.
        seeds: Vec<SocketAddr>,
    },
    /// The node is told to say goodbye.
    Leave(HostId),
    /// The host gets another address, and its node is told.
    Move {
        /// Which.
        host: HostId,
        /// Where it is from now on.
        addr: SocketAddr,
    },
    /// The host's own stack refuses to send anything (ENETUNREACH), and nothing reaches it.
    Unplug(HostId),
    /// Undoes `Unplug`.
    Plug(HostId),
    /// The groups do not hear each other from now on.
    Partition(Vec<Vec<HostId>>),
    /// One direction lets nothing pass.
    Cut {
        /// From here.
        source: HostId,
        /// To there.
        target: HostId,
    },
    /// No partition and no cut any more.
    Heal,
    /// All links that are not special become this one.
    SetDefaultLink(Link),
}
