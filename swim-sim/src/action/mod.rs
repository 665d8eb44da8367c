//! What can be done to a world, as data: it can be scheduled, drawn from a seed, printed, reduced, and
//! written down by people.
//!
//! In text each action is its name in snake case with its fields: `"heal"`, `{ crash = "#3" }`,
//! `{ pause = { host = "#3", inbox = "dropped" } }`. Hosts are `"#1"`, `"#2"`, … in hexadecimal, durations
//! `"1.5s"`, addresses `"192.0.2.1:7946"` or `"#3"` for where host #3 was born.

mod fault;

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host_id::HostId;
use crate::net::{Directions, Link};
use crate::text;

pub use fault::{FaultClass, Phase};

/// One intervention: done at once by [`crate::World::perform`], or later by [`crate::World::schedule`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Action {
    /// The process dies without a goodbye, as by SIGKILL.
    Crash(HostId),
    /// A dead process is started again, with a new epoch.
    Restart(HostId),
    /// A dead process is started again in another way than its host does by itself.
    RestartAs {
        /// Which.
        host: HostId,
        /// Whether the process, now and after later restarts, knows its earlier epochs. Default: it does not.
        #[serde(default)]
        memory: Memory,
        /// Where it listens from now on. Default: where it did.
        #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
        addr: Option<SocketAddr>,
    },
    /// One more host starts, with the next free number, and joins through these addresses.
    Start {
        /// Whose configuration it has.
        like: HostId,
        /// Whom it asks. Default: no address yet.
        #[serde(default, with = "text::list")]
        seeds: Vec<SocketAddr>,
    },
    /// One more host starts whose node bears the name of another's, and joins through these addresses.
    Twin {
        /// Whose name and configuration it has.
        of: HostId,
        /// Whom it asks. Default: no address yet.
        #[serde(default, with = "text::list")]
        seeds: Vec<SocketAddr>,
    },
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
    /// The node gets the command to join through these addresses.
    Join {
        /// Which.
        host: HostId,
        /// Whom it asks.
        #[serde(with = "text::list")]
        seeds: Vec<SocketAddr>,
    },
    /// The node gets the command to leave.
    Leave(HostId),
    /// The host gets another address, and its node learns it by a command.
    Move {
        /// Which.
        host: HostId,
        /// Where it is from now on.
        #[serde(with = "text")]
        addr: SocketAddr,
    },
    /// The host's own stack refuses to send anything (ENETUNREACH), and nothing reaches it. Ended by `Plug`.
    Unplug(HostId),
    /// Undoes `Unplug`.
    Plug(HostId),
    /// The send buffer of the host's socket is full: what its process sends waits there. Ended by
    /// `DrainSendBuffer`.
    FillSendBuffer(HostId),
    /// Undoes `FillSendBuffer`.
    DrainSendBuffer(HostId),
    /// What the host sends seems to come from this address, and what is sent there reaches it as well: behind
    /// an address translator, or with two network cards. It stays there after restarts. Ended by `Unmask`.
    Mask {
        /// Which.
        host: HostId,
        /// Where it seems to be.
        #[serde(with = "text")]
        addr: SocketAddr,
    },
    /// Undoes `Mask`.
    Unmask(HostId),
    /// The groups do not hear each other from now on; hosts that are not named form one more group. Ended
    /// by `Heal`.
    Partition(Vec<Vec<HostId>>),
    /// One direction lets nothing pass. Ended by `Uncut` or `Heal`.
    Cut {
        /// From here.
        source: HostId,
        /// To there.
        target: HostId,
    },
    /// Undoes `Cut` for one direction.
    #[serde(rename = "mend")]
    Uncut {
        /// From here.
        source: HostId,
        /// To there.
        target: HostId,
    },
    /// No partition and no cut any more. Links stay as they are.
    Heal,
    /// All links that are not special become this one. Ended by itself with [`Link::lan`].
    SetDefaultLink(Link),
    /// One direction between two hosts becomes this link. Ended by `ResetLink`.
    SetLink {
        /// From here.
        source: HostId,
        /// To there.
        target: HostId,
        /// How it is from now on.
        link: Link,
    },
    /// Undoes `SetLink`.
    ResetLink {
        /// From here.
        source: HostId,
        /// To there.
        target: HostId,
    },
    /// All links of a host that are not special become this one: its network card is bad. Ended by
    /// `ResetLinksOf`.
    SetLinksOf {
        /// Whose.
        host: HostId,
        /// Which of them. Default: both.
        #[serde(default)]
        directions: Directions,
        /// How they are from now on.
        link: Link,
    },
    /// Undoes `SetLinksOf`.
    ResetLinksOf(HostId),
    /// Each datagram takes the process so long, and only so many wait for it. Ended by `Quicken`.
    Slow {
        /// Which.
        host: HostId,
        /// How long a datagram takes.
        #[serde(with = "text")]
        service: Duration,
        /// How many datagrams may wait; further ones are lost. Default: 1,024.
        #[serde(default = "queue_default")]
        queue: u32,
    },
    /// Undoes `Slow`.
    Quicken(HostId),
    /// The process's clock runs faster from now on, or slower if negative, in parts per million; by half at
    /// most. It keeps that clock after restarts. Ended by itself with 0.
    Drift {
        /// Whose.
        host: HostId,
        /// By how much.
        ppm: i32,
    },
    /// The process's clock leaps forward, as that of a machine which was suspended.
    Jump {
        /// Whose.
        host: HostId,
        /// By how much.
        #[serde(with = "text")]
        by: Duration,
    },
    /// The process's timers fire late, each by something between 0 and this. Ended by itself with 0.
    LateTicks {
        /// Whose.
        host: HostId,
        /// By how much at most.
        #[serde(with = "text")]
        up_to: Duration,
    },
    /// The host's wall clock, which its next epoch follows, is ahead of the world's by so many
    /// milliseconds, or behind. Ended by itself with 0.
    #[serde(rename = "calendar")]
    WallClock {
        /// Whose.
        host: HostId,
        /// By how much.
        ahead_ms: i64,
    },
    /// A user attaches something to a node, at most 512 bytes of text.
    SetMetadata {
        /// Whose.
        host: HostId,
        /// What.
        text: String,
    },
    /// A user broadcasts something to all members, at most 1,024 bytes of text.
    Broadcast {
        /// Whose node.
        host: HostId,
        /// What.
        text: String,
    },
    /// A user sends one member something, at most 1,024 bytes of text.
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
    /// All that lasts ends: no partition, no cut, no mask, every link as the world began with, stopped processes
    /// go on, unplugged hosts are plugged in, send buffers drain, slow ones are quick, timers punctual, clocks run at the right
    /// speed (what they show stays as it is). Dead processes stay dead, addresses and wall clocks as they are.
    Peace,
    /// Datagrams of noise arrive at a host, half of them behind a header that its node accepts.
    Garbage {
        /// Where.
        host: HostId,
        /// How many.
        count: u32,
        /// How long they are at most. Default: 1,500 bytes.
        #[serde(default = "len_default")]
        len_max: u32,
        /// Where they seem to come from. Default: any.
        #[serde(default)]
        from: Origin,
        /// In how much time. Default: all at once.
        #[serde(default, with = "text")]
        over: Duration,
    },
    /// Copies of datagrams that were sent some time in this run, to any host, arrive at a host: with some bits
    /// flipped, cut short, or made longer.
    Mutants {
        /// Where.
        host: HostId,
        /// How many.
        count: u32,
        /// Where they seem to come from; a member: from where the original came. Default: any.
        #[serde(default)]
        from: Origin,
        /// In how much time. Default: all at once.
        #[serde(default, with = "text")]
        over: Duration,
    },
    /// Datagrams that were sent to a host some time in this run arrive there once more.
    Replay {
        /// Where.
        host: HostId,
        /// How many.
        count: u32,
        /// Where they seem to come from; a member: from where the original came. Default: any.
        #[serde(default)]
        from: Origin,
        /// In how much time. Default: all at once.
        #[serde(default, with = "text")]
        over: Duration,
    },
    /// A forged datagram claims something about a third host.
    Forge {
        /// Which host receives it.
        host: HostId,
        /// Which host seems to send it. Default: a sender that no member knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        speaker: Option<HostId>,
        /// Whom it is about.
        victim: HostId,
        /// What.
        says: Says,
        /// How far the epoch that it names is ahead of the victim's present one.
        #[serde(default)]
        epoch_ahead: i64,
        /// How far the incarnation that it names is ahead of the victim's present one.
        #[serde(default)]
        incarnation_ahead: i32,
        /// The address at which the victim is claimed to be alive. Default: where it is.
        #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
        addr: Option<SocketAddr>,
    },
    /// Acks with guessed numbers arrive at a host.
    SpoofAcks {
        /// Where.
        host: HostId,
        /// Whose they seem to be.
        subject: HostId,
        /// How many.
        count: u32,
        /// In how much time. Default: all at once.
        #[serde(default, with = "text")]
        over: Duration,
    },
    /// Pings, requests to ping, to join and to synchronise arrive at a host, whose answers would go to
    /// an address that never asked.
    Reflect {
        /// Where.
        host: HostId,
        /// Who would get the answers.
        #[serde(with = "text")]
        victim: SocketAddr,
        /// How many.
        count: u32,
        /// In how much time. Default: all at once.
        #[serde(default, with = "text")]
        over: Duration,
    },
    /// Many nodes that do not exist ask a host to let them join, or announce themselves.
    Strangers {
        /// Where.
        host: HostId,
        /// How many.
        count: u32,
        /// In how much time. Default: all at once.
        #[serde(default, with = "text")]
        over: Duration,
    },
    /// One more host starts, with the next free number, which belongs to another cluster.
    Foreigner {
        /// Whose configuration it has, but for the label.
        like: HostId,
        /// The other cluster's label.
        label: String,
        /// Where it listens. Default: at an address of its own.
        #[serde(default, with = "text::option", skip_serializing_if = "Option::is_none")]
        addr: Option<SocketAddr>,
        /// Whom it asks. Default: no address yet.
        #[serde(default, with = "text::list")]
        seeds: Vec<SocketAddr>,
    },
}

const fn len_default() -> u32 {
    1500
}

/// What a forged update claims of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It is alive.
    Alive,
    /// It is suspected.
    Suspect,
    /// It is dead.
    Dead,
    /// It left, or was removed.
    Left,
}

/// Where hostile datagrams seem to come from.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Each from one or the other.
    #[default]
    Any,
    /// From addresses where no host is.
    Stranger,
    /// From hosts of the world, each as drawn.
    Member,
}

const fn queue_default() -> u32 {
    1024
}

/// Whether a process that starts again knows the largest epoch that it had before.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// It does, and begins above it.
    Kept,
    /// It goes by its wall clock alone.
    #[default]
    Lost,
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
