//! What both sides are asked to do.

use super::meter::Meter;

/// Updates in a full gossip datagram of 1,400 bytes, as a real node fills it.
pub(crate) const FULL: usize = 41;

/// One of the things that a member does all the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    /// A ping of one of sixty-four members is answered.
    Ping,
    /// A ping of any member, whom the cache does not remember.
    PingAny,
    /// The ack of the member that is being probed.
    Ack,
    /// A full datagram of claims that are held already; each counts. They are about a thousand members: what
    /// is new is gossiped by all members for a while.
    Known,
    /// The same about any members.
    KnownAny,
    /// A datagram of claims that are newer than what is held; each counts.
    Changed,
    /// A ping is answered while the last changes wait to be sent: as many as fit.
    Gossiped,
    /// A datagram of members that no member had heard of; each counts.
    Newcomer,
    /// A member's suspicion of a member, and the member's refutation.
    Suspicion,
    /// A period: a member is pinged, and answers.
    Round,
    /// A timer that finds nothing to do.
    Idle,
    /// A member asks what differs, and nothing does.
    Digest,
}

impl Operation {
    /// All of them; those that leave something to gossip come last.
    pub(crate) const ALL: [Self; 12] = [
        Self::Ping,
        Self::PingAny,
        Self::Ack,
        Self::Known,
        Self::KnownAny,
        Self::Round,
        Self::Idle,
        Self::Digest,
        Self::Changed,
        Self::Gossiped,
        Self::Suspicion,
        Self::Newcomer,
    ];

    /// What it is called on the command line and in the table of instructions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::PingAny => "ping-anybody",
            Self::Ack => "ack",
            Self::Known => "known",
            Self::KnownAny => "known-anybody",
            Self::Changed => "changed",
            Self::Gossiped => "told",
            Self::Newcomer => "newcomer",
            Self::Suspicion => "suspicion",
            Self::Round => "round",
            Self::Idle => "idle",
            Self::Digest => "digest",
        }
    }

    /// What it is called in a table.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Ping => "ping → ack",
            Self::PingAny => "ping → ack, of any member",
            Self::Ack => "ack received",
            Self::Known => "known update",
            Self::KnownAny => "known update, of any member",
            Self::Changed => "changed update",
            Self::Gossiped => "ack full of news",
            Self::Newcomer => "update of a newcomer",
            Self::Suspicion => "suspicion raised and refuted",
            Self::Round => "probe round",
            Self::Idle => "idle tick",
            Self::Digest => "digest compared",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// Acks that are sure to be full before the news is old.
pub(crate) const REPEATS: usize = 4;
/// Members that ping, where not all do.
pub(crate) const PINGERS: u32 = 64;
/// Members that updates are about, where not all are.
pub(crate) const TALK: u32 = 1_000;

/// A member of a cluster of some size, of some library.
pub(crate) trait Side {
    /// Does `operation` `times` times. Returns how many it counts for: updates, not datagrams.
    fn perform(&mut self, operation: Operation, times: u32, meter: &mut impl Meter) -> u64;

    /// Whether it knows this operation at all.
    fn can(operation: Operation) -> bool;
}

/// Uniform enough to choose members by: a linear congruence.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((self.0 >> 32) * u64::from(n)) >> 32) as u32
    }
}
