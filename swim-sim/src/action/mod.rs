//! What can be done to a world, as data: it can be scheduled, drawn from a seed, printed, reduced, and
//! written down by people.
//!
//! In text each action is its name in snake case with its fields: `"heal"`, `{ crash = "#3" }`,
//! `{ pause = { host = "#3", inbox = "dropped" } }`. Hosts are `"#1"`, `"#2"`, … in hexadecimal, durations
//! `"1.5s"`, addresses `"192.0.2.1:7946"` or `"#3"` for where host #3 was born.

mod class;
mod facts;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::host::HostId;
use crate::net::Link;
use crate::text;

pub use class::FaultClass;
pub use facts::Phase;

/// One intervention: done at once by [`crate::World::perform`], or later by [`crate::World::schedule`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Action {
    /// The process dies without a goodbye, as by SIGKILL.
    Crash(HostId),
    /// A dead process is started again: a new life, a new epoch.
    Restart(HostId),
    /// The process is stopped, as by SIGSTOP. Ended by `Resume`.
    Pause {
        /// Which.
        host: HostId,
        /// What becomes of the datagrams that arrive meanwhile. Default: kept.
        #[serde(default)]
        inbox: Inbox,
    },
    /// A stopped process goes on, as by SIGCONT.
    Resume(HostId),
    /// The node is told to join through these addresses.
    Join {
        /// Which.
        host: HostId,
        /// Whom it asks.
        #[serde(with = "text::place::list")]
        seeds: Vec<SocketAddr>,
    },
    /// The node is told to say goodbye.
    Leave(HostId),
    /// The host gets another address, and its node is told.
    Move {
        /// Which.
        host: HostId,
        /// Where it is from now on.
        #[serde(with = "text::place")]
        addr: SocketAddr,
    },
    /// The host's own stack refuses to send anything (ENETUNREACH), and nothing reaches it. Ended by `Plug`.
    Unplug(HostId),
    /// Undoes `Unplug`.
    Plug(HostId),
    /// The groups do not hear each other from now on; hosts that are not named form one more group. Ended
    /// by `Heal`.
    Partition(Vec<Vec<HostId>>),
    /// One direction lets nothing pass. Ended by `Mend` or `Heal`.
    Cut {
        /// From here.
        source: HostId,
        /// To there.
        target: HostId,
    },
    /// Undoes `Cut` for one direction.
    Mend {
        /// From here.
        source: HostId,
        /// To there.
        target: HostId,
    },
    /// No partition and no cut any more.
    Heal,
    /// All links that are not special become this one.
    SetDefaultLink(Link),
    /// A user attaches something to a node, at most 512 bytes of text.
    SetMetadata {
        /// Whose.
        host: HostId,
        /// What.
        text: String,
    },
    /// A user tells all members something, at most 1,024 bytes of text.
    Broadcast {
        /// Whose node.
        host: HostId,
        /// What.
        text: String,
    },
    /// A user tells one member something, at most 1,024 bytes of text.
    Send {
        /// Whose node.
        host: HostId,
        /// Whom.
        target: HostId,
        /// What.
        text: String,
    },
    /// An operator declares a member gone.
    Remove {
        /// At whose node.
        host: HostId,
        /// Which member.
        target: HostId,
    },
}

/// What becomes of the datagrams that arrive at a stopped process.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inbox {
    /// The socket collects them until it is full, as the kernel does: they are read when the process goes on.
    #[default]
    Kept,
    /// They are lost, as when a whole machine stands still.
    Dropped,
}

#[cfg(test)]
mod tests;
